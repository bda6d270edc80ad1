//! Leaving out samples that were deleted.

use promql_engine::{SampleBuffer, TimeRange};

/// Takes the samples within any of some intervals out of the columns, from given lengths on: those
/// of floats and of histograms.
pub(super) fn delete(
    intervals: &[TimeRange],
    buffer: &mut SampleBuffer,
    (floats, histograms): (usize, usize),
) {
    if intervals.is_empty() {
        return;
    }
    let kept = |timestamps: &[i64], from: usize| -> Vec<bool> {
        let deleted = |t: &i64| intervals.iter().any(|interval| interval.contains(*t));
        timestamps.iter().enumerate().map(|(at, t)| at < from || !deleted(t)).collect()
    };
    let keep = kept(&buffer.timestamps, floats);
    retain(&mut buffer.values, &keep);
    retain(&mut buffer.start_timestamps, &keep);
    retain(&mut buffer.timestamps, &keep);
    let keep = kept(&buffer.histogram_timestamps, histograms);
    retain(&mut buffer.histograms, &keep);
    retain(&mut buffer.histogram_start_timestamps, &keep);
    retain(&mut buffer.histogram_timestamps, &keep);
}

/// Keeps the elements of a column for which it says so; a column without any stays so.
fn retain<T>(column: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    column.retain(|_| *keep.next().unwrap_or(&true));
}
