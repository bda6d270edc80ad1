//! Histograms one after the other, as a storage gives them back.

use std::sync::Arc;

use super::layout::{Layout, union_of_runs};
use super::{CounterResetHint, FloatHistogram, Run, SideBuckets};

/// Gives the histograms of a series the hints and the buckets that they have when Prometheus reads
/// them back.
///
/// Its storage cuts a series into runs without a counter reset. The first histogram of a run reads
/// back as unknown and the others as no reset, whatever was written; gauges stay gauges. The test
/// scripts of Prometheus count on that. All histograms of a run have the buckets that any of them
/// has, empty ones where need be, so one that was never populated at a time is there nonetheless.
///
/// ```
/// use promql_model::{CounterResetHint, DenseHistogram, FloatHistogram, RunReader};
/// let counting = |count: f64, buckets: &[f64]| {
///     let buckets = buckets.to_vec();
///     FloatHistogram::from(DenseHistogram { count, buckets, ..DenseHistogram::default() })
/// };
/// let mut histograms = [counting(1.0, &[1.0]), counting(3.0, &[1.0, 2.0]), counting(2.0, &[2.0])];
/// let mut runs = RunReader::default();
/// (0..3).for_each(|at| runs.histogram(&mut histograms, at));
/// runs.finish(&mut histograms);
/// assert_eq!(histograms[0].positive().counts(), [1.0, 0.0]);
/// assert_eq!(histograms[1].hint, CounterResetHint::NotReset);
/// assert_eq!(histograms[2].hint, CounterResetHint::Unknown);
/// assert_eq!(histograms[2].positive().counts(), [2.0]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct RunReader {
    /// The last histogram of the run.
    last: Option<usize>,
    /// Where the run begins.
    start: usize,
    /// Whether a staleness marker ended the run.
    closed: bool,
    /// Whether the histograms of the run have different buckets.
    differs: bool,
}

impl RunReader {
    /// The next sample is this float, or a staleness marker.
    pub fn float(&mut self, histograms: &mut [FloatHistogram], value: f64) {
        if self.last.is_some() && crate::is_stale_nan(value) {
            self.closed = true;
        } else {
            self.end_run(histograms);
        }
    }

    /// The next sample is the histogram at a position, whose hint is replaced by the one that it
    /// reads back with. Those before it are behind.
    pub fn histogram(&mut self, histograms: &mut [FloatHistogram], at: usize) {
        let Some((before, [histogram, ..])) = histograms.split_at_mut_checked(at) else { return };
        if histogram.is_stale() {
            self.closed = true;
            return;
        }
        let last = self.last.filter(|_| !self.closed).and_then(|last| before.get(last));
        let hint = histogram.hint;
        let continues = hint != CounterResetHint::Reset
            && last.is_some_and(|last| match (last.hint, hint) {
                (CounterResetHint::Gauge, CounterResetHint::Gauge) => histogram.measures_like(last),
                (CounterResetHint::Gauge, _) | (_, CounterResetHint::Gauge) => false,
                _ => histogram.counts_on_from(last),
            });
        histogram.hint = match hint {
            CounterResetHint::Gauge => hint,
            _ if continues => CounterResetHint::NotReset,
            _ => CounterResetHint::Unknown,
        };
        if !continues {
            self.end_run(histograms);
            self.start = at;
        } else {
            self.share_layout(histograms, at);
        }
        self.last = Some(at);
        self.closed = false;
    }

    /// Notes whether a histogram has the buckets of the last one, as is most often the case.
    fn share_layout(&mut self, histograms: &mut [FloatHistogram], at: usize) {
        let last = self.last.and_then(|last| histograms.get(last));
        let Some(layout) = last.map(|last| Arc::clone(&last.layout)) else { return };
        let Some(histogram) = histograms.get_mut(at) else { return };
        match histogram.layout == layout {
            true => histogram.layout = layout,
            false => self.differs = true,
        }
    }

    /// There are no more samples, or none for now: what is read before others come has the buckets of
    /// what has come so far.
    pub fn finish(&mut self, histograms: &mut [FloatHistogram]) {
        if let Some(last) = self.last
            && self.differs
            && let Some(run) = histograms.get_mut(self.start..=last)
        {
            unite_layouts(run);
        }
        self.differs = false;
    }

    /// The run ends with the last sample.
    fn end_run(&mut self, histograms: &mut [FloatHistogram]) {
        self.finish(histograms);
        self.last = None;
        self.closed = false;
    }
}

/// Gives all histograms the buckets that any of them has, in one layout that they share. Schema and
/// custom bounds are the same for all. Staleness markers have no buckets.
fn unite_layouts(run: &mut [FloatHistogram]) {
    let mut live = run.iter().filter(|histogram| !histogram.is_stale());
    let Some(first) = live.next() else { return };
    let mut layout = Arc::clone(&first.layout);
    for other in live {
        if other.layout != layout {
            let positive = union_of_runs(&layout.positive, &other.layout.positive);
            let negative = union_of_runs(&layout.negative, &other.layout.negative);
            layout = Arc::new(Layout::new(positive, negative, layout.custom_values.clone()));
        }
    }
    for histogram in run.iter_mut().filter(|histogram| !histogram.is_stale()) {
        if histogram.layout != layout {
            let mut counts = spread(histogram.positive(), &layout.positive);
            counts.extend(spread(histogram.negative(), &layout.negative));
            histogram.counts = counts;
        }
        histogram.layout = Arc::clone(&layout);
    }
}

/// The populations of a side in buckets of which it has some.
fn spread(side: SideBuckets<'_, f64>, runs: &[Run]) -> Vec<f64> {
    let mut populated = side.iter().peekable();
    let indices = runs.iter().flat_map(|run| run.start..run.end());
    let count = |index| populated.next_if(|&(at, _)| at == index).map_or(0.0, |(_, count)| count);
    indices.map(count).collect()
}

impl FloatHistogram {
    /// Whether a counter may have gone from another histogram to this one, in the same buckets and
    /// maybe some more.
    fn counts_on_from(&self, previous: &Self) -> bool {
        let all = |now: SideBuckets<'_, f64>, before: SideBuckets<'_, f64>| {
            let mut now = now.iter().peekable();
            before.iter().all(|(index, before)| {
                while now.next_if(|&(other, _)| other < index).is_some() {}
                match now.peek() {
                    Some(&(other, count)) if other == index => count >= before,
                    _ => before == 0.0,
                }
            })
        };
        self.count >= previous.count
            && self.measures_like(previous)
            && self.zero_count >= previous.zero_count
            && all(self.positive(), previous.positive())
            && all(self.negative(), previous.negative())
    }

    /// Whether the buckets have the same bounds as those of another histogram, whichever there are, and
    /// the zero bucket is as wide. Such histograms can be added in any order.
    pub fn measures_like(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.zero_threshold == other.zero_threshold
            && self.custom_values() == other.custom_values()
    }

    /// Count and sum alone, without buckets: what Prometheus reads for a query that needs no more.
    /// The schema stays.
    pub fn totals(&self) -> FloatHistogram {
        FloatHistogram {
            count: self.count,
            sum: self.sum,
            hint: self.hint,
            schema: self.schema,
            ..FloatHistogram::default()
        }
    }

    /// The same schema and custom bounds without any observations, and without a zero bucket.
    pub fn emptied(&self) -> FloatHistogram {
        let layout = Layout::new(Vec::new(), Vec::new(), self.custom_values());
        FloatHistogram {
            schema: self.schema,
            layout: Arc::new(layout),
            ..FloatHistogram::default()
        }
    }

    /// As how many float samples it counts where samples in memory are limited: as many as Prometheus
    /// counts it for.
    pub fn samples(&self) -> usize {
        let runs = self.layout.positive.len() + self.layout.negative.len();
        let parts = runs + self.counts.len() + self.layout.custom_values.len();
        (176 + 8 * parts) / 16
    }
}
