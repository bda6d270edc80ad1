//! What is taken out of the session: into the clipboard, into a browser, into a rule file.

use super::queries::request;
use super::{Failure, given_or_last};
use crate::host::Form;
use crate::plain::plain;
use crate::session::Session;
use crate::stages::Stage;
use crate::statement::Statement;
use crate::{rule, stages};

/// `\url [EXPR]`: where the server shows it.
pub(super) fn url(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let address = page(session, rest)?;
    session.print(&format!("{address}\n"));
    Ok(())
}

fn page(session: &Session<'_>, rest: &str) -> Result<String, Failure> {
    let request = request(session, rest)?;
    session.connected()?.page(&request)
}

/// `\copy [expr|url|FORM]`: the last answer, or what was asked, into the clipboard.
pub(super) fn copy(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let (what, text) = match rest {
        "expr" | "expression" => ("the expression", given_or_last(session, "")?),
        "url" => ("the address", page(session, "")?),
        form => {
            let form = match form {
                "" => None,
                name => Some(Form::named(name).ok_or_else(|| {
                    let names: Vec<&str> = Form::ALL.iter().map(|form| form.name()).collect();
                    Failure::new(format!(
                        "\\copy wants expr, url or a form of the last answer ({}), not `{}`",
                        names.join(", "),
                        plain(name)
                    ))
                })?),
            };
            ("the answer", session.last_as_text(form)?)
        }
    };
    session.host.copy(&text)?;
    let lines = text.lines().count();
    let size = match lines {
        1 => format!("{} characters", text.trim_end().chars().count()),
        lines => format!("{lines} lines"),
    };
    session.host.remark(&format!("{what} went to the clipboard: {size}\n"));
    Ok(())
}

/// `\export FORM FILE`, where a form is one of answers, or `rule`: a rule for the last expression.
pub(super) fn export(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let (form, file) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let file = stages::unquoted(file.trim());
    if file.is_empty() {
        return Err(Failure::new(
            "\\export wants a form and a file: \\export svg graph.svg, \\export rule rules.yml",
        ));
    }
    if form == "rule" {
        let text = given_or_last(session, "")?;
        let Ok(Statement::Query(query)) = Statement::read(&text) else {
            return Err(Failure::new("an expression is wanted"));
        };
        let text = rule::skeleton(&session.expanded(&query.expression)?)
            .map_err(|errors| Failure::new(format!("that is no expression: {errors}")))?;
        return session.write_file(file, &text);
    }
    let Some(form) = Form::named(form) else {
        let names: Vec<&str> = Form::ALL.iter().map(|form| form.name()).collect();
        return Err(Failure::new(format!(
            "there is no form `{}`; there are rule, {}",
            plain(form),
            names.join(", ")
        )));
    };
    session.show_again(&[Stage::Show(form, Some(file.to_owned()))])
}

/// `\stats`: what the last answer took.
pub(super) fn stats(session: &mut Session<'_>, _: &str) -> Result<(), Failure> {
    let Some((answer, _)) = &session.last else {
        return Err(Failure::new("nothing was asked yet"));
    };
    let cost = answer.cost;
    let time = |time: std::time::Duration| match time.as_secs_f64() {
        seconds if seconds < 10.0 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{seconds:.1} s"),
    };
    let count = |what: &str| {
        let what = what.to_owned();
        move |count: u64| match (count, what.strip_prefix("samples")) {
            (1, Some(rest)) => format!("1 sample{rest}"),
            _ => format!("{count} {what}"),
        }
    };
    let rows = [
        ("answered in", Some(time(answer.took))),
        ("evaluation", cost.time.map(time)),
        ("waited", cost.waited.map(time)),
        ("read", cost.series.map(count("series"))),
        ("", cost.samples_read.map(count("samples"))),
        ("looked at", cost.samples.map(count("samples, each as often as a step looked at it"))),
        ("held at most", cost.peak_samples.map(count("samples"))),
        ("", cost.peak_bytes.map(|bytes| session.host.value(bytes as f64, "", BYTES))),
    ];
    let mut text: String = rows
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name:13} {}\n", value?)))
        .collect();
    if cost == crate::host::Cost::default() {
        text.push_str("the source doesn't say what the evaluation took\n");
    }
    session.print(&text);
    Ok(())
}

const BYTES: crate::host::Units = crate::host::Units::Of { name: "bytes", per_second: false };
