//! Zero buckets of different width: the narrower one is widened before histograms are combined, and
//! takes in the buckets that it then covers.

use super::layout::SideBuilder;
use super::{Count, FloatHistogram, Histogram};

impl<C: Count> Histogram<C> {
    /// The population that the zero bucket would have if it were as wide as `threshold`. Where that
    /// lies inside of a populated bucket it has to be wider, so the second number is the threshold
    /// that is really meant.
    pub(super) fn widened_zero(&self, mut threshold: f64) -> (C, f64) {
        if threshold == self.zero_threshold {
            return (self.zero_count, threshold);
        }
        'again: loop {
            let mut zero = self.zero_count;
            for (index, count) in self.positive().iter() {
                let (lower, upper) = self.positive_bounds(index);
                if lower >= threshold {
                    break;
                }
                zero.merge(count);
                if upper > threshold {
                    if !count.is_zero() {
                        threshold = upper;
                    }
                    break;
                }
            }
            for (index, count) in self.negative().iter() {
                let (lower, upper) = self.negative_bounds(index);
                if upper <= -threshold {
                    break;
                }
                zero.merge(count);
                if lower < -threshold {
                    if !count.is_zero() {
                        threshold = -lower;
                        continue 'again;
                    }
                    break;
                }
            }
            return (zero, threshold);
        }
    }

    /// Gives both histograms the same zero threshold: this one in place, the other one in thought.
    /// Gives the population that the other one's zero bucket then has.
    pub(super) fn reconcile_zero(&mut self, other: &FloatHistogram) -> f64 {
        let (mut zero_count, mut threshold) = (other.zero_count, other.zero_threshold);
        // Each round raises one of the thresholds to the end of a bucket, until they meet.
        while self.zero_threshold != threshold {
            if self.zero_threshold > threshold {
                (zero_count, threshold) = other.widened_zero(self.zero_threshold);
            }
            if threshold > self.zero_threshold {
                (self.zero_count, self.zero_threshold) = self.widened_zero(threshold);
                self.drop_buckets_in_zero();
            } else if threshold.is_nan() || self.zero_threshold.is_nan() {
                break;
            }
        }
        zero_count
    }

    /// Removes the buckets that begin inside of the zero bucket, and empty ones.
    fn drop_buckets_in_zero(&mut self) {
        let threshold = self.zero_threshold;
        let mut positive = SideBuilder::with_capacity(self.positive().len());
        let outside = |&(index, count): &(i64, C)| {
            self.positive_bounds(index).0 >= threshold && !count.is_zero()
        };
        positive.extend(self.positive().iter().filter(outside));
        let mut negative = SideBuilder::with_capacity(self.negative().len());
        let outside = |&(index, count): &(i64, C)| {
            self.negative_bounds(index).1 <= -threshold && !count.is_zero()
        };
        negative.extend(self.negative().iter().filter(outside));
        self.set_sides(positive, negative);
    }
}
