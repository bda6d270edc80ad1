//! `rule-label-overwrites-key` (C039).

use crate::check::{Evidence, Severity, declare_check};
use crate::context::ExprContext;
use crate::evidence::rests_on;
use crate::finding::Report;
use crate::flow::Arm;

declare_check! {
    /// Finds a label of a rule or of its group that takes the place of a label by which the results differ.
    ///
    /// ## Why it matters
    /// Two results that differ in that label only become one series, and the evaluation fails: "vector contains
    /// metrics with the same labelset after applying rule labels". It works as long as there is one of them, and
    /// breaks on the day when a second one is set up.
    ///
    /// Where it isn't known that the label tells results apart, this is a warning.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - record: pod:memory_bytes:sum
    ///   expr: sum by (pod) (memory_bytes)
    ///   labels: {pod: shop}
    ///            ^^^ all results differ by `pod`, which is overwritten; the evaluation fails as soon as there are two
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: min by (instance) (up) == 0
    ///   labels: {instance: shop}
    ///            ^^^^^^^^ all results differ by `instance`, which is overwritten; the evaluation fails as soon as there are two
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   labels: {cluster: main}
    ///            ^^^^^^^ all results differ by `cluster`, which is overwritten; the evaluation fails as soon as there are two
    ///   rules:
    ///   - record: cluster:up:sum
    ///     expr: sum by (cluster) (up)
    /// ```
    /// ```yaml bad
    /// - record: shop:queue_length
    ///   expr: queue_length{zone=~"a|b"}
    ///   labels: {zone: all}
    ///            ^^^^ warning: `zone` of the results is overwritten
    /// ```
    /// ```yaml good
    /// - record: pod:memory_bytes:sum
    ///   expr: sum by (pod) (memory_bytes)
    ///   labels: {team: shop}
    /// ```
    /// There is one result only:
    /// ```yaml good
    /// - record: memory_bytes:sum
    ///   expr: sum(memory_bytes)
    ///   labels: {pod: all}
    /// ```
    /// All results have the same value there:
    /// ```yaml good
    /// - record: pod:memory_bytes:sum
    ///   expr: sum by (pod, zone) (memory_bytes{zone="a"})
    ///   labels: {zone: b}
    /// ```
    /// A template gives each its own:
    /// ```yaml good
    /// - alert: Down
    ///   expr: min by (instance) (up) == 0
    ///   labels: {instance: "{{ $labels.instance }}:9100"}
    /// ```
    "C039" "rule-label-overwrites-key" Error, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    let rule = &cx.rule;
    let of_group = rule.group.labels.iter().filter(|(name, _)| {
        !rule.rule.labels.iter().any(|(own, _)| own.value == name.value)
    });
    for (name, value) in rule.rule.labels.iter().chain(of_group) {
        let is_template = rule.is_alert() && value.value.contains("{{");
        // What is emptied is told about by another check, and known names are no labels of series.
        if is_template || value.value.is_empty() || name.value == "alertname" {
            continue;
        }
        let [arm] = &*cx.flows().root(cx.expr).arms else { continue };
        let values = arm.labels.get(&name.value);
        if values.constant().is_some() || values.is_never() || arm.at_most() == Some(1) {
            continue;
        }
        let is_key = arm.key.as_ref().is_some_and(|key| key.iter().all(|label| **label == *name.value));
        // The labels of a target can be meant to be replaced, if they are there at all.
        let is_sure = values.is_certain() && arm.labels.basis(&name.value).is_empty();
        if !is_key && !is_sure {
            continue;
        }
        let message = match is_key {
            true => format!("all results differ by `{}`, which is overwritten", name.value),
            false => format!("`{}` of the results is overwritten", name.value),
        };
        let finding = report.at(name.span.clone(), message);
        finding.also(cx.place_of(cx.expr.root()), told(arm, &name.value));
        if is_key {
            finding.consequence("the evaluation fails as soon as there are two");
        } else {
            finding.severity(Severity::Warning).evidence(Evidence::Presumed);
        }
        finding.help("choose another name for the label, or aggregate that of the results away");
        // Two results that differ by the label have it, whatever is assumed.
        rests_on(finding, arm.basis);
    }
}

fn told(arm: &Arm, label: &str) -> String {
    match arm.labels.get(label).finite() {
        Some(values) if !values.is_empty() => {
            let shown: Vec<&str> = values.iter().take(3).map(|value| &**value).collect();
            format!("`{label}` can be {}", shown.join(", "))
        }
        _ => format!("`{label}` can have any value here"),
    }
}
