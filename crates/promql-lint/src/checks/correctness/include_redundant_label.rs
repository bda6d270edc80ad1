//! `include-redundant-label` (C008).

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, rests_on};
use crate::finding::{Report, Safety};
use crate::flow::{Arm, Basis, Flow, takes_part};
use crate::shape::in_list;

declare_check! {
    /// Finds a label of `group_left` or `group_right` that the elements have already: it takes part in matching,
    /// or has one and the same value on both sides.
    ///
    /// ## Why it matters
    /// Copying it changes nothing, but says to the reader that the two sides could differ in it.
    ///
    /// ## Examples
    /// ```promql bad
    /// used{env="prod"} * on (pod) group_left (env) placement{env="prod"} > 10
    ///                                         ^^^ `env` is the same without this: it is `prod` on both sides
    /// ```
    /// ```promql fixed
    /// used{env="prod"} * on (pod) group_left () placement{env="prod"} > 10
    /// ```
    /// ```promql bad
    /// used * ignoring (node) group_left (zone, node) placement > 10
    ///                                    ^^^^ `zone` is the same without this: both sides match by it
    /// ```
    /// ```promql fixed
    /// used * ignoring (node) group_left (node) placement > 10
    /// ```
    /// ```promql bad
    /// pod:placement * ignoring (queue) group_right (pod) max by (pod, queue) (used) > 10
    ///                                               ^^^ `pod` is the same without this: both sides match by it
    /// ```
    /// ```promql fixed
    /// pod:placement * ignoring (queue) group_right () max by (pod, queue) (used) > 10
    /// ```
    /// ```promql good
    /// used * on (pod) group_left (env) placement{env="prod"} > 10
    /// ```
    /// One of them may have no such label, and gets it:
    /// ```promql good
    /// used{env=~"prod|"} * on (pod) group_left (env) placement{env="prod"} > 10
    /// ```
    /// ```promql good
    /// used * ignoring (node) group_left (node) placement > 10
    /// ```
    "C008" "include-redundant-label" Info, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let labels = cx.expr.labels(operation.modifiers.include);
        if labels.is_empty() || cx.flows().of(id).is_never() {
            continue;
        }
        let (left, right) = operation.flows();
        for (at, label) in labels.iter().enumerate() {
            let name = cx.expr.text_lossy(label.name);
            let is_matched = takes_part(cx.expr, &operation.modifiers, &name);
            let value = value(left, &name).filter(|of_left| Some(of_left) == value(right, &name).as_ref());
            let (why, basis) = match (is_matched, &value) {
                (true, _) => ("both sides match by it".to_owned(), Basis::NONE),
                (false, Some((value, basis))) => (format!("it is `{value}` on both sides"), *basis),
                _ => continue,
            };
            let finding = report.at(cx.place(label.span), format!("`{name}` is the same without this: {why}"));
            if basis.is_empty() {
                let edits = in_list(labels, at).and_then(|span| cx.edits(&[(span, "")]));
                finding.fix(Safety::Safe, "leave the label out", edits);
            }
            rests_on(finding, basis);
        }
    }
}

/// The only value that a label of a side has, if it surely has one.
fn value(side: &Flow, label: &str) -> Option<(String, Basis)> {
    let of = |arm: &Arm| arm.labels.get(label).constant().filter(|value| !value.is_empty()).map(str::to_owned);
    let mut values = side.arms.iter().map(of);
    let first = values.next()??;
    let is_one = values.all(|value| value.as_ref() == Some(&first));
    let basis = side.arms.iter().fold(side.basis, |basis, arm| basis.or(arm.basis).or(arm.labels.basis(label)));
    is_one.then_some((first, basis))
}
