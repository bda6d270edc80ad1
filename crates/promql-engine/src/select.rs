//! Selectors: the series of the storage as columns, or as the samples of windows.

use promql_model::is_stale_nan;
use promql_syntax::Span;

use crate::EngineError;
use crate::column::Column;
use crate::context::Context;
use crate::operator::{Operator, RangeSource, Series};
use crate::plan::{Plan, Select, Selection};
use crate::storage::{
    SampleBuffer, Samples, SelectHints, SelectRequest, SelectedSeries, TimeRange,
};
use crate::workers::{RangeBuffer, Scratch};

/// The samples of a selector, cut to the time that is needed.
pub(crate) struct SelectorSamples<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) selected: &'a dyn SelectedSeries,
    pub(crate) series: Vec<Series>,
    pub(crate) select: Select,
    pub(crate) span: Span,
}

impl<'a> SelectorSamples<'a> {
    pub(crate) fn new(
        context: &'a Context<'a>,
        selected: &'a dyn SelectedSeries,
        select: Select,
        span: Span,
    ) -> Self {
        let series = selected.labels().iter().cloned().map(Series::new).collect();
        SelectorSamples { context, selected, series, select, span }
    }

    fn time_range(&self) -> TimeRange {
        let range = self.select.windows.time_range();
        TimeRange {
            start: range.start.saturating_sub(self.select.before),
            end: range.end.saturating_add(self.select.after),
        }
    }

    /// The samples, staleness markers among them.
    fn read_raw<'b>(
        &'b self,
        index: usize,
        buffer: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, EngineError> {
        self.context.limits.check()?;
        let samples = cut(self.selected.read(index, buffer)?, self.time_range());
        if !samples.histogram_timestamps.is_empty() {
            let construct = "evaluating native histograms".to_owned();
            return Err(EngineError::Unsupported { construct, span: self.span.into() });
        }
        // Positions in columns have 32 bits. As a limit on one series that is generous.
        if u32::try_from(samples.values.len()).is_err() {
            let limit = self.context.limits.max_samples();
            return Err(EngineError::TooManySamples { limit });
        }
        Ok(samples)
    }
}

impl RangeSource for SelectorSamples<'_> {
    fn series(&self) -> &[Series] {
        &self.series
    }

    fn read<'b>(
        &'b self,
        index: usize,
        _: &mut Scratch,
        buffer: &'b mut RangeBuffer,
    ) -> Result<Samples<'b>, EngineError> {
        let RangeBuffer { raw, clean } = buffer;
        let samples = self.read_raw(index, raw)?;
        if has_stale_marker(samples.values) {
            clean.clear();
            for (at, &value) in samples.values.iter().enumerate() {
                if !is_stale_nan(value) {
                    clean.timestamps.push(samples.timestamps[at]);
                    clean.values.push(value);
                    clean.start_timestamps.extend(samples.start_timestamps.get(at));
                }
            }
            return Ok(clean.samples());
        }
        Ok(samples)
    }

    fn depth(&self) -> usize {
        1
    }
}

/// Whether there is a staleness marker. Nearly always there is not even a NaN, and to find that out
/// takes a loop that the compiler vectorises.
fn has_stale_marker(values: &[f64]) -> bool {
    values.iter().fold(false, |any, value| any | value.is_nan())
        && values.iter().any(|&value| is_stale_nan(value))
}

/// The samples in a time range.
fn cut(samples: Samples<'_>, range: TimeRange) -> Samples<'_> {
    let bounds = |timestamps: &[i64]| {
        let start = timestamps.partition_point(|&t| t < range.start);
        start..start + timestamps[start..].partition_point(|&t| t <= range.end)
    };
    let floats = bounds(samples.timestamps);
    let histograms = bounds(samples.histogram_timestamps);
    Samples {
        timestamps: &samples.timestamps[floats.clone()],
        values: samples.values.get(floats.clone()).unwrap_or_default(),
        start_timestamps: samples.start_timestamps.get(floats).unwrap_or_default(),
        histogram_timestamps: &samples.histogram_timestamps[histograms.clone()],
        histograms: samples.histograms.get(histograms.clone()).unwrap_or_default(),
        histogram_start_timestamps: samples
            .histogram_start_timestamps
            .get(histograms)
            .unwrap_or_default(),
    }
}

/// What an instant selector takes of the sample that it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// Its value.
    Value,
    /// Its time in seconds.
    Timestamp,
    /// In seconds since when its counter counts, 0 if that is unknown.
    StartTimestamp,
}

/// An instant selector: at each step the newest sample of the window, unless that is a staleness
/// marker.
pub(crate) struct InstantSelector<'a> {
    pub(crate) samples: SelectorSamples<'a>,
    pub(crate) take: Take,
    /// The label sets of the output.
    pub(crate) series: Vec<Series>,
    /// Where the operation keeps its tables.
    pub(crate) operation: usize,
}

impl InstantSelector<'_> {
    /// What is taken of a sample.
    fn take(&self, samples: &Samples<'_>, at: usize) -> f64 {
        match self.take {
            Take::Value => samples.values[at],
            Take::Timestamp => samples.timestamps[at] as f64 / 1000.0,
            Take::StartTimestamp => {
                samples.start_timestamps.get(at).copied().unwrap_or(0) as f64 / 1000.0
            }
        }
    }
}

impl Operator for InstantSelector<'_> {
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
        let mut tables = scratch.take_tables(self.operation);
        let samples = self.samples.read_raw(index, &mut buffer.raw)?;
        let windows = &self.samples.select.windows;
        tables.windows.update(windows, samples.timestamps);
        out.reset(windows.len);
        let stale = has_stale_marker(samples.values);
        for piece in &tables.windows.pieces {
            if self.take == Take::Value
                && !stale
                && let Some(stride) = piece.stride
            {
                let newest = tables.windows.at(piece.from).end - 1;
                let values = samples.values[newest..].iter().step_by(stride);
                let results = &mut out.values[piece.from..piece.to];
                results.iter_mut().zip(values).for_each(|(result, value)| *result = *value);
                out.valid.insert_range(piece.from, piece.to);
                continue;
            }
            for step in piece.from..piece.to {
                let Some(newest) = tables.windows.at(step).last() else { continue };
                if !stale || !is_stale_nan(samples.values[newest]) {
                    out.set(step, self.take(&samples, newest));
                }
            }
        }
        scratch.give_tables(self.operation, tables);
        scratch.give_buffer(buffer);
        Ok(())
    }

    fn depth(&self) -> usize {
        1
    }
}

/// Selects the series of all selections of a plan.
pub(crate) fn select_all<'a>(
    context: &Context<'a>,
    plan: &Plan,
) -> Result<Vec<Box<dyn SelectedSeries + 'a>>, EngineError> {
    let select = |selection: &Selection| -> Result<Box<dyn SelectedSeries + 'a>, EngineError> {
        context.limits.check()?;
        let hints = SelectHints {
            step: if plan.grid.len > 1 { plan.grid.step } else { 0 },
            range: selection.window,
            function: None,
        };
        let request = SelectRequest {
            matchers: &selection.matchers,
            range: selection.range,
            hints,
            cancellation: context.limits.cancellation(),
        };
        Ok(context.storage.select(&request)?)
    };
    plan.selections.iter().map(select).collect()
}
