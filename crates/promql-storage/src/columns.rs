//! Samples of several origins as one series.

use promql_engine::{SampleBuffer, Samples};
use promql_model::{CounterResetHint, FloatHistogram};

/// Adds samples behind those that are there. Start timestamps are kept where they are known.
pub(crate) fn append(buffer: &mut SampleBuffer, samples: &Samples<'_>) {
    buffer.timestamps.extend_from_slice(samples.timestamps);
    buffer.values.extend_from_slice(samples.values);
    pad(&mut buffer.start_timestamps, samples.start_timestamps, buffer.timestamps.len());
    buffer.histogram_timestamps.extend_from_slice(samples.histogram_timestamps);
    buffer.histograms.extend_from_slice(samples.histograms);
    pad(
        &mut buffer.histogram_start_timestamps,
        samples.histogram_start_timestamps,
        buffer.histogram_timestamps.len(),
    );
}

/// Start timestamps are either given for all samples or for none; unknown ones are 0.
fn pad(all: &mut Vec<i64>, more: &[i64], length: usize) {
    if all.is_empty() && more.is_empty() {
        return;
    }
    all.resize(length - more.len(), 0);
    all.extend_from_slice(more);
}

/// Adds a start to a column that stays empty as long as all are unknown. `length` is how many
/// samples there are already.
#[inline]
pub(crate) fn push_start(column: &mut Vec<i64>, start: i64, length: usize) {
    if start != 0 || !column.is_empty() {
        column.resize(length, 0);
        column.push(start);
    }
}

/// Whether the samples that were added, from given lengths on, are behind all that were there. What
/// was added is in order.
pub(crate) fn goes_on(buffer: &SampleBuffer, floats: usize, histograms: usize) -> bool {
    let last = |times: &[i64], before: usize| times[..before].last().copied();
    let last = last(&buffer.timestamps, floats).max(last(&buffer.histogram_timestamps, histograms));
    let first = [(&buffer.timestamps, floats), (&buffer.histogram_timestamps, histograms)];
    first.into_iter().all(|(times, at)| times.get(at).is_none_or(|time| Some(*time) > last))
}

/// Forgets what is known about the first counters.
pub(crate) fn forget_hints(histograms: &mut [FloatHistogram], count: usize) {
    for histogram in histograms.iter_mut().take(count) {
        if histogram.hint != CounterResetHint::Gauge {
            histogram.hint = CounterResetHint::Unknown;
        }
    }
}

/// Puts the samples in order of time. Of those at one time the first stays.
pub(crate) fn sort(buffer: &mut SampleBuffer) {
    if let Some(order) = in_order(&buffer.timestamps) {
        take(&mut buffer.timestamps, &order);
        take(&mut buffer.values, &order);
        take(&mut buffer.start_timestamps, &order);
    }
    if let Some(order) = in_order(&buffer.histogram_timestamps) {
        take(&mut buffer.histogram_timestamps, &order);
        take(&mut buffer.histograms, &order);
        take(&mut buffer.histogram_start_timestamps, &order);
    }
    // A series has one kind of sample at one time: of the kinds, too, the float counts.
    let floats = &buffer.timestamps;
    if floats.is_empty() || buffer.histogram_timestamps.is_empty() {
        return;
    }
    let free = |t: &i64| floats.binary_search(t).is_err();
    let order: Vec<usize> = (0..buffer.histogram_timestamps.len())
        .filter(|i| free(&buffer.histogram_timestamps[*i]))
        .collect();
    if order.len() < buffer.histogram_timestamps.len() {
        take(&mut buffer.histogram_timestamps, &order);
        take(&mut buffer.histograms, &order);
        take(&mut buffer.histogram_start_timestamps, &order);
    }
}

/// The order that puts timestamps in order, unless they are.
fn in_order(timestamps: &[i64]) -> Option<Vec<usize>> {
    if timestamps.is_sorted_by(|a, b| a < b) {
        return None;
    }
    let mut order: Vec<usize> = (0..timestamps.len()).collect();
    // Stable: what came first stays first.
    order.sort_by_key(|at| timestamps[*at]);
    order.dedup_by_key(|at| timestamps[*at]);
    Some(order)
}

/// A column in another order. A column that is empty stays so.
fn take<T: Clone>(column: &mut Vec<T>, order: &[usize]) {
    if !column.is_empty() {
        *column = order.iter().map(|at| column[*at].clone()).collect();
    }
}
