//! `match-on-missing-label` (C003).

use crate::check::{Severity, declare_check};
use crate::context::ExprContext;
use crate::evidence::{Operation, lacks, rests_on};
use crate::finding::Report;

declare_check! {
    /// Finds a label of `on (…)` that one side can't have, or neither.
    ///
    /// ## Why it matters
    /// If one side can't have it, only elements of the other side match that don't have it either. If neither can, it
    /// does nothing, and the reader is led to believe that it does.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum(requests) / on (cluster) sum(limits)
    ///                     ^^^^^^^ error: neither side can have `cluster`: it does nothing here
    /// ```
    /// ```promql bad
    /// sum by (job) (requests) / on (job, pod) sum by (job) (limits)
    ///                                    ^^^ error: neither side can have `pod`: it does nothing here
    /// ```
    /// ```promql bad
    /// sum by (job, pod) (requests) / on (job, pod) sum by (job) (limits)
    ///                                         ^^^ the right side can't have `pod`: only elements without it match
    /// ```
    /// ```promql good
    /// sum by (cluster) (requests) / on (cluster) sum by (cluster) (limits)
    /// ```
    /// ```promql good
    /// requests / on (pod) limits
    /// ```
    /// ```promql good
    /// sum by (job) (requests or vector(0)) / on (job) sum by (job) (limits)
    /// ```
    "C003" "match-on-missing-label" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let is_on = operation.modifiers.matching == Some(promql_syntax::ast::MatchingKeyword::On);
        if !is_on || cx.flows().of(id).is_never() {
            continue;
        }
        let (a, b) = operation.flows();
        for label in cx.expr.labels(operation.modifiers.labels) {
            let name = cx.expr.text_lossy(label.name);
            if name == "__name__" {
                continue;
            }
            let (message, is_error, basis) = match (lacks(a, &name), lacks(b, &name)) {
                (Some(left), Some(right)) => {
                    (format!("neither side can have `{name}`: it does nothing here"), true, left.or(right))
                }
                (Some(basis), None) => (one_sided("left", &name), false, basis),
                (None, Some(basis)) => (one_sided("right", &name), false, basis),
                (None, None) => continue,
            };
            let finding = report.at(cx.place(label.span), message);
            if is_error {
                finding.severity(Severity::Error);
            }
            finding.help("match by labels that both sides have, or keep this one in the aggregation");
            rests_on(finding, basis);
        }
    }
}

fn one_sided(side: &str, label: &str) -> String {
    format!("the {side} side can't have `{label}`: only elements without it match")
}
