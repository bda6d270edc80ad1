//! `comparison-with-nan` (C011).

use promql_syntax::ast::{BinaryOp, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds a comparison with NaN.
    ///
    /// ## Why it matters
    /// NaN equals nothing, not even itself: `x == NaN` never holds, `x != NaN` always does. `x != x` finds NaN.
    ///
    /// ## Examples
    /// ```promql bad
    /// queue_length == NaN
    /// ^^^^^^^^^^^^^^^^^^^ a comparison with NaN never holds
    /// ```
    /// ```promql fixed
    /// queue_length != queue_length
    /// ```
    /// ```promql bad
    /// queue_length != NaN
    /// ^^^^^^^^^^^^^^^^^^^ `!= NaN` always holds
    /// ```
    /// ```promql fixed
    /// queue_length == queue_length
    /// ```
    /// ```promql bad
    /// sum by (job) (queue_length) > bool NaN
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a comparison with NaN never holds
    /// ```
    /// ```promql good
    /// queue_length != queue_length
    /// ```
    /// ```promql good
    /// queue_length == Inf
    /// ```
    /// ```promql good
    /// queue_length / NaN
    /// ```
    "C011" "comparison-with-nan" Error, Proven, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, node) in cx.nodes() {
        let NodeKind::Binary { op, lhs, rhs, modifiers } = node.kind else { continue };
        let is_nan = |id| cx.number(id).is_some_and(f64::is_nan);
        if !op.is_comparison() || !(is_nan(lhs) || is_nan(rhs)) {
            continue;
        }
        let never = op != BinaryOp::Ne;
        let message = if never { "a comparison with NaN never holds" } else { "`!= NaN` always holds" };
        let finding = report.at(cx.place_of(id), message);
        finding.help("`x != x` finds NaN, `x == x` leaves it out");
        if is_nan(rhs) && modifiers.is_none() && matches!(op, BinaryOp::Eq | BinaryOp::Ne) {
            let other = cx.source(cx.expr.span(lhs));
            let new = if never { format!("!= {other}") } else { format!("== {other}") };
            let span = promql_syntax::Span::new(
                cx.expr.span(lhs).end,
                cx.expr.span(rhs).end,
            );
            let title = if never { "find NaN" } else { "leave NaN out" };
            finding.fix(Safety::Unsafe, title, cx.edits(&[(span, &format!(" {new}"))]));
        }
    }
}
