//! `recorded-interval-too-long` (G009).

use promql_model::FormatDuration;
use promql_syntax::Function;
use promql_syntax::ast::{Duration, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds a range over a recorded metric that is too short for the interval at which it is recorded.
    ///
    /// ## Why it matters
    /// `rate` and the like need two samples, and a range of one interval has one at most. `*_over_time` needs one,
    /// and a range shorter than the interval often has none.
    ///
    /// ## Examples
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   interval: 5m
    ///   rules:
    ///   - record: job:queue_length:sum
    ///     expr: sum by (job) (queue_length)
    ///   - alert: Growing
    ///     expr: delta(job:queue_length:sum[5m]) > 10
    ///                 ^^^^^^^^^^^^^^^^^^^^^^^^ `job:queue_length:sum` is recorded every 5m only
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: slow
    ///   interval: 5m
    ///   rules:
    ///   - record: job:queue_length:sum
    ///     expr: sum by (job) (queue_length)
    /// - name: fast
    ///   interval: 30s
    ///   rules:
    ///   - alert: Long
    ///     expr: avg_over_time(job:queue_length:sum[2m]) > 10
    ///                         ^^^^^^^^^^^^^^^^^^^^^^^^ `job:queue_length:sum` is recorded every 5m only
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   interval: 1m
    ///   rules:
    ///   - record: job:requests:sum
    ///     expr: sum by (job) (requests_total)
    ///   - alert: Growing
    ///     expr: deriv(job:requests:sum[90s]) > 10
    ///                 ^^^^^^^^^^^^^^^^^^^^^ `job:requests:sum` is recorded every 1m only
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: shop
    ///   interval: 5m
    ///   rules:
    ///   - record: job:queue_length:sum
    ///     expr: sum by (job) (queue_length)
    ///   - alert: Growing
    ///     expr: delta(job:queue_length:sum[30m]) > 10
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: shop
    ///   interval: 1m
    ///   rules:
    ///   - record: job:queue_length:sum
    ///     expr: sum by (job) (queue_length)
    ///   - alert: Long
    ///     expr: avg_over_time(job:queue_length:sum[1m]) > 10
    /// ```
    /// The interval is that of the server:
    /// ```yaml good
    /// - record: job:queue_length:sum
    ///   expr: sum by (job) (queue_length)
    /// - alert: Growing
    ///   expr: delta(job:queue_length:sum[30s]) > 10
    /// ```
    "G009" "recorded-interval-too-long" Warning, Proven, fix: Never, Expr(look)
}

/// Whether a function needs two samples.
pub(crate) fn needs_two(function: Function) -> bool {
    use Function::{Delta, Deriv, Idelta, Increase, Irate, PredictLinear, Rate};
    matches!(function, Rate | Increase | Irate | Delta | Idelta | Deriv | PredictLinear)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    let set = cx.rule.set;
    for (_, function, arguments) in cx.calls() {
        for argument in arguments {
            let NodeKind::MatrixSelector { selector, range: Duration::Literal(range) } =
                cx.expr.kind(cx.bare(*argument))
            else {
                continue;
            };
            let NodeKind::VectorSelector(id) = cx.expr.kind(selector) else { continue };
            let Some(name) = cx.metric_name(cx.expr.selector(id)) else { continue };
            let Some(recorders) = set.recorders.get(name) else { continue };
            let interval = |at| set.group(at).interval.map(|interval| interval.value).filter(|i| *i > 0);
            // The shortest of all that record it.
            let Some(interval) = recorders.iter().map(|at| interval(*at)).collect::<Option<Vec<_>>>()
                .and_then(|all| all.into_iter().min()) else { continue };
            let needed = if needs_two(function) { interval.saturating_mul(2) } else { interval };
            if range >= needed {
                continue;
            }
            report
                .at(
                    cx.place_of(cx.bare(*argument)),
                    format!("`{name}` is recorded every {} only", FormatDuration(interval)),
                )
                .label(format!("`{}` finds too few samples in {}", function.name(), FormatDuration(range)))
                .help(format!("select at least {}", FormatDuration(needed)));
        }
    }
}
