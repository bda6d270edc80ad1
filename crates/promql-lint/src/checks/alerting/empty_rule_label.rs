//! `empty-rule-label` (A022).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;

declare_check! {
    /// Finds a label of a rule with an empty value, which removes the label.
    ///
    /// ## Why it matters
    /// Series and alerts have no empty labels: `pod: ""` takes the label `pod` away. That may be what is meant;
    /// often a value was forgotten.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - record: job:up:min
    ///   expr: up
    ///   labels:
    ///     pod: ""
    ///     ^^^ an empty value removes the label `pod`
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     severity:
    ///     ^^^^^^^^ an empty value removes the label `severity`
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {team: '', severity: page}
    ///            ^^^^ an empty value removes the label `team`
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     severity: page
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     team: " "
    /// ```
    "A022" "empty-rule-label" Info, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for (name, value) in &cx.rule.labels {
        if value.is_empty() && !name.is_empty() {
            report
                .at(name.span.clone(), format!("an empty value removes the label `{}`", name.value))
                .help("say a value, or remove it by `without (…)` in the expression");
        }
    }
}
