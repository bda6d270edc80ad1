//! `same-expression-recorded-twice` (G013).

use std::collections::HashMap;

use promql_rules::rule_file::RuleKind;
use promql_syntax::ast::NodeKind;

use crate::check::declare_check;
use crate::context::{RuleRef, RuleSet};
use crate::finding::{Related, Report};

declare_check! {
    /// Finds an expression that is recorded under two names, with the same labels and in groups of the same
    /// interval. Nothing is said about a metric that only gets another name.
    ///
    /// ## Why it matters
    /// It is evaluated and stored twice.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - record: job:up:sum
    ///   expr: sum by (job) (up)
    /// - record: job:up:total
    ///           ^^^^^^^^^^^^ `job:up:sum` records the same
    ///   expr: sum by(job)(up)
    /// ```
    /// ```yaml bad
    /// - record: job:errors:rate5m
    ///   expr: sum by (job) (rate(errors_total[5m]))
    /// - record: job:errors:ratio_rate5m
    ///           ^^^^^^^^^^^^^^^^^^^^^^^ `job:errors:rate5m` records the same
    ///   expr: sum by (job) (rate(errors_total[5m]))
    /// ```
    /// ```yaml bad
    /// # file: a.yml
    /// - record: job:up:sum
    ///   expr: sum by (job) (up)
    /// # file: b.yml
    /// - record: job:up:all
    ///           ^^^^^^^^^^ `job:up:sum` records the same
    ///   expr: |
    ///     sum by (job) (
    ///       up
    ///     )
    /// ```
    /// ```yaml good
    /// - record: job:up:sum
    ///   expr: sum by (job) (up)
    /// - record: job:up:count
    ///   expr: count by (job) (up)
    /// ```
    /// The labels differ:
    /// ```yaml good
    /// - record: job:up:sum
    ///   expr: sum by (job) (up)
    /// - record: job:up:total
    ///   expr: sum by (job) (up)
    ///   labels: {source: new}
    /// ```
    /// It only gets another name:
    /// ```yaml good
    /// - record: job:up:old
    ///   expr: job:up:sum
    /// - record: job:up:older
    ///   expr: job:up:sum
    /// ```
    "G013" "same-expression-recorded-twice" Info, Proven, fix: Never, Set(look)
}

fn look(set: &RuleSet<'_>, report: &mut Report<'_>) {
    // Texts without blanks, as printing all expressions takes longer.
    let mut seen: HashMap<String, Vec<RuleRef>> = HashMap::new();
    for (at, _, rule) in set.rules() {
        let Some(query) = rule.query.as_ref().filter(|_| rule.kind == RuleKind::Recording) else {
            continue;
        };
        let is_work = |node: &promql_syntax::ast::Node| {
            matches!(
                node.kind,
                NodeKind::Aggregate { .. } | NodeKind::Call { .. } | NodeKind::Binary { .. }
            )
        };
        let selects = |node: &promql_syntax::ast::Node| matches!(node.kind, NodeKind::VectorSelector(_));
        let nodes = query.expr().nodes();
        if !nodes.iter().any(is_work) || !nodes.iter().any(selects) {
            continue;
        }
        let key: String = rule.expr.value.split_whitespace().collect();
        let known = seen.entry(key).or_default();
        if let Some(first) = known.iter().copied().find(|first| is_same(set, *first, at)) {
            tell(set, first, at, report);
        } else {
            known.push(at);
        }
    }
}

/// Whether two rules record the same under two names.
fn is_same(set: &RuleSet<'_>, a: RuleRef, b: RuleRef) -> bool {
    let ((group_a, rule_a), (group_b, rule_b)) =
        ((set.group(a), set.rule(a)), (set.group(b), set.rule(b)));
    let interval = |group: &promql_rules::rule_file::Group| {
        let offset = group.query_offset.map(|offset| offset.value);
        (group.interval.map(|interval| interval.value), offset)
    };
    let text = |rule: &promql_rules::rule_file::Rule| {
        rule.query.as_ref().map(|query| query.expr().to_string())
    };
    rule_a.name.value != rule_b.name.value
        && rule_a.effective_labels(group_a) == rule_b.effective_labels(group_b)
        && interval(group_a) == interval(group_b)
        && text(rule_a) == text(rule_b)
}

fn tell(set: &RuleSet<'_>, first: RuleRef, at: RuleRef, report: &mut Report<'_>) {
    let (rule, other) = (set.rule(at), set.rule(first));
    let message = format!("`{}` records the same", other.name.value);
    let span = rule.name.span.clone();
    let finding = report.in_file(at.file, Some((at.group, at.rule)), span, message);
    finding.help("record it once, and read it under one name");
    let span = other.name.span.clone();
    match first.file == at.file {
        true => drop(finding.also(span, "the first one")),
        false => finding.related.push(Related {
            file: first.file,
            span,
            text: "the first one".to_owned(),
        }),
    }
}
