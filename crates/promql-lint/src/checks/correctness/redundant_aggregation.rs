//! `redundant-aggregation` (C033).

use promql_syntax::{Aggregator, Span};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::rests_on;
use crate::finding::{Report, Safety};
use crate::shape::{Aggregation, word};

declare_check! {
    /// Finds `sum`, `avg`, `min` and `max` of groups that have one element each.
    ///
    /// ## Why it matters
    /// The outer of two equal aggregations does nothing. Often its labels were to be others, or the inner one
    /// came in by copying.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum by (job, zone) (sum by (zone, job) (queue_length)) > 10
    /// ^^^ each group of this `sum` has one element
    /// ```
    /// ```promql fixed
    /// sum by (zone, job) (queue_length) > 10
    /// ```
    /// ```promql bad
    /// avg(sum(queue_length)) > 10
    /// ^^^ each group of this `avg` has one element
    /// ```
    /// ```promql fixed
    /// sum(queue_length) > 10
    /// ```
    /// ```promql bad
    /// max by (job) (count by (job) (up)) > 10
    /// ^^^ each group of this `max` has one element
    /// ```
    /// ```promql good
    /// max by (job) (sum by (job, zone) (queue_length)) > 10
    /// ```
    /// The count of one element is 1, whatever it is:
    /// ```promql good
    /// count by (job) (sum by (job) (queue_length) > 10) > 0
    /// ```
    /// There are as many elements as there are versions:
    /// ```promql good
    /// max by (job) (count_values by (job) ("version", build)) < 2
    /// ```
    /// A variable can be any labels:
    /// ```json good
    /// {"panels": [{"title": "Up", "targets": [{"expr": "sum by ($by) (sum by (job) (up))"}]}]}
    /// ```
    "C033" "redundant-aggregation" Info, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, aggregation) in Aggregation::all(cx) {
        use Aggregator::{Avg, Max, Min, Sum};
        if !matches!(aggregation.op, Sum | Avg | Min | Max) {
            continue;
        }
        // What is not aggregated before is no mistake of this kind, even if there is one of it.
        let inner = cx.bare(aggregation.operand);
        let Some(before) = Aggregation::of(cx, inner).filter(Aggregation::is_summary) else { continue };
        let [arm] = &*cx.flows().of(inner).arms else { continue };
        let is_kept = |label: &crate::flow::Label| {
            label.values.is_absent() || aggregation.keeps(cx, &label.name)
        };
        if arm.labels.is_open() || !arm.labels.iter().all(is_kept) {
            continue;
        }
        let op = aggregation.op.name();
        let finding = report.at(cx.place(word(cx, id)), format!("each group of this `{op}` has one element"));
        finding.also(cx.place_of(inner), format!("the `{}` has the same groups", before.op.name()));
        // Histograms have no least and no largest one.
        if matches!(aggregation.op, Sum | Avg) && arm.basis.is_empty() {
            let (all, kept) = (cx.expr.span(id), cx.expr.span(inner));
            let parts = [(Span::new(all.start, kept.start), ""), (Span::new(kept.end, all.end), "")];
            let has_comment = cx.source(all).contains('#');
            finding.fix(Safety::Safe, "leave it out", cx.edits(&parts).filter(|_| !has_comment));
        }
        rests_on(finding, arm.basis);
    }
}
