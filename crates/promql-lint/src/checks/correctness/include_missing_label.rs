//! `include-missing-label` (C006).

use promql_syntax::ast::GroupSide;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, lacks, rests_on};
use crate::finding::Report;

declare_check! {
    /// Finds a label of `group_left (…)` or `group_right (…)` that the other side can't have.
    ///
    /// ## Why it matters
    /// The label is not copied but deleted: also elements that had it of themselves lose it.
    ///
    /// ## Examples
    /// ```promql bad
    /// requests * on (job) group_left (version) sum by (job) (build)
    ///                                 ^^^^^^^ the side that `version` is copied from can't have it: it is deleted
    /// ```
    /// ```promql bad
    /// sum by (job) (build) * on (job) group_right (version) requests
    ///                                              ^^^^^^^ the side that `version` is copied from can't have it: it is deleted
    /// ```
    /// ```promql bad
    /// requests * on () group_left (cluster) vector(1)
    ///                              ^^^^^^^ the side that `cluster` is copied from can't have it: it is deleted
    /// ```
    /// ```promql good
    /// requests * on (job) group_left (version) max by (job, version) (build)
    /// ```
    /// ```promql good
    /// requests * on (job) group_left (version) build
    /// ```
    /// ```promql good
    /// requests * on (job) group_left () sum by (job) (build)
    /// ```
    "C006" "include-missing-label" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let (left, right) = operation.flows();
        let one = match operation.modifiers.group {
            Some(GroupSide::Left) => right,
            Some(GroupSide::Right) => left,
            None => continue,
        };
        if cx.flows().of(id).is_never() || one.is_never() {
            continue;
        }
        for label in cx.expr.labels(operation.modifiers.include) {
            let name = cx.expr.text_lossy(label.name);
            let Some(basis) = lacks(one, &name) else { continue };
            let message = format!("the side that `{name}` is copied from can't have it: it is deleted");
            let finding = report.at(cx.place(label.span), message);
            finding.help("keep the label in the aggregation on that side, or leave it out here");
            rests_on(finding, basis);
        }
    }
}
