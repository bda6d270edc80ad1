//! `scalar-of-many` (C043).

use promql_syntax::Function;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::rests_on;
use crate::finding::Report;

declare_check! {
    /// Finds `scalar` of something that is told apart by labels.
    ///
    /// ## Why it matters
    /// `scalar` is NaN unless there is exactly one element, and a comparison with NaN never holds: with the second
    /// series the expression falls silent.
    ///
    /// ## Examples
    /// ```promql bad
    /// temperature > scalar(max by (device) (limit))
    ///               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `scalar` of elements that `device` tells apart is NaN when there are two
    /// ```
    /// ```promql bad
    /// requests / scalar(sum by (job) (requests)) > 0.5
    ///            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `scalar` of elements that `job` tells apart is NaN when there are two
    /// ```
    /// ```promql bad
    /// vector(scalar(count_values("version", build))) > 1
    ///        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `scalar` of elements that `version` tells apart is NaN when there are two
    /// ```
    /// ```promql good
    /// temperature > scalar(max(limit))
    /// ```
    /// ```promql good
    /// temperature > scalar(limit{device="a"})
    /// ```
    /// ```promql good
    /// requests / scalar(sum by (job) (requests{job="a"})) > 0.5
    /// ```
    "C043" "scalar-of-many" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, args) in cx.calls() {
        let (Function::Scalar, Some(&operand)) = (function, args.first()) else { continue };
        let [arm] = &*cx.flows().of(operand).arms else { continue };
        let Some(key) = arm.key.as_ref().filter(|key| !key.is_empty()) else { continue };
        if arm.at_most() == Some(1) || arm.labels.is_open() {
            continue;
        }
        let keys: Vec<&str> = key.iter().map(|label| &**label).collect();
        let message = format!("`scalar` of elements that `{}` tells apart is NaN when there are two", keys.join("`, `"));
        let finding = report.at(cx.place_of(id), message);
        finding.help("aggregate to one element, or match with `on () group_left ()` instead");
        rests_on(finding, arm.basis);
    }
}
