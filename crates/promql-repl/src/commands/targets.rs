//! What a server scrapes, and the exemplars that it found there.

use super::Failure;
use super::queries::request;
use crate::diff::named;
use crate::grid::Grid;
use crate::host::ScrapeTarget;
use crate::plain::plain;
use crate::session::Session;

/// `\targets [TEXT]`: what is scraped, that which fails first.
pub(super) fn targets(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let cancellation = session.host.cancellation();
    let found = match session.connected()?.targets(&cancellation) {
        Err(_) if cancellation.is_cancelled() => {
            return Err(Failure { cancelled: true, ..Failure::new("cancelled") });
        }
        found => found.map_err(Failure::new)?,
    };
    let fits = |target: &&ScrapeTarget| {
        [&target.job, &target.instance, &target.url, &target.health]
            .iter()
            .any(|text| text.contains(rest))
    };
    let mut rows: Vec<&ScrapeTarget> = found.iter().filter(fits).collect();
    rows.sort_by_key(|target| (target.health == "up", &target.job, &target.instance));
    let mut grid = Grid::new([
        ("job", false),
        ("instance", false),
        ("health", false),
        ("last scrape", false),
        ("took", true),
    ]);
    let mut errors = String::new();
    for target in &rows {
        let last = target.last_scrape.map(|time| session.host.time(time));
        let took = match target.last_scrape {
            Some(_) => format!("{:.0} ms", target.took.as_secs_f64() * 1e3),
            None => String::new(),
        };
        grid.push([
            target.job.clone(),
            target.instance.clone(),
            target.health.clone(),
            last.unwrap_or_else(|| "never".to_owned()),
            took,
        ]);
        if !target.error.is_empty() {
            errors.push_str(&format!("{}: {}\n", plain(&target.url), plain(&target.error)));
        }
    }
    let columns = session.host.terminal().size.map(|(columns, _)| columns);
    let text = match rows.is_empty() {
        true => "no target\n".to_owned(),
        false => grid.render(columns) + &errors,
    };
    session.print_paged(&text);
    Ok(())
}

/// `\exemplars [EXPR]`: the newest first.
pub(super) fn exemplars(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let request = request(session, rest)?;
    let cancellation = session.host.cancellation();
    let mut found = session.connected()?.exemplars(&request, &cancellation)?;
    found.sort_by(|a, b| b.timestamp.cmp(&a.timestamp).then_with(|| a.series.cmp(&b.series)));
    let units = session.units(false);
    let mut grid =
        Grid::new([("time", false), ("value", true), ("exemplar", false), ("series", false)]);
    for exemplar in &found {
        let own: Vec<String> =
            exemplar.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        grid.push([
            session.host.time(exemplar.timestamp),
            session.host.value(exemplar.value, &request.expression, units),
            own.join(" "),
            named(&exemplar.series),
        ]);
    }
    let text = match found.is_empty() {
        true => "no exemplar\n".to_owned(),
        false => grid.render(session.host.terminal().size.map(|(columns, _)| columns)),
    };
    session.print_paged(&text);
    Ok(())
}
