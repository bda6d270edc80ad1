//! `quantiles-aggregated` (C026).

use promql_syntax::ast::{NodeId, NodeKind};
use promql_syntax::{Aggregator, Function};

use crate::check::{Evidence, Severity, declare_check};
use crate::context::ExprContext;
use crate::finding::Report;
use crate::shape::{Aggregation, asked, beneath, metric, selector, word};

declare_check! {
    /// Finds `sum` and `avg` over quantiles: over `histogram_quantile`, over the quantiles of a summary, over
    /// what is recorded as such. The largest of several quantiles is an information.
    ///
    /// ## Why it matters
    /// The mean of the 99th percentiles of ten instances is no percentile of anything; it can be far from what
    /// users see, in both directions. Add up the buckets, and take the quantile of that. Of a summary there are
    /// no buckets: look at each instance, or at its mean.
    ///
    /// ## Examples
    /// ```promql bad
    /// avg by (job) (latency_seconds{quantile="0.99"}) > 1
    /// ^^^ the `avg` of quantiles is no quantile
    /// ```
    /// ```promql bad
    /// sum(histogram_quantile(0.9, rate(latency_seconds_bucket[5m]))) > 1
    /// ^^^ the `sum` of quantiles is no quantile
    /// ```
    /// ```promql bad
    /// max by (job) (instance:latency_seconds:histogram_quantile) > 1
    /// ^^^ info: the `max` of quantiles is no quantile
    /// ```
    /// ```promql good
    /// histogram_quantile(0.99, sum by (job, le) (rate(latency_seconds_bucket[5m]))) > 1
    /// ```
    /// Quantiles of other things than time can be counted:
    /// ```promql good
    /// count by (job) (latency_seconds{quantile="0.99"} > 1) > 3
    /// ```
    /// The sum of a summary has no quantiles:
    /// ```promql good
    /// sum(rate(latency_seconds_sum[5m])) / sum(rate(latency_seconds_count[5m])) > 1
    /// ```
    "C026" "quantiles-aggregated" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, aggregation) in Aggregation::all(cx) {
        let op = aggregation.op;
        if !matches!(op, Aggregator::Sum | Aggregator::Avg | Aggregator::Max) {
            continue;
        }
        let inner = beneath(cx, aggregation.operand);
        let Some(evidence) = quantile(cx, inner) else { continue };
        // Of one summary the quantiles themselves can be the labels that stay.
        if evidence == Evidence::Presumed && aggregation.keeps(cx, "quantile") && op == Aggregator::Max {
            continue;
        }
        let message = format!("the `{}` of quantiles is no quantile", op.name());
        let finding = report.at(cx.place(word(cx, id)), message);
        finding.evidence(evidence);
        if op == Aggregator::Max {
            finding.severity(Severity::Info);
        }
        finding.also(cx.place_of(inner), "quantiles");
        finding.help(match (evidence, op) {
            (Evidence::Proven, _) => {
                "add up the buckets: `histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))`"
            }
            (_, Aggregator::Max) => {
                "this is the worst one; for that of all let the application export a histogram"
            }
            _ => "use `max` for the worst one; for that of all let the application export a histogram",
        });
    }
}

/// Whether the values of a node are quantiles, and why that is believed.
fn quantile(cx: &ExprContext<'_>, id: NodeId) -> Option<Evidence> {
    match cx.expr.kind(id) {
        NodeKind::Call { function, .. } => {
            (function.function == Function::HistogramQuantile).then_some(Evidence::Proven)
        }
        NodeKind::VectorSelector(_) => {
            let of_summary = selector(cx, id).and_then(|selector| asked(cx, selector, "quantile"));
            let is_recorded_so = metric(cx, id).and_then(|name| name.rsplit_once(':'))
                .is_some_and(|(_, operations)| operations.starts_with("histogram_quantile"));
            let is_one = is_recorded_so || of_summary.is_some_and(|text| text.parse::<f64>().is_ok());
            is_one.then_some(Evidence::Presumed)
        }
        _ => None,
    }
}
