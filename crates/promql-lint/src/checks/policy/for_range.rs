//! `for-range` (O006).

use promql_model::FormatDuration;

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;
use crate::policy::policies;

declare_check! {
    /// Finds an alert whose `for` is shorter or longer than a policy allows. Without a `for` it is zero.
    ///
    /// ## Why it matters
    /// Short ones wake people for nothing, long ones wake nobody.
    ///
    /// ## Examples
    /// ```toml config
    /// [[lint.policy]]
    /// check = "for-range"
    /// min = "1m"
    /// max = "1h"
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///          ^^^^ `for` has to be 1m at least
    ///   expr: up == 0
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 30s
    ///        ^^^ `for` has to be 1m at least
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 2h
    ///        ^^ `for` must be 1h at most
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 1m
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 1h
    /// ```
    /// ```yaml good
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    /// ```
    "O006" "for-range" Warning off, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for policy in policies(cx, &CHECK).filter(|_| cx.is_alert()) {
        let field = policy.field.as_deref().unwrap_or("for");
        let duration = match field {
            "for" => cx.rule.for_duration,
            _ => cx.rule.keep_firing_for,
        };
        let value = duration.map_or(0, |duration| duration.value);
        let span = duration.map_or(cx.rule.name.span.clone(), |duration| duration.span());
        if let Some(min) = policy.min.filter(|min| value < *min) {
            let message = format!("`{field}` has to be {} at least", FormatDuration(min));
            policy.tell(report, span, message);
        } else if let Some(max) = policy.max.filter(|max| value > *max) {
            let message = format!("`{field}` must be {} at most", FormatDuration(max));
            policy.tell(report, span, message);
        }
    }
}
