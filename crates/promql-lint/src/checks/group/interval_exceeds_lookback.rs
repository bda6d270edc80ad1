//! `interval-exceeds-lookback` (G008).

use promql_model::FormatDuration;
use promql_rules::rule_file::RuleKind;
use promql_syntax::ast::{Duration, NodeKind};

use crate::check::declare_check;
use crate::context::{GroupContext, RuleRef};
use crate::finding::Report;

declare_check! {
    /// Finds a group that is evaluated less often than queries look back, which is 5 minutes.
    ///
    /// ## Why it matters
    /// A recorded series is gone five minutes after each evaluation, until the next one: graphs have gaps, other
    /// rules find nothing. So it is with `ALERTS`. Nothing is said where all that reads the metric does so over
    /// two intervals or more.
    ///
    /// ## Examples
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   interval: 10m
    ///             ^^^ evaluated every 10m, while queries look back 5m
    ///   rules:
    ///   - record: job:up:sum
    ///     expr: sum by (job) (up)
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   interval: 1h
    ///             ^^ evaluated every 1h, while queries look back 5m
    ///   rules:
    ///   - record: job:up:sum
    ///     expr: sum by (job) (up)
    ///   - alert: FewUp
    ///     expr: job:up:sum < 3
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   interval: 301s
    ///             ^^^^ evaluated every 5m1s, while queries look back 5m
    ///   rules:
    ///   - alert: Down
    ///     expr: up == 0
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: shop
    ///   interval: 5m
    ///   rules:
    ///   - record: job:up:sum
    ///     expr: sum by (job) (up)
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: hourly
    ///   interval: 1h
    ///   rules:
    ///   - record: job:up:sum
    ///     expr: sum by (job) (up)
    /// - name: daily
    ///   rules:
    ///   - record: job:up:max_over_time1d
    ///     expr: max_over_time(job:up:sum[1d])
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: shop
    ///   interval: 1h
    ///   rules: []
    /// ```
    "G008" "interval-exceeds-lookback" Warning, Proven, fix: Never, Group(look)
}

/// How far back instant selectors look, in nanoseconds.
pub(crate) const LOOKBACK: i64 = 300_000_000_000;

fn look(cx: &GroupContext<'_>, report: &mut Report<'_>) {
    let Some(interval) = cx.group.interval.filter(|interval| interval.value > LOOKBACK) else { return };
    let is_read_over_ranges = |name: &str| {
        let readers = cx.set.readers.get(name).map_or(&[][..], Vec::as_slice);
        !readers.is_empty()
            && readers.iter().all(|(at, span)| range_of(cx, *at, *span) >= interval.value.saturating_mul(2))
    };
    let is_fine = cx.group.rules.iter().all(|rule| {
        rule.kind == RuleKind::Recording && is_read_over_ranges(&rule.name.value)
    });
    if !is_fine {
        report
            .at(interval.span(), format!("evaluated every {}, while queries look back 5m", FormatDuration(interval.value)))
            .label("series of these rules have gaps")
            .help("evaluate the group at least every 5m, or read its metrics over a range");
    }
}

/// The range that a selector is read over, in nanoseconds; 0 if it isn't.
fn range_of(cx: &GroupContext<'_>, at: RuleRef, span: promql_syntax::Span) -> i64 {
    let Some(query) = &cx.set.rule(at).query else { return 0 };
    let expr = query.expr();
    let ranges = expr.nodes().iter().filter_map(|node| match node.kind {
        NodeKind::MatrixSelector { selector, range: Duration::Literal(range) } => {
            (expr.span(selector) == span).then_some(range)
        }
        _ => None,
    });
    ranges.max().unwrap_or_default()
}
