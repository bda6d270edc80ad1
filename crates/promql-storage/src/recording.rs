//! A storage that remembers what was read from it.
//!
//! Whoever evaluates over it leaves behind exactly the series and samples that the evaluation asked
//! for: enough for the same evaluation to come to the same result, and no more.

use std::collections::BTreeMap;
use std::sync::Mutex;

use promql_engine::{
    KeptColumns, LabelQuery, MetricMetadata, SampleBuffer, Samples, SelectRequest, SelectedSeries,
    Storage, StorageError, TimeRange,
};
use promql_model::{Annotation, Labels};

use crate::columns::{append, sort};
use crate::memory::Columns;

/// Reads another storage and remembers the samples that were read.
///
/// ```
/// use promql_engine::{QueryOptions, evaluate};
/// use promql_model::Labels;
/// use promql_storage::{Columns, MemoryBuilder, RecordingStorage};
///
/// let mut builder = MemoryBuilder::default();
/// for name in ["up", "down"] {
///     let columns = Columns { timestamps: vec![0], values: vec![1.0], ..Columns::default() };
///     builder.insert(Labels::from_pairs([("__name__", name)]), columns);
/// }
/// let storage = RecordingStorage::new(builder.build());
/// let query = promql_syntax::compile("up", &Default::default()).unwrap();
/// evaluate(&query, &storage, &QueryOptions::instant(0))?;
/// let names: Vec<String> = storage.recorded().iter().map(|(labels, _)| labels.to_string()).collect();
/// assert_eq!(names, [r#"{__name__="up"}"#]);
/// # Ok::<(), promql_engine::EngineError>(())
/// ```
#[derive(Debug)]
pub struct RecordingStorage<S> {
    storage: S,
    series: Mutex<BTreeMap<Labels, Recorded>>,
}

/// What was read of a series.
#[derive(Debug, Default)]
struct Recorded {
    samples: SampleBuffer,
    /// A range of which all samples are there.
    covered: Option<TimeRange>,
}

impl<S: Storage> RecordingStorage<S> {
    /// Remembers from now on what is read from a storage.
    pub fn new(storage: S) -> Self {
        RecordingStorage { storage, series: Mutex::default() }
    }

    /// The series that were read, sorted by labels, with the samples of the ranges that they were
    /// asked for. A series that had no sample there is left out.
    pub fn recorded(&self) -> Vec<(Labels, Columns)> {
        let series = match self.series.lock() {
            Ok(series) => series,
            // A reader that panicked has added all of its samples or none.
            Err(poisoned) => poisoned.into_inner(),
        };
        let columns = |(labels, recorded): (&Labels, &Recorded)| {
            let mut samples = recorded.samples.clone();
            sort(&mut samples);
            (labels.clone(), Columns::from(samples))
        };
        let has_samples = |(_, columns): &(Labels, Columns)| {
            !columns.timestamps.is_empty() || !columns.histogram_timestamps.is_empty()
        };
        series.iter().map(columns).filter(has_samples).collect()
    }

    fn record(&self, labels: &Labels, range: TimeRange, samples: &Samples<'_>) {
        let mut series = match self.series.lock() {
            Ok(series) => series,
            Err(poisoned) => poisoned.into_inner(),
        };
        if !series.contains_key(labels) {
            series.insert(labels.clone(), Recorded::default());
        }
        let Some(recorded) = series.get_mut(labels) else { return };
        let covered = recorded.covered;
        if covered.is_some_and(|known| known.start <= range.start && range.end <= known.end) {
            return;
        }
        // Of ranges that go on forwards, as those of rules do, only what is new.
        let new = match covered {
            Some(known) if known.start <= range.start && range.start <= known.end => {
                TimeRange { start: known.end.saturating_add(1), end: range.end }
            }
            _ => range,
        };
        append(&mut recorded.samples, &clipped(samples, new));
        recorded.covered = match covered {
            Some(known) if known.overlaps(range) => Some(known.union(range)),
            _ => Some(range),
        };
    }
}

/// The samples within a range.
fn clipped<'a>(samples: &Samples<'a>, range: TimeRange) -> Samples<'a> {
    let within = |times: &[i64]| {
        let start = times.partition_point(|time| *time < range.start);
        start..times.partition_point(|time| *time <= range.end).max(start)
    };
    let (floats, histograms) = (within(samples.timestamps), within(samples.histogram_timestamps));
    let starts =
        |starts: &'a [i64], of: &std::ops::Range<usize>| starts.get(of.clone()).unwrap_or_default();
    Samples {
        start_timestamps: starts(samples.start_timestamps, &floats),
        histogram_start_timestamps: starts(samples.histogram_start_timestamps, &histograms),
        timestamps: &samples.timestamps[floats.clone()],
        values: &samples.values[floats.clone()],
        histogram_timestamps: &samples.histogram_timestamps[histograms.clone()],
        histograms: &samples.histograms[histograms],
        known: samples.known.behind(floats.start),
    }
}

impl<S: Storage> Storage for RecordingStorage<S> {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        let selected = self.storage.select(request)?;
        Ok(Box::new(Selected { storage: self, selected, range: request.range }))
    }

    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        self.storage.label_names(query)
    }

    fn label_values(
        &self,
        name: &str,
        query: &LabelQuery<'_>,
    ) -> Result<Vec<String>, StorageError> {
        self.storage.label_values(name, query)
    }

    fn kept_columns(&self) -> Option<KeptColumns> {
        self.storage.kept_columns()
    }

    fn metadata(
        &self,
        metric: Option<&str>,
    ) -> Result<BTreeMap<String, Vec<MetricMetadata>>, StorageError> {
        self.storage.metadata(metric)
    }
}

struct Selected<'a, S> {
    storage: &'a RecordingStorage<S>,
    selected: Box<dyn SelectedSeries + 'a>,
    range: TimeRange,
}

impl<S: Storage> SelectedSeries for Selected<'_, S> {
    fn labels(&self) -> &[Labels] {
        self.selected.labels()
    }

    fn read<'b>(
        &'b self,
        index: usize,
        buffer: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError> {
        let samples = self.selected.read(index, buffer)?;
        if let Some(labels) = self.labels().get(index) {
            self.storage.record(labels, self.range, &samples);
        }
        Ok(samples)
    }

    fn annotations(&self) -> &[Annotation] {
        self.selected.annotations()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryBuilder;
    use promql_engine::{Cancellation, SelectHints};

    #[test]
    fn what_was_asked_for_is_remembered_once() {
        let mut builder = MemoryBuilder::default();
        let timestamps: Vec<i64> = (0..10).map(|k| k * 10).collect();
        let values = (0..10).map(f64::from).collect();
        let columns = Columns { timestamps, values, ..Columns::default() };
        builder.insert(Labels::from_pairs([("__name__", "x")]), columns);
        let storage = RecordingStorage::new(builder.build());
        for (start, end) in [(15, 30), (20, 50), (20, 40), (70, 75), (0, 5), (75, 76)] {
            let cancellation = Cancellation::default();
            let request = SelectRequest {
                matchers: &[],
                range: TimeRange { start, end },
                hints: SelectHints::default(),
                cancellation: &cancellation,
            };
            let selected = storage.select(&request).expect("in memory");
            selected.read(0, &mut SampleBuffer::default()).expect("in memory");
        }
        let recorded = storage.recorded();
        assert_eq!(recorded[0].1.timestamps, [0, 20, 30, 40, 50, 70]);
        assert_eq!(recorded[0].1.values, [0.0, 2.0, 3.0, 4.0, 5.0, 7.0]);
    }
}
