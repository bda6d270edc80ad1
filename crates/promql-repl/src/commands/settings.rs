//! What is set in the session.

use std::fs::OpenOptions;

use super::Failure;
use crate::host::{Over, Range};
use crate::options::{self, SETTINGS};
use crate::plain::plain;
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

/// A range as it is written between `[[` and `]]`.
pub(crate) fn range_text(range: &Range) -> String {
    let over = match &range.over {
        Over::Last(last) => last.clone(),
        Over::Between(from, to) => format!("{from} .. {}", to.as_deref().unwrap_or_default()),
    };
    let step = range.step.as_ref().map(|step| format!(" : {step}"));
    over + &step.unwrap_or_default()
}

pub(super) fn range(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    match rest {
        "" => {
            let text = match &session.settings.range {
                None => "off".to_owned(),
                Some(range) => range_text(range),
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
    if rest.is_empty() {
        let step = session.step().unwrap_or_else(|| "auto".to_owned());
        session.print(&format!("{step}\n"));
        return Ok(());
    }
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
    match rest {
        "" => session.print(&format!("{name}\n")),
        zone => session.settings.zone = Some(zone.to_owned()),
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

/// `\set [NAME VALUE|--save]`
pub(super) fn set(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let Some((name, value)) = rest.split_once(char::is_whitespace) else {
        return match rest {
            "" => {
                show(session);
                Ok(())
            }
            "--save" => save(session),
            name => Err(Failure::new(format!("\\set {name} wants a value"))),
        };
    };
    let value = value.trim().trim_start_matches("= ").trim();
    match options::named(name) {
        Some(setting) => setting.set(session, value),
        None => session.assign(name, value),
    }
}

fn save(session: &mut Session<'_>) -> Result<(), Failure> {
    let Some(path) = Session::settings_path() else {
        return Err(Failure::new(
            "there is no folder for configuration: set HOME or PROMQL_CONFIG",
        ));
    };
    let shown = plain(&path.display().to_string()).into_owned();
    options::save(session, &path)
        .map_err(|error| Failure::new(format!("can't write {shown}: {error}")))?;
    session.host.remark(&format!("written to {shown}; later sessions begin so\n"));
    Ok(())
}

fn show(session: &mut Session<'_>) {
    let mut text = String::new();
    for setting in SETTINGS {
        let value = setting.get(session).unwrap_or_else(|| "automatic".to_owned());
        text.push_str(&format!("{:10} {value:10} {}\n", setting.name, setting.about));
    }
    for (name, value) in &session.variables {
        text.push_str(&format!("${name} = {}\n", value.replace('\n', "\n    ")));
    }
    session.print(&text);
}

pub(super) fn unset(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let name = rest.trim_start_matches('$');
    if let Some(setting) = options::named(rest) {
        setting.unset(session);
    } else if session.variables.remove(name).is_some() {
        session.tell_variables();
    } else {
        return Err(Failure::new(format!("there is no variable ${}", plain(name))));
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
