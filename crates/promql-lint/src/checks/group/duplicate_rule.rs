//! `duplicate-rule` (G012).

use std::collections::HashMap;

use promql_rules::rule_file::RuleKind;

use crate::check::{Evidence, Severity, declare_check};
use crate::context::RuleSet;
use crate::finding::{Related, Report};

declare_check! {
    /// Finds a rule that is there twice: the same kind, name, labels, expression and `for`.
    ///
    /// ## Why it matters
    /// A recording rule then writes its series twice, and one of the samples is refused. Of two equal alerts
    /// both are sent.
    ///
    /// Within a file that is an error. In two files it is a warning, since one server may not load both.
    ///
    /// ## Examples
    /// ```yaml bad
    /// # file: node.yml
    /// groups:
    /// - name: node
    ///   rules:
    ///   - alert: Down
    ///     expr: up == 0
    ///     labels: {severity: page}
    /// # file: hosts.yml
    /// groups:
    /// - name: hosts
    ///   rules:
    ///   - alert: Down
    ///            ^^^^ warning: this alert is there already
    ///     expr: up==0
    ///     labels: {severity: page}
    /// ```
    /// ```yaml bad
    /// - record: job:up:sum
    ///   expr: sum by (job) (up)
    /// - record: job:up:sum
    ///           ^^^^^^^^^^ this recording rule is there already
    ///   expr: sum(up) by (job)
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: a
    ///   labels: {team: shop}
    ///   rules:
    ///   - {alert: Down, expr: up == 0}
    /// - name: b
    ///   rules:
    ///   - {alert: Down, expr: up == 0, labels: {team: shop}}
    ///             ^^^^ this alert is there already
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {severity: page}
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {severity: ticket}
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 5m
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 1h
    /// ```
    /// ```yaml good
    /// - record: job:up:sum
    ///   expr: sum by (job) (up{env="prod"})
    /// - record: job:up:sum
    ///   expr: sum by (job) (up{env="test"})
    /// ```
    "G012" "duplicate-rule" Error, Proven, fix: Never, Set(look)
}

fn look(set: &RuleSet<'_>, report: &mut Report<'_>) {
    for (kind, index) in [(RuleKind::Recording, &set.recorders), (RuleKind::Alerting, &set.alerts)] {
        let mut names: Vec<&&str> = index.iter().filter(|(_, rules)| rules.len() > 1).map(|(name, _)| name).collect();
        names.sort_unstable();
        for name in names {
            let mut seen = HashMap::new();
            for at in index.get(*name).into_iter().flatten() {
                let (group, rule) = (set.group(*at), set.rule(*at));
                let Some(query) = &rule.query else { continue };
                let duration = rule.for_duration.map_or(0, |duration| duration.value);
                let key = (rule.effective_labels(group), query.expr().to_string(), duration);
                let Some(first) = seen.get(&key).copied() else {
                    seen.insert(key, *at);
                    continue;
                };
                let what = if kind == RuleKind::Alerting { "alert" } else { "recording rule" };
                let span = rule.name.span.clone();
                let place = Some((at.group, at.rule));
                let finding = report.in_file(at.file, place, span, format!("this {what} is there already"));
                let first_span = set.rule(first).name.span.clone();
                if first.file == at.file {
                    finding.help("remove one of them").also(first_span, "the first one");
                    continue;
                }
                finding.help("remove one of them, if one server loads both files");
                finding.severity(Severity::Warning).evidence(Evidence::Presumed);
                finding.related.push(Related {
                    file: first.file,
                    span: first_span,
                    text: "the first one".to_owned(),
                });
            }
        }
    }
}
