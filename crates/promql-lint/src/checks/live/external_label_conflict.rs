//! `external-label-conflict` (L014).

use crate::check::{Severity, declare_check};
use crate::finding::Report;
use crate::live::LiveContext;

declare_check! {
    /// Finds a label of a rule that is also an external label of the server, with another value.
    ///
    /// ## Why it matters
    /// What leaves the server, alerts and what is written elsewhere, gets the external labels where it doesn't
    /// have them. The label of the rule stays, so that what the rule makes looks as if it came from another
    /// server. What the server says of its configuration counts, else `external-labels` under `[lint.live]`.
    /// With the same value it is merely superfluous.
    ///
    /// ## Examples
    /// ```text server
    /// external cluster="eu"
    /// external tier="{{ $labels.tier }}"
    /// load 1m
    ///   up{job="shop"} 1x10
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {cluster: us}
    ///            ^^^^^^^ the server itself is `cluster="eu"`
    /// ```
    /// ```yaml bad
    /// - record: job:up:sum
    ///   expr: sum by (job) (up)
    ///   labels: {cluster: eu}
    ///            ^^^^^^^ info: the server adds `cluster="eu"` by itself
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   labels: {cluster: us}
    ///            ^^^^^^^ the server itself is `cluster="eu"`
    ///   rules:
    ///   - {record: 'job:up:sum', expr: sum by (job) (up)}
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {severity: page}
    /// ```
    /// The label of the series counts, whichever it is:
    /// ```yaml good
    /// - alert: Down
    ///   expr: up{cluster="us"} == 0
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {cluster: us}
    /// ```
    "L014" "external-label-conflict" Warning, Observed, fix: Never, Live(look)
}

fn look(cx: &LiveContext<'_>, report: &mut Report<'_>) {
    let Some(external) = &cx.about.external_labels else { return };
    let rule = cx.expr.rule;
    let own = rule.rule.labels.iter();
    let is_own = |name: &str| rule.rule.labels.iter().any(|(own, _)| own.value == name);
    // What a group says is told at its first rule.
    let of_group = rule.group.labels.iter();
    let of_group = of_group.filter(|(name, _)| rule.at.rule == 0 && !is_own(&name.value));
    for (name, value) in own.chain(of_group) {
        let Some(known) = external.get(&name.value) else { continue };
        let is_same = *known == value.value;
        let message = match is_same {
            true => format!("the server adds `{}=\"{known}\"` by itself", name.value),
            false => format!("the server itself is `{}=\"{known}\"`", name.value),
        };
        let severity = if is_same { Severity::Info } else { Severity::Warning };
        report.at(name.span.clone(), message).severity(severity).help(match is_same {
            true => "remove the label",
            false => "give the label another name",
        });
    }
}
