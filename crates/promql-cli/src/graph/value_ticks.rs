//! The value axis: from a round number to a round number, with round numbers between.

use crate::render::number::scale;

/// A value axis.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueAxis {
    /// The value at the lower edge.
    pub low: f64,
    /// The value at the upper edge.
    pub high: f64,
    /// Values with their labels, from low to high.
    pub ticks: Vec<(f64, String)>,
}

/// An axis with more ticks than these is no help to anybody.
const MOST_TICKS: f64 = 60.0;

impl ValueAxis {
    /// An axis for finite values from `low` to `high` with about so many ticks. Steps are 1, 2 or 5
    /// times a power of ten or, for `binary`, powers of two. Zero is on the axis unless the values
    /// lie close together far from it.
    pub fn new(low: f64, high: f64, about: usize, binary: bool) -> ValueAxis {
        let (low, high) = with_zero(low, high);
        let span = high / 2.0 - low / 2.0;
        let rough = span / about.max(1) as f64 * 2.0;
        let step = if binary { binary_step(rough) } else { decimal_step(rough) };
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let usable = step.is_normal() && (last - first) <= MOST_TICKS && (last - first) >= 1.0;
        // Beyond 2^53 steps from zero neighbouring ticks would be the same float.
        if !usable
            || first.abs().max(last.abs()) > 9e15
            || (first * step).is_infinite()
            || (last * step).is_infinite()
        {
            let label = |v: f64| (v, format!("{v:e}"));
            return ValueAxis { low, high, ticks: vec![label(low), label(high)] };
        }
        let values = (0..=(last - first) as i64).map(|i| (first + i as f64) * step);
        let values: Vec<f64> = values.map(|v| if v == 0.0 { 0.0 } else { v }).collect();
        let largest = values.iter().fold(0.0f64, |size, v| size.max(v.abs()));
        let (factor, letter) = match largest {
            size if !binary && (0.001..100_000.0).contains(&size) => (1.0, ""),
            size => scale(size, 6, binary),
        };
        let decimals = decimals(step / factor);
        let label = |v: f64| match v {
            0.0 => "0".to_string(),
            v => format!("{:.decimals$}{letter}", v / factor),
        };
        ValueAxis {
            low: first * step,
            high: last * step,
            ticks: values.into_iter().map(|v| (v, label(v))).collect(),
        }
    }

    /// Where a value lies between the lower edge (0) and the upper edge (1).
    pub fn up(&self, value: f64) -> f64 {
        let share = match self.high - self.low {
            span if span.is_finite() => (value - self.low) / span,
            // The largest floats: halves have a difference.
            _ => (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0),
        };
        share.clamp(0.0, 1.0)
    }
}

/// The bounds with zero added where it is near: when the values' spread is not small against their
/// distance from it. A single value gets zero as the other bound.
fn with_zero(low: f64, high: f64) -> (f64, f64) {
    let near = |inner: f64, outer: f64| low == high || inner.abs() <= outer.abs() / 2.0;
    match (low, high) {
        _ if low == 0.0 && high == 0.0 => (0.0, 1.0),
        _ if low > 0.0 && near(low, high) => (0.0, high),
        _ if high < 0.0 && near(high, low) => (low, 0.0),
        bounds => bounds,
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least this.
fn decimal_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let times = rough / power;
    let times = [1.0, 2.0, 5.0].into_iter().find(|t| times <= *t * 1.000_001).unwrap_or(10.0);
    times * power
}

/// The smallest power of two that is at least this.
fn binary_step(rough: f64) -> f64 {
    2f64.powf(rough.log2().ceil())
}

/// The digits behind the point that tell multiples of a step apart.
fn decimals(step: f64) -> usize {
    (0..15)
        .find(|d| {
            let shifted = step * 10f64.powi(*d);
            (shifted - shifted.round()).abs() < 1e-6 * shifted.max(1e-300)
        })
        .unwrap_or(15) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(low: f64, high: f64, binary: bool) -> String {
        let axis = ValueAxis::new(low, high, 5, binary);
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.0, 1.0, false), "0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(ticks(0.3, 0.97, false), "0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(ticks(1.0, 1.0, false), "0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(ticks(0.0, 0.0, false), "0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(ticks(1027.0, 1093.0, false), "1020 1040 1060 1080 1100");
        assert_eq!(ticks(-3.0, 8.0, false), "-5 0 5 10");
        assert_eq!(ticks(-8.0, -3.0, false), "-8 -6 -4 -2 0");
        assert_eq!(ticks(0.0, 2_340_000.0, false), "0 0.5M 1.0M 1.5M 2.0M 2.5M");
        assert_eq!(ticks(0.0, 0.00042, false), "0 100µ 200µ 300µ 400µ 500µ");
        assert_eq!(ticks(0.0, 3e9, true), "0 1Gi 2Gi 3Gi");
        assert_eq!(ticks(5e8, 1.2e9, true), "0 0.25Gi 0.50Gi 0.75Gi 1.00Gi 1.25Gi");
    }

    #[test]
    fn extremes_have_an_axis() {
        for (low, high) in [
            (f64::MIN, f64::MAX),
            (0.0, 5e-324),
            (f64::MAX, f64::MAX),
            (1e15, 1e15 + 0.125),
            (1.0, 1.0 + f64::EPSILON),
            (-5e-324, 5e-324),
        ] {
            for binary in [false, true] {
                let axis = ValueAxis::new(low, high, 5, binary);
                assert!(axis.low.is_finite() && axis.high.is_finite(), "{axis:?}");
                assert!(axis.ticks.len() >= 2 && axis.ticks.len() < 70, "{axis:?}");
                assert!(
                    (0.0..=1.0).contains(&axis.up(low)) && (0.0..=1.0).contains(&axis.up(high))
                );
            }
        }
    }
}
