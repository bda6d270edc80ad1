//! `average-of-averages` (C025).

use promql_syntax::Aggregator;
use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};

use super::nan_in_aggregation::can_be_idle;

use crate::check::{Evidence, declare_check};
use crate::context::ExprContext;
use crate::finding::Report;
use crate::shape::{Aggregation, beneath, metric, word};

declare_check! {
    /// Finds `avg` over what is an average already: over another `avg`, over a quotient of rates, over a metric
    /// that is recorded as a mean or a ratio.
    ///
    /// ## Why it matters
    /// Each average counts alike, however many requests it stands for: one idle instance with a single slow
    /// request moves the result as much as a busy one. Average all at once, or divide a sum by a sum.
    ///
    /// ## Examples
    /// ```promql bad
    /// avg by (job) (avg by (job, pod) (queue_length)) > 10
    /// ^^^ an average of averages, which all count alike
    /// ```
    /// ```promql bad
    /// avg by (job) (rate(latency_seconds_sum[5m]) / rate(latency_seconds_count[5m])) > 1
    /// ^^^ an average of averages, which all count alike
    /// ```
    /// ```promql bad
    /// avg(instance:request_errors:ratio_rate5m) > 0.1
    /// ^^^ an average of averages, which all count alike
    /// ```
    /// ```promql good
    /// max by (job) (avg by (job, pod) (queue_length)) > 10
    /// ```
    /// ```promql good
    /// sum by (job) (rate(latency_seconds_sum[5m])) / sum by (job) (rate(latency_seconds_count[5m])) > 1
    /// ```
    /// These averages are of as many samples each:
    /// ```promql good
    /// avg by (job) (avg_over_time(queue_length[10m])) > 10
    /// ```
    /// A sum over the modes of the averages over the processors:
    /// ```promql good
    /// sum without (mode) (avg without (cpu) (rate(cpu_seconds_total{mode!="idle"}[5m]))) > 0.9
    /// ```
    "C025" "average-of-averages" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, aggregation) in Aggregation::all(cx) {
        if aggregation.op != Aggregator::Avg {
            continue;
        }
        let inner = beneath(cx, aggregation.operand);
        let Some((what, evidence)) = average(cx, inner) else { continue };
        let finding = report.at(cx.place(word(cx, id)), "an average of averages, which all count alike");
        finding.evidence(evidence);
        finding.also(cx.place_of(inner), what);
        finding.help("average all at once, or divide a sum by a sum");
    }
}

/// The words at the end of a recorded name that stand for a mean.
const MEANS: &[&str] = &["avg", "mean", "ratio", "ratio_rate", "average"];

/// What average a node is, if it is one.
fn average(cx: &ExprContext<'_>, id: NodeId) -> Option<(&'static str, Evidence)> {
    match cx.expr.kind(id) {
        NodeKind::Aggregate { op: Aggregator::Avg, .. } => Some(("an average", Evidence::Proven)),
        NodeKind::Binary { op: BinaryOp::Div, rhs, .. } if can_be_idle(cx, rhs) => {
            Some(("a ratio", Evidence::Proven))
        }
        NodeKind::VectorSelector(_) => {
            let (_, operations) = metric(cx, id)?.rsplit_once(':')?;
            let word = operations.trim_end_matches(|c: char| c.is_ascii_digit() || "smhdw".contains(c));
            MEANS.contains(&word).then_some(("a mean by its name", Evidence::Presumed))
        }
        _ => None,
    }
}
