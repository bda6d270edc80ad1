//! `window-too-short` (K007).

use promql_syntax::Function;
use promql_syntax::ast::{Duration, NodeKind};

use crate::check::{Severity, declare_check};
use crate::context::ExprContext;
use crate::finding::Report;
use crate::shape::{asked, word};

declare_check! {
    /// Finds a window of `rate` and its relatives that is shorter than twice the time between two scrapes; one
    /// shorter than four times is an information.
    ///
    /// ## Why it matters
    /// These functions need two samples. A window of one interval holds exactly one, so there is no result, ever;
    /// one of less than two intervals comes and goes with the moment of the evaluation; and one of two has none
    /// as soon as a single scrape is late. An alert over it is silent without any error.
    ///
    /// The interval is never guessed: `scrape-interval` says it, `[lint.scrape-intervals]` that of a job. What a
    /// rule records has the interval of its group.
    ///
    /// ## Examples
    /// ```toml config
    /// [lint]
    /// scrape-interval = "30s"
    /// [lint.scrape-intervals]
    /// slow = "5m"
    /// ```
    /// ```promql bad
    /// rate(requests_total{job="shop"}[30s]) > 10
    ///      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a window of 30s holds one sample only: there is never a result
    /// ```
    /// ```promql bad
    /// sum(increase(errors_total{job="slow"}[5m])) > 0
    ///              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a window of 5m holds one sample only: there is never a result
    /// ```
    /// ```promql bad
    /// deriv(queue_length{job="shop"}[1m]) > 1
    ///       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ info: a window of 1m bears hardly one missed scrape
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: hourly
    ///   interval: 5m
    ///   rules:
    ///   - {record: job:queue_length:max, expr: max by (job) (queue_length)}
    ///   - {alert: Growing, expr: 'delta(job:queue_length:max[5m]) > 10'}
    ///                                   ^^^^^^^^^^^^^^^^^^^^^^^^ a window of 5m holds one sample only: there is never a result
    /// ```
    /// ```promql good
    /// rate(requests_total{job="shop"}[2m]) > 10
    /// ```
    /// Which job it is of is not known, nor how often that is scraped:
    /// ```promql good
    /// rate(requests_total[30s]) > 10
    /// ```
    /// One sample is enough for it:
    /// ```promql good
    /// max_over_time(queue_length{job="shop"}[30s]) > 10
    /// ```
    "K007" "window-too-short" Error, Observed, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, arguments) in cx.calls() {
        use Function::{Changes, Delta, Deriv, Idelta, Increase, Irate, PredictLinear, Rate, Resets};
        if !matches!(
            function,
            Rate | Irate | Increase | Delta | Deriv | Idelta | Changes | Resets | PredictLinear
        ) {
            continue;
        }
        let Some(argument) = arguments.first().map(|argument| cx.bare(*argument)) else { continue };
        let NodeKind::MatrixSelector { selector, range: Duration::Literal(range) } =
            cx.expr.kind(argument)
        else {
            continue;
        };
        let Some(interval) = interval(cx, selector) else { continue };
        if range >= interval.saturating_mul(4) {
            continue;
        }
        let written = crate::shape::duration;
        let (severity, message) = match range {
            _ if range < interval => (
                Severity::Error,
                format!("a window of {} mostly holds no sample at all", written(range)),
            ),
            _ if range == interval => (
                Severity::Error,
                format!("a window of {} holds one sample only: there is never a result", written(range)),
            ),
            _ if range < 2 * interval => (
                Severity::Error,
                format!("a window of {} often holds one sample only", written(range)),
            ),
            _ => (
                Severity::Info,
                format!("a window of {} bears hardly one missed scrape", written(range)),
            ),
        };
        let finding = report.at(cx.place_of(argument), message);
        finding.severity(severity);
        finding.label(format!("there is a sample every {}", written(interval)));
        finding.also(cx.place(word(cx, id)), "needs two samples");
        finding.help(format!("make it {} at least", written(interval.saturating_mul(4))));
    }
}

/// The time between two samples of what is selected, in nanoseconds, if it is known.
fn interval(cx: &ExprContext<'_>, node: promql_syntax::ast::NodeId) -> Option<i64> {
    let NodeKind::VectorSelector(id) = cx.expr.kind(node) else { return None };
    let selector = cx.expr.selector(id);
    // These also look at the samples around the window.
    if selector.modifiers.anchored || selector.modifiers.smoothed {
        return None;
    }
    let name = cx.metric_name(selector);
    if let Some(recorders) = name.and_then(|name| cx.rule.set.recorders.get(name)) {
        let intervals = recorders.iter().map(|at| cx.rule.set.group(*at).interval.map(|i| i.value));
        // Of several the one with the shortest.
        return intervals.collect::<Option<Vec<i64>>>()?.into_iter().min().filter(|i| *i > 0);
    }
    if name.is_some_and(|name| name.contains(':')) {
        return None;
    }
    cx.settings().known().scrape_interval(asked(cx, selector, "job"))
}
