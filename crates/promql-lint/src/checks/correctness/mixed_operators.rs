//! `mixed-operators` (C031).

use promql_syntax::Span;
use promql_syntax::ast::{BinaryOp, NodeId, NodeKind, Sign};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds operators next to each other that many read in another order than they are computed: `or` with `and`
    /// or `unless`, `or` with a comparison of the last operand only, a minus sign before `^`, several
    /// comparisons in a row.
    ///
    /// ## Why it matters
    /// `a or b > 5` is `a or (b > 5)`: all of `a` passes. Parentheses show what is meant.
    ///
    /// ## Examples
    /// ```promql bad
    /// errors_total or failures_total > 5
    ///                 ^^^^^^^^^^^^^^^^^^ only the last operand is compared
    /// ```
    /// ```promql fixed
    /// errors_total or (failures_total > 5)
    /// ```
    /// ```promql bad
    /// up == 0 or down == 1 and on (instance) enabled
    ///            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `and` and `unless` are computed before `or`
    /// ```
    /// ```promql fixed
    /// up == 0 or (down == 1 and on (instance) enabled)
    /// ```
    /// ```promql bad
    /// -2 ^ 2 + queue_length
    ///  ^^^^^ the sign is that of the power
    /// ```
    /// ```promql fixed
    /// -(2 ^ 2) + queue_length
    /// ```
    /// ```promql bad
    /// queue_length > queue_limit > 0
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^ comparisons in a row are made from left to right
    /// ```
    /// ```promql fixed
    /// (queue_length > queue_limit) > 0
    /// ```
    /// ```promql good
    /// (errors_total or failures_total) > 5
    /// ```
    /// ```promql good
    /// errors_total or (failures_total > 5)
    /// ```
    /// ```promql good
    /// errors_total > 5 or failures_total > 5
    /// ```
    /// Something between two numbers is read as it is computed:
    /// ```promql good
    /// 3 <= queue_length < 20
    /// ```
    "C031" "mixed-operators" Info, Heuristic, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (_, node) in cx.nodes() {
        let (inner, message) = match node.kind {
            NodeKind::Unary { op: Sign::Minus, expr } => match cx.expr.kind(expr) {
                NodeKind::Binary { op: BinaryOp::Pow, .. } => (expr, "the sign is that of the power"),
                _ => continue,
            },
            NodeKind::Binary { op: BinaryOp::Or, lhs, rhs, .. } => match mixed_or(cx, lhs, rhs) {
                Some(found) => found,
                None => continue,
            },
            NodeKind::Binary { op, lhs, rhs, .. } if op.is_comparison() => match cx.expr.kind(lhs) {
                NodeKind::Binary { op, lhs: first, rhs: second, .. }
                    if op.is_comparison() && !is_range(cx, [first, second, rhs]) =>
                {
                    (lhs, "comparisons in a row are made from left to right")
                }
                _ => continue,
            },
            _ => continue,
        };
        let span = cx.expr.span(inner);
        let (start, end) = (Span::new(span.start, span.start), Span::new(span.end, span.end));
        report
            .at(cx.place(span), message)
            .label("computed first")
            .help("put it in parentheses, to show that this is meant")
            .fix(Safety::Safe, "put it in parentheses", cx.edits(&[(start, "("), (end, ")")]));
    }
}

/// Whether operands of two comparisons in a row say that something lies between two numbers.
fn is_range(cx: &ExprContext<'_>, operands: [NodeId; 3]) -> bool {
    operands.into_iter().filter(|id| cx.number(*id).is_some()).count() == 2
}

/// The operand of an `or` that is computed first, and may not be meant to.
fn mixed_or(cx: &ExprContext<'_>, lhs: NodeId, rhs: NodeId) -> Option<(NodeId, &'static str)> {
    let op = |id: NodeId| match cx.expr.kind(id) {
        NodeKind::Binary { op, .. } => Some(op),
        _ => None,
    };
    let is_and = |id: NodeId| matches!(op(id), Some(BinaryOp::And | BinaryOp::Unless));
    if let Some(id) = [rhs, lhs].into_iter().find(|id| is_and(*id)) {
        return Some((id, "`and` and `unless` are computed before `or`"));
    }
    let is_compared = |id: NodeId| op(id).is_some_and(BinaryOp::is_comparison);
    // A fallback such as `absent(…)` or `vector(0)` needs no comparison.
    let is_plain = match cx.expr.kind(lhs) {
        NodeKind::VectorSelector(_) | NodeKind::Aggregate { .. } => true,
        NodeKind::Call { function, .. } => {
            use promql_syntax::Function::{Absent, AbsentOverTime, Vector};
            !matches!(function.function, Absent | AbsentOverTime | Vector)
        }
        _ => false,
    };
    (is_compared(rhs) && is_plain).then_some((rhs, "only the last operand is compared"))
}
