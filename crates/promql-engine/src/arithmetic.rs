//! The arithmetic of single values, as upstream's language defines it.
//!
//! Nothing here may be contracted into fused multiply-adds: compensated sums depend on it.

/// Adds `x` to the compensated sum `(sum, compensation)`, whose value is that of both together
/// (Neumaier's variant of Kahan's summation). An infinite sum has no compensation.
#[inline(always)]
pub(crate) fn compensated_add(sum: f64, compensation: f64, x: f64) -> (f64, f64) {
    let total = sum + x;
    // The larger operand first: what was lost of the smaller one is then exact. NaN goes right.
    let lost = if sum.abs() >= x.abs() { (sum - total) + x } else { (x - total) + sum };
    let compensation = if total.is_infinite() { 0.0 } else { compensation + lost };
    (total, compensation)
}

/// The mean of one or more values: as a compensated sum, or by a running mean from where that sum
/// would overflow.
pub(crate) fn mean(values: &[f64]) -> f64 {
    let mut state = Mean::default();
    values.iter().for_each(|&v| state.add(v));
    state.value()
}

/// The state of a mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mean {
    /// The compensated sum, or the compensated mean if that is incremental.
    sum: f64,
    compensation: f64,
    count: f64,
    incremental: bool,
}

impl Default for Mean {
    /// The mean of no values. The sum of a negative zero and any value is that value.
    fn default() -> Self {
        Mean { sum: -0.0, compensation: 0.0, count: 0.0, incremental: false }
    }
}

impl Mean {
    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.sum = value;
            return;
        }
        if !self.incremental {
            let (sum, compensation) = compensated_add(self.sum, self.compensation, value);
            if !sum.is_infinite() {
                (self.sum, self.compensation) = (sum, compensation);
                return;
            }
            self.make_incremental(self.count - 1.0);
        }
        let kept = (self.count - 1.0) / self.count;
        (self.sum, self.compensation) =
            compensated_add(kept * self.sum, kept * self.compensation, value / self.count);
    }

    fn make_incremental(&mut self, count: f64) {
        self.incremental = true;
        self.sum /= count;
        self.compensation /= count;
    }

    /// Adds the values of another state behind those of this one.
    pub(crate) fn merge(&mut self, mut other: Mean) {
        if other.count == 0.0 {
            return;
        }
        if self.count == 0.0 {
            *self = other;
            return;
        }
        let count = self.count + other.count;
        if !self.incremental && !other.incremental {
            let (sum, compensation) = compensated_add(self.sum, self.compensation, other.sum);
            if !sum.is_infinite() {
                let compensation = compensation + other.compensation;
                *self = Mean { sum, compensation, count, incremental: false };
                return;
            }
        }
        for state in [&mut *self, &mut other] {
            if !state.incremental {
                state.make_incremental(state.count);
            }
        }
        let (mine, theirs) = (self.count / count, other.count / count);
        let (sum, compensation) =
            compensated_add(mine * self.sum, mine * self.compensation, theirs * other.sum);
        *self = Mean {
            sum,
            compensation: compensation + theirs * other.compensation,
            count,
            incremental: true,
        };
    }

    pub(crate) fn value(&self) -> f64 {
        if self.incremental {
            self.sum + self.compensation
        } else {
            self.sum / self.count + self.compensation / self.count
        }
    }
}

/// The quantile of values that [`order`] sorts, interpolated linearly. Out of range it is infinite.
pub(crate) fn quantile_of_sorted(quantile: f64, sorted: &[f64]) -> f64 {
    quantile_of_ranked(quantile, sorted.len(), |rank| sorted[rank])
}

/// The same for so many values that are found by their rank.
pub(crate) fn quantile_of_ranked(quantile: f64, len: usize, value: impl Fn(usize) -> f64) -> f64 {
    if len == 0 || quantile.is_nan() {
        return f64::NAN;
    }
    if quantile < 0.0 {
        return f64::NEG_INFINITY;
    }
    if quantile > 1.0 {
        return f64::INFINITY;
    }
    let rank = quantile * (len - 1) as f64;
    let low = rank.floor() as usize;
    let high = (low + 1).min(len - 1);
    let weight = rank - rank.floor();
    // As it stands: a NaN or an infinity makes the result NaN even with no weight.
    value(low) * (1.0 - weight) + value(high) * weight
}

/// The order in which quantiles sort: NaN before all else.
pub(crate) fn order(a: &f64, b: &f64) -> std::cmp::Ordering {
    b.is_nan().cmp(&a.is_nan()).then(a.total_cmp(b))
}

/// The larger of two values. Positive infinity wins over NaN, NaN over all else.
pub(crate) fn max2(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == 0.0 && b == 0.0 {
        if a.is_sign_positive() { a } else { b }
    } else if a > b {
        a
    } else {
        b
    }
}

/// The smaller of two values. Negative infinity wins over NaN, NaN over all else.
pub(crate) fn min2(a: f64, b: f64) -> f64 {
    -max2(-a, -b)
}

/// `base ^ exponent` as C99 defines it: `pow(x, 0)` and `pow(1, y)` are 1 even for NaN.
pub(crate) fn power(base: f64, exponent: f64) -> f64 {
    base.powf(exponent)
}
