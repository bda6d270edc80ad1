//! `required-label` (O001).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;
use crate::policy::policies;

declare_check! {
    /// Finds a rule without a label that a policy demands. Labels of the group count.
    ///
    /// ## Why it matters
    /// Alerts are routed by labels.
    ///
    /// ## Examples
    /// ```toml config
    /// [[lint.policy]]
    /// check = "required-label"
    /// labels = ["severity", "team"]
    /// kinds = ["alert"]
    /// message = "Routing needs both."
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///          ^^^^ the label `severity`, `team` is missing
    ///   expr: up == 0
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///          ^^^^ the label `team` is missing
    ///   expr: up == 0
    ///   labels:
    ///     severity: page
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///          ^^^^ the label `team` is missing
    ///   expr: up == 0
    ///   labels: {severity: page, team: ""}
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {severity: page, team: shop}
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: shop
    ///   labels: {team: shop}
    ///   rules:
    ///   - alert: Down
    ///     expr: up == 0
    ///     labels: {severity: page}
    /// ```
    /// ```yaml good
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    /// ```
    "O001" "required-label" Warning off, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for policy in policies(cx, &CHECK) {
        let labels = cx.rule.effective_labels(cx.group);
        let is_there = |name: &String| labels.iter().any(|(known, value)| known == name && !value.is_empty());
        let missing: Vec<&str> =
            policy.names.iter().filter(|name| !is_there(name)).map(String::as_str).collect();
        let is_fine = missing.is_empty() || policy.any_of && missing.len() < policy.names.len();
        if !is_fine {
            let between = if policy.any_of { "` or `" } else { "`, `" };
            let message = format!("the label `{}` is missing", missing.join(between));
            policy.tell(report, cx.rule.name.span.clone(), message);
        }
    }
}
