//! `group-by-missing-label` (C004).

use promql_syntax::ast::NodeKind;
use promql_syntax::{Aggregator, Span};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{lacks, rests_on};
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds a label of `by (…)` that no element of the operand can have.
    ///
    /// ## Why it matters
    /// It groups by nothing: somebody expects the label in the result, and it was lost in an aggregation before.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum by (cluster) (sum by (job) (up))
    ///         ^^^^^^^ `cluster` is no label of what is aggregated: it groups by nothing
    /// ```
    /// ```promql fixed
    /// sum by () (sum by (job) (up))
    /// ```
    /// ```promql bad
    /// max by (job, pod) (sum without (pod) (requests))
    ///              ^^^ `pod` is no label of what is aggregated: it groups by nothing
    /// ```
    /// ```promql fixed
    /// max by (job) (sum without (pod) (requests))
    /// ```
    /// ```promql bad
    /// count by (instance) (absent(up))
    ///           ^^^^^^^^ `instance` is no label of what is aggregated: it groups by nothing
    /// ```
    /// ```promql fixed
    /// count by () (absent(up))
    /// ```
    /// ```promql good
    /// sum by (cluster) (requests or vector(0))
    /// ```
    /// ```promql good
    /// count_values by (job) ("version", build)
    /// ```
    /// ```promql good
    /// sum by (job, pod) (sum without (instance) (requests))
    /// ```
    "C004" "group-by-missing-label" Warning, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (_, node) in cx.nodes() {
        let NodeKind::Aggregate { op, expr, grouping, without: false, .. } = node.kind else {
            continue;
        };
        let flow = cx.flows().of(expr);
        if flow.is_never() || op == Aggregator::CountValues {
            continue;
        }
        let labels = cx.expr.labels(grouping);
        for (at, label) in labels.iter().enumerate() {
            let name = cx.expr.text_lossy(label.name);
            let Some(basis) = lacks(flow, &name) else { continue };
            let message = format!("`{name}` is no label of what is aggregated: it groups by nothing");
            let finding = report.at(cx.place(label.span), message);
            let steps = cx.flows().explain(cx.expr, cx.env(), expr, 0, &name);
            if let Some(step) = steps.first() {
                finding.also(cx.place(step.span), format!("`{name}` is {}", step.text));
            }
            let span = match (at.checked_sub(1).and_then(|at| labels.get(at)), labels.get(at + 1)) {
                (_, Some(next)) => Span::new(label.span.start, next.span.start),
                (Some(before), None) => Span::new(before.span.end, label.span.end),
                (None, None) => label.span,
            };
            if basis.is_empty() {
                finding.fix(Safety::Safe, "leave the label out", cx.edits(&[(span, "")]));
            }
            rests_on(finding, basis);
        }
    }
}
