//! Histograms without buckets, for queries that need count and sum alone.
//!
//! Prometheus reads less of the histograms around which there is only `histogram_count`,
//! `histogram_sum` or `histogram_avg`. This can be seen in results: a counter reset that shows in a
//! single bucket would be lost with the buckets, so it is looked for while reading and goes into the
//! hint, where otherwise nothing would be known.

use promql_model::{CounterResetHint, FloatHistogram};
use promql_syntax::Query;
use promql_syntax::query::{ElementOp, HistogramStatistic, Vector};

use crate::plan::{Operation, OperationKind};
use crate::storage::Samples;
use crate::window::Windows;

/// What is around an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    /// Nothing that matters.
    Nothing,
    /// A function that needs only count or sum.
    Totals,
    /// Something that needs the buckets, or a subquery, inside of which nothing is left out.
    Buckets,
}

/// For each operation whether the histograms that it selects are needed without buckets only.
pub(crate) fn totals_only(query: &Query, operations: &[Operation]) -> Vec<bool> {
    let mut around = vec![Around::Nothing; operations.len()];
    // What uses an operation comes after it.
    for (index, operation) in operations.iter().enumerate().rev() {
        let within = match (around[index], effect(query, operation.kind)) {
            (Around::Buckets, _) | (_, Around::Buckets) => Around::Buckets,
            (Around::Totals, _) | (_, Around::Totals) => Around::Totals,
            _ => Around::Nothing,
        };
        operation.inputs.iter().for_each(|&input| around[input] = within);
    }
    around.into_iter().map(|around| around == Around::Totals).collect()
}

/// What an operation is for those within.
fn effect(query: &Query, kind: OperationKind) -> Around {
    let id = match kind {
        OperationKind::Subquery(_) => return Around::Buckets,
        OperationKind::Vector(id) => id,
        _ => return Around::Nothing,
    };
    match &query.vector(id).kind {
        Vector::HistogramStatistic(statistic, _) => match statistic {
            HistogramStatistic::HistogramCount
            | HistogramStatistic::HistogramSum
            | HistogramStatistic::HistogramAvg => Around::Totals,
            HistogramStatistic::HistogramStddev | HistogramStatistic::HistogramStdvar => {
                Around::Nothing
            }
        },
        Vector::HistogramQuantile { .. }
        | Vector::HistogramQuantiles { .. }
        | Vector::HistogramFraction { .. }
        | Vector::WithScalar { op: ElementOp::Trim(_), .. }
        | Vector::Binary { op: ElementOp::Trim(_), .. } => Around::Buckets,
        _ => Around::Nothing,
    }
}

/// Puts the totals of all histograms of a series, as they are read for some windows, into `totals`.
/// Staleness markers stay.
pub(crate) fn read(samples: &Samples<'_>, windows: &Windows, totals: &mut Vec<FloatHistogram>) {
    let mut restarts = restarts(samples, windows).into_iter().peekable();
    let mut last: Option<&FloatHistogram> = None;
    totals.clear();
    for (time, histogram) in samples.histogram_timestamps.iter().zip(samples.histograms) {
        while restarts.next_if(|restart| restart <= time).is_some() {
            last = None;
        }
        if histogram.is_stale() {
            totals.push(histogram.clone());
            continue;
        }
        let mut total = histogram.totals();
        total.hint = match (histogram.hint, last) {
            (CounterResetHint::Unknown, Some(last)) if histogram.detect_reset(last) => {
                CounterResetHint::Reset
            }
            (CounterResetHint::Unknown, Some(_)) => CounterResetHint::NotReset,
            (hint, _) => hint,
        };
        totals.push(total);
        last = Some(histogram);
    }
}

/// The times from which reading starts anew, without knowing what came before: that of the first
/// window, and those of windows that begin after the last sample that was read.
fn restarts(samples: &Samples<'_>, windows: &Windows) -> Vec<i64> {
    let reached = |end: i64| {
        let first = |times: &[i64]| times.get(times.partition_point(|&t| t < end)).copied();
        let times = [samples.timestamps, samples.histogram_timestamps];
        let next = times.into_iter().filter_map(first).min();
        next.or(times.into_iter().filter_map(|times| times.last().copied()).max())
    };
    let mut restarts = Vec::new();
    let mut read_up_to = None;
    for step in 0..windows.len {
        let start = windows.start(step);
        if read_up_to.is_none_or(|reached| start > reached) {
            restarts.push(start);
        }
        read_up_to = reached(windows.end(step));
        if windows.stride <= windows.range {
            break;
        }
    }
    restarts
}
