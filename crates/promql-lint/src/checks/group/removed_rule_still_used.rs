//! `removed-rule-still-used` (G006).

use std::collections::HashMap;

use promql_model::MatchOp;
use promql_rules::rule_file::{Rule, RuleKind};
use promql_syntax::Expr;
use promql_syntax::ast::{NodeKind, VectorSelector};

use crate::check::declare_check;
use crate::context::{RuleSet, metric_name};
use crate::finding::Report;

declare_check! {
    /// Finds what still reads a metric or an alert whose rule a change has removed or renamed: rules, and queries
    /// of dashboards that are looked at together with them.
    ///
    /// ## Why it matters
    /// Nothing fails. An alert on the metric goes silent five minutes after the change is rolled out, a panel goes
    /// empty, and an alert that leaves others out by `ALERTS` no longer does.
    ///
    /// It has to be known what was there before: this check looks when `--since` names a revision, and at a metric
    /// only if no other rule records it now.
    ///
    /// ## Example
    /// A change takes out this rule:
    /// ```yaml
    /// - record: job:up:sum
    ///   expr: sum by (job) (up)
    /// ```
    /// while another file still has this one:
    /// ```yaml
    /// - alert: FewLeft
    ///   expr: job:up:sum < 3
    /// ```
    "G006" "removed-rule-still-used" Warning, Proven, fix: Never, Set(look)
}

fn look(set: &RuleSet<'_>, report: &mut Report<'_>) {
    let removed = removed(set);
    if removed.is_empty() {
        return;
    }
    for (number, file) in set.files.iter().enumerate() {
        for (group, rules) in file.rules.groups.iter().enumerate() {
            for (at, rule) in rules.rules.iter().enumerate() {
                let Some(query) = &rule.query else { continue };
                let expr = query.expr();
                for node in expr.nodes() {
                    let NodeKind::VectorSelector(id) = node.kind else { continue };
                    let Some(key) = read(expr, expr.selector(id)) else { continue };
                    let Some(gone) = removed.get(&key) else { continue };
                    let (what, done) = match key.0 {
                        RuleKind::Recording => ("metric", "records"),
                        RuleKind::Alerting => ("alert", "is called"),
                    };
                    let place = rule.expr.positions(&file.rules.text).file_span(node.span.range());
                    let message = format!("the {what} `{}` is read here, but this change removed its rule", key.1);
                    let finding = report.in_file(number, Some((group, at)), place, message);
                    finding.label(format!("no rule {done} `{}` any more", key.1));
                    finding.help(match renamed(set, key.0, gone) {
                        Some(name) => format!("the rule seems to be called `{name}` now"),
                        None => "take this out too, or leave the rule where it is".to_owned(),
                    });
                }
            }
        }
    }
}

/// What a rule gives: its kind and its name.
pub(super) type Key<'a> = (RuleKind, &'a str);

/// The rules that were there before the change and whose names no rule has now.
pub(super) fn removed<'a>(set: &'a RuleSet<'_>) -> HashMap<Key<'a>, &'a Rule> {
    let before = set.files.iter().filter_map(|file| file.before.as_ref());
    let rules = before.flat_map(|file| file.groups.iter().flat_map(|group| &group.rules));
    let is_gone = |rule: &&Rule| {
        let index = match rule.kind {
            RuleKind::Recording => &set.recorders,
            RuleKind::Alerting => &set.alerts,
        };
        !index.contains_key(rule.name.value.as_str())
    };
    rules.filter(is_gone).map(|rule| ((rule.kind, rule.name.value.as_str()), rule)).collect()
}

/// The rule whose result a selector reads, if it names one.
fn read<'a>(expr: &'a Expr, selector: &VectorSelector) -> Option<Key<'a>> {
    let name = metric_name(expr, selector)?;
    if !matches!(name, "ALERTS" | "ALERTS_FOR_STATE") {
        return Some((RuleKind::Recording, name));
    }
    let mut matchers = expr.matchers(selector).iter();
    let alert = matchers.find(|matcher| {
        matcher.op == MatchOp::Equal && expr.text(matcher.name) == b"alertname"
    })?;
    Some((RuleKind::Alerting, std::str::from_utf8(expr.text(alert.value)).ok()?))
}

/// The name of a rule that has the expression of another one, if there is one such rule.
fn renamed<'a>(set: &RuleSet<'a>, kind: RuleKind, gone: &Rule) -> Option<&'a str> {
    let expr = gone.query.as_ref()?.expr().to_string();
    let is_same = |rule: &&Rule| {
        rule.kind == kind && rule.query.as_ref().is_some_and(|query| query.expr().to_string() == expr)
    };
    let mut same = set.rules().map(|(_, _, rule)| rule).filter(is_same);
    let first = same.next()?;
    same.next().is_none().then_some(first.name.value.as_str())
}
