//! `over-time-of-counter` (K004).

use promql_syntax::ast::{BinaryOp, NodeKind};
use promql_syntax::{Function, Span};
use super::delta_of_counter::is_counter;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds `avg_over_time`, `sum_over_time` and the like directly over a counter: a metric whose name ends in
    /// `_total` or `_bucket`, which is presumed to be one.
    ///
    /// ## Why it matters
    /// The mean of a counter over a window says how old the process is, not how much happens.
    ///
    /// ## Examples
    /// ```promql bad
    /// avg_over_time(errors_total[5m]) > 10
    /// ^^^^^^^^^^^^^ `avg_over_time` of a counter says how old the process is
    /// ```
    /// ```promql bad
    /// sum(sum_over_time(requests_total[1h]))
    ///     ^^^^^^^^^^^^^ `sum_over_time` of a counter says how old the process is
    /// ```
    /// ```promql bad
    /// quantile_over_time(0.9, requests_total{job="shop"}[1h]) > 5
    /// ^^^^^^^^^^^^^^^^^^ `quantile_over_time` of a counter says how old the process is
    /// ```
    /// ```promql good
    /// avg_over_time(rate(errors_total[5m])[30m:])
    /// ```
    /// A difference of extremes is what happened, without a restart in between:
    /// ```promql good
    /// max_over_time(errors_total[1h]) - min_over_time(errors_total[1h]) > 3
    /// ```
    /// ```promql good
    /// last_over_time(errors_total[1h]) > 0
    /// ```
    "K004" "over-time-of-counter" Warning, Presumed, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, arguments) in cx.calls() {
        use Function::{
            AvgOverTime, MaxOverTime, MinOverTime, QuantileOverTime, StddevOverTime, SumOverTime,
        };
        if !matches!(
            function,
            AvgOverTime | SumOverTime | MinOverTime | MaxOverTime | QuantileOverTime | StddevOverTime
        ) {
            continue;
        }
        let Some(name) = arguments.last().and_then(|argument| cx.range_metric(*argument)) else { continue };
        let is_operand = |(_, node): (_, &promql_syntax::ast::Node)| match node.kind {
            NodeKind::Binary { op: BinaryOp::Sub, lhs, rhs, .. } => {
                cx.bare(lhs) == id || cx.bare(rhs) == id
            }
            _ => false,
        };
        if !is_counter(name) || cx.nodes().any(is_operand) {
            continue;
        }
        let span = cx.expr.span(id);
        let word = Span::new(span.start, span.start + function.name().len() as u32);
        report
            .at(cx.place(word), format!("`{}` of a counter says how old the process is", function.name()))
            .label(format!("`{name}` is a counter by its name"))
            .help("take a rate first: `…_over_time(rate(x[5m])[1h:])`, or `increase` for a sum");
    }
}
