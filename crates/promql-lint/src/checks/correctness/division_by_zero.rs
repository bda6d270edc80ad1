//! `division-by-zero` (C024).

use promql_syntax::ast::{BinaryOp, NodeId};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, rests_on};
use crate::finding::Report;
use crate::shape::is_constant;

declare_check! {
    /// Finds a division by 0, or a remainder of one: by the number itself, or by a part that is 0 whenever there
    /// is a result, such as `x == 0`.
    ///
    /// ## Why it matters
    /// The result is infinite or NaN, whatever the data are: a comparison with it always holds or never.
    /// Most often a filter was written the wrong way round; `x / (y > 0)` leaves out what can't be divided by.
    ///
    /// ## Examples
    /// ```promql bad
    /// errors / 0 > 1
    /// ^^^^^^^^^^ the divisor of this `/` is always 0
    /// ```
    /// ```promql bad
    /// errors / on (job) (requests == 0) > 0.1
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the divisor of this `/` is always 0
    /// ```
    /// ```promql bad
    /// sum(queue_length) % (1 - 1) > 3
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^ the divisor of this `%` is always 0
    /// ```
    /// ```promql good
    /// errors / on (job) (requests > 0) > 0.1
    /// ```
    /// ```promql good
    /// errors / (requests - requests offset 1h) > 0.1
    /// ```
    /// This is a way to write NaN:
    /// ```promql good
    /// vector(0 / 0) or errors > 3
    /// ```
    "C024" "division-by-zero" Error, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let is_division = matches!(operation.op, BinaryOp::Div | BinaryOp::Mod);
        if !is_division || !is_zero(cx, operation.rhs) || is_constant(cx, operation.lhs) {
            continue;
        }
        let op = operation.op.symbol();
        let finding = report.at(cx.place_of(id), format!("the divisor of this `{op}` is always 0"));
        finding.also(cx.place_of(operation.rhs), "0 whenever there is a result");
        finding.help("`/ (x > 0)` leaves out what can't be divided by");
        let flow = cx.flows().of(operation.rhs);
        let rests = flow.arms.iter().fold(flow.basis, |basis, arm| basis.or(arm.basis).or(arm.value.basis));
        rests_on(finding, rests);
    }
}

/// Whether all values of a node are 0, and there are any.
fn is_zero(cx: &ExprContext<'_>, id: NodeId) -> bool {
    let flow = cx.flows().of(id);
    let zero = |arm: &crate::flow::Arm| arm.value.constant() == Some(0.0) && !arm.value.nan;
    !flow.is_never() && !flow.arms.is_empty() && flow.arms.iter().all(zero)
}
