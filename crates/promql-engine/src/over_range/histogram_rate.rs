//! `rate`, `increase`, `delta`, `irate` and `idelta` of native histograms.
//!
//! What a window's difference needs to know about the samples between its ends (counter resets,
//! gauges, changes of resolution) is found out once for a series. A step then costs one loop over the
//! buckets of the window's first and last sample, which subtracts and multiplies. Where the two have
//! different buckets, or there are resets between them, it is a subtraction, an addition for each
//! reset, and a multiplication.

use std::ops::Range;

use promql_model::{Compactor, CounterResetHint, FloatHistogram, HistogramError};

use super::rate::{Gaps, Kind, start_shows_reset};
use super::{HistogramNotes, Windowed, seconds};
use crate::column::Column;
use crate::storage::Samples;

/// What the differences between samples of one series need to know about the samples.
struct Course<'a> {
    histograms: &'a [FloatHistogram],
    timestamps: &'a [i64],
    starts: &'a [i64],
    /// The positions of samples before which the counter was reset.
    resets: Vec<u32>,
    /// For each sample how many up to it are gauges, or have another schema than the one before.
    gauges: Vec<u32>,
    schema_changes: Vec<u32>,
}

impl<'a> Course<'a> {
    fn of(samples: &Samples<'a>, is_counter: bool) -> Course<'a> {
        let histograms = samples.histograms;
        let mut course = Course {
            histograms,
            timestamps: samples.histogram_timestamps,
            starts: samples.histogram_start_timestamps,
            resets: Vec::new(),
            gauges: Vec::new(),
            schema_changes: Vec::new(),
        };
        if is_counter {
            let resets = (1..histograms.len()).filter(|&k| {
                course.start_shows_reset(k) || histograms[k].detect_reset(&histograms[k - 1])
            });
            course.resets = resets.map(|k| k as u32).collect();
            let mut gauges = 0;
            let is_gauge = |h: &FloatHistogram| u32::from(h.hint == CounterResetHint::Gauge);
            course.gauges.extend(histograms.iter().map(|histogram| {
                gauges += is_gauge(histogram);
                gauges
            }));
            course.schema_changes = super::over_time::running_count(histograms.len(), |k| {
                histograms[k].schema() != histograms[k - 1].schema()
            });
        }
        course
    }

    fn start(&self, k: usize) -> i64 {
        self.starts.get(k).copied().unwrap_or(0)
    }

    fn start_shows_reset(&self, k: usize) -> bool {
        let at = |k: usize| (self.start(k), self.timestamps[k]);
        start_shows_reset(at(k - 1), at(k))
    }

    /// The samples before which the counter was reset, of those that have one before them in the
    /// window.
    fn resets_within(&self, window: &Range<usize>) -> &[u32] {
        let from = self.resets.partition_point(|&at| at as usize <= window.start);
        let to = self.resets.partition_point(|&at| (at as usize) < window.end);
        &self.resets[from..to]
    }

    /// Whether any sample of the window is a gauge.
    fn counts_gauges(&self, window: &Range<usize>) -> bool {
        is_gauge(&self.histograms[window.start]) > 0
            || self.gauges[window.end - 1] > self.gauges[window.start]
    }

    /// Whether a start timestamp in the window lies before the previous sample.
    fn starts_overlap(&self, window: &Range<usize>) -> bool {
        !self.starts.is_empty()
            && (window.start + 1..window.end).any(|k| {
                let start = self.start(k);
                start != 0 && start < self.timestamps[k - 1] && start != self.start(k - 1)
            })
    }
}

/// Computes the steps whose windows have histograms alone.
pub(super) fn rate(
    windowed: &Windowed<'_>,
    kind: Kind,
    out: &mut Column,
    notes: &mut HistogramNotes,
) {
    let course = Course::of(&windowed.samples, kind.is_counter());
    let mut compactor = Compactor::default();
    windowed.each_histogram_window(|step, window| {
        if windowed.has_floats(step) {
            notes.mixed_types = true;
            out.remove(step);
            return;
        }
        if plain_increase(windowed, kind, &course, step, &window, out) {
            if !windowed.empty_buckets_stay {
                compactor.compact(out.histogram_slot(step));
            }
            return;
        }
        let Some(factor) = rate_of_window(windowed, kind, &course, step, window, out, notes) else {
            return;
        };
        out.histogram_slot(step).multiply(factor);
    });
}

/// Computes a step whose window has nothing special about it, as nearly all have: the difference
/// of its ends by bucket, empty ones too. If the answer is false, nothing was done.
fn plain_increase(
    windowed: &Windowed<'_>,
    kind: Kind,
    course: &Course<'_>,
    step: usize,
    window: &Range<usize>,
    out: &mut Column,
) -> bool {
    let (first, last) = (window.start, window.end - 1);
    let (earlier, later) = (&course.histograms[first], &course.histograms[last]);
    if !kind.is_counter()
        || first == last
        || !course.starts.is_empty()
        || course.counts_gauges(window)
        || !course.resets_within(window).is_empty()
        || course.schema_changes[last] != course.schema_changes[first]
    {
        return false;
    }
    let timestamps = &course.timestamps[window.clone()];
    let mut gaps = Gaps::of(timestamps, windowed.windows, step);
    gaps.limit_to_zero(earlier.count, later.count - earlier.count);
    let factor = gaps.factor(windowed.windows, kind);
    let result = out.histogram_slot(step);
    if !result.set_to_scaled_difference(later, earlier, factor) {
        out.remove_histogram(step);
        return false;
    }
    true
}

/// Puts the difference within a window into the column and returns what it is to be multiplied with.
fn rate_of_window(
    windowed: &Windowed<'_>,
    kind: Kind,
    course: &Course<'_>,
    step: usize,
    window: Range<usize>,
    out: &mut Column,
    notes: &mut HistogramNotes,
) -> Option<f64> {
    let timestamps = &course.timestamps[window.clone()];
    let first = window.start;
    let start = course.start(first);
    let known_start = kind.is_counter()
        && start != 0
        && start > windowed.windows.start(step)
        && start < timestamps[0];
    if timestamps.len() < 2 && !known_start {
        return None;
    }
    let mut result = std::mem::take(out.histogram_slot(step));
    out.remove_histogram(step);
    if timestamps.len() < 2 {
        result.clone_from(&course.histograms[first]);
    } else {
        if kind.is_counter() {
            notes.overlapping_starts += usize::from(course.starts_overlap(&window));
        }
        let mut found = HistogramNotes::default();
        let outcome = match kind.is_counter() {
            true => increase(course, &window, &mut result, &mut found),
            false => delta(course, &window, &mut result, &mut found),
        };
        found.mixed_kinds = outcome.is_err();
        notes.join(&found);
        outcome.ok()?;
    }
    let gaps = if known_start {
        if timestamps.len() > 1 {
            match result.add(&course.histograms[first]) {
                Ok(combined) => notes.added |= combined.bounds_reconciled,
                Err(_) => {
                    notes.mixed_kinds = true;
                    return None;
                }
            }
        }
        Gaps::since(start, timestamps, windowed.windows, step)
    } else {
        let mut gaps = Gaps::of(timestamps, windowed.windows, step);
        if kind.is_counter() {
            gaps.limit_to_zero(course.histograms[first].count, result.count);
        }
        gaps
    };
    *out.histogram_slot(step) = result;
    Some(gaps.factor(windowed.windows, kind))
}

/// Both kinds of buckets where only one can be.
struct MixedKinds;

impl From<HistogramError> for MixedKinds {
    fn from(_: HistogramError) -> Self {
        MixedKinds
    }
}

/// By how much a counter rises in a window of two or more samples.
fn increase(
    course: &Course<'_>,
    window: &Range<usize>,
    result: &mut FloatHistogram,
    notes: &mut HistogramNotes,
) -> Result<(), MixedKinds> {
    let histograms = &course.histograms[window.clone()];
    let (first, last) = (&histograms[0], &histograms[histograms.len() - 1]);
    notes.not_counter = is_gauge(first) + is_gauge(last) > 0;
    let any_gauge = course.counts_gauges(window);
    let mut resets = course.resets_within(window);
    let same_schema = course.schema_changes[window.end - 1] == course.schema_changes[window.start];
    // A reset right after the first sample makes its buckets meaningless.
    let zero = (resets.first() == Some(&(window.start as u32 + 1))).then(|| {
        resets = &resets[1..];
        histograms[1].emptied()
    });
    let first = zero.as_ref().unwrap_or(first);
    result.clone_from(last);
    if !same_schema {
        let custom = first.has_custom_buckets();
        if last.has_custom_buckets() != custom {
            return Err(MixedKinds);
        }
        let others = &histograms[1..];
        if others.iter().any(|histogram| histogram.has_custom_buckets() != custom) {
            // Nothing else is said of such a window.
            *notes = HistogramNotes::default();
            return Err(MixedKinds);
        }
        let schemas = others.iter().map(FloatHistogram::schema);
        result.reduce_resolution(schemas.fold(first.schema(), i32::min))?;
    }
    notes.not_counter = any_gauge;
    notes.subtracted |= result.subtract(first)?.bounds_reconciled;
    if zero.is_some() && result.custom_values() != first.custom_values() {
        // Upstream adds the empty histogram, which is all that is left of the first one.
        notes.added |= histograms[1].hint == CounterResetHint::Reset
            || course.start_shows_reset(window.start + 1);
    }
    for &at in resets {
        notes.added |= result.add(&course.histograms[at as usize - 1])?.bounds_reconciled;
    }
    result.hint = CounterResetHint::Gauge;
    result.compact(0);
    Ok(())
}

/// By how much a gauge changes in a window of two or more samples.
fn delta(
    course: &Course<'_>,
    window: &Range<usize>,
    result: &mut FloatHistogram,
    notes: &mut HistogramNotes,
) -> Result<(), MixedKinds> {
    let (first, last) = (&course.histograms[window.start], &course.histograms[window.end - 1]);
    if first.has_custom_buckets() != last.has_custom_buckets() {
        return Err(MixedKinds);
    }
    result.clone_from(last);
    notes.subtracted |= result.subtract(first)?.bounds_reconciled;
    notes.not_gauge |= is_gauge(first) + is_gauge(last) < 2;
    result.hint = CounterResetHint::Gauge;
    result.compact(0);
    Ok(())
}

fn is_gauge(histogram: &FloatHistogram) -> u32 {
    u32::from(histogram.hint == CounterResetHint::Gauge)
}

/// The two newest samples of a window that are both histograms.
pub(super) fn instant(
    windowed: &Windowed<'_>,
    is_counter: bool,
    out: &mut Column,
    notes: &mut HistogramNotes,
) {
    let samples = &windowed.samples;
    let (floats, histograms) = (samples.timestamps, samples.histogram_timestamps);
    let course = Course {
        histograms: samples.histograms,
        timestamps: histograms,
        starts: samples.histogram_start_timestamps,
        resets: Vec::new(),
        gauges: Vec::new(),
        schema_changes: Vec::new(),
    };
    windowed.each_histogram_window(|step, window| {
        let float_window = windowed.table.at(step);
        // How many of the two newest samples are histograms.
        let newest = histograms[window.end - 1];
        let last_floats = &floats[float_window.clone()];
        let newer = |count: usize, time: i64| {
            last_floats.len() >= count && last_floats[last_floats.len() - count] > time
        };
        if newer(2, newest) {
            return;
        }
        let second_is_float = last_floats
            .last()
            .is_some_and(|&time| window.len() < 2 || time > histograms[window.end - 2]);
        out.remove(step);
        if newer(1, newest) || second_is_float {
            notes.mixed_types = true;
            return;
        }
        if window.len() < 2 {
            return;
        }
        let now = window.end - 1;
        let mut result = std::mem::take(out.histogram_slot(step));
        out.remove_histogram(step);
        if let Some(()) = instant_of_pair(&course, now, is_counter, &mut result, notes) {
            if is_counter {
                result.divide(seconds(histograms[now] - histograms[now - 1]));
            }
            *out.histogram_slot(step) = result;
        }
    });
}

fn instant_of_pair(
    course: &Course<'_>,
    now: usize,
    is_counter: bool,
    result: &mut FloatHistogram,
    notes: &mut HistogramNotes,
) -> Option<()> {
    let (older, newer) = (&course.histograms[now - 1], &course.histograms[now]);
    let gauges = is_gauge(older) + is_gauge(newer);
    notes.not_counter |= is_counter && gauges > 0;
    notes.not_gauge |= !is_counter && gauges < 2;
    result.clone_from(newer);
    let reset = is_counter && (course.start_shows_reset(now) || newer.detect_reset(older));
    if !reset {
        match result.subtract(older) {
            Ok(combined) => notes.subtracted |= combined.bounds_reconciled,
            Err(_) => {
                notes.mixed_kinds = true;
                return None;
            }
        }
    }
    result.hint = CounterResetHint::Gauge;
    result.compact(0);
    Some(())
}
