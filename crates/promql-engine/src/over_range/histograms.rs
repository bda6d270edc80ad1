//! Functions of range vectors on native histograms, and on histograms and floats side by side.
//!
//! The kernels for floats have filled the column from the floats of each window. What the histograms
//! of a window do to that is up to the function: some count both alike, some are about floats and say
//! that they ignored something, some give nothing of a mixture.

use std::ops::Range;

use promql_syntax::query::RangeFunction;

use super::histogram_totals::Total;
use super::rate::{Kind, start_shows_reset};
use super::{Kernel, Windowed, histogram_rate, histogram_totals, over_time, seconds, smoothing};
use crate::EngineError;
use crate::annotations::{Annotations, Place};
use crate::column::Column;
use crate::storage::Samples;

/// What there is to say about the histograms of a series.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HistogramNotes {
    /// In how many windows a start timestamp lies before the previous sample.
    pub(crate) overlapping_starts: usize,
    /// Floats and histograms where only one of them can be.
    pub(crate) mixed_types: bool,
    /// Histograms that a function of floats left out.
    pub(crate) ignored: bool,
    /// A gauge where a counter is wanted.
    pub(crate) not_counter: bool,
    /// The other way round.
    pub(crate) not_gauge: bool,
    /// Custom buckets and exponential ones where only one kind can be.
    pub(crate) mixed_kinds: bool,
    /// Custom bounds that differed when histograms were added, subtracted or aggregated.
    pub(crate) added: bool,
    pub(crate) subtracted: bool,
    pub(crate) aggregated: bool,
    /// Hints about resets that contradicted each other in an aggregation.
    pub(crate) collided: bool,
}

impl HistogramNotes {
    pub(crate) fn join(&mut self, other: &HistogramNotes) {
        self.overlapping_starts += other.overlapping_starts;
        self.mixed_types |= other.mixed_types;
        self.ignored |= other.ignored;
        self.not_counter |= other.not_counter;
        self.not_gauge |= other.not_gauge;
        self.mixed_kinds |= other.mixed_kinds;
        self.added |= other.added;
        self.subtracted |= other.subtracted;
        self.aggregated |= other.aggregated;
        self.collided |= other.collided;
    }

    /// Says it. `name` is the metric's name in quotes.
    pub(crate) fn remark(
        &self,
        annotations: &Annotations,
        place: Place,
        name: impl Fn() -> String,
    ) {
        let named = |text: &str| format!("{text} {}", name());
        let warnings = [
            (self.mixed_types, MIXED_TYPES),
            (self.not_counter, "this native histogram metric is not a counter:"),
            (self.not_gauge, "this native histogram metric is not a gauge:"),
            (self.mixed_kinds, MIXED_KINDS),
        ];
        for (_, text) in warnings.into_iter().filter(|warning| warning.0) {
            annotations.warn(place, named(text));
        }
        if self.collided {
            annotations.warn(place, collision("aggregation"));
        }
        if self.ignored {
            let text = "ignored histograms in a range containing both floats and histograms for \
                        metric name";
            annotations.inform(place, named(text));
        }
        let reconciliations = [
            (self.added, "addition"),
            (self.subtracted, "subtraction"),
            (self.aggregated, "aggregation"),
        ];
        for (_, operation) in reconciliations.into_iter().filter(|note| note.0) {
            annotations.inform(place, reconciled(operation));
        }
    }
}

/// What is said of floats and histograms in one window. The metric's name follows.
const MIXED_TYPES: &str = "encountered a mix of histograms and floats for metric name";

/// What is said of both kinds of buckets in one place. The metric's name follows.
pub(crate) const MIXED_KINDS: &str = "vector contains a mix of histograms with exponential and \
                                      custom buckets schemas for metric name";

/// What is said of hints that contradict each other.
pub(crate) fn collision(operation: &str) -> String {
    format!("conflicting counter resets during histogram {operation}")
}

/// What is said of custom bounds that differ.
pub(crate) fn reconciled(operation: &str) -> String {
    format!("mismatched custom buckets were reconciled during {operation}")
}

/// Adds what a function gives for windows with histograms to a column that has what it gives for
/// floats.
pub(super) fn run(
    kernel: &Kernel,
    windowed: &Windowed<'_>,
    out: &mut Column,
    notes: &mut HistogramNotes,
) -> Result<(), EngineError> {
    let function = match kernel {
        Kernel::Plain(function) => *function,
        Kernel::Quantile(_) | Kernel::PredictLinear(_) => {
            ignore(windowed, notes);
            return Ok(());
        }
        Kernel::Smoothing { level, trend } => {
            ignore(windowed, notes);
            return smoothing::check_factors(windowed, level, trend);
        }
    };
    match function {
        RangeFunction::Rate => histogram_rate::rate(windowed, Kind::Rate, out, notes),
        RangeFunction::Increase => histogram_rate::rate(windowed, Kind::Increase, out, notes),
        RangeFunction::Delta => histogram_rate::rate(windowed, Kind::Delta, out, notes),
        RangeFunction::Irate => histogram_rate::instant(windowed, true, out, notes),
        RangeFunction::Idelta => histogram_rate::instant(windowed, false, out, notes),
        RangeFunction::SumOverTime => histogram_totals::total(windowed, Total::Sum, out, notes)?,
        RangeFunction::AvgOverTime => histogram_totals::total(windowed, Total::Mean, out, notes)?,
        RangeFunction::Changes | RangeFunction::Resets => transitions(function, windowed, out),
        RangeFunction::CountOverTime => windowed.each_histogram_window(|step, window| {
            out.set(step, (window.len() + windowed.table.at(step).len()) as f64);
        }),
        RangeFunction::PresentOverTime => {
            windowed.each_histogram_window(|step, _| out.set(step, 1.0));
        }
        RangeFunction::FirstOverTime
        | RangeFunction::LastOverTime
        | RangeFunction::TsOfFirstOverTime
        | RangeFunction::TsOfLastOverTime => end_of_window(function, windowed, out),
        RangeFunction::MinOverTime
        | RangeFunction::MaxOverTime
        | RangeFunction::TsOfMinOverTime
        | RangeFunction::TsOfMaxOverTime
        | RangeFunction::StddevOverTime
        | RangeFunction::StdvarOverTime
        | RangeFunction::MadOverTime
        | RangeFunction::Deriv => ignore(windowed, notes),
    }
    Ok(())
}

/// A function of floats, which says so if there are floats, too.
fn ignore(windowed: &Windowed<'_>, notes: &mut HistogramNotes) {
    windowed.each_histogram_window(|step, _| notes.ignored |= windowed.has_floats(step));
}

/// The first or the last sample of each window, or its time.
fn end_of_window(function: RangeFunction, windowed: &Windowed<'_>, out: &mut Column) {
    let first = matches!(function, RangeFunction::FirstOverTime | RangeFunction::TsOfFirstOverTime);
    let value = matches!(function, RangeFunction::FirstOverTime | RangeFunction::LastOverTime);
    let samples = &windowed.samples;
    windowed.each_histogram_window(|step, window| {
        let floats = windowed.table.at(step);
        let (at, float) = match first {
            true => (window.start, floats.clone().next()),
            false => (window.end - 1, floats.clone().last()),
        };
        let time = samples.histogram_timestamps[at];
        let float_counts = float.is_some_and(|float| match first {
            true => samples.timestamps[float] < time,
            false => samples.timestamps[float] > time,
        });
        if float_counts {
            return;
        }
        if value {
            out.remove(step);
            out.histogram_slot(step).clone_from(&samples.histograms[at]);
        } else {
            out.set(step, seconds(time));
        }
    });
}

/// A sample of either kind: its position among those of its kind.
#[derive(Clone, Copy, Debug)]
enum Position {
    Float(usize),
    Histogram(usize),
}

/// The samples of both kinds in order of time.
fn in_order(samples: &Samples<'_>) -> Vec<Position> {
    let (floats, histograms) = (samples.timestamps, samples.histogram_timestamps);
    let mut order = Vec::with_capacity(floats.len() + histograms.len());
    let mut next = 0;
    for (at, time) in histograms.iter().enumerate() {
        while floats.get(next).is_some_and(|float| float < time) {
            order.push(Position::Float(next));
            next += 1;
        }
        order.push(Position::Histogram(at));
    }
    order.extend((next..floats.len()).map(Position::Float));
    order
}

/// For each sample of either kind how many up to it count as a change or a reset. A histogram after a
/// float, or the other way round, is both.
pub(super) fn transition_counts(function: RangeFunction, samples: &Samples<'_>) -> Vec<u32> {
    let order = in_order(samples);
    let resets = function == RangeFunction::Resets;
    over_time::running_count(order.len(), |k| match (order[k - 1], order[k]) {
        (Position::Float(a), Position::Float(b)) => match resets {
            true => float_reset(samples, a, b),
            false => {
                let (a, b) = (samples.values[a], samples.values[b]);
                a != b && !(a.is_nan() && b.is_nan())
            }
        },
        (Position::Histogram(a), Position::Histogram(b)) => match resets {
            true => histogram_reset(samples, a, b),
            false => samples.histograms[a] != samples.histograms[b],
        },
        _ => true,
    })
}

fn float_reset(samples: &Samples<'_>, a: usize, b: usize) -> bool {
    let start = |k: usize| samples.start_timestamps.get(k).copied().unwrap_or(0);
    let at = |k: usize| (start(k), samples.timestamps[k]);
    samples.values[b] < samples.values[a] || start_shows_reset(at(a), at(b))
}

fn histogram_reset(samples: &Samples<'_>, a: usize, b: usize) -> bool {
    let start = |k: usize| samples.histogram_start_timestamps.get(k).copied().unwrap_or(0);
    let at = |k: usize| (start(k), samples.histogram_timestamps[k]);
    start_shows_reset(at(a), at(b)) || samples.histograms[b].detect_reset(&samples.histograms[a])
}

fn transitions(function: RangeFunction, windowed: &Windowed<'_>, out: &mut Column) {
    let counts = transition_counts(function, &windowed.samples);
    for step in 0..windowed.windows.len {
        let window = both(windowed, step);
        if !window.is_empty() {
            out.set(step, f64::from(counts[window.end - 1] - counts[window.start]));
        }
    }
}

/// The window of a step among the samples of both kinds in order of time.
pub(super) fn both(windowed: &Windowed<'_>, step: usize) -> Range<usize> {
    let (floats, histograms) = (windowed.table.at(step), windowed.histogram_table.at(step));
    floats.start + histograms.start..floats.end + histograms.end
}
