//! Functions of range vectors: from the samples of a window to a value, for each step.
//!
//! A function is a [`Kernel`]: it gets the samples of one series with the table of its windows and
//! fills a column. Kernels slide: what a step costs is what entered and left the window.

pub(crate) mod extended;
mod extended_histograms;
mod histogram_rate;
mod histogram_totals;
mod histograms;
mod over_time;
mod ranked;
mod rate;
mod regression;
mod sliding;
mod smoothing;
mod sorted;

use promql_model::quote;
use promql_syntax::query::RangeFunction;

use crate::EngineError;
use crate::annotations::Place;
use crate::column::{Column, ScalarColumn};
use crate::context::Context;
use crate::grid::Grid;
use crate::limits::{Limits, Patience, ROUNDS};
use crate::operator::{Operator, RangeSource, Series};
use crate::statistics::WindowsOfSeries;
use crate::storage::Samples;
use crate::window::{WindowTable, Windows};
use crate::workers::{Scratch, Tables};
pub(crate) use extended::Extension;
pub(crate) use histograms::{HistogramNotes, MIXED_KINDS, collision, reconciled};
pub(crate) use rate::RateFactors;

/// The samples of one series with the windows over them.
pub(crate) struct Windowed<'a> {
    pub(crate) samples: Samples<'a>,
    pub(crate) windows: &'a Windows,
    pub(crate) table: &'a WindowTable,
    /// The table for the timestamps of histograms.
    pub(crate) histogram_table: &'a WindowTable,
    /// The grid of the evaluation.
    pub(crate) grid: &'a Grid,
    pub(crate) limits: &'a Limits,
    /// See [`OverRange::empty_buckets_stay`].
    pub(crate) empty_buckets_stay: bool,
}

impl Windowed<'_> {
    /// Computes a value for each window that has one from the positions of its samples. Stops early
    /// if the query is to end, which whoever runs the kernel finds out, too.
    fn each(
        &self,
        out: &mut Column,
        mut value: impl FnMut(usize, std::ops::Range<usize>) -> Option<f64>,
    ) {
        let mut patience = Patience::default();
        for step in 0..self.windows.len {
            let window = self.table.at(step);
            if patience.is_over(self.limits, window.len()) {
                return;
            }
            if !window.is_empty()
                && let Some(value) = value(step, window)
            {
                out.set(step, value);
            }
        }
    }
}

impl Windowed<'_> {
    /// Whether the window of a step has floats.
    fn has_floats(&self, step: usize) -> bool {
        !self.table.at(step).is_empty()
    }

    /// Calls with the positions of the histograms of each window that has any.
    fn each_histogram_window(&self, mut call: impl FnMut(usize, std::ops::Range<usize>)) {
        let mut patience = Patience::default();
        for step in 0..self.windows.len {
            let window = self.histogram_table.at(step);
            // Histograms have many buckets.
            if patience.is_over(self.limits, window.len().saturating_mul(64)) {
                return;
            }
            if !window.is_empty() {
                call(step, window);
            }
        }
    }
}

/// A function of range vectors with its scalar arguments.
#[derive(Clone, Debug)]
pub(crate) enum Kernel {
    /// A function without further arguments.
    Plain(RangeFunction),
    /// `quantile_over_time`.
    Quantile(ScalarColumn),
    /// `predict_linear`.
    PredictLinear(ScalarColumn),
    /// `double_exponential_smoothing`.
    Smoothing {
        /// The smoothing factor.
        level: ScalarColumn,
        /// The trend factor.
        trend: ScalarColumn,
    },
}

impl Kernel {
    /// Whether the metric's name stays.
    pub(crate) fn keeps_name(&self) -> bool {
        matches!(self, Kernel::Plain(RangeFunction::LastOverTime | RangeFunction::FirstOverTime))
    }

    /// The function's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Kernel::Plain(function) => function.function().name(),
            Kernel::Quantile(_) => "quantile_over_time",
            Kernel::PredictLinear(_) => "predict_linear",
            Kernel::Smoothing { .. } => "double_exponential_smoothing",
        }
    }

    fn run(
        &self,
        windowed: &Windowed<'_>,
        rate: &mut RateFactors,
        out: &mut Column,
        notes: &mut Notes,
    ) -> Result<(), EngineError> {
        match self {
            Kernel::Plain(function) => run_plain(*function, windowed, rate, out, notes),
            Kernel::Quantile(quantile) => sorted::quantile_over_time(windowed, quantile, out),
            Kernel::PredictLinear(seconds) => regression::predict_linear(windowed, seconds, out),
            Kernel::Smoothing { level, trend } => {
                smoothing::double_exponential_smoothing(windowed, level, trend, out)?;
            }
        }
        Ok(())
    }
}

fn run_plain(
    function: RangeFunction,
    windowed: &Windowed<'_>,
    rate: &mut RateFactors,
    out: &mut Column,
    notes: &mut Notes,
) {
    match function {
        RangeFunction::Rate => rate::rate(windowed, rate::Kind::Rate, rate, out, notes),
        RangeFunction::Increase => rate::rate(windowed, rate::Kind::Increase, rate, out, notes),
        RangeFunction::Delta => rate::rate(windowed, rate::Kind::Delta, rate, out, notes),
        RangeFunction::Irate => rate::irate(windowed, out),
        RangeFunction::Idelta => rate::idelta(windowed, out),
        RangeFunction::Changes => over_time::changes(windowed, out),
        RangeFunction::Resets => over_time::resets(windowed, out),
        RangeFunction::SumOverTime => over_time::sum(windowed, out),
        RangeFunction::AvgOverTime => over_time::avg(windowed, out),
        RangeFunction::MinOverTime => over_time::min(windowed, out),
        RangeFunction::MaxOverTime => over_time::max(windowed, out),
        RangeFunction::TsOfMinOverTime => over_time::ts_of_min(windowed, out),
        RangeFunction::TsOfMaxOverTime => over_time::ts_of_max(windowed, out),
        RangeFunction::CountOverTime => windowed.each(out, |_, w| Some(w.len() as f64)),
        RangeFunction::PresentOverTime => windowed.each(out, |_, _| Some(1.0)),
        RangeFunction::FirstOverTime => {
            windowed.each(out, |_, w| Some(windowed.samples.values[w.start]));
        }
        RangeFunction::LastOverTime => {
            windowed.each(out, |_, w| Some(windowed.samples.values[w.end - 1]));
        }
        RangeFunction::TsOfFirstOverTime => {
            windowed.each(out, |_, w| Some(seconds(windowed.samples.timestamps[w.start])));
        }
        RangeFunction::TsOfLastOverTime => {
            windowed.each(out, |_, w| Some(seconds(windowed.samples.timestamps[w.end - 1])));
        }
        RangeFunction::StddevOverTime => over_time::stddev(windowed, out),
        RangeFunction::StdvarOverTime => over_time::stdvar(windowed, out),
        RangeFunction::MadOverTime => sorted::mad_over_time(windowed, out),
        RangeFunction::Deriv => regression::deriv(windowed, out),
    }
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// What a kernel has to say about a series.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// In how many windows a start timestamp lies before the previous sample.
    pub(crate) overlapping_starts: usize,
    pub(crate) histograms: HistogramNotes,
}

/// A function of range vectors at work.
pub(crate) struct OverRange<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) source: Box<dyn RangeSource + 'a>,
    pub(crate) kernel: Kernel,
    pub(crate) windows: Windows,
    /// The windows with the samples around them that `anchored` and `smoothed` need.
    pub(crate) loaded: Windows,
    pub(crate) extension: Option<Extension>,
    pub(crate) grid: Grid,
    pub(crate) series: Vec<Series>,
    /// Where the operation keeps its tables.
    pub(crate) operation: usize,
    /// Where remarks about the range vector point.
    pub(crate) place: Place,
    /// Whether rates of histograms may keep empty buckets, so that all of a series have the same
    /// ones.
    pub(crate) empty_buckets_stay: bool,
}

impl Operator for OverRange<'_> {
    fn series(&self) -> &[Series] {
        &self.series
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        let mut buffer = scratch.take_buffer();
        let mut samples = self.source.read(index, scratch, &mut buffer)?;
        let mut tables = scratch.take_tables(self.operation, &samples);
        if !self.context.options.start_timestamps {
            samples.start_timestamps = &[];
            samples.histogram_start_timestamps = &[];
        }
        let Tables { windows: table, histogram_windows: histogram_table, rate, .. } = &mut *tables;
        table.update(&self.loaded, samples.timestamps, samples.known.timestamps);
        let limits = &*self.context.limits;
        limits.allow(table.longest)?;
        let mut queried = table.samples_in_windows();
        let last =
            |table: &WindowTable| table.end.len().checked_sub(1).map_or(0, |s| table.at(s).len());
        let mut windows = WindowsOfSeries { longest: table.longest, last: last(table), results: 0 };
        out.reset(self.windows.len);
        let has_histograms = !samples.histograms.is_empty();
        if has_histograms {
            histogram_table.update(&self.loaded, samples.histogram_timestamps, None);
            let largest = samples.histograms.iter().map(|h| h.samples()).max().unwrap_or(0);
            limits.allow(histogram_table.longest.saturating_mul(largest))?;
            queried += histogram_table.samples_in_windows().saturating_mul(largest);
            windows.longest += histogram_table.longest.saturating_mul(largest);
            windows.last += last(histogram_table).saturating_mul(largest);
        }
        if let Some(statistics) = &self.context.statistics {
            statistics.queried((self.operation, index), queried);
        }
        let windowed = Windowed {
            samples,
            windows: &self.windows,
            table,
            histogram_table,
            grid: &self.grid,
            limits,
            empty_buckets_stay: self.empty_buckets_stay,
        };
        let mut notes = Notes::default();
        match (self.extension, &self.kernel) {
            (Some(extension), Kernel::Plain(function)) => {
                extended::run(extension, *function, &windowed, out);
            }
            _ => {
                let done = self.kernel.run(&windowed, rate, out, &mut notes);
                done.map_err(|error| error.at(self.place.first))?;
            }
        }
        if has_histograms {
            let notes = &mut notes.histograms;
            let done = match (self.extension, &self.kernel) {
                (Some(extension), Kernel::Plain(function)) => {
                    extended_histograms::run(extension, *function, &windowed, out, notes);
                    Ok(())
                }
                _ => histograms::run(&self.kernel, &windowed, out, notes),
            };
            done.map_err(|error| error.at(self.place.first))?;
        }
        // A kernel that did little didn't look at the clock, and didn't stop because of it.
        match has_histograms || queried.saturating_add(self.windows.len) >= ROUNDS {
            true => limits.check()?,
            false => limits.check_cancellation()?,
        }
        if let Some(statistics) = &self.context.statistics {
            windows.results = out.samples();
            statistics.over_windows((self.operation, index), windows);
        }
        self.remark(index, out, &notes);
        scratch.give_tables(self.operation, tables);
        scratch.give_buffer(buffer);
        Ok(())
    }

    fn depth(&self) -> usize {
        self.source.depth() + 1
    }

    fn has_effects(&self) -> bool {
        self.source.has_effects()
            || !matches!(
                self.kernel,
                Kernel::Plain(
                    RangeFunction::Changes
                        | RangeFunction::Resets
                        | RangeFunction::CountOverTime
                        | RangeFunction::PresentOverTime
                        | RangeFunction::FirstOverTime
                        | RangeFunction::LastOverTime
                        | RangeFunction::TsOfFirstOverTime
                        | RangeFunction::TsOfLastOverTime
                )
            )
    }
}

impl OverRange<'_> {
    fn remark(&self, index: usize, out: &Column, notes: &Notes) {
        let labels = &self.source.series()[index].labels;
        let name = || quote(labels.metric_name().unwrap_or_default().as_bytes());
        let overlapping = notes.overlapping_starts + notes.histograms.overlapping_starts;
        if overlapping > 0 {
            self.context.annotations.overlap(self.place, index, name(), overlapping);
        }
        notes.histograms.remark(&self.context.annotations, self.place, name);
        match &self.kernel {
            Kernel::Plain(RangeFunction::Rate | RangeFunction::Increase) => {
                if let Some(remark) = self.not_a_counter(labels)
                    && !out.valid.is_empty()
                {
                    self.context.annotations.inform(self.place, remark);
                }
            }
            Kernel::Quantile(quantile) => {
                for step in out.valid.iter() {
                    let quantile = quantile.at(step);
                    if !(0.0..=1.0).contains(&quantile) {
                        crate::annotations::bad_quantile(
                            &self.context.annotations,
                            self.place,
                            quantile,
                        );
                    }
                }
            }
            _ => {}
        }
    }

    /// What to say if a metric whose rate is taken is probably no counter.
    fn not_a_counter(&self, labels: &promql_model::Labels) -> Option<String> {
        let name = labels.metric_name().filter(|name| !name.is_empty())?;
        if self.context.options.type_and_unit_labels {
            let metric_type = labels.get("__type__").unwrap_or_default();
            return (!["counter", "histogram"].contains(&metric_type)).then(|| {
                format!(
                    "metric might not be a counter, __type__ label is not set to \"counter\" or \
                     \"histogram\", got {}: {}",
                    quote(metric_type.as_bytes()),
                    quote(name.as_bytes()),
                )
            });
        }
        let suffixes = ["_total", "_sum", "_count", "_bucket"];
        (!suffixes.iter().any(|suffix| name.ends_with(suffix))).then(|| {
            format!(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {}",
                quote(name.as_bytes())
            )
        })
    }
}
