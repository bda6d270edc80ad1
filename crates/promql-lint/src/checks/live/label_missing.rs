//! `label-missing` (L003).

use promql_syntax::Function;
use promql_syntax::ast::{NodeId, NodeKind};

use super::series_missing::expected;
use crate::check::declare_check;
use crate::finding::Report;
use crate::live::{Blame, LiveContext, Selected, Standing, shown};

declare_check! {
    /// Finds a matcher for a label, or a label in `by`, that no series of the metric had in the last days.
    ///
    /// ## Why it matters
    /// A matcher for such a label finds nothing; to group by it does nothing, and whoever reads the result
    /// misses it. Labels that come and go can be named under `dynamic-labels` in `[lint.live]`.
    ///
    /// ## Examples
    /// ```text server
    /// load 1m
    ///   requests_total{job="shop", path="/"} 0+1x10
    ///   shops{job="shop", country="fi"} 1x10
    /// ```
    /// ```promql bad
    /// rate(requests_total{handler="/"}[5m]) > 10
    ///                     ^^^^^^^^^^^ no series of `requests_total` had the label `handler` in the last 1w
    /// ```
    /// ```promql bad
    /// sum by (job, handler) (rate(requests_total[5m])) > 10
    ///              ^^^^^^^ no series of `requests_total` had the label `handler` in the last 1w
    /// ```
    /// ```promql bad
    /// count by (country) (requests_total) > 10
    ///           ^^^^^^^ no series of `requests_total` had the label `country` in the last 1w
    /// ```
    /// ```promql good
    /// sum by (job, path) (rate(requests_total{method!="GET"}[5m])) > 10
    /// ```
    /// One of both has it:
    /// ```promql good
    /// sum by (country) (requests_total or shops) > 10
    /// ```
    /// The label is made here:
    /// ```promql good
    /// sum by (handler) (label_replace(requests_total, "handler", "$1", "path", "(.*)")) > 10
    /// ```
    "L003" "label-missing" Warning, Observed, fix: Never, Live(look)
}

fn look(cx: &LiveContext<'_>, report: &mut Report<'_>) {
    let days = shown(cx.options.window);
    let is_dynamic = |label: &str| cx.options.dynamic_labels.iter().any(|p| p.matches(label));
    let help = "is it spelt as the exporter has it?";
    for selected in expected(cx) {
        if cx.standing(selected) != Some(Standing::Missing) {
            continue;
        }
        let Some(Blame::Label(matcher)) = cx.blame(selected) else { continue };
        let label = cx.expr.expr.text_lossy(matcher.name);
        if !is_dynamic(&label) {
            let name = selected.name.unwrap_or_default();
            let message = format!("no series of `{name}` had the label `{label}` in the last {days}");
            report.at(cx.expr.place(matcher.span), message).help(help);
        }
    }
    for (_, node) in cx.expr.nodes() {
        let NodeKind::Aggregate { expr, grouping, without: false, .. } = node.kind else { continue };
        let Some(sources) = sources(cx, expr) else { continue };
        for label in cx.expr.expr.labels(grouping) {
            let name = cx.expr.expr.text_lossy(label.name);
            let lacks = |selected: &&Selected<'_>| {
                selected.name.and_then(|metric| cx.has_label(metric, &name)) == Some(false)
                    && selected.name.is_some_and(|metric| is_known(cx, metric))
            };
            if is_dynamic(&name) || !sources.iter().all(lacks) {
                continue;
            }
            let of: Vec<&str> = sources.iter().filter_map(|selected| selected.name).collect();
            let message =
                format!("no series of `{}` had the label `{name}` in the last {days}", of.join("`, `"));
            report.at(cx.expr.place(label.span), message).help(help);
        }
    }
}

/// Whether there were series of a metric: each has the label of its name at least.
fn is_known(cx: &LiveContext<'_>, metric: &str) -> bool {
    cx.has_label(metric, promql_model::METRIC_NAME) == Some(true)
}

/// The selectors that the labels of a part of the expression come from, if they come from scraped series
/// alone.
fn sources<'a>(cx: &LiveContext<'a>, part: NodeId) -> Option<Vec<&'a Selected<'a>>> {
    let expr = cx.expr.expr;
    let mut found = Vec::new();
    let mut open = vec![part];
    while let Some(node) = open.pop() {
        match expr.kind(node) {
            NodeKind::VectorSelector(_) => {
                let selected = cx.selectors().iter().find(|selected| selected.node == node)?;
                if !selected.is_scraped || selected.name.is_none() {
                    return None;
                }
                found.push(selected);
            }
            NodeKind::Call { function, .. }
                if matches!(
                    function.function,
                    Function::LabelReplace
                        | Function::LabelJoin
                        | Function::Info
                        | Function::Absent
                        | Function::AbsentOverTime
                ) =>
            {
                return None;
            }
            // The labels that an aggregation leaves, or makes, are the matter of other checks.
            NodeKind::Aggregate { .. } => return None,
            _ => {}
        }
        expr.for_each_child(node, |child| open.push(child));
    }
    found.reverse();
    (!found.is_empty()).then_some(found)
}
