//! `buckets-summed-without-le` (C037).

use promql_syntax::ast::{NodeId, NodeKind};
use promql_syntax::{Aggregator, Function, Span};

use crate::check::{Severity, declare_check};
use crate::context::ExprContext;
use crate::evidence::lacks;
use crate::finding::{Report, Safety};
use crate::shape::{Aggregation, beneath, has_matcher, metric, selector, word};

declare_check! {
    /// Finds a sum of the buckets of a histogram over all their bounds.
    ///
    /// ## Why it matters
    /// Each bucket counts all observations up to its bound, so each observation is counted once for each bound
    /// above it: the result is several times too large, and the factor changes with how slow things are. The
    /// number of observations is in `_count`.
    ///
    /// Compared with 0 alone, to see whether anything was observed at all, it is an information only: the answer
    /// is right, and `_count` gives it with one series in place of one for each bound.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum by (job) (rate(latency_seconds_bucket[5m])) > 100
    /// ^^^ this counts each observation once for each bound above it
    /// ```
    /// ```promql fixed
    /// sum by (job) (rate(latency_seconds_count[5m])) > 100
    /// ```
    /// ```promql bad
    /// sum(increase(latency_seconds_bucket{job="shop"}[1h])) == 0
    /// ^^^ info: this counts each observation once for each bound above it
    /// ```
    /// ```promql fixed
    /// sum(increase(latency_seconds_count{job="shop"}[1h])) == 0
    /// ```
    /// ```promql bad
    /// sum without (le, instance) (rate(latency_seconds_bucket[5m])) > 100
    /// ^^^ this counts each observation once for each bound above it
    /// ```
    /// ```promql fixed
    /// sum without (le, instance) (rate(latency_seconds_count[5m])) > 100
    /// ```
    /// ```promql good
    /// sum by (job) (rate(latency_seconds_count[5m])) > 100
    /// ```
    /// Of one bound:
    /// ```promql good
    /// sum by (job) (rate(latency_seconds_bucket{le="0.5"}[5m])) > 100
    /// ```
    /// ```promql good
    /// sum by (job, le) (rate(latency_seconds_bucket[5m])) > 100
    /// ```
    "C037" "buckets-summed-without-le" Warning, Presumed, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    let mut parents = None;
    for (id, aggregation) in Aggregation::all(cx) {
        if aggregation.op != Aggregator::Sum {
            continue;
        }
        let NodeKind::Call { function, args } = cx.expr.kind(beneath(cx, aggregation.operand)) else {
            continue;
        };
        let is_rate = matches!(function.function, Function::Rate | Function::Irate | Function::Increase);
        let argument = cx.expr.arguments(args).first().filter(|_| is_rate);
        let Some((argument, name)) = argument.and_then(|id| Some((*id, metric(cx, *id)?))) else { continue };
        let Some(buckets) = selector(cx, argument) else { continue };
        let is_bucket = name.ends_with("_bucket") && !name.contains(':');
        if !is_bucket || has_matcher(cx, buckets, "le") || lacks(cx.flows().of(id), "le").is_none() {
            continue;
        }
        let parents = parents.get_or_insert_with(|| cx.parents());
        let above = std::iter::successors(parents[id.index()], |id| parents[id.index()]);
        // A quantile of them is the matter of another check.
        if above.into_iter().any(|id| cx.function(id) == Some(Function::HistogramQuantile)) {
            continue;
        }
        let message = "this counts each observation once for each bound above it";
        let finding = report.at(cx.place(word(cx, id)), message);
        let mut is_harmless = "";
        if is_compared_with_zero(cx, id, parents) {
            finding.severity(Severity::Info);
            is_harmless = ": compared with 0 it says the same, and reads one series for all bounds";
        }
        finding.also(cx.place(buckets.name_span), "buckets hold all below their bound");
        let count = format!("{}_count", name.trim_end_matches("_bucket"));
        finding.help(format!("use `{count}`{is_harmless} (assumed: suffix-kinds)"));
        let span: Span = buckets.name_span;
        let edits = buckets.name.and_then(|_| cx.edits(&[(span, &count)]));
        finding.fix(Safety::Unsafe, format!("use `{count}`"), edits);
    }
}

/// Whether all that is asked of a node is whether it is 0.
fn is_compared_with_zero(cx: &ExprContext<'_>, mut id: NodeId, parents: &[Option<NodeId>]) -> bool {
    while let Some(parent) = parents[id.index()] {
        match cx.expr.kind(parent) {
            NodeKind::Paren(_) => id = parent,
            NodeKind::Binary { op, lhs, rhs, .. } if op.is_comparison() => {
                let other = if id == lhs { rhs } else { lhs };
                return cx.number(other) == Some(0.0);
            }
            _ => return false,
        }
    }
    false
}
