//! What is set in the session.

use std::fs::OpenOptions;

use super::Failure;
use crate::diff;
use crate::host::{Form, Over, Units};
use crate::session::Session;
use crate::statement::read_range;

pub(super) fn time(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    match rest {
        "" => {
            let time = session.settings.time.clone().unwrap_or_else(|| "now".to_owned());
            session.print(&format!("{time}\n"));
        }
        "now" => session.settings.time = None,
        text => session.settings.time = Some(text.to_owned()),
    }
    Ok(())
}

pub(super) fn range(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    match rest {
        "" => {
            let text = match &session.settings.range {
                None => "off".to_owned(),
                Some(range) => {
                    let over = match &range.over {
                        Over::Last(last) => last.clone(),
                        Over::Between(from, to) => {
                            format!("{from} .. {}", to.as_deref().unwrap_or_default())
                        }
                    };
                    let step = range.step.as_ref().map(|step| format!(" : {step}"));
                    over + &step.unwrap_or_default()
                }
            };
            session.print(&format!("{text}\n"));
        }
        "off" => session.settings.range = None,
        text => {
            let inside = text.trim_start_matches("[[").trim_end_matches("]]");
            let range = read_range(inside).map_err(|unclear| Failure::new(unclear.0))?;
            session.settings.range = Some(range);
        }
    }
    Ok(())
}

pub(super) fn step(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let mut step = session.settings.step.take();
    let result = duration(session, &mut step, rest, "auto");
    session.settings.step = step;
    result
}

pub(super) fn lookback(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let mut lookback = session.settings.lookback.take();
    let result = duration(session, &mut lookback, rest, "default");
    session.settings.lookback = lookback;
    result
}

/// `\tz [ZONE]`
pub(super) fn zone(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let name = session.host.zone(Some(rest).filter(|name| !name.is_empty()))?;
    if rest.is_empty() {
        session.print(&format!("{name}\n"));
    }
    Ok(())
}

fn duration(
    session: &mut Session<'_>,
    setting: &mut Option<String>,
    rest: &str,
    none: &str,
) -> Result<(), Failure> {
    match rest {
        "" => session.print(&format!("{}\n", setting.as_deref().unwrap_or(none))),
        text if text == none => *setting = None,
        text => match promql_model::parse_duration(text) {
            Ok(duration) if duration > 0 => *setting = Some(text.to_owned()),
            _ => {
                return Err(Failure::new(format!(
                    "`{text}` is no duration; write one as 30s or 5m"
                )));
            }
        },
    }
    Ok(())
}

pub(super) fn set(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let Some((name, value)) = rest.split_once(char::is_whitespace) else {
        return match rest {
            "" => {
                show(session);
                Ok(())
            }
            name => Err(Failure::new(format!("\\set {name} wants a value"))),
        };
    };
    let value = value.trim().trim_start_matches("= ").trim();
    let wrong = |wants: &str| Failure::new(format!("\\set {name} wants {wants}, not `{value}`"));
    let on = || match value {
        "on" | "true" | "yes" => Ok(true),
        "off" | "false" | "no" => Ok(false),
        _ => Err(wrong("on or off")),
    };
    match name {
        "output" => {
            let form = Form::named(value).ok_or_else(|| {
                let names: Vec<&str> = Form::ALL.iter().map(|form| form.name()).collect();
                wrong(&format!("one of {}", names.join(", ")))
            })?;
            session.settings.form = Some(form);
        }
        "maxrows" => {
            session.settings.max_rows =
                Some(value.parse().map_err(|_| wrong("a number; 0 is all"))?);
        }
        "units" => {
            let units =
                Units::named(value).ok_or_else(|| wrong(&format!("one of {}", Units::all())))?;
            session.settings.units = Some(units);
        }
        "tolerance" => {
            session.settings.tolerance =
                diff::tolerance(value).ok_or_else(|| wrong("a part as 1% or 0.01"))?;
        }
        "pager" => session.settings.no_pager = !on()?,
        "timing" => session.settings.timing = Some(on()?),
        _ => return session.assign(name, value),
    }
    Ok(())
}

fn show(session: &mut Session<'_>) {
    let settings = &session.settings;
    let on = |on: bool| if on { "on" } else { "off" };
    let rows = settings.max_rows.map_or("automatic".to_owned(), |rows| rows.to_string());
    let mut text = format!(
        "output   {}\nmaxrows  {rows}\npager    {}\ntiming   {}\nunits    {}\ntolerance {}\n",
        settings.form.map_or("automatic", Form::name),
        on(!settings.no_pager),
        settings.timing.map_or("automatic", on),
        settings.units.map_or("automatic".to_owned(), |units| units.to_string()),
        settings.tolerance,
    );
    for (name, value) in &session.variables {
        text.push_str(&format!("${name} = {}\n", value.replace('\n', "\n    ")));
    }
    session.print(&text);
}

pub(super) fn unset(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    match rest.trim_start_matches('$') {
        "output" => session.settings.form = None,
        "maxrows" => session.settings.max_rows = None,
        "units" => session.settings.units = None,
        "tolerance" => session.settings.tolerance = 0.0,
        "pager" => session.settings.no_pager = false,
        "timing" => session.settings.timing = None,
        name => {
            if session.variables.remove(name).is_none() {
                return Err(Failure::new(format!("there is no variable ${name}")));
            }
            session.tell_variables();
        }
    }
    Ok(())
}

pub(super) fn timing(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    set(session, &format!("timing {}", if rest.is_empty() { "on" } else { rest }))
}

pub(super) fn tee(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    session.tee = match rest {
        "" => None,
        path => {
            let file = OpenOptions::new().append(true).create(true).open(path);
            Some(file.map_err(|e| Failure::new(format!("can't write {path}: {e}")))?)
        }
    };
    Ok(())
}

pub(super) fn quit(session: &mut Session<'_>, _: &str) -> Result<(), Failure> {
    session.ended = true;
    Ok(())
}
