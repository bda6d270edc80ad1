//! `template-reads-rule-label` (T002).

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;
use crate::templates::{label_reads, templates};

declare_check! {
    /// Finds a template that reads a label which only the rule or its group sets, or `alertname`, and the result of
    /// the expression can't have.
    ///
    /// ## Why it matters
    /// `$labels` are those of the result. What the rule sets is added later, so it is printed as nothing.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Failing
    ///   expr: sum by (job) (rate(errors_total[1m])) > 10
    ///   labels: {severity: page}
    ///   annotations:
    ///     summary: "{{ $labels.severity }}: {{ $labels.job }} fails"
    ///                  ^^^^^^^^^^^^^^^^ `severity` is set by the rule, and not in `$labels`
    /// ```
    /// ```yaml bad
    /// - alert: Failing
    ///   expr: sum by (job) (rate(errors_total[1m])) > 10
    ///   annotations:
    ///     summary: "{{ $labels.alertname }} at {{ $labels.job }}"
    ///                  ^^^^^^^^^^^^^^^^^ `alertname` is set by the rule, and not in `$labels`
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   labels: {team: shop}
    ///   rules:
    ///   - alert: Failing
    ///     expr: sum(rate(errors_total[1m])) > 10
    ///     annotations:
    ///       summary: 'call {{ index $labels "team" }}'
    ///                         ^^^^^^^^^^^^^^^^^^^ `team` is set by the rule, and not in `$labels`
    /// ```
    /// ```yaml bad
    /// - alert: Failing
    ///   expr: sum by (job) (rate(errors_total[1m])) > 10
    ///   labels: {severity: page}
    ///   annotations:
    ///     summary: "{{ .Labels.severity }}: {{ .Labels.job }} fails"
    ///                  ^^^^^^^^^^^^^^^^ `severity` is set by the rule, and not in `$labels`
    /// ```
    /// The expression may have such a label:
    /// ```yaml good
    /// - alert: Failing
    ///   expr: errors_total > 10
    ///   labels: {severity: page}
    ///   annotations:
    ///     summary: "{{ $labels.severity }} fails"
    /// ```
    /// ```yaml good
    /// - alert: Failing
    ///   expr: sum by (job, severity) (errors_total) > 10
    ///   labels: {severity: page}
    ///   annotations:
    ///     summary: "{{ $labels.severity }} fails"
    /// ```
    /// ```yaml good
    /// - alert: Failing
    ///   expr: sum by (job) (errors_total) > 10
    ///   labels: {severity: page}
    ///   annotations:
    ///     summary: "{{ $labels.job }} fails"
    /// ```
    "T002" "template-reads-rule-label" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    if !cx.rule.is_alert() {
        return;
    }
    let set_by_rule = cx.rule.rule.effective_labels(cx.rule.group);
    for template in templates(&cx.rule) {
        for (label, place) in label_reads(&template.text.value) {
            let value = set_by_rule.iter().find(|(name, _)| *name == label).map(|(_, value)| *value);
            if value.is_none() && label != "alertname" {
                continue;
            }
            let flow = cx.flows().root(cx.expr);
            let is_gone = |arm: &crate::flow::Arm| arm.labels.get(&label).is_absent();
            if flow.is_never() || flow.arms.is_empty() || !flow.arms.iter().all(is_gone) {
                continue;
            }
            let value = value.unwrap_or(&cx.rule.rule.name.value);
            report
                .at(
                    cx.rule.place(template.text, place),
                    format!("`{label}` is set by the rule, and not in `$labels`"),
                )
                .help(format!("write `{value}` as it is"));
        }
    }
}
