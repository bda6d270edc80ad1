//! `alertname-label` (A021).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds a label `alertname` of an alert, which is overwritten by the name of the alert, and `alertstate`,
    /// which is overwritten in `ALERTS`.
    ///
    /// ## Why it matters
    /// The label never has the value that is written.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     alertname: ShopDown
    ///     ^^^^^^^^^ `alertname` is overwritten by the name of the alert
    /// ```
    /// ```yaml fixed
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     severity: page
    ///     alertstate: firing
    ///     ^^^^^^^^^^ `alertstate` is overwritten by the state of the alert, in `ALERTS`
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {alertname: "{{ $labels.job }}"}
    ///            ^^^^^^^^^ `alertname` is overwritten by the name of the alert
    /// ```
    /// ```yaml good
    /// - alert: ShopDown
    ///   expr: up == 0
    ///   labels:
    ///     alert_group: shop
    /// ```
    /// ```yaml good
    /// - alert: ShopDown
    ///   expr: up == 0
    ///   annotations:
    ///     alertname: may be called so
    /// ```
    /// A recording rule keeps the label:
    /// ```yaml good
    /// - record: alert:up:min
    ///   expr: min(up)
    ///   labels:
    ///     alertname: ShopDown
    /// ```
    "A021" "alertname-label" Warning, Proven, fix: Safe, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    if !cx.is_alert() {
        return;
    }
    for (name, value) in &cx.rule.labels {
        let by = match name.value.as_str() {
            "alertname" => "the name of the alert",
            "alertstate" => "the state of the alert, in `ALERTS`",
            _ => continue,
        };
        let finding =
            report.at(name.span.clone(), format!("`{}` is overwritten by {by}", name.value));
        finding.help("remove it, or call the label something else");
        // Alone it would leave `labels` without a value, which is fine.
        if name.value == "alertname" {
            let edits = cx.remove_entry(&name.value, value.span.clone());
            finding.fix(Safety::Safe, "remove it", edits);
        }
    }
}
