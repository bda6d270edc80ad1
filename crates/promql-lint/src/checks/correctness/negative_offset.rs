//! `negative-offset` (C029).

use promql_syntax::ast::NodeKind;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds a negative `offset` in a rule.
    ///
    /// ## Why it matters
    /// It asks for samples after the time of the evaluation, which are not there yet.
    ///
    /// ## Examples
    /// ```promql bad
    /// rate(requests_total[5m] offset -5m) > 1
    ///      ^^^^^^^^^^^^^^ a negative offset asks for samples that are not there yet
    /// ```
    /// ```promql bad
    /// queue_length offset -1h > 3
    /// ^^^^^^^^^^^^^^^^^^^^^^^ a negative offset asks for samples that are not there yet
    /// ```
    /// ```promql bad
    /// max_over_time(rate(requests_total[5m])[1h:] offset -1d) > 3
    ///               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a negative offset asks for samples that are not there yet
    /// ```
    /// ```promql good
    /// rate(requests_total[5m] offset 5m) > 1
    /// ```
    /// ```promql good
    /// queue_length - queue_length offset 1h > 3
    /// ```
    /// ```promql good
    /// -queue_length offset 1h < -3
    /// ```
    "C029" "negative-offset" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, node) in cx.nodes() {
        let modifiers = match node.kind {
            NodeKind::VectorSelector(selector) => cx.expr.selector(selector).modifiers,
            NodeKind::Subquery(subquery) => cx.expr.subquery(subquery).modifiers,
            _ => continue,
        };
        if modifiers.offset < 0 {
            report
                .at(cx.place_of(id), "a negative offset asks for samples that are not there yet")
                .help("leave the sign out to look back");
        }
    }
}
