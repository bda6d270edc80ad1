//! The one way to the outside: where series come from.
//!
//! Evaluation needs two things of a series at two times. Its labels are needed before anything is
//! computed, for all series at once, since matching, grouping and joining happen once for a query.
//! Its samples are needed later, for one series at a time, in any order and from several threads,
//! as columns that a kernel can run over. [`Storage::select`] therefore gives the label sets at
//! once and a handle that reads the samples of the series one wants:
//! [`SelectedSeries::read`] lends slices that lie in memory, or decodes into a buffer that the
//! reader keeps for the next series.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use promql_model::{Annotation, FloatHistogram, Labels, Matcher};

use crate::{Cancellation, KnownFloats};

/// A place that holds series. Any number of threads may ask it at the same time.
///
/// A storage in memory, in full:
///
/// ```
/// use promql_engine::{
///     LabelQuery, MetricMetadata, SampleBuffer, Samples, SelectRequest, SelectedSeries, Storage,
///     StorageError,
/// };
/// use promql_model::Labels;
///
/// struct OneSeries { labels: [Labels; 1], timestamps: Vec<i64>, values: Vec<f64> }
///
/// impl Storage for OneSeries {
///     fn select<'a>(
///         &'a self,
///         request: &SelectRequest<'_>,
///     ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
///         let selected = request.matches(&self.labels[0]);
///         Ok(Box::new(Selection { storage: self, selected }))
///     }
///     fn label_names(&self, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
///         Ok(self.labels[0].iter().map(|(name, _)| name.to_owned()).collect())
///     }
///     fn label_values(&self, name: &str, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
///         Ok(self.labels[0].get(name).map(str::to_owned).into_iter().collect())
///     }
/// }
///
/// struct Selection<'a> { storage: &'a OneSeries, selected: bool }
///
/// impl SelectedSeries for Selection<'_> {
///     fn labels(&self) -> &[Labels] {
///         if self.selected { &self.storage.labels } else { &[] }
///     }
///     fn read<'b>(&'b self, _: usize, _: &'b mut SampleBuffer) -> Result<Samples<'b>, StorageError> {
///         Ok(Samples::floats(&self.storage.timestamps, &self.storage.values))
///     }
/// }
/// ```
pub trait Storage: Send + Sync {
    /// Selects the series that fulfil all matchers and may have samples in the time range.
    ///
    /// # Errors
    /// Whatever keeps the storage from knowing the series.
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError>;

    /// The names of all labels, sorted, each once.
    ///
    /// # Errors
    /// Whatever keeps the storage from knowing them.
    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError>;

    /// The values of one label, sorted, each once.
    ///
    /// # Errors
    /// Whatever keeps the storage from knowing them.
    fn label_values(&self, name: &str, query: &LabelQuery<'_>)
    -> Result<Vec<String>, StorageError>;

    /// What is known about metrics, by metric family name: all of them, or the one asked for. A
    /// family may be described differently by different targets. By default nothing is known.
    ///
    /// # Errors
    /// Whatever keeps the storage from knowing it.
    fn metadata(
        &self,
        metric: Option<&str>,
    ) -> Result<BTreeMap<String, Vec<MetricMetadata>>, StorageError> {
        let _ = metric;
        Ok(BTreeMap::new())
    }

    /// What is kept of samples that had to be decoded, if anything is. By default nothing is.
    fn kept_columns(&self) -> Option<KeptColumns> {
        None
    }
}

/// What a storage keeps of samples that had to be decoded, so that later queries find them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptColumns {
    /// How much memory they may take, in bytes.
    pub budget: usize,
    /// How much they take, in bytes.
    pub bytes: usize,
    /// How often a column was found.
    pub found: u64,
    /// How many columns were decoded and kept, some of them more than once.
    pub decoded: u64,
}

/// A storage is one by reference, too.
macro_rules! storage_by_reference {
    ($($reference:ty),*) => {
        $(impl<S: Storage + ?Sized> Storage for $reference {
            fn select<'a>(
                &'a self,
                request: &SelectRequest<'_>,
            ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
                (**self).select(request)
            }

            fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
                (**self).label_names(query)
            }

            fn label_values(
                &self,
                name: &str,
                query: &LabelQuery<'_>,
            ) -> Result<Vec<String>, StorageError> {
                (**self).label_values(name, query)
            }

            fn kept_columns(&self) -> Option<KeptColumns> {
                (**self).kept_columns()
            }

            fn metadata(
                &self,
                metric: Option<&str>,
            ) -> Result<BTreeMap<String, Vec<MetricMetadata>>, StorageError> {
                (**self).metadata(metric)
            }
        })*
    };
}

storage_by_reference!(&S, Arc<S>, Box<S>);

/// What is asked of a storage when series are selected.
#[derive(Clone, Copy, Debug)]
pub struct SelectRequest<'a> {
    /// All of these must accept a series. Several may name one label.
    pub matchers: &'a [Matcher],
    /// The samples that will be needed.
    pub range: TimeRange,
    /// What the samples are for. A storage may use it to read less, and need not.
    pub hints: SelectHints<'a>,
    /// Set when nobody waits for the answer any more. A storage that takes its time looks at it.
    pub cancellation: &'a Cancellation,
}

impl SelectRequest<'_> {
    /// Whether all matchers accept a label set.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|m| m.matches(labels.get(m.name()).unwrap_or_default()))
    }
}

/// What selected samples are for, as Prometheus tells its remote storages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelectHints<'a> {
    /// The milliseconds between two evaluations, 0 if there is but one.
    pub step: i64,
    /// The milliseconds that a window reaches back, 0 for an instant selector.
    pub range: i64,
    /// The function or aggregation around the selector.
    pub function: Option<&'a str>,
}

/// What a question about labels is restricted to.
#[derive(Clone, Copy, Debug)]
pub struct LabelQuery<'a> {
    /// Only series that fulfil all matchers of at least one of these selectors count. All series
    /// count when there is no selector.
    pub selectors: &'a [Vec<Matcher>],
    /// Only series that may have samples in this range count.
    pub range: TimeRange,
}

impl LabelQuery<'_> {
    /// Whether a series counts, as far as its labels go.
    pub fn matches(&self, labels: &Labels) -> bool {
        let accepts = |m: &Matcher| -> bool { m.matches(labels.get(m.name()).unwrap_or_default()) };
        self.selectors.is_empty() || self.selectors.iter().any(|s| s.iter().all(accepts))
    }
}

/// A closed range of time: both ends belong to it. Milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// The first millisecond.
    pub start: i64,
    /// The last millisecond.
    pub end: i64,
}

impl TimeRange {
    /// All of time.
    pub const ALL: TimeRange = TimeRange { start: i64::MIN, end: i64::MAX };

    /// Whether a timestamp lies in the range.
    pub const fn contains(self, timestamp: i64) -> bool {
        self.start <= timestamp && timestamp <= self.end
    }

    /// Whether two ranges have a millisecond in common.
    pub const fn overlaps(self, other: TimeRange) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// The smallest range that holds both.
    pub fn union(self, other: TimeRange) -> TimeRange {
        TimeRange { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// The series that [`Storage::select`] found.
pub trait SelectedSeries: Send + Sync {
    /// The labels of each series, sorted in the order of [`Labels`], each set once. The position
    /// of a series in this slice is its index for [`SelectedSeries::read`].
    fn labels(&self) -> &[Labels];

    /// The samples of one series, staleness markers among them.
    ///
    /// All the samples of the requested range are given, in order of time. There may be more at
    /// both ends (whole chunks, or all there is in memory): the evaluator takes what it needs.
    /// What is not in memory as it is gets decoded into `buffer`, whose former content does not
    /// matter. `index` is below the number of [`SelectedSeries::labels`].
    ///
    /// # Errors
    /// Whatever keeps the storage from reading the samples.
    fn read<'b>(
        &'b self,
        index: usize,
        buffer: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError>;

    /// What there is to say about the selection, as that one of several servers did not answer. It
    /// becomes part of what is said about the query. By default there is nothing.
    fn annotations(&self) -> &[Annotation] {
        &[]
    }
}

/// The samples of one series as columns: floats and native histograms, each in order of time. At
/// one time a series has one or the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Samples<'a> {
    /// When the floats were taken: milliseconds since the epoch, strictly ascending.
    pub timestamps: &'a [i64],
    /// The floats, one for each timestamp. Staleness markers are among them.
    pub values: &'a [f64],
    /// For each float since when its counter counts, in milliseconds since the epoch, 0 where that
    /// is unknown. Empty when it is unknown for all.
    pub start_timestamps: &'a [i64],
    /// When the histograms were taken: milliseconds since the epoch, strictly ascending.
    pub histogram_timestamps: &'a [i64],
    /// The native histograms, one for each of their timestamps. A staleness marker is one whose sum
    /// is the marker.
    pub histograms: &'a [FloatHistogram],
    /// The same as `start_timestamps` for the histograms.
    pub histogram_start_timestamps: &'a [i64],
    /// What is known about the floats.
    pub known: KnownFloats,
}

impl<'a> Samples<'a> {
    /// A series of floats. The slices have the same length.
    pub fn floats(timestamps: &'a [i64], values: &'a [f64]) -> Self {
        Samples { timestamps, values, ..Samples::default() }
    }
}

/// Samples in memory that belongs to the reader, kept from series to series so that decoding
/// allocates nothing in the long run.
#[derive(Clone, Debug, Default)]
pub struct SampleBuffer {
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
    /// Floats that are not in the buffer but in the memory of the storage, which others may read as
    /// well, held for as long as they are needed.
    pub lent: Option<Arc<dyn LentColumns>>,
    /// The timestamps of the values in the buffer, if they are in the memory of the storage, from this
    /// position on: then there are none in `timestamps`.
    pub lent_timestamps: Option<(Arc<dyn LentColumns>, usize)>,
    /// Whether it is known of the values in the buffer that none is NaN. Looked at only where
    /// timestamps are lent.
    pub has_no_nan: bool,
}

/// Columns of floats in the memory of a storage that may let go of them: whoever reads them holds
/// them.
pub trait LentColumns: fmt::Debug + Send + Sync {
    /// See [`Samples::timestamps`].
    fn timestamps(&self) -> &[i64];

    /// See [`Samples::values`].
    fn values(&self) -> &[f64];

    /// See [`Samples::known`]. By default that is nothing.
    fn known(&self) -> KnownFloats {
        KnownFloats::default()
    }
}

impl SampleBuffer {
    /// Holds columns of a storage, and gives the samples at some positions, or none if there are not
    /// so many.
    pub fn lend(&mut self, columns: Arc<dyn LentColumns>, range: Range<usize>) -> Samples<'_> {
        let (columns, start) = (self.lent.insert(columns), range.start);
        match (columns.timestamps().get(range.clone()), columns.values().get(range)) {
            (Some(timestamps), Some(values)) => Samples {
                known: columns.known().behind(start),
                ..Samples::floats(timestamps, values)
            },
            _ => Samples::default(),
        }
    }

    /// Removes all samples and keeps the memory.
    pub fn clear(&mut self) {
        self.lent = None;
        self.lent_timestamps = None;
        self.has_no_nan = false;
        self.timestamps.clear();
        self.values.clear();
        self.start_timestamps.clear();
        self.histogram_timestamps.clear();
        self.histograms.clear();
        self.histogram_start_timestamps.clear();
    }

    /// How much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let times = [
            &self.timestamps,
            &self.start_timestamps,
            &self.histogram_timestamps,
            &self.histogram_start_timestamps,
        ];
        (times.iter().map(|t| t.capacity()).sum::<usize>() + self.values.capacity()) * 8
            + self.histograms.iter().map(|histogram| histogram.samples() * 16).sum::<usize>()
    }

    /// The samples in the buffer.
    pub fn samples(&self) -> Samples<'_> {
        let lent = self.lent_timestamps.as_ref().and_then(|(columns, start)| {
            let timestamps = columns.timestamps().get(*start..start + self.values.len())?;
            let known = columns.known().behind(*start);
            Some((timestamps, KnownFloats { has_no_nan: self.has_no_nan, ..known }))
        });
        let (timestamps, known) = lent.unwrap_or((&self.timestamps, KnownFloats::default()));
        Samples {
            timestamps,
            known,
            values: &self.values,
            start_timestamps: &self.start_timestamps,
            histogram_timestamps: &self.histogram_timestamps,
            histograms: &self.histograms,
            histogram_start_timestamps: &self.histogram_start_timestamps,
        }
    }
}

/// What a target says about a metric family.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct MetricMetadata {
    /// `counter`, `gauge`, `histogram`, `gaugehistogram`, `summary`, `info`, `stateset` or
    /// `unknown`.
    pub metric_type: String,
    /// The unit, or nothing.
    pub unit: String,
    /// The description.
    pub help: String,
}

/// Why a storage could not answer.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StorageError {
    message: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StorageError {
    /// An error that is said in one sentence.
    pub fn new(message: impl Into<String>) -> Self {
        StorageError { message: message.into(), source: None }
    }

    /// An error that another one caused. The message says what was tried.
    pub fn caused_by(
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        StorageError { message: message.into(), source: Some(source.into()) }
    }
}
