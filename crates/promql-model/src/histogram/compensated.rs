//! Sums that remember what rounding took from them.

use std::fmt::Debug;

use super::arithmetic::combined_hints;
use super::{Combined, CompensatedHistogram, HistogramError};

/// What a histogram counts in.
pub trait Count: Copy + Default + Debug + PartialEq {
    /// A count of this much.
    fn of(value: f64) -> Self;
    /// How much it is.
    fn value(self) -> f64;
    /// Adds a number.
    fn add(&mut self, value: f64);
    /// Adds another count.
    fn merge(&mut self, other: Self);
    /// Multiplies.
    fn multiply(&mut self, factor: f64);
    /// Divides.
    fn divide(&mut self, divisor: f64);
    /// Whether nothing is counted.
    fn is_zero(self) -> bool;
}

impl Count for f64 {
    #[inline]
    fn of(value: f64) -> Self {
        value
    }
    #[inline]
    fn value(self) -> f64 {
        self
    }
    #[inline]
    fn add(&mut self, value: f64) {
        *self += value;
    }
    #[inline]
    fn merge(&mut self, other: Self) {
        *self += other;
    }
    #[inline]
    fn multiply(&mut self, factor: f64) {
        *self *= factor;
    }
    #[inline]
    fn divide(&mut self, divisor: f64) {
        *self /= divisor;
    }
    #[inline]
    fn is_zero(self) -> bool {
        self == 0.0
    }
}

/// A sum by Neumaier's variant of Kahan's method, as Prometheus sums: next to the sum it keeps what
/// was lost to rounding, to add it once at the end.
///
/// ```
/// use promql_model::{Compensated, Count};
/// let mut sum = Compensated::default();
/// for value in [1e100, 1.0, -1e100] {
///     sum.add(value);
/// }
/// assert_eq!(sum.value(), 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Compensated {
    sum: f64,
    compensation: f64,
}

impl Compensated {
    /// The sum, and what rounding took from it.
    fn parts(self) -> (f64, f64) {
        (self.sum, self.compensation)
    }
}

impl Count for Compensated {
    #[inline]
    fn of(value: f64) -> Self {
        Self { sum: value, compensation: 0.0 }
    }

    #[inline]
    fn value(self) -> f64 {
        self.sum + self.compensation
    }

    #[inline]
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        // The larger operand first: what was lost of the smaller one is then exact. NaN goes right.
        // Choices and no branches, so that loops over buckets are vectorised.
        let ours_is_larger = self.sum.abs() >= value.abs();
        let lost = if ours_is_larger { (self.sum - sum) + value } else { (value - sum) + self.sum };
        let compensation = self.compensation + lost;
        self.compensation = if sum.is_infinite() { 0.0 } else { compensation };
        self.sum = sum;
    }

    #[inline]
    fn merge(&mut self, other: Self) {
        self.add(other.sum);
        self.add(other.compensation);
    }

    #[inline]
    fn multiply(&mut self, factor: f64) {
        self.sum *= factor;
        self.compensation *= factor;
    }

    #[inline]
    fn divide(&mut self, divisor: f64) {
        self.sum /= divisor;
        self.compensation /= divisor;
    }

    #[inline]
    fn is_zero(self) -> bool {
        self.sum == 0.0 && self.compensation == 0.0
    }
}

impl CompensatedHistogram {
    /// Adds another sum, with what rounding took from that.
    ///
    /// # Errors
    /// When only one of the two has custom buckets. This sum is then unchanged.
    pub fn merge(&mut self, other: &Self) -> Result<Combined, HistogramError> {
        if self.combines_by_bucket(other) {
            let (hint, hint_collision) = combined_hints(self.hint, other.hint);
            self.hint = hint;
            self.count.merge(other.count);
            self.sum.merge(other.sum);
            if !self.has_custom_buckets() {
                self.zero_count.merge(other.zero_count);
            }
            for (count, other) in self.counts.iter_mut().zip(&other.counts) {
                count.merge(*other);
            }
            return Ok(Combined { hint_collision, bounds_reconciled: false });
        }
        let combined = self.add(&other.in_floats(|count| count.parts().0))?;
        let hint = self.hint;
        let _ = self.add(&other.in_floats(|count| count.parts().1))?;
        self.hint = hint;
        Ok(combined)
    }
}
