//! `kept-labels` (O009).

use crate::check::{Evidence, declare_check};
use crate::context::ExprContext;
use crate::evidence::lacks;
use crate::finding::Report;
use crate::policy::policies;

declare_check! {
    /// Finds a rule whose result has lost a label that a policy wants kept, or can have one that has to go.
    ///
    /// ## Why it matters
    /// Whoever routes alerts by `team`, or joins recorded metrics by `cluster`, needs the label on all of them:
    /// one aggregation that forgets it sends the page to nobody.
    ///
    /// ## Examples
    /// ```toml config
    /// [[lint.policy]]
    /// check = "kept-labels"
    /// keep = ["cluster"]
    /// strip = ["instance"]
    /// kinds = ["record"]
    /// records = ["/(cluster|team):.*/"]
    /// ```
    /// ```yaml bad
    /// - record: team:up:sum
    ///   expr: sum by (team) (up)
    ///         ^^^^^^^^^^^^^^^^^^ the label `cluster` is lost
    /// ```
    /// ```yaml bad
    /// - record: cluster:up:min
    ///   expr: min without (pod) (up)
    ///         ^^^^^^^^^^^^^^^^^^^^^^ the result has the label `instance`, which has to go
    /// ```
    /// ```yaml bad
    /// - record: cluster:up:sum
    ///   expr: sum by (cluster) (up) * on (cluster) group_right sum by (cluster, instance) (up)
    ///         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the result has the label `instance`, which has to go
    /// ```
    /// ```yaml good
    /// - record: cluster:up:sum
    ///   expr: sum by (cluster) (up)
    /// ```
    /// The rule sets it:
    /// ```yaml good
    /// - record: cluster:up:sum
    ///   expr: sum(up)
    ///   labels: {cluster: main}
    /// ```
    /// This name is none of those:
    /// ```yaml good
    /// - record: job:up:sum
    ///   expr: sum by (job) (up)
    /// ```
    "O009" "kept-labels" Warning off, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    let labels = || cx.rule.rule.effective_labels(cx.rule.group);
    for policy in policies(&cx.rule, &CHECK) {
        let name = &cx.rule.rule.name.value;
        let is_it = policy.records.as_ref().is_none_or(|all| all.iter().any(|p| p.matches(name)));
        let root = cx.expr.root();
        let flow = cx.flows().root(cx.expr);
        if !is_it || flow.is_never() {
            continue;
        }
        let of_rule = labels();
        let set = |label: &str| of_rule.iter().find(|(name, _)| *name == label).map(|(_, value)| *value);
        for label in &policy.keep {
            if set(label).is_some_and(|value| !value.is_empty()) || lacks(flow, label).is_none() {
                continue;
            }
            let finding = policy.tell(report, cx.place_of(root), format!("the label `{label}` is lost"));
            let steps = cx.flows().explain(cx.expr, cx.env(), root, 0, label);
            if let Some(step) = steps.first() {
                finding.also(cx.place(step.span), format!("`{label}` is {}", step.text));
            }
        }
        for label in &policy.strip {
            let can = flow.arms.iter().any(|arm| arm.labels.get(label).can_be_present());
            if set(label).is_some() || !can {
                continue;
            }
            let is_certain = flow.arms.iter().all(|arm| arm.labels.get(label).is_certain());
            let message = match is_certain {
                true => format!("the result has the label `{label}`, which has to go"),
                false => format!("the result can have the label `{label}`, which has to go"),
            };
            let finding = policy.tell(report, cx.place_of(root), message);
            if !is_certain {
                finding.evidence(Evidence::Presumed);
            }
        }
    }
}
