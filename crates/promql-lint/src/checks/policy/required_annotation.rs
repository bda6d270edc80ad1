//! `required-annotation` (O003).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;
use crate::policy::policies;

declare_check! {
    /// Finds an alert without an annotation that a policy demands.
    ///
    /// ## Why it matters
    /// Who is called at night needs to know what it is about, and what to do.
    ///
    /// ## Examples
    /// ```toml config
    /// [[lint.policy]]
    /// check = "required-annotation"
    /// annotations = ["summary", "runbook_url"]
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///          ^^^^ the annotation `summary`, `runbook_url` is missing
    ///   expr: up == 0
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///          ^^^^ the annotation `runbook_url` is missing
    ///   expr: up == 0
    ///   annotations:
    ///     summary: it is down
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///          ^^^^ the annotation `summary` is missing
    ///   expr: up == 0
    ///   annotations: {summary: "", runbook_url: "https://example.com"}
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {summary: it is down, runbook_url: "https://example.com"}
    /// ```
    /// ```yaml good
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {summary: "{{ $labels.job }}", runbook_url: "https://example.com", more: text}
    /// ```
    "O003" "required-annotation" Warning off, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for policy in policies(cx, &CHECK).filter(|_| cx.is_alert()) {
        let is_there = |name: &String| {
            cx.rule.annotations.iter().any(|(known, value)| known.value == *name && !value.is_empty())
        };
        let missing: Vec<&str> =
            policy.names.iter().filter(|name| !is_there(name)).map(String::as_str).collect();
        let is_fine = missing.is_empty() || policy.any_of && missing.len() < policy.names.len();
        if !is_fine {
            let between = if policy.any_of { "` or `" } else { "`, `" };
            let message = format!("the annotation `{}` is missing", missing.join(between));
            policy.tell(report, cx.rule.name.span.clone(), message);
        }
    }
}
