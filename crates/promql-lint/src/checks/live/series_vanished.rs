//! `series-vanished` (L002).

use super::series_missing::expected;
use crate::check::declare_check;
use crate::finding::Report;
use crate::live::{LiveContext, Reply, Standing, shown};

declare_check! {
    /// Finds a selector whose series were there in the last days, and have been gone for more than two hours.
    ///
    /// ## Why it matters
    /// The exporter was removed, or renamed its metrics: the rule looks at nothing since then. Time in which
    /// the server scraped nothing at all doesn't count, as far as `up` tells it.
    ///
    /// ## Examples
    /// ```text server
    /// load 10m
    ///   up{job="shop"} 1x100
    ///   old_requests_total{job="shop"} 0+1x80
    ///   requests_total{job="shop"} 0+1x95
    ///   jobs_running{job="desk"} 1x80 _x18 1x2
    /// ```
    /// ```promql bad
    /// rate(old_requests_total[1h]) > 10
    ///      ^^^^^^^^^^^^^^^^^^ the series of `old_requests_total` have been gone for 3h30m
    /// ```
    /// ```promql bad
    /// sum(rate(old_requests_total{job="shop"}[1h])) / count(up) > 10
    ///          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the series of `old_requests_total` have been gone for 3h30m
    /// ```
    /// ```promql bad
    /// up == 1 and on (job) old_requests_total
    ///                      ^^^^^^^^^^^^^^^^^^ the series of `old_requests_total` have been gone for 3h30m
    /// ```
    /// It was there an hour ago:
    /// ```promql good
    /// rate(requests_total[1h]) > 10
    /// ```
    /// ```promql good
    /// jobs_running > 10
    /// ```
    /// ```promql good
    /// absent(old_requests_total)
    /// ```
    "L002" "series-vanished" Warning, Observed, fix: Never, Live(look)
}

/// What is gone for less is not worth a word, in milliseconds.
const SHORT: i64 = 2 * 3_600_000;

/// About so many times are looked at.
const TIMES: i64 = 1000;

fn look(cx: &LiveContext<'_>, report: &mut Report<'_>) {
    let minute = 60_000;
    let step = (cx.options.window / TIMES / minute).max(1) * minute;
    let times = |expr: String| -> Option<((i64, i64, i64), Vec<i64>)> {
        match &*cx.courses(expr, cx.options.window, step)? {
            Reply::Courses { times, courses } => {
                Some((*times, courses.first().map(|(_, at)| at.clone()).unwrap_or_default()))
            }
            _ => None,
        }
    };
    for selected in expected(cx) {
        if cx.standing(selected) != Some(Standing::Gone) {
            continue;
        }
        let Some((range, seen)) = times(format!("count({})", selected.text)) else { continue };
        let Some(last) = seen.last().copied() else { continue };
        let Some((_, up)) = times("count(up)".to_owned()) else { continue };
        // Without `up` nothing tells the server's gaps.
        let away = match up.is_empty() {
            true => range.1 - last,
            false => up.iter().filter(|time| **time > last).count() as i64 * step,
        };
        if away <= SHORT {
            continue;
        }
        let name = selected.name.map_or_else(|| selected.text.clone(), str::to_owned);
        report
            .at(
                cx.expr.place_of(selected.node),
                format!("the series of `{name}` have been gone for {}", shown(range.1 - last)),
            )
            .help("was the exporter removed, or its metric renamed? If it comes and goes, say by `or` or \
                   `absent` what its absence means");
    }
}
