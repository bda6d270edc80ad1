//! Keeping the part of a histogram that is below or above a value: the operators `</` and `>/`.
//!
//! Buckets that the value splits are interpolated, as quantiles are. Count and sum are computed anew
//! from what is left, where an observation counts as the middle of its bucket.

use super::{FloatHistogram, fraction_below};

impl FloatHistogram {
    /// Keeps the observations up to `value`: PromQL's `</`. Returns a histogram that wholly is below
    /// unchanged.
    pub fn trim_above(&mut self, value: f64) {
        self.trim(value, Keep::Below);
    }

    /// Keeps the observations from `value` on: PromQL's `>/`. Returns a histogram that wholly is
    /// above unchanged.
    pub fn trim_below(&mut self, value: f64) {
        self.trim(value, Keep::Above);
    }

    fn trim(&mut self, value: f64, keep: Keep) {
        let custom = self.has_custom_buckets();
        let cut = Cut { value, keep, custom };
        let mut left = Left::default();
        let bounds = self.positive().iter().map(|(index, _)| self.positive_bounds(index));
        let positive: Vec<_> = bounds.collect();
        let bounds = self.negative().iter().map(|(index, _)| self.negative_bounds(index));
        let negative: Vec<_> = bounds.collect();
        let (mut has_positive, mut has_negative) = (false, false);
        let sides = positive
            .into_iter()
            .map(|bounds| (bounds, false))
            .chain(negative.into_iter().map(|bounds| (bounds, true)));
        for (count, (bounds, is_negative)) in self.counts.iter_mut().zip(sides) {
            if *count == 0.0 {
                continue;
            }
            *(if is_negative { &mut has_negative } else { &mut has_positive }) = true;
            let kept = cut.bucket(bounds, *count, is_negative);
            left.add(count, kept);
        }
        if self.zero_count > 0.0 {
            // The zero bucket reaches to the sides where there are observations.
            let lower = if has_positive && !has_negative { 0.0 } else { -self.zero_threshold };
            let upper = if has_negative && !has_positive { 0.0 } else { self.zero_threshold };
            let kept = cut.zero_bucket(lower, upper, self.zero_count);
            left.add(&mut self.zero_count, kept);
        }
        if left.changed {
            self.count = left.count;
            self.sum = left.sum;
            self.compact(0);
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    Below,
    Above,
}

/// What is left of a histogram.
#[derive(Default)]
struct Left {
    count: f64,
    sum: f64,
    changed: bool,
}

impl Left {
    /// Takes a bucket down to what is kept of it, with the value that each of that counts as.
    fn add(&mut self, count: &mut f64, (kept, value): (f64, f64)) {
        self.count += kept;
        if kept != 0.0 {
            self.sum += value * kept;
        }
        if kept != *count {
            *count = kept;
            self.changed = true;
        }
    }
}

#[derive(Clone, Copy)]
struct Cut {
    value: f64,
    keep: Keep,
    /// Whether the buckets are custom ones, which are interpolated linearly.
    custom: bool,
}

impl Cut {
    /// How many observations of a bucket are kept, and what each of them counts as.
    fn bucket(self, (lower, upper): (f64, f64), count: f64, negative: bool) -> (f64, f64) {
        let middle = |lower, upper| self.middle(lower, upper, negative);
        let value = self.value;
        let (whole, part) = match self.keep {
            Keep::Below => (upper <= value, lower < value),
            Keep::Above => (lower >= value, upper > value),
        };
        if whole {
            return (count, middle(lower, upper));
        }
        if !part {
            return (0.0, 0.0);
        }
        if lower.is_infinite() || upper.is_infinite() {
            return self.infinite_bucket(lower, upper, count);
        }
        let below = if value <= lower {
            0.0
        } else if value >= upper {
            count
        } else {
            count * fraction_below(lower, upper, value, self.custom)
        };
        match self.keep {
            Keep::Below => (below, middle(lower, value)),
            Keep::Above => (count - below, middle(value, upper)),
        }
    }

    /// The same for a bucket without end. The first custom bucket is taken to begin at 0 if its end
    /// is positive.
    fn infinite_bucket(self, lower: f64, upper: f64, count: f64) -> (f64, f64) {
        let value = self.value;
        match self.keep {
            Keep::Below if lower != f64::NEG_INFINITY => (0.0, 0.0),
            Keep::Below if upper <= 0.0 => (count, value),
            Keep::Below if value > 0.0 && upper < f64::INFINITY => {
                (count * value / upper, value / 2.0)
            }
            Keep::Below => (0.0, 0.0),
            Keep::Above if lower == f64::NEG_INFINITY => {
                if value >= 0.0 && upper.is_finite() {
                    (count * (1.0 - value / upper), (value + upper) / 2.0)
                } else {
                    (0.0, 0.0)
                }
            }
            Keep::Above => (count, value),
        }
    }

    /// The same for the zero bucket, which is interpolated linearly.
    fn zero_bucket(self, lower: f64, upper: f64, count: f64) -> (f64, f64) {
        let value = self.value;
        let whole = (count, (lower + upper) / 2.0);
        match self.keep {
            Keep::Below if value <= lower => (0.0, 0.0),
            Keep::Below if value >= upper => whole,
            Keep::Below => (count * (value - lower) / (upper - lower), (lower + value) / 2.0),
            Keep::Above if value <= lower => whole,
            Keep::Above if value >= upper => (0.0, 0.0),
            Keep::Above => (count * (upper - value) / (upper - lower), (value + upper) / 2.0),
        }
    }

    /// What an observation between two values counts as.
    fn middle(self, lower: f64, upper: f64, negative: bool) -> f64 {
        if lower.is_infinite() {
            match upper {
                _ if upper.is_infinite() => 0.0,
                _ if upper > 0.0 => upper / 2.0,
                _ => upper,
            }
        } else if upper.is_infinite() {
            lower
        } else if self.custom {
            (lower + upper) / 2.0
        } else {
            let middle = (lower * upper).abs().sqrt();
            if negative { -middle } else { middle }
        }
    }
}
