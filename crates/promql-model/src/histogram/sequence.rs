//! Histograms one after the other, as a storage gives them back.

use std::sync::Arc;

use super::layout::Layout;
use super::{CounterResetHint, FloatHistogram, SideBuckets};

/// Gives the histograms of a series the hints that they have when Prometheus reads them back.
///
/// Its storage cuts a series into runs without a counter reset. The first histogram of a run reads
/// back as unknown and the others as no reset, whatever was written; gauges stay gauges. The test
/// scripts of Prometheus count on that.
///
/// ```
/// use promql_model::{CounterResetHint, DenseHistogram, FloatHistogram, HintReader};
/// let mut hints = HintReader::default();
/// let counting = |count: f64| DenseHistogram { count, ..DenseHistogram::default() };
/// let mut histograms = [1.0, 3.0, 2.0].map(|count| FloatHistogram::from(counting(count)));
/// histograms.iter_mut().for_each(|histogram| hints.histogram(histogram));
/// assert_eq!(histograms[1].hint, CounterResetHint::NotReset);
/// assert_eq!(histograms[2].hint, CounterResetHint::Unknown);
/// ```
#[derive(Clone, Debug, Default)]
pub struct HintReader {
    /// The last histogram of the run, with the hint that it reads back with.
    last: Option<FloatHistogram>,
    /// Whether a staleness marker ended the run.
    closed: bool,
}

impl HintReader {
    /// The next sample is this float, or a staleness marker.
    pub fn float(&mut self, value: f64) {
        if self.last.is_some() && crate::is_stale_nan(value) {
            self.closed = true;
        } else {
            self.last = None;
        }
    }

    /// The next sample is this histogram, whose hint is replaced by the one that it reads back with.
    pub fn histogram(&mut self, histogram: &mut FloatHistogram) {
        use CounterResetHint::{Gauge, NotReset, Reset, Unknown};
        if histogram.is_stale() {
            self.closed = true;
            return;
        }
        let last = self.last.as_ref().filter(|_| !self.closed);
        histogram.hint = match (last, histogram.hint) {
            (_, Gauge) => Gauge,
            (Some(last), Unknown | NotReset)
                if last.hint != Gauge && histogram.counts_on_from(last) =>
            {
                NotReset
            }
            (_, Unknown | NotReset | Reset) => Unknown,
        };
        self.closed = false;
        self.last = Some(histogram.clone());
    }
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
            && self.schema == previous.schema
            && self.zero_threshold == previous.zero_threshold
            && self.zero_count >= previous.zero_count
            && self.custom_values() == previous.custom_values()
            && all(self.positive(), previous.positive())
            && all(self.negative(), previous.negative())
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
