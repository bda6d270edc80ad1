//! `alert-never-fires` (A004).

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{consequence, rests_on};
use crate::finding::Report;
use crate::flow::Why;

declare_check! {
    /// Finds an expression that never has a result for a reason that no other check names: a function of histograms
    /// over numbers, or `absent` of what is always there.
    ///
    /// ## Why it matters
    /// An alert that never fires looks like a system without problems.
    ///
    /// ## Examples
    /// ```promql bad
    /// histogram_count(sum(queue_length > 5)) > 1
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this operation has no meaning for such samples, and gives nothing; this alert can never fire
    /// ```
    /// ```promql bad
    /// absent(sum(up) or vector(0))
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ there is always something, so this is never absent; this alert can never fire
    /// ```
    /// ```promql bad
    /// absent(vector(1))
    /// ^^^^^^^^^^^^^^^^^ there is always something, so this is never absent; this alert can never fire
    /// ```
    /// ```promql good
    /// histogram_count(rate(latency_seconds[5m])) > 1
    /// ```
    /// ```promql good
    /// absent(sum(up))
    /// ```
    /// ```promql good
    /// absent(queue_length > 5)
    /// ```
    "A004" "alert-never-fires" Error, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    if !cx.rule.is_alert() || !cx.flows().root(cx.expr).is_never() {
        return;
    }
    for (id, _) in cx.nodes() {
        let told = crate::evidence::dies(cx, id, |why| matches!(why, Why::Samples));
        // `absent` has an operand that lives, and ends for that reason.
        let is_present = cx.flows().of(id).dropped.iter().any(|dropped| dropped.why == Why::Present);
        let message = match (told, is_present) {
            (Some(_), _) => "this operation has no meaning for such samples, and gives nothing",
            (None, true) => "there is always something, so this is never absent",
            (None, false) => continue,
        };
        let finding = report.at(cx.place_of(id), message);
        finding.consequence(consequence(cx));
        rests_on(finding, cx.flows().of(id).basis);
        return;
    }
}
