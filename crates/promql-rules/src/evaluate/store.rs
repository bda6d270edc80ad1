//! Series that grow while rules are evaluated.
//!
//! A run of rules asks for few series, often, and adds a sample to some of them in between. So other
//! than in a [`MemoryStorage`](promql_storage::MemoryStorage), which is made once and indexed for
//! many series, everything here can be appended to, and series are found by the name of the metric.

use std::collections::HashMap;

use promql_engine::{
    LabelQuery, SampleBuffer, Samples, SelectRequest, SelectedSeries, Storage, StorageError,
    TimeRange,
};
use promql_model::number::General;
use promql_model::{
    FloatHistogram, Labels, MatchOp, Matcher, RunReader, SampleValue, is_stale_nan,
};
use promql_storage::Columns;

/// Series in memory that can be appended to.
#[derive(Clone, Debug, Default)]
pub struct SeriesStore {
    series: Vec<Series>,
    /// The number of each series.
    numbers: HashMap<Labels, u32>,
    /// The series of each metric, sorted by labels.
    by_name: HashMap<Box<str>, Vec<u32>>,
    /// All series, sorted by labels.
    sorted: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Series {
    labels: Labels,
    columns: Columns,
    runs: RunReader,
}

impl Series {
    /// The time of the last sample.
    fn end(&self) -> Option<i64> {
        let columns = &self.columns;
        columns.timestamps.last().max(columns.histogram_timestamps.last()).copied()
    }

    fn start(&self) -> Option<i64> {
        let columns = &self.columns;
        let starts = [columns.timestamps.first(), columns.histogram_timestamps.first()];
        starts.into_iter().flatten().min().copied()
    }
}

/// Why a sample could not be appended. Displays as Prometheus says it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AppendError {
    /// The series has another sample at this time.
    #[error("{}", duplicate(*.timestamp, .values))]
    Duplicate {
        /// The time, in milliseconds since the epoch.
        timestamp: i64,
        /// The sample that is there and the one that came, if both are floats.
        values: Option<(f64, f64)>,
    },
    /// The series has a later sample.
    #[error("out of order sample")]
    OutOfOrder,
    /// The series has no labels.
    #[error("empty labelset: invalid sample")]
    NoLabels,
}

fn duplicate(timestamp: i64, values: &Option<(f64, f64)>) -> String {
    match values {
        Some((existing, new)) if timestamp != 0 => format!(
            "duplicate sample for timestamp {timestamp}; overrides not allowed: existing {}, new \
             value {}",
            General(*existing),
            General(*new)
        ),
        _ => "duplicate sample for timestamp".to_owned(),
    }
}

impl SeriesStore {
    /// The number of a series, which is made if it isn't there.
    pub(crate) fn number(&mut self, labels: &Labels) -> u32 {
        if let Some(number) = self.numbers.get(labels) {
            return *number;
        }
        let number = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
        let series = &self.series;
        let place = |sorted: &[u32]| {
            sorted.partition_point(|other| series[*other as usize].labels < *labels)
        };
        let name = labels.metric_name().unwrap_or_default();
        let of_name = self.by_name.entry(name.into()).or_default();
        of_name.insert(place(of_name), number);
        let at = place(&self.sorted);
        self.sorted.insert(at, number);
        self.numbers.insert(labels.clone(), number);
        self.series.push(Series {
            labels: labels.clone(),
            columns: Columns::default(),
            runs: RunReader::default(),
        });
        number
    }

    /// Appends a sample.
    ///
    /// # Errors
    /// When the series has a later sample, or another one at this time. The same one over again is
    /// let go.
    pub fn append(
        &mut self,
        labels: &Labels,
        timestamp: i64,
        value: &SampleValue,
    ) -> Result<(), AppendError> {
        if labels.is_empty() {
            return Err(AppendError::NoLabels);
        }
        let number = self.number(labels);
        self.append_to(number, timestamp, value, 0)
    }

    /// Appends a sample to the series of a number. `start` is the time since when it counts, 0 if that
    /// is unknown.
    pub(crate) fn append_to(
        &mut self,
        number: u32,
        timestamp: i64,
        value: &SampleValue,
        start: i64,
    ) -> Result<(), AppendError> {
        let Some(series) = self.series.get_mut(number as usize) else { return Ok(()) };
        let end = series.end();
        if end.is_some_and(|end| end > timestamp) {
            return Err(AppendError::OutOfOrder);
        }
        let columns = &mut series.columns;
        if end == Some(timestamp) {
            let float = columns.timestamps.last().filter(|last| **last == timestamp);
            let float = float.and(columns.values.last().copied());
            return match (float, value) {
                (Some(old), SampleValue::Float(new)) if old.to_bits() == new.to_bits() => Ok(()),
                (Some(old), SampleValue::Float(new)) => {
                    Err(AppendError::Duplicate { timestamp, values: Some((old, *new)) })
                }
                (None, SampleValue::Histogram(new))
                    if columns.histograms.last().is_some_and(|old| is_same(old, new)) =>
                {
                    Ok(())
                }
                _ => Err(AppendError::Duplicate { timestamp, values: None }),
            };
        }
        match value {
            SampleValue::Float(value) => {
                series.runs.float(&mut columns.histograms, *value);
                columns.push_float(timestamp, *value, start);
            }
            SampleValue::Histogram(histogram) => {
                columns.push_histogram(timestamp, (**histogram).clone(), start);
                let last = columns.histograms.len() - 1;
                series.runs.histogram(&mut columns.histograms, last);
                series.runs.finish(&mut columns.histograms);
            }
        }
        Ok(())
    }

    /// Forgets the samples before a time. Series without samples stay, and nobody finds them.
    pub(super) fn forget_before(&mut self, time: i64) {
        for series in &mut self.series {
            let columns = &mut series.columns;
            let floats = columns.timestamps.partition_point(|at| *at < time);
            columns.timestamps.drain(..floats);
            columns.values.drain(..floats);
            let starts = floats.min(columns.start_timestamps.len());
            columns.start_timestamps.drain(..starts);
            let histograms = columns.histogram_timestamps.partition_point(|at| *at < time);
            columns.histogram_timestamps.drain(..histograms);
            columns.histograms.drain(..histograms);
            let starts = histograms.min(columns.histogram_start_timestamps.len());
            columns.histogram_start_timestamps.drain(..starts);
        }
    }

    /// The labels of a series with its samples, in the order of the labels.
    pub fn iter(&self) -> impl Iterator<Item = (&Labels, Samples<'_>)> {
        self.sorted.iter().map(|number| {
            let series = &self.series[*number as usize];
            (&series.labels, series.columns.samples())
        })
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Whether a series fulfils all matchers. It may have no samples yet.
    pub(super) fn has_series(&self, request: &SelectRequest<'_>) -> bool {
        let fulfils = |number: &u32| request.matches(&self.series[*number as usize].labels);
        self.candidates(request.matchers).iter().any(fulfils)
    }

    /// Whether a series fulfils all matchers, has a sample in a range of time, and is wanted.
    pub(crate) fn has_any(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        is_wanted: impl Fn(&Labels) -> bool,
    ) -> bool {
        let fulfils = |labels: &Labels| {
            matchers.iter().all(|m| m.matches(labels.get(m.name()).unwrap_or_default()))
        };
        let has_samples = |columns: &Columns| {
            let floats = columns.timestamps.iter().zip(&columns.values);
            let mut floats = floats.filter(|(_, value)| !is_stale_nan(**value));
            floats.any(|(at, _)| range.contains(*at))
                || columns.histogram_timestamps.iter().any(|at| range.contains(*at))
        };
        self.candidates(matchers).iter().any(|number| {
            let series = &self.series[*number as usize];
            fulfils(&series.labels) && is_wanted(&series.labels) && has_samples(&series.columns)
        })
    }

    /// The series that may fulfil matchers: those of the metric if they name one.
    fn candidates(&self, matchers: &[Matcher]) -> &[u32] {
        let name = matchers.iter().find(|matcher| {
            matcher.name() == promql_model::METRIC_NAME && matcher.op() == MatchOp::Equal
        });
        match name.map(|matcher| std::str::from_utf8(matcher.value())) {
            Some(Ok(name)) => self.by_name.get(name).map_or(&[], Vec::as_slice),
            Some(Err(_)) => &[],
            None => &self.sorted,
        }
    }

    /// The numbers of the series that fulfil all matchers, sorted by labels.
    fn select_numbers(&self, request: &SelectRequest<'_>) -> Vec<u32> {
        let candidates = self.candidates(request.matchers);
        let reaches = |series: &Series| match (series.start(), series.end()) {
            (Some(start), Some(end)) => request.range.overlaps(TimeRange { start, end }),
            _ => false,
        };
        let fulfils = |number: &&u32| {
            let series = &self.series[**number as usize];
            reaches(series) && request.matches(&series.labels)
        };
        candidates.iter().filter(fulfils).copied().collect()
    }
}

/// Whether two histograms are the same but for what they say about resets.
fn is_same(a: &FloatHistogram, b: &FloatHistogram) -> bool {
    // One that was read back may have empty buckets more.
    let [a, b] = [a, b].map(|histogram| {
        let mut histogram = histogram.clone();
        histogram.compact(0);
        histogram
    });
    a == b
}

impl Storage for SeriesStore {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        let numbers = self.select_numbers(request);
        let labels = numbers.iter().map(|n| self.series[*n as usize].labels.clone()).collect();
        Ok(Box::new(Selection { store: self, numbers, labels }))
    }

    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        let series = self.series.iter().filter(|series| query.matches(&series.labels));
        Ok(distinct(series.flat_map(|series| series.labels.iter().map(|(name, _)| name))))
    }

    fn label_values(
        &self,
        name: &str,
        query: &LabelQuery<'_>,
    ) -> Result<Vec<String>, StorageError> {
        let series = self.series.iter().filter(|series| query.matches(&series.labels));
        Ok(distinct(series.filter_map(|series| series.labels.get(name))))
    }
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let texts: std::collections::BTreeSet<&str> = texts.collect();
    texts.into_iter().map(str::to_owned).collect()
}

struct Selection<'a> {
    store: &'a SeriesStore,
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
            Some(number) => Ok(self.store.series[*number as usize].columns.samples()),
            None => Err(StorageError::new(format!("there is no selected series {index}"))),
        }
    }
}
