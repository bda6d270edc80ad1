//! `fixed-rate-window` (D003).

use promql_syntax::ast::{Duration, NodeKind};
use promql_syntax::{Function, Span};

use crate::check::declare_check;
use crate::context::TargetContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds `rate`, `irate`, `increase` and `delta` over a fixed range of less than an hour in a panel.
    ///
    /// ## Why it matters
    /// A graph of a week has a point every half hour: with `[5m]` most of what happens is between the windows.
    /// `$__rate_interval` follows the step, and holds four scrapes at least.
    ///
    /// ## Examples
    /// ```json bad
    /// {"panels": [{"title": "Requests", "targets": [{"expr": "rate(requests_total[5m])"}]}]}
    ///                                                                            ^^^^ `rate` over a fixed window misses what lies between points that are farther apart
    /// ```
    /// ```json fixed
    /// {"panels": [{"title": "Requests", "targets": [{"expr": "rate(requests_total[$__rate_interval])"}]}]}
    /// ```
    /// ```json bad
    /// {"panels": [{"title": "Requests", "targets": [
    ///   {"expr": "sum by (job) (irate(requests_total{job=~\"$job\"}[1m]))"}]}]}
    ///                                                              ^^^^ `irate` over a fixed window misses what lies between points that are farther apart
    /// ```
    /// ```json fixed
    /// {"panels": [{"title": "Requests", "targets": [
    ///   {"expr": "sum by (job) (irate(requests_total{job=~\"$job\"}[$__rate_interval]))"}]}]}
    /// ```
    /// ```json bad
    /// {"rows": [{"panels": [{"title": "Errors", "targets": [{"expr": "increase(errors_total[10m])"}]}]}]}
    ///                                                                                      ^^^^^ `increase` over a fixed window misses what lies between points that are farther apart
    /// ```
    /// ```json fixed
    /// {"rows": [{"panels": [{"title": "Errors", "targets": [{"expr": "increase(errors_total[$__rate_interval])"}]}]}]}
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Requests", "targets": [{"expr": "rate(requests_total[$__rate_interval])"}]}]}
    /// ```
    /// A long window is meant:
    /// ```json good
    /// {"panels": [{"title": "Requests", "targets": [{"expr": "increase(requests_total[1d])"}]}]}
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Rate over 5m", "targets": [{"expr": "rate(requests_total[5m])"}]},
    ///   {"title": "Now", "targets": [{"expr": "rate(requests_total[5m])", "instant": true}]}]}
    /// ```
    "D003" "fixed-rate-window" Warning, Proven, fix: Unsafe, Target(look)
}

/// An hour, in nanoseconds: who takes such a window means it.
const HOUR: i64 = 3_600_000_000_000;

fn look(cx: &TargetContext<'_>, report: &mut Report<'_>) {
    let Some(expr) = cx.expr.filter(|_| !cx.target.is_instant) else { return };
    for (_, function, arguments) in expr.calls() {
        use Function::{Delta, Increase, Irate, Rate};
        if !matches!(function, Rate | Irate | Increase | Delta) {
            continue;
        }
        let Some(argument) = arguments.first().map(|argument| expr.bare(*argument)) else { continue };
        let NodeKind::MatrixSelector { selector, range: Duration::Literal(range) } = expr.expr.kind(argument)
        else {
            continue;
        };
        let end = expr.expr.span(argument).end;
        let written = Span::new(expr.expr.span(selector).end, end);
        let window = expr.source(written).trim_matches(['[', ']', ' ']);
        let is_recorded = expr.range_metric(argument).is_some_and(|name| name.contains(':'));
        if range >= HOUR || is_recorded || window.contains('$') || window.contains('[')
            || cx.target.panel.contains(window)
        {
            continue;
        }
        report
            .at(expr.place(written), format!("`{}` over a fixed window misses what lies between points that are farther apart", function.name()))
            .help("write `[$__rate_interval]`")
            .fix(Safety::Unsafe, "write `[$__rate_interval]`", expr.edits(&[(written, "[$__rate_interval]")]));
    }
}
