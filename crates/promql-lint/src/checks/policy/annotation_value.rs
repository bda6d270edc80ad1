//! `annotation-value` (O004).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;
use crate::policy::policies;

declare_check! {
    /// Finds an annotation with a text that a policy doesn't allow.
    ///
    /// ## Why it matters
    /// A link that leads nowhere is found at night.
    ///
    /// ## Examples
    /// ```toml config
    /// [[lint.policy]]
    /// check = "annotation-value"
    /// annotation = "runbook_url"
    /// regex = "https://runbooks\\.example\\.com/.+"
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {runbook_url: "http://runbooks.example.com/down"}
    ///                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the annotation `runbook_url` is not as it has to be
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {runbook_url: see the wiki}
    ///                              ^^^^^^^^^^^^ the annotation `runbook_url` is not as it has to be
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {runbook_url: ""}
    ///                              ^^ the annotation `runbook_url` is not as it has to be
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {runbook_url: "https://runbooks.example.com/down"}
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {runbook_url: "https://runbooks.example.com/{{ $labels.job }}"}
    /// ```
    "O004" "annotation-value" Warning off, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for policy in policies(cx, &CHECK) {
        for (name, value) in &cx.rule.annotations {
            if policy.names.contains(&name.value) && !policy.allows(&value.value) {
                let message = format!("the annotation `{}` is not as it has to be", name.value);
                policy.tell(report, value.span.clone(), message);
            }
        }
    }
}
