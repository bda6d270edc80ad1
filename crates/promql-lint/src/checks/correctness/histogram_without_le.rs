//! `histogram-without-le` (C034).

use promql_syntax::Function;
use promql_syntax::ast::NodeKind;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{consequence, dies};
use crate::finding::Report;
use crate::flow::{Reason, Why};

declare_check! {
    /// Finds `histogram_quantile` or `histogram_fraction` over buckets of a classic histogram that have lost `le` in
    /// an aggregation.
    ///
    /// ## Why it matters
    /// Without `le` nobody knows which bucket is which: there is no result at all, and no error.
    ///
    /// ## Examples
    /// ```promql bad
    /// histogram_quantile(0.9, sum by (job) (rate(latency_seconds_bucket[5m])))
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `histogram_quantile` has no buckets: `le` is gone; this alert can never fire
    /// ```
    /// ```promql bad
    /// histogram_quantile(0.99, sum without (le) (rate(latency_seconds_bucket[5m]))) > 1
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `histogram_quantile` has no buckets: `le` is gone; this alert can never fire
    /// ```
    /// ```promql bad
    /// histogram_fraction(0, 0.1, avg(rate(latency_seconds_bucket[5m])))
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `histogram_fraction` has no buckets: `le` is gone; this alert can never fire
    /// ```
    /// ```promql good
    /// histogram_quantile(0.9, sum by (job, le) (rate(latency_seconds_bucket[5m])))
    /// ```
    /// ```promql good
    /// histogram_quantile(0.9, sum by (job) (rate(latency_seconds[5m])))
    /// ```
    /// ```promql good
    /// histogram_quantile(0.9, sum without (instance) (rate(latency_seconds_bucket[5m])))
    /// ```
    "C034" "histogram-without-le" Error, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, args) in cx.calls() {
        let operand = match function {
            Function::HistogramQuantile => args.get(1),
            Function::HistogramFraction => args.get(2),
            Function::HistogramQuantiles => args.first(),
            _ => continue,
        };
        let Some(&operand) = operand else { continue };
        if dies(cx, id, |why| *why == Why::NoBuckets).is_none() || !reads_buckets(cx) {
            continue;
        }
        let steps = cx.flows().explain(cx.expr, cx.env(), operand, 0, "le");
        let Some(step) = steps.iter().find(|step| step.reason == Reason::Aggregated) else { continue };
        report
            .at(cx.place_of(id), format!("`{}` has no buckets: `le` is gone", function.name()))
            .also(cx.place(step.span), format!("`le` is {}", step.text))
            .consequence(consequence(cx))
            .help("keep `le` in the aggregation: `by (…, le)`");
    }
}

/// Whether some selector is of classic buckets, so that native histograms are not what is meant.
fn reads_buckets(cx: &ExprContext<'_>) -> bool {
    cx.nodes().any(|(_, node)| match node.kind {
        NodeKind::VectorSelector(id) => {
            let name = cx.metric_name(cx.expr.selector(id));
            name.is_some_and(|name| name.ends_with("_bucket"))
        }
        _ => false,
    })
}
