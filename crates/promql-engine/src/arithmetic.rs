//! The arithmetic of single values, as upstream's language defines it.
//!
//! Nothing here may be contracted into fused multiply-adds: compensated sums depend on it.

use crate::column::Bitmap;

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

/// The states of means, of which there is one for each step.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    sums: Vec<f64>,
    compensations: Vec<f64>,
    counts: Vec<f64>,
    incremental: Bitmap,
}

impl Means {
    /// Those of no values.
    pub(crate) fn new(steps: usize) -> Means {
        let (compensations, counts) = (vec![0.0; steps], vec![0.0; steps]);
        let incremental = Bitmap::empty(steps);
        Means { sums: vec![Mean::default().sum; steps], compensations, counts, incremental }
    }

    /// Adds to each step of a set its value.
    pub(crate) fn add(&mut self, values: &[f64], steps: &Bitmap) {
        for (at, &word) in steps.words().iter().enumerate() {
            if word == !0 && self.add_all(at * 64, values) {
                continue;
            }
            let mut rest = word;
            while rest != 0 {
                let step = at * 64 + rest.trailing_zeros() as usize;
                let mut mean = self.at(step);
                mean.add(values[step]);
                self.put(step, mean);
                rest &= rest - 1;
            }
        }
    }

    /// Adds the values of 64 steps, unless one of their sums is not finite, or would not be. As long as
    /// all are, means are sums and numbers, and loops without branches.
    fn add_all(&mut self, from: usize, values: &[f64]) -> bool {
        let range = from..from + 64;
        let values = &values[range.clone()];
        let sums = &mut self.sums[range.clone()];
        let is_finite = |(sum, value): (&f64, &f64)| (sum + value).is_finite();
        let all_finite = sums.iter().zip(values).fold(true, |all, pair| all & is_finite(pair));
        if !all_finite || self.incremental.words()[from / 64] != 0 {
            return false;
        }
        let states = sums.iter_mut().zip(&mut self.compensations[range.clone()]);
        for ((sum, compensation), &value) in states.zip(values) {
            (*sum, *compensation) = compensated_add(*sum, *compensation, value);
        }
        self.counts[range].iter_mut().for_each(|count| *count += 1.0);
        true
    }

    /// The state of a step.
    pub(crate) fn at(&self, step: usize) -> Mean {
        Mean {
            sum: self.sums[step],
            compensation: self.compensations[step],
            count: self.counts[step],
            incremental: self.incremental.get(step),
        }
    }

    /// Replaces the state of a step.
    pub(crate) fn put(&mut self, step: usize, mean: Mean) {
        self.sums[step] = mean.sum;
        self.compensations[step] = mean.compensation;
        self.counts[step] = mean.count;
        if mean.incremental {
            self.incremental.insert(step);
        }
    }
}

/// The quantile of so many values that are found by their rank in the order of [`order`], interpolated
/// linearly. Out of range it is infinite.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_many_steps_are_those_of_each() {
        let steps = 150;
        let value = |series: usize, step: usize| match (series * 31 + step * 17) % 97 {
            0 if step > 70 => f64::MAX,
            1 if step > 100 => f64::INFINITY,
            2 if step > 120 => f64::NAN,
            other => other as f64 / 7.0 - 5.0,
        };
        let mut means = Means::new(steps);
        let mut each = vec![Mean::default(); steps];
        for series in 0..200 {
            let mut present = Bitmap::empty(steps);
            present.fill();
            if series % 3 == 0 {
                present.retain(|step| (step + series) % 5 != 0);
            }
            let values: Vec<f64> = (0..steps).map(|step| value(series, step)).collect();
            means.add(&values, &present);
            present.iter().for_each(|step| each[step].add(values[step]));
        }
        for (step, mean) in each.iter().enumerate() {
            let (found, expected) = (means.at(step).value(), mean.value());
            let same = found.to_bits() == expected.to_bits();
            assert!(same || found.is_nan() && expected.is_nan(), "{found}, not {expected}");
        }
    }
}
