//! `label-function-collapses` (C042).

use promql_syntax::Function;
use promql_syntax::ast::NodeKind;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::rests_on;
use crate::finding::Report;
use crate::shape::word;

declare_check! {
    /// Finds `label_replace` and `label_join` that write one value into the label by which all elements differ.
    ///
    /// ## Why it matters
    /// Two elements become the same, and the evaluation fails: "vector cannot contain metrics with the same
    /// labelset". It works as long as there is one of them.
    ///
    /// ## Examples
    /// ```promql bad
    /// label_replace(sum by (pod) (used), "pod", "all", "", ".*") > 10
    /// ^^^^^^^^^^^^^ all elements differ by `pod`, which gets one value here; the evaluation fails as soon as there are two
    /// ```
    /// ```promql bad
    /// label_join(max by (zone) (used), "zone", "-") > 10
    /// ^^^^^^^^^^ all elements differ by `zone`, which gets one value here; the evaluation fails as soon as there are two
    /// ```
    /// ```promql bad
    /// sum(label_replace(count by (job) (up), "job", "$1", "cluster", "(.*)")) > 10
    ///     ^^^^^^^^^^^^^ all elements differ by `job`, which gets one value here; the evaluation fails as soon as there are two
    /// ```
    /// ```promql good
    /// label_replace(sum by (pod) (used), "where", "all", "", ".*") > 10
    /// ```
    /// The zone tells them apart still:
    /// ```promql good
    /// label_replace(sum by (pod, zone) (used), "pod", "all", "", ".*") > 10
    /// ```
    /// There is one element:
    /// ```promql good
    /// label_replace(sum by (pod) (used{pod="a"}), "pod", "all", "", ".*") > 10
    /// ```
    "C042" "label-function-collapses" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, arguments) in cx.calls() {
        if !matches!(function, Function::LabelReplace | Function::LabelJoin) {
            continue;
        }
        let (Some(vector), Some(to)) = (arguments.first(), arguments.get(1)) else { continue };
        let NodeKind::String(text) = cx.expr.kind(cx.bare(*to)) else { continue };
        let label = cx.expr.text_lossy(text);
        let ([before], [after]) = (&*cx.flows().of(*vector).arms, &*cx.flows().of(id).arms) else { continue };
        let is_key = before.key.as_ref().is_some_and(|key| matches!(&**key, [only] if **only == *label));
        let is_constant = after.labels.get(&label).constant().is_some();
        if !is_key || !is_constant || before.at_most() == Some(1) {
            continue;
        }
        let message = format!("all elements differ by `{label}`, which gets one value here");
        let finding = report.at(cx.place(word(cx, id)), message);
        finding.also(cx.place_of(*vector), format!("one element for each `{label}`"));
        finding.consequence("the evaluation fails as soon as there are two");
        finding.help("write another label, or aggregate this one away before");
        rests_on(finding, before.basis.or(after.basis));
    }
}
