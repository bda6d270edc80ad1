//! Quantiles, fractions and the spread of the observations, estimated from buckets.
//!
//! Within a bucket observations are taken to be spread evenly: over the logarithms of their values
//! in exponential buckets, over the values themselves in custom ones and in the zero bucket. The
//! zero bucket reaches only to the sides that have buckets at all, also empty ones.

use super::{Bucket, Compensated, Count, FloatHistogram, fraction_below};

/// A quantile of a histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// The estimated value.
    pub value: f64,
    /// What observations of NaN, which are counted in no bucket, did to it.
    pub nan: NanObservations,
}

/// What observations of NaN did to a quantile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum NanObservations {
    /// Nothing: there are none.
    #[default]
    None,
    /// The quantile lies among them.
    Result,
    /// They count as larger than all others, so that the quantile is too high.
    Skew,
}

/// A part of the observations of a histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fraction {
    /// The part: 0 to 1 in a histogram that fits together.
    pub value: f64,
    /// Whether there are observations of NaN, which are part of no fraction.
    pub has_nan: bool,
}

impl FloatHistogram {
    /// The value that a part `quantile`, 0 to 1, of the observations does not exceed. A quantile
    /// below 0 is -Inf, one above 1 is +Inf; without observations it is NaN.
    ///
    /// ```
    /// use promql_model::{DenseHistogram, FloatHistogram};
    /// let histogram = FloatHistogram::from(DenseHistogram {
    ///     count: 10.0,
    ///     sum: 18.0,
    ///     buckets: vec![2.0, 3.0, 5.0],
    ///     ..DenseHistogram::default()
    /// });
    /// assert_eq!(histogram.quantile(0.5).value, 2.0);
    /// ```
    pub fn quantile(&self, quantile: f64) -> Quantile {
        let plain = |value: f64| Quantile { value, nan: NanObservations::None };
        if quantile < 0.0 {
            return plain(f64::NEG_INFINITY);
        }
        if quantile > 1.0 {
            return plain(f64::INFINITY);
        }
        if self.count == 0.0 || quantile.is_nan() {
            return plain(f64::NAN);
        }
        // From the nearer end, so that rounding matters less; from below if the upper end is NaN.
        let nan = self.sum.is_nan();
        let upwards = nan || quantile < 0.5;
        let rank = if upwards { quantile } else { 1.0 - quantile } * self.count;
        let mut found = Found::default();
        let mut rest = self.buckets();
        if upwards {
            found.search(&mut rest, rank);
        } else {
            found.search(rest.by_ref().rev(), rank);
        }
        let Found { mut bucket, mut total } = found;
        if !self.has_custom_buckets() && bucket.lower < 0.0 && 0.0 < bucket.upper {
            self.cut_zero_bucket(&mut bucket);
        }
        if self.has_custom_buckets() {
            if bucket.lower == f64::NEG_INFINITY {
                if bucket.upper <= 0.0 {
                    return plain(bucket.upper);
                }
                bucket.lower = 0.0;
            } else if bucket.upper == f64::INFINITY {
                return plain(bucket.lower);
            }
        }
        total = total.min(self.count);
        if total < rank {
            return match nan {
                true => Quantile { value: f64::NAN, nan: NanObservations::Result },
                false => plain(bucket.upper),
            };
        }
        let rank = if upwards { rank - (total - bucket.count) } else { total - rank };
        let mut effect = NanObservations::None;
        if nan {
            // Upstream looks through the other buckets for what is missing, and then interpolates in
            // the last one of them.
            for other in rest {
                total += other.count;
                bucket = other;
            }
            if total < self.count {
                effect = NanObservations::Skew;
            }
        }
        let value = self.value_within(&bucket, rank / bucket.count);
        Quantile { value, nan: effect }
    }

    /// The value below which a part of a bucket's observations lies.
    fn value_within(&self, bucket: &Bucket, part: f64) -> f64 {
        let Bucket { lower, upper, .. } = *bucket;
        if self.has_custom_buckets() || lower <= 0.0 && 0.0 <= upper {
            return lower + (upper - lower) * part;
        }
        let (low, high) = (lower.abs().log2(), upper.abs().log2());
        if lower > 0.0 {
            (low + (high - low) * part).exp2()
        } else {
            -(high + (low - high) * (1.0 - part)).exp2()
        }
    }

    /// The part of the observations that lies between two values, NaN without observations.
    pub fn fraction(&self, lower: f64, upper: f64) -> Fraction {
        let plain = |value: f64| Fraction { value, has_nan: false };
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return plain(f64::NAN);
        }
        if lower >= upper {
            return plain(0.0);
        }
        let (mut lower_rank, mut upper_rank) = (None, None);
        let mut rank = 0.0;
        // Ranks are found among the buckets, which add up to less than the count if there is NaN.
        let mut total = 0.0;
        for mut bucket in self.buckets() {
            total += bucket.count;
            let around_zero = bucket.lower <= 0.0 && 0.0 <= bucket.upper;
            if around_zero {
                self.cut_zero_bucket(&mut bucket);
            }
            let linear = self.has_custom_buckets() || around_zero;
            for (found, value) in [(&mut lower_rank, lower), (&mut upper_rank, upper)] {
                if found.is_none() && bucket.lower >= value {
                    *found = Some(rank);
                }
                if found.is_none() && bucket.lower < value && value < bucket.upper {
                    *found = Some(match linear && bucket.lower == f64::NEG_INFINITY {
                        true => bucket.count,
                        false => {
                            let below = fraction_below(bucket.lower, bucket.upper, value, linear);
                            rank + bucket.count * below
                        }
                    });
                }
            }
            if lower_rank.is_some() && upper_rank.is_some() && !self.sum.is_nan() {
                break;
            }
            rank += bucket.count;
        }
        let (limit, has_nan) = match self.sum.is_nan() {
            true => (total, total < self.count),
            false => (self.count, false),
        };
        let within = |rank: Option<f64>| rank.filter(|rank| *rank <= limit).unwrap_or(limit);
        Fraction { value: (within(upper_rank) - within(lower_rank)) / self.count, has_nan }
    }

    /// Cuts a bucket around zero at zero on the side that has no buckets while the other one does.
    fn cut_zero_bucket(&self, bucket: &mut Bucket) {
        match (self.negative().is_empty(), self.positive().is_empty()) {
            (true, false) => bucket.lower = 0.0,
            (false, true) => bucket.upper = 0.0,
            _ => {}
        }
    }

    /// The population variance of the observations, each of which counts as the middle of its
    /// bucket. NaN without observations.
    pub fn variance(&self) -> f64 {
        let mean = self.sum / self.count;
        let mut squares = Compensated::default();
        for bucket in self.buckets().filter(|bucket| bucket.count != 0.0) {
            let Bucket { lower, upper, count, .. } = bucket;
            let middle = if self.has_custom_buckets() {
                (upper + lower) / 2.0
            } else if lower <= 0.0 && 0.0 <= upper {
                0.0
            } else {
                (upper * lower).sqrt().copysign(upper)
            };
            let distance = middle - mean;
            squares.add(count * distance * distance);
        }
        squares.value() / self.count
    }
}

/// The bucket that a search has come to, and how many observations there are up to its end.
struct Found {
    bucket: Bucket,
    total: f64,
}

impl Default for Found {
    fn default() -> Self {
        let bucket = Bucket {
            lower: 0.0,
            upper: 0.0,
            lower_inclusive: false,
            upper_inclusive: false,
            count: 0.0,
            index: 0,
        };
        Found { bucket, total: 0.0 }
    }
}

impl Found {
    fn search(&mut self, buckets: impl Iterator<Item = Bucket>, rank: f64) {
        for bucket in buckets {
            self.bucket = bucket;
            if bucket.count == 0.0 {
                continue;
            }
            self.total += bucket.count;
            if self.total >= rank {
                break;
            }
        }
    }
}
