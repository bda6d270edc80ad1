//! `same-identity-different-condition` (A015).

use std::collections::HashMap;

use crate::check::{Severity, declare_check};
use crate::context::{ExprContext, RuleRef, RuleSet, read_names};
use crate::finding::{Related, Report};
use crate::flow::{Arm, Flow};

declare_check! {
    /// Finds two alerts with the same name and the same labels but different conditions, that can be true of one
    /// series at once.
    ///
    /// ## Why it matters
    /// To Alertmanager they are one alert: which of the two texts somebody reads at night is a matter of chance,
    /// and when one of them ends the other looks ended too. Give them different names, or a label that tells them
    /// apart, such as `severity`.
    ///
    /// Alerts of different metrics are an information only, since it can't be seen whether their series have the
    /// same labels.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: SlowRequests
    ///   expr: request_duration_seconds > 60
    /// - alert: SlowRequests
    ///          ^^^^^^^^^^^^ another alert `SlowRequests` with the same labels has another condition
    ///   expr: request_duration_seconds{path!="/upload"} > 5
    /// ```
    /// ```yaml bad
    /// - alert: DiskFull
    ///   expr: disk_free_bytes < 1e9
    ///   labels: {severity: page}
    /// - alert: DiskFull
    ///          ^^^^^^^^ info: another alert `DiskFull` with the same labels has another condition
    ///   expr: disk_free_ratio < 0.1
    ///   labels: {severity: page}
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 5m
    /// - alert: Down
    ///          ^^^^ another alert `Down` with the same labels has another condition
    ///   expr: up == 0
    ///   for: 1h
    /// ```
    /// No series is of both paths:
    /// ```yaml good
    /// - alert: SlowRequests
    ///   expr: request_duration_seconds{path="/upload"} > 60
    /// - alert: SlowRequests
    ///   expr: request_duration_seconds{path!="/upload"} > 5
    /// ```
    /// ```yaml good
    /// - alert: DiskFull
    ///   expr: disk_free_ratio < 0.1
    ///   labels: {severity: ticket}
    /// - alert: DiskFull
    ///   expr: disk_free_ratio < 0.05
    ///   labels: {severity: page}
    /// ```
    /// The second has no labels at all, the first always has some:
    /// ```yaml good
    /// - alert: ShopDown
    ///   expr: up{job="shop"} == 0
    /// - alert: ShopDown
    ///   expr: absent(sum(up{job="shop"}))
    /// ```
    "A015" "same-identity-different-condition" Warning, Presumed, fix: Never, Set(look)
}

fn look(set: &RuleSet<'_>, report: &mut Report<'_>) {
    let mut names: Vec<&&str> =
        set.alerts.iter().filter(|(_, rules)| rules.len() > 1).map(|(name, _)| name).collect();
    names.sort_unstable();
    for name in names {
        let mut of_labels: HashMap<_, Vec<RuleRef>> = HashMap::new();
        for at in set.alerts.get(*name).into_iter().flatten() {
            let labels = set.rule(*at).effective_labels(set.group(*at));
            let others = of_labels.entry(labels).or_default();
            // One finding for each alert that has a twin is enough: the worst, and rather of the same file.
            let twins = others.iter().filter_map(|other| Some((*other, conflict(set, *other, *at)?)));
            let twin = twins.max_by_key(|(other, severity)| (*severity, other.file == at.file));
            others.push(*at);
            let Some((other, severity)) = twin else { continue };
            let span = set.rule(*at).name.span.clone();
            let message = format!("another alert `{name}` with the same labels has another condition");
            let finding = report.in_file(at.file, Some((at.group, at.rule)), span, message);
            finding.severity(severity);
            let help = "give one of them another name, or a label that tells them apart";
            finding.help(match other.file == at.file {
                true => help.to_owned(),
                false => format!("{help}, if one server loads both files"),
            });
            let span = set.rule(other).name.span.clone();
            let text = "the other one".to_owned();
            match other.file == at.file {
                true => drop(finding.also(span, text)),
                false => finding.related.push(Related { file: other.file, span, text }),
            }
        }
    }
}

/// How bad it is that two alerts are called the same; nothing if they can't be true of one series, or are
/// one rule that is there twice.
fn conflict(set: &RuleSet<'_>, a: RuleRef, b: RuleRef) -> Option<Severity> {
    let context = |at| ExprContext::new(set.rule_context(at));
    let (first, second) = (context(a)?, context(b)?);
    let duration = |at| set.rule(at).for_duration.as_ref().map_or(0, |duration| duration.value);
    let is_same = first.expr.to_string() == second.expr.to_string();
    if is_same && duration(a) == duration(b) {
        return None;
    }
    let (flow, other) = (first.flows().root(first.expr), second.flows().root(second.expr));
    if !is_same && are_disjoint(flow, other) {
        return None;
    }
    let metrics = |cx: &ExprContext<'_>| {
        let mut names: Vec<String> = read_names(cx.expr).map(|(name, _)| name.to_owned()).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let reads_same = metrics(&first) == metrics(&second);
    Some(if reads_same { Severity::Warning } else { Severity::Info })
}

/// Whether no element of one can have the labels of one of the other. An alert has no metric name.
fn are_disjoint(a: &Flow, b: &Flow) -> bool {
    let apart = |a: &Arm, b: &Arm| {
        let known = a.labels.iter().chain(b.labels.iter()).filter(|label| &*label.name != "__name__");
        known.into_iter().any(|label| a.labels.get(&label.name).is_disjoint(b.labels.get(&label.name)))
    };
    a.arms.iter().all(|a| b.arms.iter().all(|b| apart(a, b)))
}
