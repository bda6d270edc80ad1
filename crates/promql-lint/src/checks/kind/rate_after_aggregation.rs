//! `rate-after-aggregation` (K005).

use promql_syntax::ast::{NodeId, NodeKind};
use promql_syntax::{Aggregator, Expr, Function, Span};
use super::delta_of_counter::is_counter;

use crate::check::Evidence;
use crate::check::declare_check;
use crate::context::{ExprContext, bare, metric_name};
use crate::finding::Report;

declare_check! {
    /// Finds `rate`, `irate` and `increase` over a subquery of a sum.
    ///
    /// ## Why it matters
    /// When one of the series begins anew, the sum shrinks a little, and that is taken for a restart of all of it:
    /// the result jumps by the whole sum. Take the rate first, then the sum.
    ///
    /// ## Examples
    /// ```promql bad
    /// rate(sum(requests_total)[5m:1m])
    /// ^^^^ a restart of one series counts as one of all
    /// ```
    /// ```promql bad
    /// increase(sum by (job) (requests_total{env="prod"})[1h:]) > 5
    /// ^^^^^^^^ a restart of one series counts as one of all
    /// ```
    /// Recorded, it is the same:
    /// ```yaml bad
    /// - record: job:requests:sum
    ///   expr: sum by (job) (requests_total)
    /// - alert: Busy
    ///   expr: rate(job:requests:sum[5m]) > 100
    ///         ^^^^ a restart of one series counts as one of all
    /// ```
    /// ```promql good
    /// sum(rate(requests_total[5m]))
    /// ```
    /// ```promql good
    /// avg_over_time(sum(rate(requests_total[5m]))[1h:])
    /// ```
    /// What is recorded is no sum of counters as far as is known:
    /// ```yaml good
    /// - record: job:queue_length:sum
    ///   expr: sum by (job) (queue_length)
    /// - alert: Growing
    ///   expr: rate(job:queue_length:sum[5m]) > 100
    /// ```
    "K005" "rate-after-aggregation" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, arguments) in cx.calls() {
        if !matches!(function, Function::Rate | Function::Irate | Function::Increase) {
            continue;
        }
        let Some(argument) = arguments.first().map(|argument| cx.bare(*argument)) else { continue };
        let span = cx.expr.span(id);
        let word = Span::new(span.start, span.start + function.name().len() as u32);
        if let NodeKind::Subquery(subquery) = cx.expr.kind(argument) {
            let inner = cx.expr.subquery(subquery).expr;
            if is_sum_of_series(cx.expr, inner) {
                report
                    .at(cx.place(word), "a restart of one series counts as one of all")
                    .also(cx.place_of(inner), "a sum of series")
                    .help(format!("`sum({}(…[5m]))` instead", function.name()));
            }
            continue;
        }
        let Some(name) = cx.range_metric(argument) else { continue };
        let recorders = cx.rule.set.recorders.get(name).into_iter().flatten();
        let sum_of_counters = |at: &crate::context::RuleRef| {
            let query = cx.rule.set.rule(*at).query.as_ref()?;
            let expr = query.expr();
            let is_one = is_sum_of_series(expr, expr.root()) && reads_counters(expr);
            is_one.then_some(*at)
        };
        if let Some(at) = recorders.into_iter().find_map(sum_of_counters) {
            let line = cx.rule.set.rule(at).expr.value.trim().to_owned();
            report
                .at(cx.place(word), "a restart of one series counts as one of all")
                .label(format!("`{name}` is recorded as `{}`", promql_syntax::excerpt::one_line(&line, 60)))
                .evidence(Evidence::Presumed)
                .help(format!("record `sum({}(…[5m]))` instead", function.name()));
        }
    }
}

/// Whether a node is a sum, or a mean, of a selector.
fn is_sum_of_series(expr: &Expr, node: NodeId) -> bool {
    match expr.kind(bare(expr, node)) {
        NodeKind::Aggregate { op: Aggregator::Sum | Aggregator::Avg, expr: inner, .. } => {
            matches!(expr.kind(bare(expr, inner)), NodeKind::VectorSelector(_))
        }
        _ => false,
    }
}

fn reads_counters(expr: &Expr) -> bool {
    expr.nodes().iter().any(|node| match node.kind {
        NodeKind::VectorSelector(id) => metric_name(expr, expr.selector(id)).is_some_and(is_counter),
        _ => false,
    })
}
