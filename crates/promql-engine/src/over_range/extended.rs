//! `anchored` and `smoothed`: windows whose edges are not left to extrapolation.
//!
//! An anchored window begins with the last sample at or before its start. A smoothed one has a value
//! at each edge, interpolated between the samples around it. Samples beyond the window are needed for
//! that, up to the lookback delta away: the table of windows covers these, and what the function sees
//! is found within.

use std::ops::Range;

use promql_model::{CounterResetHint, FloatHistogram, quote};
use promql_syntax::Span;
use promql_syntax::query::RangeFunction;

use super::rate::Resets;
use super::{HistogramNotes, Kernel, Windowed, extended_histograms, seconds};
use crate::EngineError;
use crate::annotations::Place;
use crate::column::Column;
use crate::operator::{Operator, RangeSource, Series};
use crate::select::SelectorSamples;
use crate::storage::Samples;
use crate::window::Windows;
use crate::workers::Scratch;

/// Which of the modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extension {
    Anchored,
    Smoothed,
}

impl Extension {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Extension::Anchored => "anchored",
            Extension::Smoothed => "smoothed",
        }
    }

    /// The functions that the modifier can be used with, by name.
    fn functions(self) -> &'static [(RangeFunction, &'static str)] {
        const DELTA: (RangeFunction, &str) = (RangeFunction::Delta, "delta");
        const INCREASE: (RangeFunction, &str) = (RangeFunction::Increase, "increase");
        const RATE: (RangeFunction, &str) = (RangeFunction::Rate, "rate");
        match self {
            Extension::Anchored => &[
                (RangeFunction::Changes, "changes"),
                DELTA,
                INCREASE,
                RATE,
                (RangeFunction::Resets, "resets"),
            ],
            Extension::Smoothed => &[DELTA, INCREASE, RATE],
        }
    }

    /// Fails if a function has no meaning for the modifier.
    pub(crate) fn check(
        self,
        kernel: &Kernel,
        function: &str,
        span: Span,
    ) -> Result<(), EngineError> {
        let functions = self.functions();
        if matches!(kernel, Kernel::Plain(plain) if functions.iter().any(|f| f.0 == *plain)) {
            return Ok(());
        }
        let names: Vec<&str> = functions.iter().map(|function| function.1).collect();
        let modifier = self.name();
        Err(EngineError::Execution {
            message: format!(
                "{modifier} modifier can only be used with: {} - not with {function}",
                names.join(", ")
            ),
            span: Some(span.into()),
            help: Some(format!("remove `{modifier}`, or use one of these functions")),
        })
    }
}

/// The samples that matter for a window, and the values at its edges.
#[derive(Clone, Debug)]
pub(crate) struct Edges {
    /// From the sample that gives the left value to the one that gives the right value.
    pub(crate) samples: Range<usize>,
    pub(crate) left: f64,
    pub(crate) right: f64,
}

/// The edges of a window `(low, high]` among the samples that were loaded for it. Nothing if no
/// sample lies after the start of the window.
pub(crate) fn edges(
    extension: Extension,
    is_counter: bool,
    timestamps: &[i64],
    values: &[f64],
    (low, high): (i64, i64),
) -> Option<Edges> {
    let after_low = timestamps.partition_point(|&t| t <= low);
    let at_high = timestamps.partition_point(|&t| t < high);
    let loaded = 0..timestamps.len();
    edges_at(extension, is_counter, (timestamps, values), (low, high), loaded, (after_low, at_high))
}

/// The same among the samples of a series of which some were loaded for the window, when it is known
/// where the first one after its start and the first one at its end or after are.
fn edges_at(
    extension: Extension,
    is_counter: bool,
    (timestamps, values): (&[i64], &[f64]),
    (low, high): (i64, i64),
    loaded: Range<usize>,
    (after_low, at_high): (usize, usize),
) -> Option<Edges> {
    let smoothed = extension == Extension::Smoothed;
    let mut last = loaded.end.checked_sub(1).filter(|&last| last >= loaded.start)?;
    let first = after_low.min(last).saturating_sub(1).max(loaded.start);
    if smoothed {
        last = at_high.min(last);
    }
    if timestamps[last] <= low {
        return None;
    }
    let interpolated = |before: usize, at: i64| {
        let (from, to) = (values[before], values[before + 1]);
        // A counter that was reset in between started from zero.
        let from = if is_counter && to < from { 0.0 } else { from };
        let part =
            (at - timestamps[before]) as f64 / (timestamps[before + 1] - timestamps[before]) as f64;
        from + (to - from) * part
    };
    let left = if smoothed && timestamps[first] < low && first + 1 < loaded.end {
        interpolated(first, low)
    } else {
        values[first]
    };
    let right = if smoothed && last > loaded.start && timestamps[last] > high {
        interpolated(last - 1, high)
    } else {
        values[last]
    };
    Some(Edges { samples: first..last + 1, left, right })
}

/// Computes a function over extended windows. Only functions that [`Extension::check`] accepts come
/// here.
pub(super) fn run(
    extension: Extension,
    function: RangeFunction,
    windowed: &Windowed<'_>,
    out: &mut Column,
) {
    match function {
        RangeFunction::Changes => {
            let values = windowed.samples.values;
            anchored_count(windowed, out, |k| super::over_time::is_change(values, k));
        }
        RangeFunction::Resets => {
            anchored_count(windowed, out, |k| super::over_time::is_reset(&windowed.samples, k));
        }
        _ => difference(extension, function, windowed, out),
    }
}

/// The difference between the edges. What a counter lost in resets between its samples within the
/// window is summed while that slides; only the resets next to the edges have to be looked for, since
/// the values there may be interpolated.
fn difference(
    extension: Extension,
    function: RangeFunction,
    windowed: &Windowed<'_>,
    out: &mut Column,
) {
    let is_counter = function != RangeFunction::Delta;
    let (timestamps, values) = (windowed.samples.timestamps, windowed.samples.values);
    let resets = if is_counter { Resets::of(values) } else { Resets::default() };
    let mut sliding = resets.sliding();
    let (mut after_low, mut at_high) = (Forward::default(), Forward::default());
    windowed.each(out, |step, window| {
        let (low, high) = (windowed.windows.start(step), windowed.windows.end(step));
        let after_low = after_low.first(timestamps, |t| t > low);
        let at_high = at_high.first(timestamps, |t| t >= high);
        let samples = (timestamps, values);
        let bounds = (after_low, at_high);
        let Edges { samples, left, right } =
            edges_at(extension, is_counter, samples, (low, high), window.clone(), bounds)?;
        if extension == Extension::Smoothed && timestamps[samples.start] > high {
            return None;
        }
        let mut difference = right - left;
        if is_counter {
            let within = after_low.max(window.start)..at_high.min(window.end);
            let mut previous = left;
            if !within.is_empty() {
                if values[within.start] < left {
                    difference += left;
                }
                previous = values[within.end - 1];
                difference = sliding.corrected(difference, &within, values);
            }
            if right < previous {
                difference += previous;
            }
        }
        Some(match function {
            RangeFunction::Rate => difference / seconds(windowed.windows.range),
            _ => difference,
        })
    });
}

/// A position among timestamps that only moves forward.
#[derive(Default)]
struct Forward(usize);

impl Forward {
    /// The first position whose time fulfils a condition that holds for all later ones, too. From
    /// call to call it holds for fewer.
    fn first(&mut self, timestamps: &[i64], condition: impl Fn(i64) -> bool) -> usize {
        while timestamps.get(self.0).is_some_and(|&t| !condition(t)) {
            self.0 += 1;
        }
        self.0
    }
}

/// Counts transitions from the last sample at or before the start of the window on.
fn anchored_count(windowed: &Windowed<'_>, out: &mut Column, counts: impl Fn(usize) -> bool) {
    let timestamps = windowed.samples.timestamps;
    let counted = super::over_time::running_count(timestamps.len(), counts);
    let mut after_low = Forward::default();
    windowed.each(out, |step, window| {
        let low = windowed.windows.start(step);
        let inside = after_low.first(timestamps, |t| t > low).max(window.start);
        if inside >= window.end {
            return None;
        }
        let anchor = if inside > window.start { inside - 1 } else { inside };
        Some(f64::from(counted[window.end - 1] - counted[anchor]))
    });
}

/// `x smoothed`: at each step the value on the line between the samples around it.
pub(crate) struct SmoothedSelector<'a> {
    pub(crate) samples: SelectorSamples<'a>,
    /// Where the operation keeps its tables.
    pub(crate) operation: usize,
    /// Where remarks about the selector point.
    pub(crate) place: Place,
}

impl Operator for SmoothedSelector<'_> {
    fn series(&self) -> &[Series] {
        &self.samples.series
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        let mut buffer = scratch.take_buffer();
        let samples = self.samples.read(index, scratch, &mut buffer)?;
        let mut tables = scratch.take_tables(self.operation, &samples);
        let windows = &self.samples.select.windows;
        let loaded = self.samples.loaded();
        tables.windows.update(&loaded, samples.timestamps, samples.known.timestamps);
        tables.histogram_windows.update(&loaded, samples.histogram_timestamps, None);
        let mut notes = HistogramNotes::default();
        out.reset(windows.len);
        for step in 0..windows.len {
            let at = windows.end(step);
            let (floats, histograms) = (tables.windows.at(step), tables.histogram_windows.at(step));
            if !floats.is_empty() && !histograms.is_empty() {
                notes.mixed_types = true;
            } else if !histograms.is_empty() {
                if let Some(histogram) = smoothed_histogram(&samples, histograms, at, &mut notes) {
                    out.set_histogram(step, histogram);
                }
            } else if let Some(value) = smoothed_float(&samples, floats, at) {
                out.set(step, value);
            }
        }
        let labels = &self.samples.series[index].labels;
        let name = || quote(labels.metric_name().unwrap_or_default().as_bytes());
        notes.remark(&self.samples.context.annotations, self.place, name);
        scratch.give_tables(self.operation, tables);
        scratch.give_buffer(buffer);
        Ok(())
    }

    fn depth(&self) -> usize {
        1
    }

    fn has_effects(&self) -> bool {
        true
    }
}

fn smoothed_float(samples: &Samples<'_>, window: Range<usize>, at: i64) -> Option<f64> {
    let (timestamps, values) = (&samples.timestamps[window.clone()], &samples.values[window]);
    let after = timestamps.partition_point(|&t| t <= at);
    let before = after.checked_sub(1)?;
    Some(match timestamps.get(after) {
        Some(&next) if timestamps[before] < at => {
            let part = (at - timestamps[before]) as f64 / (next - timestamps[before]) as f64;
            values[before] + (values[after] - values[before]) * part
        }
        _ => values[before],
    })
}

fn smoothed_histogram(
    samples: &Samples<'_>,
    window: Range<usize>,
    at: i64,
    notes: &mut HistogramNotes,
) -> Option<FloatHistogram> {
    let timestamps = &samples.histogram_timestamps[window.clone()];
    let histograms = &samples.histograms[window];
    let after = timestamps.partition_point(|&t| t <= at);
    let before = after.checked_sub(1)?;
    let (time, histogram) = (timestamps[before], &histograms[before]);
    if time == at {
        return Some(histogram.clone());
    }
    let Some(&next_time) = timestamps.get(after) else {
        let mut last = histogram.clone();
        last.hint = CounterResetHint::Unknown;
        return Some(last);
    };
    let next = &histograms[after];
    let is_gauge = |histogram: &FloatHistogram| histogram.hint == CounterResetHint::Gauge;
    let is_counter = !(is_gauge(histogram) && is_gauge(next));
    let between =
        extended_histograms::between((time, histogram), (next_time, next), at, is_counter, notes);
    notes.mixed_kinds |= between.is_err();
    between.ok()
}

/// The windows with what has to be loaded around them.
pub(crate) fn loaded(windows: &Windows, before: i64, after: i64) -> Windows {
    Windows {
        first_end: windows.first_end.saturating_add(after),
        range: windows.range.saturating_add(before).saturating_add(after),
        ..*windows
    }
}
