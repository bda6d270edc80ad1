//! `ratio-by-filtered-label` (C020).

use promql_syntax::ast::BinaryOp;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::Operation;
use crate::finding::Report;
use crate::flow::{part_of_whole, same_tree};

declare_check! {
    /// Finds a ratio whose two sides differ only in matchers of labels that are kept, so that every element is
    /// divided by itself.
    ///
    /// ## Why it matters
    /// The result is always 1: an error ratio by status code is the errors with code 500 divided by the requests
    /// with code 500. Drop the label from `by`, on both sides.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum by (code) (rate(requests_total{code=~"5.."}[5m])) / sum by (code) (rate(requests_total[5m])) > 0.1
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ every element is divided by itself: the result is always 1
    /// ```
    /// ```promql bad
    /// rate(requests_total{code="500"}[5m]) / rate(requests_total[5m])
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ every element is divided by itself: the result is always 1
    /// ```
    /// ```promql bad
    /// 100 * sum by (job, code) (rate(r_total{code!="200"}[1h])) / sum by (job, code) (rate(r_total[1h])) > 5
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ every element is divided by itself: the result is always 100
    /// ```
    /// ```promql good
    /// sum by (job) (rate(requests_total{code=~"5.."}[5m])) / sum by (job) (rate(requests_total[5m])) > 0.1
    /// ```
    /// ```promql good
    /// sum by (code) (rate(errors_total[5m])) / sum by (code) (rate(requests_total[5m]))
    /// ```
    /// ```promql good
    /// sum by (code) (rate(r_total{code="500"}[5m])) / ignoring (code) group_left sum(rate(r_total[5m]))
    /// ```
    "C020" "ratio-by-filtered-label" Error, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        if operation.op != BinaryOp::Div || cx.flows().of(id).is_never() {
            continue;
        }
        let (lhs, rhs) = (operation.lhs, operation.rhs);
        let whole = part_of_whole(cx.expr, cx.flows(), lhs, rhs, &operation.modifiers);
        let Some(whole) = whole.filter(|whole| whole.is_exact && whole.is_narrowed) else { continue };
        if same_tree(cx.expr, lhs, rhs) {
            continue;
        }
        let message = format!("every element is divided by itself: the result is always {}", whole.scale);
        report
            .at(cx.place_of(id), message)
            .also(cx.place_of(lhs), "the part")
            .also(cx.place_of(rhs), "of it only the same elements match")
            .help("aggregate the label away that the matcher is about, on both sides");
    }
}
