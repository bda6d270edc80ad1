//! Series in memory.
//!
//! What is loaded from fixtures and exposition text ends up here: immutable columns and an
//! inverted index. Series are numbered in the order of their labels, so a list of series that is
//! sorted by number is sorted by labels, which is the order that the engine wants. Series of one
//! target have their samples at the same times; such a column of timestamps is kept once.

mod index;

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use promql_engine::{
    LabelQuery, MetricMetadata, SampleBuffer, Samples, SelectRequest, SelectedSeries, Storage,
    StorageError, TimeRange,
};
use promql_model::{FloatHistogram, Labels, RunReader};

use crate::columns::push_start;
use index::Index;

/// The samples of one series, in columns: floats and native histograms, each in order of time.
/// The fields are those of [`Samples`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// See [`Samples::timestamps`].
    pub timestamps: Vec<i64>,
    /// See [`Samples::values`].
    pub values: Vec<f64>,
    /// See [`Samples::start_timestamps`].
    pub start_timestamps: Vec<i64>,
    /// See [`Samples::histogram_timestamps`].
    pub histogram_timestamps: Vec<i64>,
    /// See [`Samples::histograms`].
    pub histograms: Vec<FloatHistogram>,
    /// See [`Samples::histogram_start_timestamps`].
    pub histogram_start_timestamps: Vec<i64>,
}

impl Columns {
    /// Adds a float. `start` is the time since when its counter counts, 0 if that is unknown.
    pub fn push_float(&mut self, timestamp: i64, value: f64, start: i64) {
        push_start(&mut self.start_timestamps, start, self.timestamps.len());
        self.timestamps.push(timestamp);
        self.values.push(value);
    }

    /// Adds a histogram, with its `start` likewise.
    pub fn push_histogram(&mut self, timestamp: i64, histogram: FloatHistogram, start: i64) {
        let length = self.histogram_timestamps.len();
        push_start(&mut self.histogram_start_timestamps, start, length);
        self.histogram_timestamps.push(timestamp);
        self.histograms.push(histogram);
    }

    /// The samples, lent.
    pub fn samples(&self) -> Samples<'_> {
        Samples {
            timestamps: &self.timestamps,
            values: &self.values,
            start_timestamps: &self.start_timestamps,
            histogram_timestamps: &self.histogram_timestamps,
            histograms: &self.histograms,
            histogram_start_timestamps: &self.histogram_start_timestamps,
            ..Samples::default()
        }
    }

    /// Gives the histograms the hints and buckets that Prometheus would read them back with.
    fn read_back(&mut self) {
        if self.histograms.is_empty() {
            return;
        }
        let histograms = &mut self.histograms[..];
        let mut runs = RunReader::default();
        let mut floats = self.timestamps.iter().zip(&self.values).peekable();
        for (at, time) in self.histogram_timestamps.iter().enumerate() {
            while let Some((_, value)) = floats.next_if(|(float, _)| *float < time) {
                runs.float(histograms, *value);
            }
            runs.histogram(histograms, at);
        }
        runs.finish(histograms);
    }
}

impl From<SampleBuffer> for Columns {
    fn from(buffer: SampleBuffer) -> Self {
        Columns {
            timestamps: buffer.timestamps,
            values: buffer.values,
            start_timestamps: buffer.start_timestamps,
            histogram_timestamps: buffer.histogram_timestamps,
            histograms: buffer.histograms,
            histogram_start_timestamps: buffer.histogram_start_timestamps,
        }
    }
}

/// Collects series for a [`MemoryStorage`].
#[derive(Clone, Debug, Default)]
pub struct MemoryBuilder {
    series: Vec<(Labels, Columns)>,
    metadata: BTreeMap<String, MetricMetadata>,
}

impl MemoryBuilder {
    /// Adds a series; one with the same labels is replaced. Timestamps ascend strictly and there
    /// are as many values as timestamps. Native histograms get the hints about counter resets and
    /// the empty buckets that Prometheus would read them back with ([`RunReader`]).
    pub fn insert(&mut self, labels: Labels, columns: Columns) {
        self.series.push((labels, columns));
    }

    /// What is known about a metric family; nothing at first.
    pub fn metadata(&mut self, family: &str) -> &mut MetricMetadata {
        if !self.metadata.contains_key(family) {
            let unknown =
                MetricMetadata { metric_type: "unknown".to_owned(), ..MetricMetadata::default() };
            self.metadata.insert(family.to_owned(), unknown);
        }
        self.metadata.entry(family.to_owned()).or_default()
    }

    /// The finished storage.
    pub fn build(mut self) -> MemoryStorage {
        // Of series with the same labels the sort keeps the order, and the last one counts.
        self.series.sort_by(|a, b| a.0.cmp(&b.0));
        self.series.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        let mut timestamp_columns = Interned::default();
        let mut labels = Vec::with_capacity(self.series.len());
        let mut series = Vec::with_capacity(self.series.len());
        for (label_set, mut columns) in self.series {
            columns.read_back();
            labels.push(label_set);
            series.push(Series {
                timestamps: timestamp_columns.share(columns.timestamps),
                values: columns.values.into(),
                start_timestamps: timestamp_columns.share(columns.start_timestamps),
                histogram_timestamps: timestamp_columns.share(columns.histogram_timestamps),
                histograms: columns.histograms.into(),
                histogram_start_timestamps: timestamp_columns
                    .share(columns.histogram_start_timestamps),
            });
        }
        let index = Index::new(&labels);
        MemoryStorage {
            contents: Arc::new(Contents { labels, series, index, metadata: self.metadata }),
        }
    }
}

/// Keeps one of all equal columns.
#[derive(Default)]
struct Interned<T> {
    columns: HashMap<Arc<[T]>, ()>,
    /// Most columns are empty.
    empty: Arc<[T]>,
}

impl<T: Eq + Hash> Interned<T> {
    fn share(&mut self, column: Vec<T>) -> Arc<[T]> {
        if column.is_empty() {
            return Arc::clone(&self.empty);
        }
        if let Some((known, ())) = self.columns.get_key_value(&*column) {
            return Arc::clone(known);
        }
        let column: Arc<[T]> = column.into();
        self.columns.insert(Arc::clone(&column), ());
        column
    }
}

/// Series in memory with an index. Cloning is cheap: clones share the series.
///
/// ```
/// use promql_engine::{LabelQuery, Storage, TimeRange};
/// use promql_model::Labels;
/// use promql_storage::{Columns, MemoryBuilder};
///
/// let mut builder = MemoryBuilder::default();
/// builder.insert(
///     Labels::from_pairs([("__name__", "up"), ("job", "api")]),
///     Columns { timestamps: vec![0, 15_000], values: vec![1.0, 0.0], ..Columns::default() },
/// );
/// let storage = builder.build();
/// let everything = LabelQuery { selectors: &[], range: TimeRange::ALL };
/// assert_eq!(storage.label_values("job", &everything).unwrap(), ["api"]);
/// ```
#[derive(Clone, Debug)]
pub struct MemoryStorage {
    contents: Arc<Contents>,
}

#[derive(Debug)]
struct Contents {
    /// Of all series, sorted.
    labels: Vec<Labels>,
    series: Vec<Series>,
    index: Index,
    metadata: BTreeMap<String, MetricMetadata>,
}

#[derive(Debug)]
struct Series {
    timestamps: Arc<[i64]>,
    values: Box<[f64]>,
    start_timestamps: Arc<[i64]>,
    histogram_timestamps: Arc<[i64]>,
    histograms: Box<[FloatHistogram]>,
    histogram_start_timestamps: Arc<[i64]>,
}

impl Series {
    fn samples(&self) -> Samples<'_> {
        Samples {
            timestamps: &self.timestamps,
            values: &self.values,
            start_timestamps: &self.start_timestamps,
            histogram_timestamps: &self.histogram_timestamps,
            histograms: &self.histograms,
            histogram_start_timestamps: &self.histogram_start_timestamps,
            ..Samples::default()
        }
    }

    /// Whether the samples reach into a range. There may be a gap where the range is.
    fn reaches_into(&self, range: TimeRange) -> bool {
        let reaches = |timestamps: &[i64]| match (timestamps.first(), timestamps.last()) {
            (Some(start), Some(end)) => range.overlaps(TimeRange { start: *start, end: *end }),
            _ => false,
        };
        reaches(&self.timestamps) || reaches(&self.histogram_timestamps)
    }
}

impl MemoryStorage {
    /// The labels of all series, sorted.
    pub fn series(&self) -> &[Labels] {
        &self.contents.labels
    }

    /// The samples of the series at a position of [`series`](Self::series).
    pub fn samples(&self, index: usize) -> Option<Samples<'_>> {
        Some(self.contents.series.get(index)?.samples())
    }

    /// From the first sample to the last; nothing if there are none.
    pub fn time_range(&self) -> Option<TimeRange> {
        let ends = |series: &Series| {
            let columns = [&series.timestamps, &series.histogram_timestamps];
            let ends = columns.into_iter().filter_map(|column| {
                Some(TimeRange { start: *column.first()?, end: *column.last()? })
            });
            ends.reduce(TimeRange::union)
        };
        self.contents.series.iter().filter_map(ends).reduce(TimeRange::union)
    }

    /// The numbers of the series that count for a question about labels, or nothing if all do.
    fn counted(&self, query: &LabelQuery<'_>) -> Option<Vec<u32>> {
        if query.selectors.is_empty() && query.range == TimeRange::ALL {
            return None;
        }
        let contents = &*self.contents;
        let mut numbers: Vec<u32> = match query.selectors {
            [] => (0..contents.labels.len() as u32).collect(),
            selectors => {
                let found = |matchers: &Vec<_>| contents.index.select(matchers, &contents.labels);
                selectors.iter().flat_map(found).collect()
            }
        };
        numbers.sort_unstable();
        numbers.dedup();
        if query.range != TimeRange::ALL {
            numbers.retain(|number| contents.series[*number as usize].reaches_into(query.range));
        }
        Some(numbers)
    }
}

impl Storage for MemoryStorage {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        let contents = &*self.contents;
        let mut numbers = contents.index.select(request.matchers, &contents.labels);
        numbers.retain(|number| contents.series[*number as usize].reaches_into(request.range));
        let labels = numbers.iter().map(|n| contents.labels[*n as usize].clone()).collect();
        Ok(Box::new(Selection { contents, numbers, labels }))
    }

    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        let Some(numbers) = self.counted(query) else {
            return Ok(self.contents.index.names());
        };
        let labels = &self.contents.labels;
        let names = numbers.iter().flat_map(|n| labels[*n as usize].iter().map(|(name, _)| name));
        Ok(sorted(names))
    }

    fn label_values(
        &self,
        name: &str,
        query: &LabelQuery<'_>,
    ) -> Result<Vec<String>, StorageError> {
        let Some(numbers) = self.counted(query) else {
            return Ok(self.contents.index.values(name));
        };
        let labels = &self.contents.labels;
        Ok(sorted(numbers.iter().filter_map(|n| labels[*n as usize].get(name))))
    }

    fn metadata(
        &self,
        metric: Option<&str>,
    ) -> Result<BTreeMap<String, Vec<MetricMetadata>>, StorageError> {
        let all = &self.contents.metadata;
        let entry = |(family, metadata): (&String, &MetricMetadata)| {
            (family.clone(), vec![metadata.clone()])
        };
        Ok(match metric {
            None => all.iter().map(entry).collect(),
            Some(metric) => all.get_key_value(metric).map(entry).into_iter().collect(),
        })
    }
}

/// Sorted, each once.
fn sorted<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut texts: Vec<&str> = texts.collect();
    texts.sort_unstable();
    texts.dedup();
    texts.into_iter().map(str::to_owned).collect()
}

/// What was selected; everything is lent from the storage.
struct Selection<'a> {
    contents: &'a Contents,
    numbers: Vec<u32>,
    labels: Vec<Labels>,
}

impl SelectedSeries for Selection<'_> {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read<'b>(
        &'b self,
        index: usize,
        _: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError> {
        match self.numbers.get(index) {
            Some(number) => Ok(self.contents.series[*number as usize].samples()),
            None => Err(StorageError::new(format!("there is no selected series {index}"))),
        }
    }
}
