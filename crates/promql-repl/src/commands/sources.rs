//! `\connect` and what belongs to it.

use super::Failure;
use crate::grid::Grid;
use crate::history::without_secrets;
use crate::session::Session;

pub(super) fn connect(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let target = match rest {
        "" => return sources(session, ""),
        "-" => session.before.clone().ok_or_else(|| Failure::new("there was no source before"))?,
        name => session.config.target(name),
    };
    session.connect(target)?;
    let name = session.connection.as_ref().map(|c| c.name()).unwrap_or_default();
    if session.host.terminal().is_interactive {
        session.host.remark(&format!("asking {} from now on\n", crate::plain::plain(&name)));
    }
    Ok(())
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
        let name = used.profile.clone().unwrap_or_default();
        let row = (name, without_secrets(&used.source));
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    let now = (
        session.target.profile.clone().unwrap_or_default(),
        without_secrets(&session.target.source),
    );
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

pub(super) fn refresh(session: &mut Session<'_>, _: &str) -> Result<(), Failure> {
    session.connected()?;
    if let Some(known) = session.known() {
        known.refresh();
    }
    Ok(())
}
