//! `group-modifier-reversed` (C018).

use promql_syntax::ast::GroupSide;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, rests_on};
use crate::finding::{Report, Safety};
use crate::flow::{Basis, Flow, is_unique, takes_part};
use crate::shape::group_keyword;

declare_check! {
    /// Finds `group_left` where the right side is the one with several elements for one of the left, and
    /// `group_right` the other way round.
    ///
    /// ## Why it matters
    /// The side that the keyword points to is the one that may have many. Turned round, the evaluation fails as
    /// soon as the other side has two elements for one: the alert is dead from the first day on which there is
    /// more than one pod.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum by (job) (limit) / on (job) group_left sum by (job, pod) (used) < 2
    ///                                 ^^^^^^^^^^ this is the wrong way round: the side with many elements is the other one, by `pod`; the evaluation fails as soon as there are two
    /// ```
    /// ```promql fixed
    /// sum by (job) (limit) / on (job) group_right sum by (job, pod) (used) < 2
    /// ```
    /// ```promql bad
    /// max by (job, pod) (used) / on (job) group_right max by (job) (limit) > 0.8
    ///                                     ^^^^^^^^^^^ this is the wrong way round: the side with many elements is the other one, by `pod`; the evaluation fails as soon as there are two
    /// ```
    /// ```promql fixed
    /// max by (job, pod) (used) / on (job) group_left max by (job) (limit) > 0.8
    /// ```
    /// ```promql bad
    /// sum(limit) / on () group_left () sum by (pod) (used{pod=~"a|b"}) < 2
    ///                    ^^^^^^^^^^ this is the wrong way round: the side with many elements is the other one, by `pod`; the evaluation fails as soon as there are two
    /// ```
    /// ```promql fixed
    /// sum(limit) / on () group_right () sum by (pod) (used{pod=~"a|b"}) < 2
    /// ```
    /// ```promql good
    /// sum by (job, pod) (used) / on (job) group_left sum by (job) (limit) > 0.8
    /// ```
    /// How many elements a metric has is not known:
    /// ```promql good
    /// sum by (job) (limit) / on (job) group_left used < 2
    /// ```
    /// Both sides have one element for each job:
    /// ```promql good
    /// sum by (job) (limit) / on (job) group_left max by (job) (used) < 2
    /// ```
    "C018" "group-modifier-reversed" Warning, Proven, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let (left, right) = operation.flows();
        let (many, one, one_node, new) = match operation.modifiers.group {
            Some(GroupSide::Left) => (left, right, operation.rhs, "group_right"),
            Some(GroupSide::Right) => (right, left, operation.lhs, "group_left"),
            None => continue,
        };
        if cx.flows().of(id).is_never() || !is_unique(cx.expr, &operation.modifiers, many) {
            continue;
        }
        let takes_part = |label: &str| takes_part(cx.expr, &operation.modifiers, label);
        let Some(label) = told_apart_by(one, takes_part) else { continue };
        let Some(keyword) = group_keyword(cx, &operation) else { continue };
        let message = format!("this is the wrong way round: the side with many elements is the other one, by `{label}`");
        let finding = report.at(cx.place(keyword), message);
        finding.also(cx.place_of(one_node), format!("has several elements for one of the other side, by `{label}`"));
        finding.consequence("the evaluation fails as soon as there are two");
        finding.help(format!("write `{new}`"));
        finding.fix(Safety::Unsafe, format!("write `{new}`"), cx.edits(&[(keyword, new)]));
        let basis = one.arms.iter().chain(&many.arms).fold(Basis::NONE, |basis, arm| basis.or(arm.basis));
        rests_on(finding, basis);
    }
}

/// The label by which a side has several elements that match alike.
fn told_apart_by(flow: &Flow, takes_part: impl Fn(&str) -> bool) -> Option<String> {
    let [arm] = &*flow.arms else { return None };
    let label = arm.key.as_ref()?.iter().find(|label| !takes_part(label))?;
    (arm.at_most() != Some(1)).then(|| label.to_string())
}
