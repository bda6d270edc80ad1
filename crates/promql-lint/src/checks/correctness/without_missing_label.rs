//! `without-missing-label` (C005).

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{lacks, rests_on};
use crate::finding::{Report, Safety};
use crate::shape::{Aggregation, in_list};

declare_check! {
    /// Finds a label of `without` that nothing of what is aggregated can have.
    ///
    /// ## Why it matters
    /// It does no harm, but it tells something that isn't so: that there are results for each of it below.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum without (pod) (sum by (job) (up)) < 3
    ///              ^^^ `pod` is no label of what is aggregated
    /// ```
    /// ```promql fixed
    /// sum without () (sum by (job) (up)) < 3
    /// ```
    /// ```promql bad
    /// max without (instance, le) (histogram_quantile(0.9, rate(latency_seconds_bucket[5m]))) > 1
    ///                        ^^ `le` is no label of what is aggregated
    /// ```
    /// ```promql fixed
    /// max without (instance) (histogram_quantile(0.9, rate(latency_seconds_bucket[5m]))) > 1
    /// ```
    /// ```promql bad
    /// count without (job, zone) (sum by (job, pod) (up)) < 3
    ///                     ^^^^ `zone` is no label of what is aggregated
    /// ```
    /// ```promql fixed
    /// count without (job) (sum by (job, pod) (up)) < 3
    /// ```
    /// ```promql good
    /// sum without (pod) (up) < 3
    /// ```
    /// Some of it may have the label:
    /// ```promql good
    /// sum without (pod) (up or vector(0)) < 3
    /// ```
    /// ```promql good
    /// sum without (pod) (sum by (job, pod) (up)) < 3
    /// ```
    "C005" "without-missing-label" Info, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (_, aggregation) in Aggregation::all(cx) {
        let flow = cx.flows().of(aggregation.operand);
        if !aggregation.without || !aggregation.is_summary() || flow.is_never() {
            continue;
        }
        for (at, label) in aggregation.labels.iter().enumerate() {
            let name = cx.expr.text_lossy(label.name);
            let Some(basis) = lacks(flow, &name) else { continue };
            let message = format!("`{name}` is no label of what is aggregated");
            let finding = report.at(cx.place(label.span), message);
            let steps = cx.flows().explain(cx.expr, cx.env(), aggregation.operand, 0, &name);
            if let Some(step) = steps.first() {
                finding.also(cx.place(step.span), format!("`{name}` is {}", step.text));
            }
            if basis.is_empty() {
                let edits = in_list(aggregation.labels, at).and_then(|span| cx.edits(&[(span, "")]));
                finding.fix(Safety::Safe, "leave the label out", edits);
            }
            rests_on(finding, basis);
        }
    }
}
