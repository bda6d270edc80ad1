//! `legend-label-missing` (D011).

use promql_syntax::Aggregator;
use promql_syntax::ast::{NodeId, NodeKind};

use crate::check::declare_check;
use crate::context::{ExprContext, TargetContext};
use crate::finding::Report;

declare_check! {
    /// Finds a label in a legend that the aggregation around the query doesn't keep.
    ///
    /// ## Why it matters
    /// All series are called the same.
    ///
    /// ## Examples
    /// ```json bad
    /// {"panels": [{"title": "Up", "targets": [
    ///   {"expr": "sum by (job) (up)", "legendFormat": "{{instance}}"}]}]}
    ///                                                  ^^^^^^^^^^^^ the result has no label `instance`
    /// ```
    /// ```json bad
    /// {"panels": [{"title": "Up", "targets": [
    ///   {"expr": "100 * sum(up) by (job)", "legendFormat": "{{job}} {{ pod }}"}]}]}
    ///                                                               ^^^^^^^^^ the result has no label `pod`
    /// ```
    /// ```json bad
    /// {"panels": [{"title": "Up", "targets": [{"expr": "sum(up)", "legendFormat": "{{job}}"}]}]}
    ///                                                                              ^^^^^^^ the result has no label `job`
    /// ```
    /// ```json bad
    /// {"panels": [{"title": "Up", "targets": [
    ///   {"expr": "count(up)", "legendFormat": "{{job}} - {{instance}}"}]}]}
    ///                                          ^^^^^^^ the result has no label `job` or `instance`
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Up", "targets": [
    ///   {"expr": "sum by (job) (up)", "legendFormat": "{{job}}"}]}]}
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Up", "targets": [
    ///   {"expr": "topk(3, up)", "legendFormat": "{{instance}}"}]}]}
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Up", "targets": [
    ///   {"expr": "sum by ($by) (up)", "legendFormat": "{{instance}}"}]}]}
    /// ```
    "D011" "legend-label-missing" Warning, Proven, fix: Never, Target(look)
}

fn look(cx: &TargetContext<'_>, report: &mut Report<'_>) {
    let (Some(expr), Some(legend)) = (cx.expr, &cx.target.legend) else { return };
    let Some((at, kept)) = kept(expr) else { return };
    let text = legend.value.as_str();
    let mut missing: Vec<(&str, std::ops::Range<usize>)> = Vec::new();
    for (start, _) in text.match_indices("{{") {
        let Some(length) = text[start..].find("}}") else { break };
        let label = text[start + 2..start + length].trim();
        let is_told = missing.iter().any(|(known, _)| *known == label);
        if label.is_empty() || kept.iter().any(|known| known == label) || label.contains('$') || is_told {
            continue;
        }
        missing.push((label, start..start + length + 2));
    }
    // One finding for a legend, however many of its labels are gone.
    let mut places = missing.iter().map(|(_, place)| legend.positions(cx.text).file_span(place.clone()));
    let Some(first) = places.next() else { return };
    let names: Vec<String> = missing.iter().map(|(label, _)| format!("`{label}`")).collect();
    let names = match names.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        names => names.concat(),
    };
    let finding = report.at(first, format!("the result has no label {names}"));
    for place in places {
        finding.also(place, "nor this one");
    }
    finding.also(expr.place_of(at), "what this keeps");
    let these = if missing.len() == 1 { "it" } else { "them" };
    finding.help(format!("aggregate by {these} too, or name what is kept"));
}

/// The labels of the result, if an aggregation decides them; with that.
fn kept(cx: &ExprContext<'_>) -> Option<(NodeId, Vec<String>)> {
    let mut id = cx.bare(cx.expr.root());
    loop {
        match cx.expr.kind(id) {
            NodeKind::Binary { lhs, rhs, .. } if cx.number(lhs).is_some() => id = cx.bare(rhs),
            NodeKind::Binary { lhs, rhs, .. } if cx.number(rhs).is_some() => id = cx.bare(lhs),
            NodeKind::Aggregate { op, grouping, without: false, .. } => {
                use Aggregator::{Bottomk, CountValues, LimitRatio, Limitk, Topk};
                if matches!(op, Topk | Bottomk | Limitk | LimitRatio | CountValues) {
                    return None;
                }
                // A variable may stand for any label.
                let labels = cx.expr.labels(grouping);
                let is_open = labels.iter().any(|label| cx.source(label.span).contains(['$', '[']));
                let names = labels.iter().map(|label| cx.expr.text_lossy(label.name).into_owned());
                return (!is_open).then(|| (id, names.collect()));
            }
            _ => return None,
        }
    }
}
