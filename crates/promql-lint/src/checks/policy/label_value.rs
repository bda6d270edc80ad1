//! `label-value` (O002).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;
use crate::policy::policies;

declare_check! {
    /// Finds a label of a rule with a value that a policy doesn't allow. Templates are passed over.
    ///
    /// ## Why it matters
    /// A route for `critical` doesn't match `crit`.
    ///
    /// ## Examples
    /// ```toml config
    /// [[lint.policy]]
    /// check = "label-value"
    /// label = "severity"
    /// values = ["page", "ticket"]
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {severity: critical}
    ///                      ^^^^^^^^ `critical` is no value for the label `severity`
    /// ```
    /// ```yaml bad
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    ///   labels: {severity: Page}
    ///                      ^^^^ `Page` is no value for the label `severity`
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     severity: ""
    ///               ^^ `` is no value for the label `severity`
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {severity: page}
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {severity: "{{ $labels.severity }}"}
    /// ```
    "O002" "label-value" Warning off, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for policy in policies(cx, &CHECK) {
        for (name, value) in cx.rule.labels.iter().chain(&cx.group.labels) {
            let is_it = policy.names.contains(&name.value) && !value.value.contains("{{");
            if is_it && !policy.allows(&value.value) {
                let allowed = policy.values.as_ref().map(|values| values.join(", "));
                let message = format!("`{}` is no value for the label `{}`", value.value, name.value);
                let finding = policy.tell(report, value.span.clone(), message);
                if let (None, Some(allowed)) = (&finding.help, allowed) {
                    finding.help(format!("allowed are {allowed}"));
                }
            }
        }
    }
}
