//! `unreachable-arm` (C044).

use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};

use super::comparison_always_false::range;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, rests_on};
use crate::finding::Report;
use crate::flow::{Basis, Verdict, comparison};
use crate::shape::is_constant;

declare_check! {
    /// Finds a comparison of an `or` that only one side of it can satisfy.
    ///
    /// ## Why it matters
    /// The other side is there for a case in which the alert should fire as well, and it never does then. Compare
    /// each side by itself. That a fallback such as `vector(0)` doesn't satisfy a comparison is how it is meant, so
    /// it isn't told.
    ///
    /// ## Examples
    /// ```promql bad
    /// (queue_length or count(workers)) < 1
    ///                  ^^^^^^^^^^^^^^ this side of the `or` never satisfies the `<`
    /// ```
    /// ```promql bad
    /// (sum(rate(errors_total[5m])) or absent(errors_total)) > 5
    ///                                 ^^^^^^^^^^^^^^^^^^^^ this side of the `or` never satisfies the `>`
    /// ```
    /// ```promql bad
    /// (hour() or queue_length) > 23
    ///  ^^^^^^ this side of the `or` never satisfies the `>`
    /// ```
    /// ```promql good
    /// (count(workers) or vector(0)) < 1
    /// ```
    /// ```promql good
    /// queue_length < 1 or absent(queue_length)
    /// ```
    /// The fallback never satisfies this, as it is meant:
    /// ```promql good
    /// (sum(rate(errors_total[5m])) or vector(0)) > 5
    /// ```
    "C044" "unreachable-arm" Info, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let Some(op) = comparison(operation.op).filter(|_| operation.is_filter()) else { continue };
        let NodeKind::Binary { op: BinaryOp::Or, lhs, rhs, .. } = cx.expr.kind(cx.bare(operation.lhs)) else {
            continue;
        };
        let Some(threshold) = cx.number(operation.rhs) else { continue };
        if cx.flows().of(id).is_never() || is_constant(cx, lhs) || is_constant(cx, rhs) {
            continue;
        }
        let threshold = crate::flow::Range::point(threshold);
        let passes = |node: NodeId| {
            let arms = &cx.flows().of(node).arms;
            arms.iter().any(|arm| arm.value.compare(op, &threshold) != Verdict::Never)
        };
        for node in [lhs, rhs].into_iter().filter(|node| !passes(*node)) {
            let symbol = operation.op.symbol();
            let finding = report.at(cx.place_of(node), format!("this side of the `or` never satisfies the `{symbol}`"));
            if let Some(range) = range(cx, node) {
                finding.label(format!("the value is {range}"));
            }
            finding.also(cx.place_of(operation.rhs), "compared with this");
            finding.help("compare each side by itself, in front of the `or`");
            let flow = cx.flows().of(node);
            let rests = flow.arms.iter().fold(Basis::NONE, |basis, arm| basis.or(arm.basis).or(arm.value.basis));
            rests_on(finding, rests);
        }
    }
}
