//! `template-label-removed` (T001).

use crate::check::declare_check;
use crate::check::Severity;
use crate::evidence::rests_on;
use crate::context::ExprContext;
use crate::finding::Report;
use crate::flow::Basis;
use crate::templates::{label_reads, templates};

declare_check! {
    /// Finds a template that reads a label which the result of the expression can't have. In a label of an alert,
    /// by which alerts are told apart, it is an error.
    ///
    /// ## Why it matters
    /// The label is printed as nothing: "instance  is down".
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Failing
    ///   expr: sum by (proxy) (rate(errors_total[1m])) > 10
    ///   annotations:
    ///     summary: "{{ $labels.instance }} fails"
    ///                  ^^^^^^^^^^^^^^^^ the result has no label `instance`
    /// ```
    /// ```yaml bad
    /// - alert: Failing
    ///   expr: sum without (instance) (rate(errors_total[1m])) > 10
    ///   labels:
    ///     host: "{{ $labels.instance }}"
    ///               ^^^^^^^^^^^^^^^^ error: the result has no label `instance`
    /// ```
    /// ```yaml bad
    /// - alert: Gone
    ///   expr: absent(up{job="shop"})
    ///   annotations:
    ///     summary: "{{ $labels.instance }} of {{ $labels.job }} is gone"
    ///                  ^^^^^^^^^^^^^^^^ the result has no label `instance`
    /// ```
    /// ```yaml bad
    /// - alert: Failing
    ///   expr: sum by (job) (rate(errors_total[1m])) > 10
    ///   annotations:
    ///     summary: "{{ .Labels.instance }} fails"
    ///                  ^^^^^^^^^^^^^^^^ the result has no label `instance`
    /// ```
    /// ```yaml good
    /// - alert: Failing
    ///   expr: sum by (proxy, instance) (rate(errors_total[1m])) > 10
    ///   annotations:
    ///     summary: "{{ $labels.instance }} fails"
    /// ```
    /// Some of the results have it:
    /// ```yaml good
    /// - alert: Failing
    ///   expr: up == 0 or absent(up)
    ///   annotations:
    ///     summary: "{{ $labels.instance }} fails"
    /// ```
    /// Within a `range` these are the labels of what a query gives:
    /// ```yaml good
    /// - alert: Failing
    ///   expr: sum(rate(errors_total[1m])) > 10
    ///   annotations:
    ///     summary: '{{ range query "errors_total > 5" }}{{ .Labels.instance }} {{ end }}fail'
    /// ```
    /// It is asked for first:
    /// ```yaml good
    /// - alert: Failing
    ///   expr: sum(rate(errors_total[1m])) > 10
    ///   annotations:
    ///     summary: "fails{{ if $labels.instance }} at {{ $labels.instance }}{{ end }}"
    /// ```
    "T001" "template-label-removed" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    if !cx.rule.is_alert() {
        return;
    }
    let set_by_rule = cx.rule.rule.effective_labels(cx.rule.group);
    for template in templates(&cx.rule) {
        for (label, place) in label_reads(&template.text.value) {
            // What the rule sets is not in `$labels`, which is the matter of another check.
            let is_set = label == "alertname" || set_by_rule.iter().any(|(name, _)| *name == label);
            let flow = cx.flows().root(cx.expr);
            let is_gone = |arm: &crate::flow::Arm| arm.labels.get(&label).is_absent();
            if is_set || flow.is_never() || flow.arms.is_empty() || !flow.arms.iter().all(is_gone) {
                continue;
            }
            let steps = cx.flows().explain(cx.expr, cx.env(), cx.expr.root(), 0, &label);
            let rests = flow.arms.iter().fold(Basis::NONE, |basis, arm| basis.or(arm.labels.basis(&label)));
            let finding = report.at(
                cx.rule.place(template.text, place),
                format!("the result has no label `{label}`"),
            );
            if let Some(step) = steps.first() {
                finding.also(cx.place(step.span), step.text.clone());
            }
            if template.is_label {
                finding.severity(Severity::Error);
            }
            finding.help("keep the label in the expression, or don't read it");
            rests_on(finding, rests);
        }
    }
}
