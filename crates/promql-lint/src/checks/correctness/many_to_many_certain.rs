//! `many-to-many-certain` (C016).

use promql_syntax::ast::{GroupSide, MatchingKeyword};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, rests_on};
use crate::finding::Report;
use crate::flow::{Basis, Flow};

declare_check! {
    /// Finds an operation that fails as soon as a side, of which only one element may match, has two: all of them
    /// match alike, though they are told apart by labels that don't count.
    ///
    /// ## Why it matters
    /// The evaluation fails with *many-to-many matching not allowed*, and neither alert nor recording exists from
    /// then on. It works as long as there is one series, such as in a test.
    ///
    /// ## Examples
    /// ```promql bad
    /// 100 * rate(errors_total[5m]) / on () group_left () sum by (instance) (rate(requests_total[5m])) > 30
    ///                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ all elements of this side match alike, though `instance` tells them apart; the evaluation fails as soon as there are two
    /// ```
    /// ```promql bad
    /// sum(requests) / on () sum by (pod) (limits) > 0.9
    ///                       ^^^^^^^^^^^^^^^^^^^^^ all elements of this side match alike, though `pod` tells them apart; the evaluation fails as soon as there are two
    /// ```
    /// ```promql bad
    /// requests * on (zone) group_left () max by (node) (capacity) > 0.9
    ///                                    ^^^^^^^^^^^^^^^^^^^^^^^^ all elements of this side match alike, though `node` tells them apart; the evaluation fails as soon as there are two
    /// ```
    /// ```promql good
    /// 100 * rate(errors_total[5m]) / on (instance) group_left () sum by (instance) (rate(requests_total[5m])) > 30
    /// ```
    /// ```promql good
    /// sum by (pod) (requests) / on () group_left () sum(limits) > 0.9
    /// ```
    /// ```promql good
    /// requests / on () group_left () sum by (pod) (limits{pod="a"}) > 0.9
    /// ```
    "C016" "many-to-many-certain" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let modifiers = &operation.modifiers;
        let is_on = modifiers.matching == Some(MatchingKeyword::On);
        if !is_on || operation.op.is_set() || cx.flows().of(id).is_never() {
            continue;
        }
        let labels: Vec<_> =
            cx.expr.labels(modifiers.labels).iter().map(|l| cx.expr.text_lossy(l.name)).collect();
        let (left, right) = operation.flows();
        let sides = [
            (operation.lhs, left, modifiers.group != Some(GroupSide::Left)),
            (operation.rhs, right, modifiers.group != Some(GroupSide::Right)),
        ];
        for (node, flow, is_one) in sides {
            if !is_one || !is_many(flow, |name| labels.iter().any(|label| label == name)) {
                continue;
            }
            let keys = flow.arms.iter().filter_map(|arm| arm.key.as_ref()).flatten();
            let keys: Vec<&str> = keys.map(|key| &**key).collect();
            let message = format!(
                "all elements of this side match alike, though `{}` tells them apart",
                keys.join("`, `")
            );
            let finding = report.at(cx.place_of(node), message);
            finding.consequence("the evaluation fails as soon as there are two");
            finding.help("match by the labels that tell them apart, or aggregate them away");
            let basis = flow.arms.iter().fold(Basis::NONE, |basis, arm| basis.or(arm.basis));
            rests_on(finding, basis);
        }
    }
}

/// Whether a side can have many elements that all have the same values of the labels that count.
fn is_many(flow: &Flow, counts: impl Fn(&str) -> bool) -> bool {
    let [arm] = &*flow.arms else { return false };
    let Some(key) = &arm.key else { return false };
    let is_same = !arm.labels.is_open()
        && arm.labels.iter().filter(|l| counts(&l.name)).all(|l| l.values.constant().is_some());
    is_same && !key.is_empty() && !key.iter().any(|label| counts(label)) && arm.at_most() != Some(1)
}
