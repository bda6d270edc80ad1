//! Whether a counter was reset between two histograms.

use std::borrow::Cow;

use super::arithmetic::{common_bounds, for_each_target};
use super::{CounterResetHint, FloatHistogram, SideBuckets, bucket_bound};

impl FloatHistogram {
    /// Whether a counter was reset between `previous` and this histogram: what the hint says, or
    /// else whether anything that was counted before is not counted any more. A higher resolution or
    /// a narrower zero bucket than before cannot come from counting on either. The sum, which may
    /// fall, doesn't matter.
    pub fn detect_reset(&self, previous: &Self) -> bool {
        match self.hint {
            CounterResetHint::Reset => return true,
            CounterResetHint::NotReset => return false,
            CounterResetHint::Unknown | CounterResetHint::Gauge => {}
        }
        if self.count < previous.count {
            return true;
        }
        if self.has_custom_buckets() {
            if !previous.has_custom_buckets() {
                return true;
            }
            if self.custom_values() != previous.custom_values() {
                return self.lost_across_bounds(previous);
            }
        }
        if self.schema > previous.schema || self.zero_threshold < previous.zero_threshold {
            return true;
        }
        let (zero_count, threshold) = previous.widened_zero(self.zero_threshold);
        if threshold != self.zero_threshold || self.zero_count < zero_count {
            return true;
        }
        let mut previous = Cow::Borrowed(previous);
        if self.schema < previous.schema {
            previous.to_mut().merge_buckets_to(self.schema);
        }
        self.lost_buckets(&previous)
    }

    /// Whether a bucket outside of the zero bucket has a smaller population than before.
    fn lost_buckets(&self, previous: &Self) -> bool {
        let outside = |index: i64| {
            self.has_custom_buckets() || bucket_bound(self.schema, index) > self.zero_threshold
        };
        // Buckets ascend, so that the first ones tell whether the zero bucket covers any.
        let firsts = [self.positive(), self.negative()].map(|side| side.runs().first());
        if self.has_same_buckets(previous)
            && firsts.into_iter().flatten().all(|run| outside(run.start))
        {
            return self.counts.iter().zip(&previous.counts).any(|(now, before)| now < before);
        }
        let lost = |now: SideBuckets<'_, f64>, before: SideBuckets<'_, f64>| {
            let mut now = now.iter().peekable();
            before.iter().filter(|&(index, _)| outside(index)).any(|(index, before)| {
                while now.next_if(|&(other, _)| other < index).is_some() {}
                match now.peek() {
                    Some(&(other, count)) if other == index => count < before,
                    _ => before != 0.0,
                }
            })
        };
        lost(self.positive(), previous.positive()) || lost(self.negative(), previous.negative())
    }

    /// Whether fewer observations than before lie between bounds that both histograms have.
    fn lost_across_bounds(&self, previous: &Self) -> bool {
        let common = common_bounds(self.custom_values(), previous.custom_values());
        let merged = |histogram: &Self| {
            let mut counts = vec![0.0; common.len() + 1];
            let (side, bounds) = (histogram.positive(), histogram.custom_values());
            for_each_target(side, bounds, &common, |target, count| {
                if let Some(sum) = counts.get_mut(target) {
                    *sum += count;
                }
            });
            counts
        };
        merged(self).iter().zip(merged(previous)).any(|(&now, before)| now < before)
    }
}
