//! Expressions: looked into, formatted, edited, saved, remembered.

use std::process::Command;

use promql_syntax::FormatOptions;

use super::{Failure, given_or_last};
use crate::host::{Over, Request};
use crate::plain::plain;
use crate::session::Session;
use crate::statement::{Statement, is_unfinished};

/// The flags for the times of a request.
fn times(request: &Request) -> Vec<String> {
    let mut flags: Vec<String> = Vec::new();
    let mut flag = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            flags.push(format!("--{name}={value}"));
        }
    };
    flag("lookback", &request.lookback);
    match &request.range {
        None => flag("time", &request.time),
        Some(range) => {
            match &range.over {
                Over::Last(last) => flag("last", &Some(last.clone())),
                Over::Between(from, to) => {
                    flag("start", &Some(from.clone()));
                    flag("end", to);
                }
            }
            flag("step", &range.step);
        }
    }
    flags
}

/// The expression that is given as a request, or what was asked last, at the time that it was answered at.
pub(super) fn request(session: &Session<'_>, rest: &str) -> Result<Request, Failure> {
    if let ("", Some((answer, _))) = (rest, &session.last) {
        return Ok(answer.fixed());
    }
    let text = given_or_last(session, rest)?;
    match Statement::read(&text) {
        Ok(Statement::Query(query)) => session.request(&query),
        Ok(_) => Err(Failure::new("an expression is wanted")),
        Err(unclear) => Err(Failure::new(unclear.0)),
    }
}

/// The flags for the sources.
fn sources(session: &Session<'_>) -> Result<Vec<String>, Failure> {
    let sources = session.connected()?.sources();
    Ok(sources.into_iter().map(|source| format!("--source={source}")).collect())
}

fn arguments(command: &str, more: Vec<String>, request: &Request) -> Vec<String> {
    let mut all = vec![command.to_owned()];
    all.extend(more);
    all.extend(times(request));
    all.extend(["--".to_owned(), request.expression.clone()]);
    all
}

pub(super) fn explain(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let request = request(session, rest)?;
    let sources = sources(session)?;
    session.host.run(&arguments("explain", sources, &request), Some(&session.target))
}

pub(super) fn ast(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let request = request(session, rest)?;
    session.host.run(&["parse".to_owned(), "--".to_owned(), request.expression], None)
}

pub(super) fn capture(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let (file, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if file.is_empty() {
        return Err(Failure::new("\\capture wants a file: \\capture incident.test"));
    }
    let request = request(session, rest.trim())?;
    let mut flags = sources(session)?;
    flags.push(format!("--out={file}"));
    session.host.run(&arguments("capture", flags, &request), Some(&session.target))
}

pub(super) fn fmt(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let text = given_or_last(session, rest)?;
    let formatted = promql_syntax::format(&text, &FormatOptions::default())
        .map_err(|errors| Failure::new(format!("it can't be formatted: {errors}")))?;
    let formatted = formatted.trim_end().to_owned();
    session.put(formatted);
    Ok(())
}

pub(super) fn edit(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let text = given_or_last(session, rest).unwrap_or_default();
    edit_text(session, &text)
}

/// Opens a text in an editor, and puts it into the next line.
pub(crate) fn edit_text(session: &mut Session<'_>, text: &str) -> Result<(), Failure> {
    if !session.host.terminal().is_interactive {
        return Err(Failure::new("\\edit needs a terminal"));
    }
    let set = |name| std::env::var(name).ok().filter(|value: &String| !value.trim().is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    let name = format!("promql-{}-{}.promql", std::process::id(), session.used.len());
    let path = std::env::temp_dir().join(name);
    let failed =
        |error: std::io::Error| Failure::new(format!("can't edit {}: {error}", path.display()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(failed)?;
    std::io::Write::write_all(&mut file, format!("{text}\n").as_bytes()).map_err(failed)?;
    drop(file);
    let status =
        Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(&path).status();
    let edited = std::fs::read_to_string(&path);
    std::fs::remove_file(&path).map_err(failed)?;
    match status {
        Ok(status) if status.success() => {
            session.put(edited.map_err(failed)?.trim_end().to_owned());
            Ok(())
        }
        Ok(_) => Err(Failure::new(format!("`{editor}` failed; the expression is as it was"))),
        Err(error) => Err(Failure::new(format!("can't run `{editor}`: {error}"))),
    }
}

/// The saved queries: names and expressions, in the order of the file. A line `# name: NAME` begins each.
pub(crate) fn saved() -> Vec<(String, String)> {
    let text = Session::saved_path().and_then(|path| std::fs::read_to_string(path).ok());
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.unwrap_or_default().lines() {
        match (line.strip_prefix("# name:"), found.last_mut()) {
            (Some(name), _) => found.push((name.trim().to_owned(), String::new())),
            (None, Some((_, expression))) => {
                expression.push_str(line);
                expression.push('\n');
            }
            (None, None) => {}
        }
    }
    found.iter_mut().for_each(|(_, expression)| *expression = expression.trim().to_owned());
    found
}

pub(super) fn save(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let (name, expression) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if name.is_empty() {
        return Err(Failure::new("\\save wants a name: \\save errors"));
    }
    let expression = given_or_last(session, expression.trim())?;
    let Some(path) = Session::saved_path() else {
        return Err(Failure::new(
            "there is no folder for configuration: set HOME or PROMQL_CONFIG",
        ));
    };
    let mut all = saved();
    all.retain(|(other, _)| other != name);
    all.push((name.to_owned(), expression));
    let text: String =
        all.iter().map(|(name, expression)| format!("# name: {name}\n{expression}\n\n")).collect();
    let failed = |error| Failure::new(format!("can't write {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    // Written beside it and moved over it, so that it is never half there.
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, &path)).map_err(failed)?;
    session.tell_saved();
    Ok(())
}

pub(super) fn run(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    match saved().into_iter().find(|(name, _)| name == rest) {
        Some((_, expression)) if !is_unfinished(&expression) && !expression.starts_with('\\') => {
            match session.execute(&expression) {
                true => Ok(()),
                // It was told already.
                false => Err(Failure { text: String::new(), cancelled: false, is_input: false }),
            }
        }
        Some(_) => Err(Failure::new(format!("what is saved as `{rest}` is no expression"))),
        None => {
            Err(Failure::new(format!("nothing is saved as `{}`; \\queries lists all", plain(rest))))
        }
    }
}

pub(super) fn queries(session: &mut Session<'_>, _: &str) -> Result<(), Failure> {
    let mut text = String::new();
    for (name, expression) in saved() {
        text.push_str(&format!("{}\n    {}\n", plain(&name), expression.replace('\n', "\n    ")));
    }
    session.print_paged(if text.is_empty() { "nothing is saved\n" } else { &text });
    Ok(())
}

pub(super) fn history(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let refreshed = session.history.refresh();
    refreshed.map_err(|error| Failure::new(format!("the history can't be read: {error}")))?;
    let mut text = String::new();
    for entry in session.history.entries().filter(|entry| entry.text.contains(rest)) {
        let time = i64::try_from(entry.time).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
        let shown = entry.text.lines().map(|line| plain(line).into_owned()).collect::<Vec<_>>();
        text.push_str(&format!("{}  {}\n", session.host.time(time), shown.join("\n    ")));
    }
    session.print_paged(&text);
    Ok(())
}
