//! What a server scrapes, and the exemplars that it found there.

use std::time::{SystemTime, UNIX_EPOCH};

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
    let now = now();
    for target in &rows {
        let last = target.last_scrape.map(|time| ago(now.saturating_sub(time)));
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

/// The time in milliseconds since the epoch.
pub(super) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// How long ago something was, in its largest unit.
pub(super) fn ago(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    let (size, unit) = [(86_400, "d"), (3_600, "h"), (60, "min")]
        .into_iter()
        .find(|(size, _)| seconds >= 2 * size)
        .unwrap_or((1, "s"));
    format!("{} {unit} ago", seconds / size)
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

#[cfg(test)]
mod tests {
    use super::ago;

    #[test]
    fn times_are_in_their_largest_unit() {
        let table = [
            (-5, "0 s ago"),
            (4_999, "4 s ago"),
            (119_999, "119 s ago"),
            (120_000, "2 min ago"),
            (7_200_000, "2 h ago"),
            (i64::MAX, "106751991167 d ago"),
        ];
        for (milliseconds, expected) in table {
            assert_eq!(ago(milliseconds), expected);
        }
    }
}
