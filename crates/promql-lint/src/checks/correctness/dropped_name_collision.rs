//! `dropped-name-collision` (C040).

use promql_model::METRIC_NAME;
use promql_syntax::Function;
use promql_syntax::ast::{NodeId, NodeKind, Sign};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::Operation;
use crate::finding::Report;
use crate::flow::Failures;
use crate::shape::selector;

declare_check! {
    /// Finds a function or an operation that drops the name of the metric, over a selector that can select
    /// several metrics.
    ///
    /// ## Why it matters
    /// As soon as two metrics have a series with the same labels, these become the same, and the evaluation
    /// fails: "vector cannot contain metrics with the same labelset". An aggregation around it doesn't help, as
    /// the function fails first. Name one metric, or take the rate of each.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum(rate({__name__=~"hits_total|misses_total", job="shop"}[5m])) > 10
    ///          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this can select several metrics, whose names are dropped; the evaluation fails as soon as two of them have the same labels
    /// ```
    /// ```promql bad
    /// {__name__=~"queue_.*", job="shop"} * 2 > 10
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this can select several metrics, whose names are dropped; the evaluation fails as soon as two of them have the same labels
    /// ```
    /// ```promql bad
    /// max by (job) (abs({__name__!="up", job="shop"})) > 10
    ///                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this can select several metrics, whose names are dropped; the evaluation fails as soon as two of them have the same labels
    /// ```
    /// ```promql good
    /// sum(rate({__name__="hits_total", job="shop"}[5m])) > 10
    /// ```
    /// The name stays, so nothing becomes the same:
    /// ```promql good
    /// last_over_time({__name__=~"queue_.*", job="shop"}[5m]) > 10
    /// ```
    /// ```promql good
    /// count by (__name__) ({__name__=~"queue_.*"}) > 1000
    /// ```
    "C040" "dropped-name-collision" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, node) in cx.nodes() {
        let operand = match node.kind {
            NodeKind::Call { function, args } => {
                // These are about whether there is anything, or give one element.
                use Function::{Absent, AbsentOverTime, Scalar};
                if matches!(function.function, Absent | AbsentOverTime | Scalar) {
                    continue;
                }
                cx.expr.arguments(args).iter().copied().find(|id| selector(cx, *id).is_some())
            }
            NodeKind::Unary { op: Sign::Minus, expr } => Some(expr),
            _ => None,
        };
        if let Some(operand) = operand {
            check(cx, id, operand, report);
        }
    }
    for (id, operation) in Operation::all(cx) {
        // Of two vectors it's a matter of matching.
        let (left, right) = operation.flows();
        let sides = [(operation.lhs, right), (operation.rhs, left)];
        for (operand, other) in sides {
            if other.value_type == promql_syntax::ValueType::Scalar {
                check(cx, id, operand, report);
            }
        }
    }
}

fn check(cx: &ExprContext<'_>, id: NodeId, operand: NodeId, report: &mut Report<'_>) {
    let Some(selected) = selector(cx, operand) else { return };
    // Without a matcher on the name it's a matter of cost first, and another check's.
    let names = cx.expr.matchers(selected).iter();
    let mut names = names.filter(|matcher| cx.expr.text(matcher.name) == METRIC_NAME.as_bytes());
    if cx.metric_name(selected).is_some() || names.next().is_none() {
        return;
    }
    let flow = cx.flows().of(operand);
    let is_one = flow.arms.iter().all(|arm| arm.labels.get(METRIC_NAME).constant().is_some());
    if is_one || !cx.flows().of(id).failures.has(Failures::SAME_LABELS) {
        return;
    }
    let finding = report.at(cx.place_of(operand), "this can select several metrics, whose names are dropped");
    finding.consequence("the evaluation fails as soon as two of them have the same labels");
    finding.help("name one metric, or do the same for each and put `or` between them");
}
