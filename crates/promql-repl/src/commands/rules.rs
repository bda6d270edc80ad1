//! The rules and alerts of a server.

use super::Failure;
use super::targets::{ago, now};
use crate::grid::Grid;
use crate::host::Rule;
use crate::plain::plain;
use crate::session::Session;

fn all(session: &Session<'_>) -> Result<Vec<Rule>, Failure> {
    let cancellation = session.host.cancellation();
    match session.connected()?.rules(&cancellation) {
        Err(_) if cancellation.is_cancelled() => {
            Err(Failure { cancelled: true, ..Failure::new("cancelled") })
        }
        rules => rules.map_err(Failure::new),
    }
}

/// `\rules [PATTERN]`: the rules whose name, group or expression has the pattern in it.
pub(super) fn rules(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let found = all(session)?;
    let fits = |rule: &&Rule| {
        [&rule.name, &rule.group, &rule.query].iter().any(|text| text.contains(rest))
    };
    let mut grid =
        Grid::new([("group", false), ("rule", false), ("state", false), ("expression", false)]);
    let mut errors = String::new();
    let mut count = 0;
    for rule in found.iter().filter(fits) {
        count += 1;
        let state = match rule.error.is_empty() {
            true => rule.state.clone(),
            false => "failed".to_owned(),
        };
        grid.push([rule.group.clone(), rule.name.clone(), state, rule.query.clone()]);
        if !rule.error.is_empty() {
            errors.push_str(&format!("{}: {}\n", plain(&rule.name), plain(&rule.error)));
        }
    }
    let columns = session.host.terminal().size.map(|(columns, _)| columns);
    let text = if count == 0 { "no rule\n".to_owned() } else { grid.render(columns) + &errors };
    session.print_paged(&text);
    Ok(())
}

/// `\alerts`: what fires, and what is about to.
pub(super) fn alerts(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let mut rows: Vec<[String; 4]> = Vec::new();
    let now = now();
    for rule in all(session)? {
        for alert in rule.alerts.into_iter().filter(|_| rule.name.contains(rest)) {
            let labels: Vec<String> =
                alert.labels.iter().map(|(n, v)| format!("{n}={v:?}")).collect();
            let since = alert.since.map_or_else(String::new, |since| {
                let ago = ago(now.saturating_sub(since));
                format!("{}, {ago}", session.host.time(since))
            });
            rows.push([alert.state, rule.name.clone(), since, labels.join(", ")]);
        }
    }
    // `firing` comes before `pending`.
    rows.sort();
    let mut grid =
        Grid::new([("state", false), ("alert", false), ("since", false), ("labels", false)]);
    let none = rows.is_empty();
    rows.into_iter().for_each(|row| grid.push(row));
    let columns = session.host.terminal().size.map(|(columns, _)| columns);
    let text = if none { "nothing fires\n".to_owned() } else { grid.render(columns) };
    session.print_paged(&text);
    Ok(())
}
