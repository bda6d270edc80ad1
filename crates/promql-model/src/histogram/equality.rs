//! When two histograms are the same.

use super::{Count, FloatHistogram, Histogram};

/// As PromQL's `==` compares: numbers bit by bit, so that NaN equals itself and 0 differs from -0,
/// and buckets including empty ones. The hint doesn't matter.
impl PartialEq for FloatHistogram {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
        self.is_like(other, same)
    }
}

impl FloatHistogram {
    /// Whether two histograms have the same buckets, and numbers that are the same in the eyes of
    /// `same`. Zero threshold and custom bounds must be equal, the hint doesn't matter.
    pub fn is_like(&self, other: &Self, same: impl Fn(f64, f64) -> bool) -> bool {
        let numbers = |h: &Self| [h.count, h.sum, h.zero_count];
        let all_same =
            |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| same(a, b));
        self.schema == other.schema
            && self.zero_threshold == other.zero_threshold
            && all_same(&numbers(self), &numbers(other))
            && self.has_same_buckets(other)
            && all_same(&self.counts, &other.counts)
    }
}

impl<C: Count> Histogram<C> {
    /// Whether the buckets are the same, apart from what is in them.
    pub(super) fn has_same_buckets(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.layout, &other.layout);
        std::sync::Arc::ptr_eq(ours, theirs)
            || ours.positive == theirs.positive
                && ours.negative == theirs.negative
                && (!self.has_custom_buckets() || ours.custom_values == theirs.custom_values)
    }
}
