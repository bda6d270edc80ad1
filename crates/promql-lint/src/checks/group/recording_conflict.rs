//! `recording-conflict` (G010).

use std::collections::HashMap;

use promql_syntax::ast::{NodeId, NodeKind};
use promql_syntax::{Aggregator, Expr, Function};

use crate::check::declare_check;
use crate::context::{RuleRef, RuleSet, bare};
use crate::finding::{Related, Report};

declare_check! {
    /// Finds two recording rules that write the same series: the same name and labels, and both results are one
    /// series without labels of its own.
    ///
    /// ## Why it matters
    /// One of the two samples is refused as a duplicate, or they take turns.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - {record: 'errors:sum', expr: sum(errors_total)}
    /// - {record: 'errors:sum', expr: sum(failures_total)}
    ///            ^^^^^^^^^^^^ another rule writes the same series `errors:sum`
    /// ```
    /// ```yaml bad
    /// # file: a.yml
    /// groups:
    /// - name: a
    ///   rules:
    ///   - {record: 'errors:ratio', expr: sum(errors_total) / sum(requests_total)}
    /// # file: b.yml
    /// groups:
    /// - name: b
    ///   rules:
    ///   - {record: 'errors:ratio', expr: 1 - sum(successes_total) / sum(requests_total)}
    ///              ^^^^^^^^^^^^^^ another rule writes the same series `errors:ratio`
    /// ```
    /// ```yaml bad
    /// - {record: 'now:time', expr: time(), labels: {from: here}}
    /// - {record: 'now:time', expr: vector(time()), labels: {from: here}}
    ///            ^^^^^^^^^^ another rule writes the same series `now:time`
    /// ```
    /// ```yaml good
    /// - {record: 'errors:sum', expr: sum(errors_total), labels: {kind: errors}}
    /// - {record: 'errors:sum', expr: sum(failures_total), labels: {kind: failures}}
    /// ```
    /// ```yaml good
    /// - {record: 'verb:requests:sum', expr: 'sum by (verb) (a{verb="LIST"})'}
    /// - {record: 'verb:requests:sum', expr: 'sum by (verb) (b{verb="GET"})'}
    /// ```
    /// The same rule twice is the matter of `duplicate-rule`:
    /// ```yaml good
    /// - {record: 'errors:sum', expr: sum(errors_total)}
    /// - {record: 'errors:sum', expr: sum(errors_total)}
    /// ```
    "G010" "recording-conflict" Warning, Proven, fix: Never, Set(look)
}

fn look(set: &RuleSet<'_>, report: &mut Report<'_>) {
    let mut names: Vec<&&str> =
        set.recorders.iter().filter(|(_, rules)| rules.len() > 1).map(|(name, _)| name).collect();
    names.sort_unstable();
    for name in names {
        let mut seen: HashMap<_, (RuleRef, String)> = HashMap::new();
        for at in set.recorders.get(*name).into_iter().flatten() {
            let (group, rule) = (set.group(*at), set.rule(*at));
            let Some(expr) = rule.query.as_ref().map(|query| query.expr()) else { continue };
            if !gives_one_series(expr) {
                continue;
            }
            let labels = rule.effective_labels(group);
            let printed = expr.to_string();
            let Some((first, other)) = seen.get(&labels) else {
                seen.insert(labels, (*at, printed));
                continue;
            };
            if *other == printed {
                continue;
            }
            let span = rule.name.span.clone();
            let message = format!("another rule writes the same series `{name}`");
            let finding = report.in_file(at.file, Some((at.group, at.rule)), span, message);
            finding.help("give one another name, or a label that tells them apart");
            let first_span = set.rule(*first).name.span.clone();
            match first.file == at.file {
                true => drop(finding.also(first_span, "the other one")),
                false => finding.related.push(Related {
                    file: first.file,
                    span: first_span,
                    text: "the other one".to_owned(),
                }),
            }
        }
    }
}

/// Whether the result is one series without labels: numbers, aggregations that keep none, and operations
/// between such.
fn gives_one_series(expr: &Expr) -> bool {
    let mut open: Vec<NodeId> = vec![expr.root()];
    while let Some(id) = open.pop() {
        match expr.kind(bare(expr, id)) {
            NodeKind::Number { .. } => {}
            NodeKind::Aggregate { op, grouping, without, .. } => {
                use Aggregator::{Bottomk, CountValues, LimitRatio, Limitk, Topk};
                let keeps = matches!(op, Topk | Bottomk | Limitk | LimitRatio | CountValues);
                if keeps || without || !grouping.is_empty() {
                    return false;
                }
            }
            NodeKind::Call { function, .. } => {
                if !matches!(function.function, Function::Vector | Function::Scalar | Function::Time) {
                    return false;
                }
            }
            NodeKind::Unary { expr, .. } => open.push(expr),
            NodeKind::Binary { lhs, rhs, .. } => open.extend([lhs, rhs]),
            _ => return false,
        }
    }
    true
}
