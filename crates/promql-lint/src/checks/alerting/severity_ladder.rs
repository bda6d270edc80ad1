//! `severity-ladder` (A016).

use promql_rules::rule_file::Rule;
use promql_syntax::ast::{BinaryOp, NodeKind};

use crate::check::declare_check;
use crate::context::{ExprContext, RuleRef, RuleSet};
use crate::finding::{Related, Report};

declare_check! {
    /// Finds alerts of one name and one condition whose thresholds get laxer with severity, or are the same.
    ///
    /// ## Why it matters
    /// `critical` above 80 % and `warning` above 90 %: the warning only comes when it is critical already.
    /// The labels `severity`, with the values `critical`, `warning`, `info`, and `page`, `ticket`, are known.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - {alert: Full, expr: disk_used_ratio > 0.8, labels: {severity: critical}}
    ///                       ^^^^^^^^^^^^^^^^^^^^^ `Full` is laxer for the worse severity
    /// - {alert: Full, expr: disk_used_ratio > 0.9, labels: {severity: warning}}
    /// ```
    /// ```yaml bad
    /// - {alert: Empty, expr: free_bytes < 20e9, labels: {severity: warning}}
    /// - {alert: Empty, expr: free_bytes < 30e9, labels: {severity: critical}}
    ///                        ^^^^^^^^^^^^^^^^^ `Empty` is laxer for the worse severity
    /// ```
    /// ```yaml bad
    /// - {alert: Full, expr: disk_used_ratio > 0.9, labels: {severity: page}}
    ///                       ^^^^^^^^^^^^^^^^^^^^^ two severities of `Full` have the same threshold
    /// - {alert: Full, expr: disk_used_ratio > 0.9, labels: {severity: ticket}}
    /// ```
    /// ```yaml good
    /// - {alert: Full, expr: disk_used_ratio > 0.9, labels: {severity: critical}}
    /// - {alert: Full, expr: disk_used_ratio > 0.8, labels: {severity: warning}}
    /// ```
    /// ```yaml good
    /// - {alert: Empty, expr: free_bytes < 1e9, labels: {severity: critical}}
    /// - {alert: Empty, expr: free_bytes < 5e9, labels: {severity: warning}}
    /// ```
    /// The longer it lasts, the worse it is:
    /// ```yaml good
    /// - {alert: Full, expr: disk_used_ratio > 0.9, for: 1h, labels: {severity: critical}}
    /// - {alert: Full, expr: disk_used_ratio > 0.9, for: 5m, labels: {severity: warning}}
    /// ```
    "A016" "severity-ladder" Warning, Proven, fix: Never, Set(look)
}

/// Known severities, worse ones first; those of one rank are not compared.
const SEVERITIES: &[&[&str]] =
    &[&["critical", "page", "emergency"], &["error", "major"], &["warning", "warn", "ticket"], &["info", "none"]];

/// A step of a ladder.
struct Step {
    at: RuleRef,
    rank: usize,
    condition: String,
    op: BinaryOp,
    threshold: f64,
}

fn look(set: &RuleSet<'_>, report: &mut Report<'_>) {
    let mut names: Vec<&&str> = set.alerts.iter().filter(|(_, rules)| rules.len() > 1).map(|(name, _)| name).collect();
    names.sort_unstable();
    for name in names {
        let rules = set.alerts.get(*name).into_iter().flatten();
        let steps: Vec<Step> = rules.filter_map(|at| step(set, *at)).collect();
        for (number, worse) in steps.iter().enumerate() {
            for (other_number, lesser) in steps.iter().enumerate() {
                let is_ladder = worse.condition == lesser.condition && worse.op == lesser.op;
                if number == other_number || !is_ladder || worse.rank >= lesser.rank {
                    continue;
                }
                let is_stricter = match worse.op {
                    BinaryOp::Gt | BinaryOp::Ge => worse.threshold > lesser.threshold,
                    _ => worse.threshold < lesser.threshold,
                };
                let duration = |rule: &Rule| rule.for_duration.map_or(0, |duration| duration.value);
                let waits_longer = duration(set.rule(worse.at)) > duration(set.rule(lesser.at));
                let is_equal = worse.threshold == lesser.threshold;
                if is_stricter || is_equal && waits_longer || !same_labels(set, worse.at, lesser.at) {
                    continue;
                }
                let message = match is_equal {
                    true => format!("two severities of `{name}` have the same threshold"),
                    false => format!("`{name}` is laxer for the worse severity"),
                };
                let place = set.rule(worse.at).expr.span.clone();
                let finding = report.in_file(worse.at.file, Some((worse.at.group, worse.at.rule)), place, message);
                finding.help("the worse the severity, the stricter the threshold");
                let span = set.rule(lesser.at).expr.span.clone();
                match worse.at.file == lesser.at.file {
                    true => drop(finding.also(span, "the other one")),
                    false => finding.related.push(Related {
                        file: lesser.at.file,
                        span,
                        text: "the other one".to_owned(),
                    }),
                }
            }
        }
    }
}

/// Whether all labels but the severity are the same.
fn same_labels(set: &RuleSet<'_>, a: RuleRef, b: RuleRef) -> bool {
    let labels = |at: RuleRef| {
        let mut labels = set.rule(at).effective_labels(set.group(at));
        labels.retain(|(name, _)| *name != "severity");
        labels
    };
    labels(a) == labels(b)
}

fn step(set: &RuleSet<'_>, at: RuleRef) -> Option<Step> {
    let rule = set.rule(at);
    let labels = rule.effective_labels(set.group(at));
    let severity = labels.iter().find(|(name, _)| *name == "severity")?.1;
    let rank = SEVERITIES.iter().position(|words| words.contains(&severity))?;
    let cx = ExprContext::new(set.rule_context(at))?;
    let NodeKind::Binary { op, lhs, rhs, modifiers: None } = cx.expr.kind(cx.bare(cx.expr.root())) else {
        return None;
    };
    let threshold = cx.number(rhs)?;
    let is_order = matches!(op, BinaryOp::Gt | BinaryOp::Ge | BinaryOp::Lt | BinaryOp::Le);
    is_order.then(|| Step { at, rank, condition: cx.expr.print_node(lhs), op, threshold })
}
