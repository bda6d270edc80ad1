//! `alert-on-bool` (A003).

use promql_syntax::ast::NodeKind;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds an alert whose outermost operation is a comparison with `bool`.
    ///
    /// ## Why it matters
    /// Such a comparison gives 0 or 1 and filters nothing. An alert fires for every element, whatever its value, so
    /// it fires for those that don't satisfy the comparison, too.
    ///
    /// ## Examples
    /// ```promql bad
    /// queue_length > bool 5
    /// ^^^^^^^^^^^^^^^^^^^^^ `> bool` gives 0 or 1, and both fire; this alert fires for whatever series there are
    /// ```
    /// ```promql bad
    /// (sum by (job) (up) == bool 0)
    ///  ^^^^^^^^^^^^^^^^^^^^^^^^^^^ `== bool` gives 0 or 1, and both fire; this alert fires for whatever series there are
    /// ```
    /// ```promql bad
    /// errors_total > bool on (job) limits
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `> bool` gives 0 or 1, and both fire; this alert fires for whatever series there are
    /// ```
    /// ```promql good
    /// (queue_length > bool 5) == 1
    /// ```
    /// ```promql good
    /// sum(queue_length > bool 5) > 3
    /// ```
    /// ```promql good
    /// queue_length > 5
    /// ```
    "A003" "alert-on-bool" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    let root = cx.bare(cx.expr.root());
    let NodeKind::Binary { op, modifiers: Some(id), .. } = cx.expr.kind(root) else { return };
    if !cx.rule.is_alert() || !cx.expr.binary_modifiers(id).return_bool {
        return;
    }
    let message = format!("`{} bool` gives 0 or 1, and both fire", op.symbol());
    report
        .at(cx.place_of(root), message)
        .consequence("this alert fires for whatever series there are")
        .help("leave `bool` out: then only what satisfies the comparison remains");
}
