//! Differences of samples that were read together.

use std::sync::Arc;

use super::{Count, CounterResetHint, FloatHistogram, Histogram, Run, bucket_bound};

impl FloatHistogram {
    /// Makes this what [`subtract`](Self::subtract)ing `earlier` from `later` gives, multiplied with
    /// `factor`, and a gauge, where that takes but a loop over the buckets: if both have the same
    /// buckets with the same bounds, and as wide a zero bucket, which covers none of them. If not,
    /// nothing is done and the answer is false. Empty buckets stay.
    ///
    /// ```
    /// use promql_model::{DenseHistogram, FloatHistogram};
    /// let counting = |buckets: [f64; 2]| {
    ///     let count = buckets.iter().sum();
    ///     let buckets = buckets.to_vec();
    ///     FloatHistogram::from(DenseHistogram { count, buckets, ..DenseHistogram::default() })
    /// };
    /// let mut rate = FloatHistogram::default();
    /// assert!(rate.set_to_scaled_difference(&counting([3.0, 5.0]), &counting([3.0, 1.0]), 0.5));
    /// assert_eq!((rate.count, rate.positive().counts()), (2.0, &[0.0, 2.0][..]));
    /// ```
    pub fn set_to_scaled_difference(&mut self, later: &Self, earlier: &Self, factor: f64) -> bool {
        if !later.combines_by_bucket(earlier) {
            return false;
        }
        let difference = |later: f64, earlier: f64| (later - earlier) * factor;
        self.count = difference(later.count, earlier.count);
        self.sum = difference(later.sum, earlier.sum);
        // Custom buckets have no zero bucket; if one is there nonetheless, it is left alone.
        self.zero_count = match later.has_custom_buckets() {
            true => later.zero_count * factor,
            false => difference(later.zero_count, earlier.zero_count),
        };
        self.zero_threshold = later.zero_threshold;
        self.hint = CounterResetHint::Gauge;
        self.schema = later.schema;
        if !Arc::ptr_eq(&self.layout, &later.layout) {
            self.layout = Arc::clone(&later.layout);
        }
        self.counts.clear();
        let pairs = later.counts.iter().zip(&earlier.counts);
        self.counts.extend(pairs.map(|(later, earlier)| difference(*later, *earlier)));
        true
    }
}

impl<C: Count> Histogram<C> {
    /// Whether adding or subtracting a histogram goes bucket by bucket and does no more.
    pub(super) fn combines_by_bucket<D>(&self, other: &Histogram<D>) -> bool {
        let (ours, theirs) = (&*self.layout, &*other.layout);
        let outside = |run: &Run| bucket_bound(self.schema, run.start) > self.zero_threshold;
        let sides = [&ours.positive, &ours.negative];
        self.schema == other.schema
            && self.zero_threshold == other.zero_threshold
            && ours.has_buckets_of(theirs)
            && match self.has_custom_buckets() {
                true => ours.has_bounds_of(theirs) && ours.negative.is_empty(),
                false => sides.into_iter().filter_map(|side| side.first()).all(outside),
            }
    }
}
