//! Histograms between two samples.

use super::{Combined, FloatHistogram, HistogramError};

/// What was remarkable about the two steps of an interpolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[must_use]
pub struct Interpolated {
    /// About subtracting the first sample from the second one.
    pub subtraction: Combined,
    /// About adding the first sample to a part of the difference.
    pub addition: Combined,
}

impl FloatHistogram {
    /// The histogram at a time between two samples, each given with its time, if the change between
    /// them is even. With `counter`, a reset in between is taken to have come right after the first
    /// sample, so that counting began at zero there.
    ///
    /// # Errors
    /// When only one of the two has custom buckets.
    pub fn interpolate(
        (first_time, first): (f64, &Self),
        (second_time, second): (f64, &Self),
        time: f64,
        counter: bool,
    ) -> Result<(Self, Interpolated), HistogramError> {
        if time == first_time {
            return Ok((first.clone(), Interpolated::default()));
        }
        let mut between = second.clone();
        if time == second_time {
            return Ok((between, Interpolated::default()));
        }
        let fraction = (time - first_time) / (second_time - first_time);
        if counter && second.detect_reset(first) {
            between.multiply(fraction);
            return Ok((between, Interpolated::default()));
        }
        let subtraction = between.subtract(first)?;
        between.multiply(fraction);
        let addition = between.add(first)?;
        Ok((between, Interpolated { subtraction, addition }))
    }
}
