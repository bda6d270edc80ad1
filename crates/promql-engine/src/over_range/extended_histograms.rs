//! `anchored` and `smoothed` windows of native histograms.

use promql_model::{CounterResetHint, FloatHistogram, HistogramError, Interpolated};
use promql_syntax::query::RangeFunction;

use super::histograms::{both, transition_counts};
use super::{Extension, HistogramNotes, Windowed, seconds};
use crate::column::Column;

/// Computes a function over extended windows that have histograms, once the column has what the
/// function gives for floats.
pub(super) fn run(
    extension: Extension,
    function: RangeFunction,
    windowed: &Windowed<'_>,
    out: &mut Column,
    notes: &mut HistogramNotes,
) {
    if matches!(function, RangeFunction::Changes | RangeFunction::Resets) {
        anchored_count(function, windowed, out);
        return;
    }
    let samples = &windowed.samples;
    windowed.each_histogram_window(|step, window| {
        out.remove(step);
        if windowed.has_floats(step) {
            notes.mixed_types = true;
            return;
        }
        let points = Points {
            timestamps: &samples.histogram_timestamps[window.clone()],
            histograms: &samples.histograms[window],
        };
        let (low, high) = (windowed.windows.start(step), windowed.windows.end(step));
        let is_counter = function != RangeFunction::Delta;
        match points.difference(extension, is_counter, (low, high), notes) {
            Ok(Some(mut difference)) => {
                if function == RangeFunction::Rate {
                    difference.divide(seconds(windowed.windows.range));
                }
                difference.hint = CounterResetHint::Gauge;
                difference.compact(0);
                out.set_histogram(step, difference);
            }
            Ok(None) => {}
            Err(_) => notes.mixed_kinds = true,
        }
    });
}

/// The histograms that were loaded for a window.
struct Points<'a> {
    timestamps: &'a [i64],
    histograms: &'a [FloatHistogram],
}

impl Points<'_> {
    /// The difference between the edges of a window `(low, high]`. Nothing if no sample lies after
    /// its start. The window has a sample that was loaded for it.
    fn difference(
        &self,
        extension: Extension,
        is_counter: bool,
        (low, high): (i64, i64),
        notes: &mut HistogramNotes,
    ) -> Result<Option<FloatHistogram>, HistogramError> {
        let Points { timestamps, histograms } = *self;
        let smoothed = extension == Extension::Smoothed;
        let mut last = timestamps.len() - 1;
        let first = timestamps[..last].partition_point(|&t| t <= low).saturating_sub(1);
        if smoothed {
            last = timestamps[..last].partition_point(|&t| t < high);
        }
        if timestamps[last] <= low || smoothed && timestamps[first] > high {
            return Ok(None);
        }
        let custom = histograms[first].has_custom_buckets();
        let is_gauge = |histogram: &FloatHistogram| histogram.hint == CounterResetHint::Gauge;
        for histogram in &histograms[first..=last] {
            if histogram.has_custom_buckets() != custom {
                return Err(HistogramError::MixedSchemas);
            }
            notes.not_counter |= is_counter && is_gauge(histogram);
        }
        let left = match smoothed && timestamps[first] < low {
            true => self.between(first, low, is_counter, notes)?,
            false => histograms[first].clone(),
        };
        let right = match smoothed && last > 0 && timestamps[last] > high {
            true => self.between(last - 1, high, is_counter, notes)?,
            false => histograms[last].clone(),
        };
        notes.not_gauge |= !(is_counter || is_gauge(&left) && is_gauge(&right));
        let mut difference = right.clone();
        notes.subtracted |= difference.subtract(&left)?.bounds_reconciled;
        if is_counter {
            // A reset between the samples around the left edge is in the left value already.
            let reset_at_edge = smoothed
                && timestamps[first] < low
                && histograms[first + 1].detect_reset(&histograms[first]);
            let inside = first + 1 + usize::from(reset_at_edge);
            let left = if reset_at_edge { &histograms[first + 1] } else { &left };
            if inside <= last
                && let Some(lost) = lost_in_resets(left, &histograms[inside..last], &right, notes)?
            {
                notes.added |= difference.add(&lost)?.bounds_reconciled;
            }
        }
        Ok(Some(difference))
    }

    /// The histogram at a time between a sample and the next one.
    fn between(
        &self,
        before: usize,
        at: i64,
        is_counter: bool,
        notes: &mut HistogramNotes,
    ) -> Result<FloatHistogram, HistogramError> {
        between(
            (self.timestamps[before], &self.histograms[before]),
            (self.timestamps[before + 1], &self.histograms[before + 1]),
            at,
            is_counter,
            notes,
        )
    }
}

/// The histogram at a time between two samples.
pub(super) fn between(
    before: (i64, &FloatHistogram),
    after: (i64, &FloatHistogram),
    at: i64,
    is_counter: bool,
    notes: &mut HistogramNotes,
) -> Result<FloatHistogram, HistogramError> {
    let (histogram, Interpolated { subtraction, addition }) = FloatHistogram::interpolate(
        (before.0 as f64, before.1),
        (after.0 as f64, after.1),
        at as f64,
        is_counter,
    )?;
    notes.subtracted |= subtraction.bounds_reconciled;
    notes.added |= addition.bounds_reconciled;
    Ok(histogram)
}

/// What a counter lost in resets on the way from the left edge of a window over the samples inside
/// of it to the right edge.
fn lost_in_resets(
    left: &FloatHistogram,
    inside: &[FloatHistogram],
    right: &FloatHistogram,
    notes: &mut HistogramNotes,
) -> Result<Option<FloatHistogram>, HistogramError> {
    let mut previous = left;
    let mut lost: Option<FloatHistogram> = None;
    for histogram in inside.iter().chain([right]) {
        if histogram.detect_reset(previous) {
            match &mut lost {
                Some(lost) => notes.added |= lost.add(previous)?.bounds_reconciled,
                None => lost = Some(previous.clone()),
            }
        }
        previous = histogram;
    }
    Ok(lost)
}

/// Counts transitions from the last sample at or before the start of the window on.
fn anchored_count(function: RangeFunction, windowed: &Windowed<'_>, out: &mut Column) {
    let samples = &windowed.samples;
    let counts = transition_counts(function, samples);
    for step in 0..windowed.windows.len {
        let window = both(windowed, step);
        let low = windowed.windows.start(step);
        let before = |timestamps: &[i64]| timestamps.partition_point(|&t| t <= low);
        let inside = before(samples.timestamps) + before(samples.histogram_timestamps);
        let inside = inside.max(window.start);
        out.remove(step);
        if inside < window.end {
            let anchor = if inside > window.start { inside - 1 } else { inside };
            out.set(step, f64::from(counts[window.end - 1] - counts[anchor]));
        }
    }
}
