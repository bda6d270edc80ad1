//! `or-never-used` (C013).

use promql_syntax::Span;
use promql_syntax::ast::BinaryOp;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, rests_on};
use crate::finding::{Report, Safety};
use crate::flow::Why;

declare_check! {
    /// Finds an `or` whose right side never adds an element, because the left side always has one for it.
    ///
    /// ## Why it matters
    /// A default belongs to the right: `vector(0) or sum(x)` is always 0.
    ///
    /// ## Examples
    /// ```promql bad
    /// (vector(0) or sum(queue_length)) > 5
    ///               ^^^^^^^^^^^^^^^^^ this is never used: the left side of `or` always has an element in its place
    /// ```
    /// ```promql fixed
    /// (vector(0)) > 5
    /// ```
    /// ```promql bad
    /// requests or requests{code="500"}
    ///             ^^^^^^^^^^^^^^^^^^^^ this is never used: the left side of `or` always has an element in its place
    /// ```
    /// ```promql bad
    /// vector(1) or on () queue_length
    ///                    ^^^^^^^^^^^^ this is never used: the left side of `or` always has an element in its place
    /// ```
    /// ```promql fixed
    /// vector(1)
    /// ```
    /// ```promql good
    /// sum(queue_length) or vector(0)
    /// ```
    /// ```promql good
    /// requests{code="500"} or requests
    /// ```
    /// ```promql good
    /// vector(0) or queue_length
    /// ```
    "C013" "or-never-used" Warning, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let flow = cx.flows().of(id);
        let (_, right) = operation.flows();
        let covered = flow.dropped.iter().filter(|dropped| dropped.why == Why::Covered).count();
        if operation.op != BinaryOp::Or || right.is_never() || covered < right.arms.len() {
            continue;
        }
        let (lhs, rhs) = (cx.expr.span(operation.lhs), cx.expr.span(operation.rhs));
        let finding = report.at(
            cx.place(rhs),
            "this is never used: the left side of `or` always has an element in its place",
        );
        finding.also(cx.place(lhs), "has all that matters");
        finding.help("what is to be used if there is nothing else belongs to the right");
        if flow.basis.is_empty() {
            let edits = cx.edits(&[(Span::new(lhs.end, rhs.end), "")]);
            finding.fix(Safety::Safe, "leave the right side out", edits);
        }
        rests_on(finding, flow.basis);
    }
}
