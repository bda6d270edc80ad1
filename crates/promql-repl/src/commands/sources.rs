//! `\connect` and what belongs to it.

use super::Failure;
use crate::grid::Grid;
use crate::history::without_secrets;
use crate::host::Target;
use crate::session::Session;

pub(super) fn connect(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let target = match rest {
        "" => return sources(session, ""),
        "-" => session.before.clone().ok_or_else(|| Failure::new("there was no source before"))?,
        names => {
            let names = split(names);
            let target = session.config.targets(&names);
            target.ok_or_else(|| Failure::new("\\connect wants a source"))?
        }
    };
    session.connect(target)?;
    let name = session.connection.as_ref().map(|c| c.name()).unwrap_or_default();
    if session.host.terminal().is_interactive {
        session.host.remark(&format!("asking {} from now on\n", crate::plain::plain(&name)));
    }
    Ok(())
}

/// The sources of a text: with blanks between them, or one of that name. Braces and quotes hold together.
fn split(text: &str) -> Vec<String> {
    if std::path::Path::new(text).exists() {
        return vec![text.to_owned()];
    }
    let (mut names, mut name) = (Vec::new(), String::new());
    let (mut quote, mut depth) = (None, 0_usize);
    for c in text.chars() {
        match (quote, c) {
            (Some(mark), c) if mark == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') => depth = depth.saturating_sub(1),
            (None, c) if c.is_whitespace() && depth == 0 => {
                names.push(std::mem::take(&mut name));
                continue;
            }
            _ => {}
        }
        name.push(c);
    }
    names.push(name);
    names.retain(|name| !name.is_empty());
    names
}

pub(super) fn load(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    match rest {
        "" => Err(Failure::new("\\load wants a file: \\load fixture.test")),
        file => connect(session, file),
    }
}

pub(super) fn sources(session: &mut Session<'_>, _: &str) -> Result<(), Failure> {
    let mut grid = Grid::new([("", false), ("name", false), ("source", false)]);
    let profiles = session.config.profile.iter();
    let mut rows: Vec<(String, String)> =
        profiles.map(|(name, profile)| (name.clone(), without_secrets(&profile.source))).collect();
    for used in &session.used {
        let row = row(used);
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    let now = row(&session.target);
    if rows.is_empty() {
        return Err(Failure::new("no source yet: \\connect http://localhost:9090"));
    }
    for row in rows {
        let mark = if row == now { "*" } else { "" };
        grid.push([mark.to_owned(), row.0, row.1]);
    }
    let text = grid.render(None);
    session.print(&text);
    Ok(())
}

/// The profiles and the sources of a target, without secrets.
fn row(target: &Target) -> (String, String) {
    let all = || std::iter::once(target).chain(&target.others);
    let profiles: Vec<&str> = all().filter_map(|target| target.profile.as_deref()).collect();
    let sources: Vec<String> = all().map(|target| without_secrets(&target.source)).collect();
    (profiles.join(" + "), sources.join(" + "))
}

pub(super) fn refresh(session: &mut Session<'_>, _: &str) -> Result<(), Failure> {
    session.connected()?;
    if let Some(known) = session.known() {
        known.refresh();
    }
    Ok(())
}
