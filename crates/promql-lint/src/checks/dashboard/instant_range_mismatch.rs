//! `instant-range-mismatch` (D017).

use promql_syntax::Aggregator;
use promql_syntax::ast::NodeKind;

use crate::check::{Severity, declare_check};
use crate::context::TargetContext;
use crate::finding::Report;
use crate::shape::word;

declare_check! {
    /// Finds a query over time that should be for one moment: one with the window `$__range`, of which each point
    /// covers as much as the whole panel, and `topk` in a graph, which chooses anew at each point.
    ///
    /// ## Why it matters
    /// The first is as many times slower as the panel has points, and what it draws is no course of anything. The
    /// second shows many more lines than were asked for, each with gaps. Ask for one moment: `"instant": true`.
    ///
    /// ## Examples
    /// ```json bad
    /// {"panels": [{"title": "Errors", "type": "stat", "targets": [{"expr": "sum(increase(errors_total[$__range]))"}]}]}
    ///                                                                                                 ^^^^^^^^ each point of this covers as much as the whole panel
    /// ```
    /// ```json bad
    /// {"panels": [{"title": "Errors", "type": "table", "targets": [
    ///   {"expr": "sum by (job) (increase(errors_total[${__range}]))", "format": "table", "instant": false}]}]}
    ///                                                 ^^^^^^^^^^ each point of this covers as much as the whole panel
    /// ```
    /// ```json bad
    /// {"panels": [{"title": "Busiest", "type": "timeseries", "targets": [
    ///   {"expr": "topk(5, sum by (pod) (rate(requests_total[$__rate_interval])))"}]}]}
    ///             ^^^^ info: `topk` chooses anew at each point
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Errors", "type": "stat", "targets": [
    ///   {"expr": "sum(increase(errors_total[$__range]))", "instant": true}]}]}
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Busiest", "type": "table", "targets": [
    ///   {"expr": "topk(5, sum by (pod) (rate(requests_total[$__rate_interval])))", "instant": true}]}]}
    /// ```
    /// Which pods these are is decided once, for all of the range:
    /// ```json good
    /// {"panels": [{"title": "Busiest", "type": "timeseries", "targets": [
    ///   {"expr": "rate(requests_total[5h]) and on (pod) topk(5, sum by (pod) (rate(requests_total[$__range] @ end())))"}]}]}
    /// ```
    "D017" "instant-range-mismatch" Warning, Heuristic, fix: Never, Target(look)
}

/// Panels that draw lines over time.
const GRAPHS: &[&str] = &["timeseries", "graph"];

fn look(cx: &TargetContext<'_>, report: &mut Report<'_>) {
    let Some(expr) = cx.expr.filter(|_| !cx.target.is_instant) else { return };
    // At a fixed moment everything is the same at all points.
    if cx.target.expr.value.contains('@') {
        return;
    }
    let window = cx.target.uses.iter().find(|variable| {
        matches!(variable.name.as_str(), "__range" | "__range_s" | "__range_ms") && !variable.is_text
    });
    if let Some(window) = window {
        report
            .at(cx.place(window.place.clone()), "each point of this covers as much as the whole panel")
            .help("ask for one moment: `\"instant\": true`");
        return;
    }
    let root = expr.bare(expr.expr.root());
    let is_graph = GRAPHS.contains(&cx.target.panel_kind.as_str());
    if let NodeKind::Aggregate { op: op @ (Aggregator::Topk | Aggregator::Bottomk), .. } = expr.expr.kind(root)
        && is_graph
    {
        report
            .at(expr.place(word(expr, root)), format!("`{}` chooses anew at each point", op.name()))
            .severity(Severity::Info)
            .help("choose once: `… and topk(5, … @ end())`; or show one moment in a table");
    }
}
