//! Selectors: the series of the storage as columns, or as the samples of windows.

use promql_model::{FloatHistogram, is_stale_nan};

use crate::EngineError;
use crate::column::Column;
use crate::context::Context;
use crate::operator::{Operator, RangeSource, Series};
use crate::over_range::extended::loaded;
use crate::plan::{Plan, Select, Selection};
use crate::storage::{
    SampleBuffer, Samples, SelectHints, SelectRequest, SelectedSeries, TimeRange,
};
use crate::totals;
use crate::window::{WindowTable, Windows};
use crate::workers::{Decoded, RangeBuffer, Scratch, Tables};

/// The samples of a selector, cut to the time that is needed.
pub(crate) struct SelectorSamples<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) selected: &'a dyn SelectedSeries,
    pub(crate) series: Vec<Series>,
    pub(crate) select: Select,
    /// Whether histograms are needed without buckets.
    pub(crate) totals: bool,
    /// Whether the samples are asked for by several selectors, so that what had to be decoded is
    /// worth remembering.
    pub(crate) remember: bool,
}

/// How many series are read between two looks at the clock, which take as long as a twentieth of reading
/// a series that is in memory.
const SERIES_BETWEEN_LOOKS: usize = 8;

/// What to do with staleness markers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StaleMarkers {
    Keep,
    Drop,
}

impl<'a> SelectorSamples<'a> {
    pub(crate) fn new(
        context: &'a Context<'a>,
        selected: &'a dyn SelectedSeries,
        select: Select,
    ) -> Self {
        let series = selected.labels().iter().cloned().map(Series::new).collect();
        SelectorSamples { context, selected, series, select, totals: false, remember: false }
    }

    /// The windows with the samples around them that are needed.
    pub(crate) fn loaded(&self) -> Windows {
        loaded(&self.select.windows, self.select.before, self.select.after)
    }

    fn time_range(&self) -> TimeRange {
        let range = self.loaded().time_range();
        // The sample at the very start of a window tells about a reset right after it.
        TimeRange { start: range.start.saturating_sub(i64::from(self.totals)), ..range }
    }

    fn read_samples<'b>(
        &'b self,
        index: usize,
        scratch: &mut Scratch,
        buffer: &'b mut RangeBuffer,
        markers: StaleMarkers,
    ) -> Result<Samples<'b>, EngineError> {
        match index.is_multiple_of(SERIES_BETWEEN_LOOKS) {
            true => self.context.limits.check()?,
            false => self.context.limits.check_cancellation()?,
        }
        let place = (self.select.selection, index);
        let is_decoded = self.remember && scratch.take_decoded(place, buffer);
        let RangeBuffer { raw, clean, decoded } = buffer;
        let all = match is_decoded {
            true => raw.samples(),
            false => self.selected.read(index, raw)?,
        };
        *decoded = self.remember.then(|| Decoded::new(place, &all));
        let mut samples = cut(all, self.time_range());
        if let Some(statistics) = &self.context.statistics
            && !is_decoded
        {
            // Without a selector an operation selects on its own.
            let selection = self.select.selector.map(|_| self.select.selection);
            statistics
                .read(selection, samples.timestamps.len() + samples.histogram_timestamps.len());
        }
        // Positions in columns have 32 bits. As a limit on one series that is generous.
        let most = samples.values.len().max(samples.histograms.len());
        if u32::try_from(most).is_err() {
            return Err(self.context.limits.too_many_samples(most));
        }
        let drop = markers == StaleMarkers::Drop;
        let histograms_change = !samples.histograms.is_empty()
            && (self.totals || drop && samples.histograms.iter().any(FloatHistogram::is_stale));
        let floats_change = drop && has_stale_marker(&samples);
        if !histograms_change && !floats_change {
            return Ok(samples);
        }
        clean.clear();
        if histograms_change {
            self.clean_histograms(&samples, clean, drop);
        }
        if floats_change {
            for (at, &value) in samples.values.iter().enumerate() {
                if !is_stale_nan(value) {
                    clean.timestamps.push(samples.timestamps[at]);
                    clean.values.push(value);
                    clean.start_timestamps.extend(samples.start_timestamps.get(at));
                }
            }
        }
        let cleaned = clean.samples();
        if histograms_change {
            samples.histogram_timestamps = cleaned.histogram_timestamps;
            samples.histograms = cleaned.histograms;
            samples.histogram_start_timestamps = cleaned.histogram_start_timestamps;
        }
        if floats_change {
            samples.timestamps = cleaned.timestamps;
            samples.values = cleaned.values;
            samples.start_timestamps = cleaned.start_timestamps;
            samples.known = cleaned.known;
        }
        Ok(samples)
    }

    fn clean_histograms(&self, samples: &Samples<'_>, clean: &mut SampleBuffer, drop: bool) {
        clean.histogram_timestamps.extend_from_slice(samples.histogram_timestamps);
        clean.histogram_start_timestamps.extend_from_slice(samples.histogram_start_timestamps);
        match self.totals {
            true => totals::read(samples, &self.loaded(), &mut clean.histograms),
            false => clean.histograms.extend_from_slice(samples.histograms),
        }
        if !drop {
            return;
        }
        let stale = |at: usize| samples.histograms[at].is_stale();
        retain_positions(&mut clean.histogram_timestamps, |at| !stale(at));
        retain_positions(&mut clean.histogram_start_timestamps, |at| !stale(at));
        retain_positions(&mut clean.histograms, |at| !stale(at));
    }
}

/// Keeps the items at some positions.
fn retain_positions<T>(items: &mut Vec<T>, keep: impl Fn(usize) -> bool) {
    let mut at = 0;
    items.retain(|_| {
        at += 1;
        keep(at - 1)
    });
}

impl RangeSource for SelectorSamples<'_> {
    fn series(&self) -> &[Series] {
        &self.series
    }

    fn read<'b>(
        &'b self,
        index: usize,
        scratch: &mut Scratch,
        buffer: &'b mut RangeBuffer,
    ) -> Result<Samples<'b>, EngineError> {
        self.read_samples(index, scratch, buffer, StaleMarkers::Drop)
    }

    fn depth(&self) -> usize {
        1
    }
}

/// Whether there is a staleness marker. Nearly always there is not even a NaN, and to find that out
/// takes a loop that the compiler vectorises.
fn has_stale_marker(samples: &Samples<'_>) -> bool {
    !samples.known.has_no_nan
        && samples.values.iter().fold(false, |any, value| any | value.is_nan())
        && samples.values.iter().any(|&value| is_stale_nan(value))
}

/// The samples in a time range.
fn cut(samples: Samples<'_>, range: TimeRange) -> Samples<'_> {
    let bounds = |timestamps: &[i64]| {
        // Mostly a storage gives no more than what was asked for.
        let start = match timestamps.first() {
            Some(first) if *first < range.start => timestamps.partition_point(|&t| t < range.start),
            _ => 0,
        };
        match timestamps.last() {
            Some(last) if *last > range.end => {
                start..start + timestamps[start..].partition_point(|&t| t <= range.end)
            }
            _ => start..timestamps.len(),
        }
    };
    let floats = bounds(samples.timestamps);
    let histograms = bounds(samples.histogram_timestamps);
    Samples {
        known: samples.known.behind(floats.start),
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
    /// The label sets of the output, unless values are taken, which have those of the storage.
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

    /// Puts what is taken of a histogram into a column.
    fn take_histogram(&self, samples: &Samples<'_>, at: usize, step: usize, out: &mut Column) {
        match self.take {
            Take::Value => out.histogram_slot(step).clone_from(&samples.histograms[at]),
            Take::Timestamp => out.set(step, samples.histogram_timestamps[at] as f64 / 1000.0),
            Take::StartTimestamp => {
                let start = samples.histogram_start_timestamps.get(at).copied().unwrap_or(0);
                out.set(step, start as f64 / 1000.0);
            }
        }
    }

    /// A series of floats.
    fn floats(&self, samples: &Samples<'_>, table: &WindowTable, out: &mut Column) {
        let stale = has_stale_marker(samples);
        for piece in &table.pieces {
            if self.take == Take::Value
                && !stale
                && let Some(stride) = piece.stride
            {
                let newest = table.at(piece.from).end - 1;
                let values = samples.values[newest..].iter().step_by(stride);
                let results = &mut out.values[piece.from..piece.to];
                results.iter_mut().zip(values).for_each(|(result, value)| *result = *value);
                out.valid.insert_range(piece.from, piece.to);
                continue;
            }
            for step in piece.from..piece.to {
                let Some(newest) = table.at(step).last() else { continue };
                if !stale || !is_stale_nan(samples.values[newest]) {
                    out.set(step, self.take(samples, newest));
                }
            }
        }
    }

    /// A series with histograms, and floats maybe.
    fn mixed(&self, samples: &Samples<'_>, tables: &Tables, out: &mut Column) {
        for step in 0..out.len() {
            let float = tables.windows.at(step).last();
            let histogram = tables.histogram_windows.at(step).last();
            let float_time = float.map(|at| samples.timestamps[at]);
            match histogram {
                Some(at) if Some(samples.histogram_timestamps[at]) > float_time => {
                    if !samples.histograms[at].is_stale() {
                        self.take_histogram(samples, at, step, out);
                    }
                }
                _ => match float {
                    Some(at) if !is_stale_nan(samples.values[at]) => {
                        out.set(step, self.take(samples, at));
                    }
                    _ => {}
                },
            }
        }
    }
}

impl Operator for InstantSelector<'_> {
    fn series(&self) -> &[Series] {
        match self.take {
            Take::Value => &self.samples.series,
            Take::Timestamp | Take::StartTimestamp => &self.series,
        }
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        let mut buffer = scratch.take_buffer();
        let samples = self.samples.read_samples(index, scratch, &mut buffer, StaleMarkers::Keep)?;
        let mut tables = scratch.take_tables(self.operation, &samples);
        let windows = &self.samples.select.windows;
        tables.windows.update(windows, samples.timestamps, samples.known.timestamps);
        out.reset(windows.len);
        if samples.histograms.is_empty() {
            self.floats(&samples, &tables.windows, out);
        } else {
            tables.histogram_windows.update(windows, samples.histogram_timestamps, None);
            self.mixed(&samples, &tables, out);
        }
        if let Some(statistics) = &self.samples.context.statistics {
            statistics.queried((self.operation, index), out.samples());
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
    let select = |(at, selection): (usize, &Selection)| {
        context.limits.check()?;
        let start = std::time::Instant::now();
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
        let selected = context.storage.select(&request)?;
        context.annotations.of_storage(selected.annotations());
        if let Some(statistics) = &context.statistics {
            statistics.selected(at, start.elapsed(), selected.labels().len());
        }
        Ok(selected)
    };
    plan.selections.iter().enumerate().map(select).collect()
}
