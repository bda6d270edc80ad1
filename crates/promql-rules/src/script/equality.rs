//! When a value is the one that was expected.

use promql_model::{CounterResetHint, FloatHistogram, is_stale_nan};

/// How far two numbers may be apart, relative to the sum of their sizes.
const TOLERANCE: f64 = 1e-6;

/// Whether two numbers are the same for a test: equal, both NaN, or nearer than the tolerance.
/// Near zero that is relative to the smallest normal number. A staleness marker is only like another.
pub(super) fn is_close(a: f64, b: f64) -> bool {
    if is_stale_nan(a) || is_stale_nan(b) {
        return is_stale_nan(a) && is_stale_nan(b);
    }
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

/// Whether two histograms are the same for a test: the same buckets once the empty ones are cut off,
/// and numbers that are close. The hint about counter resets counts only if it was written.
pub(super) fn is_same_histogram(
    expected: &FloatHistogram,
    got: &FloatHistogram,
    hint_given: bool,
) -> bool {
    let hint = |histogram: &FloatHistogram| -> CounterResetHint { histogram.hint };
    if hint_given && hint(expected) != hint(got) {
        return false;
    }
    let compact = |histogram: &FloatHistogram| {
        let mut histogram = histogram.clone();
        histogram.compact(0);
        histogram
    };
    compact(expected).is_like(&compact(got), is_close)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_close() {
        let smallest = f64::MIN_POSITIVE;
        let table = [
            (1.0, 1.0, true),
            (1.0, 1.000_001_9, true),
            (1.0, 1.000_002_1, false),
            (-1.0, 1.0, false),
            (0.0, -0.0, true),
            (0.0, 5e-324, true),
            (0.0, 1e-300, false),
            (smallest, smallest * 1.1, false),
            (f64::NAN, f64::NAN, true),
            (f64::NAN, 1.0, false),
            (f64::NAN, promql_model::stale_nan(), false),
            (promql_model::stale_nan(), promql_model::stale_nan(), true),
            (f64::INFINITY, f64::INFINITY, true),
            (f64::INFINITY, f64::MAX, false),
            (f64::MAX, f64::MAX * 0.999_999_9, true),
            (f64::MAX, -f64::MAX, false),
        ];
        for (a, b, expected) in table {
            assert_eq!(is_close(a, b), expected, "{a} {b}");
            assert_eq!(is_close(b, a), expected, "{b} {a}");
        }
    }
}
