//! How far a float may be from what is expected: an extension that promtool doesn't know.
//!
//! It can be said for a file, a test, an expression or a sample; what is said nearer to the sample counts,
//! each key by itself. A float is as expected if it is within one of the limits. Native histograms are
//! compared by their notation, whatever is said.

use super::read::Shapes;
use crate::finding::Finding;
use crate::yaml::{Fields, Node, Reader, Spanned};

/// How far a float may be from what is expected.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tolerance {
    /// The distance as a part of the larger of the two (of their absolute values).
    pub relative: Option<f64>,
    /// The distance itself.
    pub absolute: Option<f64>,
    /// How many steps from one double to the next lie between the two.
    pub ulps: Option<u64>,
    /// Whether NaN is as expected where NaN is expected.
    pub nan_equal: Option<bool>,
}

impl Tolerance {
    /// What is said nearer to the sample, and for the rest what is said farther from it.
    #[must_use]
    pub(super) fn or(self, outer: Tolerance) -> Tolerance {
        Tolerance {
            relative: self.relative.or(outer.relative),
            absolute: self.absolute.or(outer.absolute),
            ulps: self.ulps.or(outer.ulps),
            nan_equal: self.nan_equal.or(outer.nan_equal),
        }
    }

    /// At least as much as promtool's `fuzzy_compare` allows: the neighbouring doubles.
    #[must_use]
    pub(super) fn fuzzy(self) -> Tolerance {
        Tolerance { ulps: Some(self.ulps.unwrap_or(0).max(1)), ..self }
    }

    /// Whether a float is as expected.
    pub fn allows(self, expected: f64, got: f64) -> bool {
        if expected.is_nan() || got.is_nan() {
            return expected.is_nan() && got.is_nan() && self.nan_equal == Some(true);
        }
        // Infinities are at no distance of anything, but next to the largest doubles.
        let distance = (expected - got).abs();
        let is_within = |limit: f64| distance.is_finite() && distance <= limit;
        let larger = expected.abs().max(got.abs());
        expected == got
            || self.relative.is_some_and(|relative| is_within(relative * larger))
            || self.absolute.is_some_and(is_within)
            || self.ulps.is_some_and(|ulps| steps(expected, got) <= ulps)
    }

    /// Reads the keys of a mapping.
    pub(super) fn read(fields: &Fields<'_, '_>, reader: &mut Reader<'_>) -> Tolerance {
        let mut tolerance = Tolerance {
            nan_equal: fields.get("nan_equal").and_then(|n| reader.boolean(n)).map(|b| b.value),
            ..Tolerance::default()
        };
        let limits = fields.get("tolerance").and_then(|n| reader.fields(n, &Shapes::TOLERANCE));
        let Some(limits) = limits else { return tolerance };
        tolerance.relative = limit(limits.get("relative"), reader);
        tolerance.absolute = limit(limits.get("absolute"), reader);
        let ulps = limits.get("ulps").and_then(|node| reader.integer(node));
        tolerance.ulps = ulps.and_then(|ulps| match u64::try_from(ulps.value) {
            Ok(count) => Some(count),
            Err(_) => {
                refuse(Spanned::new(ulps.value, ulps.span()), reader);
                None
            }
        });
        tolerance
    }
}

fn limit(node: Option<&Node<'_>>, reader: &mut Reader<'_>) -> Option<f64> {
    let limit = reader.float(node?)?;
    if limit.value.is_finite() && limit.value >= 0.0 {
        return Some(limit.value);
    }
    refuse(limit, reader);
    None
}

fn refuse<T: std::fmt::Display>(limit: Spanned<T>, reader: &mut Reader<'_>) {
    reader.add(Finding::error(
        "unit-test::tolerance",
        limit.span(),
        format!("a tolerance of {} is none", limit.value),
        "not a distance",
        "write a number that is not negative, as `tolerance: {relative: 1e-9}`",
    ));
}

/// How many steps from one double to the next lie between two numbers.
fn steps(a: f64, b: f64) -> u64 {
    let ordered = |value: f64| {
        let bits = value.to_bits().cast_signed();
        if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
    };
    ordered(a).abs_diff(ordered(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_equality() {
        let plain = Tolerance::default();
        assert!(plain.allows(1.0, 1.0) && plain.allows(0.0, -0.0));
        assert!(plain.allows(f64::INFINITY, f64::INFINITY));
        assert!(!plain.allows(1.0, 1.0_f64.next_up()) && !plain.allows(f64::NAN, f64::NAN));
    }

    #[test]
    fn each_limit_suffices() {
        let relative = Tolerance { relative: Some(0.1), ..Tolerance::default() };
        assert!(relative.allows(100.0, 90.0) && relative.allows(-90.0, -100.0));
        assert!(!relative.allows(100.0, 89.0) && !relative.allows(1.0, -1.0));
        assert!(!relative.allows(f64::INFINITY, 1.0));
        assert!(!relative.allows(f64::INFINITY, f64::NEG_INFINITY));
        let absolute = Tolerance { absolute: Some(0.5), ..relative };
        assert!(absolute.allows(0.0, 0.5) && absolute.allows(100.0, 91.0));
        assert!(!absolute.allows(0.0, 0.6));
    }

    #[test]
    fn steps_are_counted_over_zero() {
        let fuzzy = Tolerance::default().fuzzy();
        assert!(fuzzy.allows(0.0, 5e-324) && fuzzy.allows(-0.0, 5e-324));
        assert!(!fuzzy.allows(5e-324, -5e-324) && !fuzzy.allows(0.0, 1e-300));
        assert!(fuzzy.allows(f64::MAX, f64::INFINITY), "as upstream has it");
        assert!(Tolerance { ulps: Some(2), ..fuzzy }.allows(5e-324, -5e-324));
        assert!(!fuzzy.allows(f64::NEG_INFINITY, f64::INFINITY));
    }

    #[test]
    fn nan_is_nan_only_if_that_is_said() {
        let nan = Tolerance { nan_equal: Some(true), ..Tolerance::default() };
        assert!(nan.allows(f64::NAN, f64::NAN) && !nan.allows(1.0, f64::NAN));
        assert!(!Tolerance { relative: Some(1.0), ..Tolerance::default() }.allows(f64::NAN, 1.0));
    }
}
