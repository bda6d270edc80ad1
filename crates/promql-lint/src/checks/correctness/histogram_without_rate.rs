//! `histogram-without-rate` (C035).

use promql_syntax::Function;
use promql_syntax::ast::NodeKind;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};
use crate::flow::{Basis, Kind};
use crate::shape::{Aggregation, beneath, metric, selector};

declare_check! {
    /// Finds `histogram_quantile` of the buckets of a histogram as they are, without a rate.
    ///
    /// ## Why it matters
    /// Buckets count since the process began. The quantile of them is that of all that time: after a week, an
    /// hour in which every request is slow doesn't show. Take a rate first.
    ///
    /// ## Examples
    /// ```promql bad
    /// histogram_quantile(0.9, latency_seconds_bucket) > 1
    ///                         ^^^^^^^^^^^^^^^^^^^^^^ a quantile of all since the process began
    /// ```
    /// ```promql fixed
    /// histogram_quantile(0.9, rate(latency_seconds_bucket[5m])) > 1
    /// ```
    /// ```promql bad
    /// histogram_quantile(0.99, sum by (job, le) (latency_seconds_bucket{job="shop"})) > 1
    ///                                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a quantile of all since the process began
    /// ```
    /// ```promql fixed
    /// histogram_quantile(0.99, sum by (job, le) (rate(latency_seconds_bucket{job="shop"}[5m]))) > 1
    /// ```
    /// ```promql bad
    /// histogram_quantile(0.5, sum without (instance) (latency_seconds_bucket)) > 1
    ///                                                 ^^^^^^^^^^^^^^^^^^^^^^ a quantile of all since the process began
    /// ```
    /// ```promql fixed
    /// histogram_quantile(0.5, sum without (instance) (rate(latency_seconds_bucket[5m]))) > 1
    /// ```
    /// ```promql good
    /// histogram_quantile(0.9, rate(latency_seconds_bucket[5m])) > 1
    /// ```
    /// The difference to an hour ago is what happened since:
    /// ```promql good
    /// histogram_quantile(0.9, latency_seconds_bucket - latency_seconds_bucket offset 1h) > 1
    /// ```
    /// What was recorded is a rate already:
    /// ```promql good
    /// histogram_quantile(0.9, job:latency_seconds_bucket:rate5m) > 1
    /// ```
    "C035" "histogram-without-rate" Warning, Presumed, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (_, function, arguments) in cx.calls() {
        if function != Function::HistogramQuantile || !cx.env().presumes(Basis::SUFFIX_KINDS) {
            continue;
        }
        let Some(argument) = arguments.get(1) else { continue };
        let mut node = beneath(cx, *argument);
        while let Some(aggregation) = Aggregation::of(cx, node) {
            node = beneath(cx, aggregation.operand);
        }
        if !matches!(cx.expr.kind(node), NodeKind::VectorSelector(_)) {
            continue;
        }
        let Some(name) = metric(cx, node) else { continue };
        let known = cx.env().metric(name).and_then(|metric| metric.quantity);
        let is_gauge = known.is_some_and(|quantity| quantity.kind != Kind::Bucket);
        if !name.ends_with("_bucket") || name.contains(':') || is_gauge {
            continue;
        }
        let finding = report.at(cx.place_of(node), "a quantile of all since the process began");
        finding.label(format!("`{name}` counts since then"));
        finding.help("take a rate first: `rate(x_bucket[5m])` (assumed: suffix-kinds)");
        let span = cx.expr.span(node);
        let (start, end) = (promql_syntax::Span::new(span.start, span.start), promql_syntax::Span::new(span.end, span.end));
        let is_plain = selector(cx, node).is_some_and(|s| s.modifiers == Default::default());
        let edits = cx.edits(&[(start, "rate("), (end, "[5m])")]).filter(|_| is_plain);
        finding.fix(Safety::Unsafe, "take a rate", edits);
    }
}
