//! Durations as PromQL writes them: `1h30m`, `1d12h`, `500ms`.
//!
//! A duration is a number of nanoseconds. Reading is strict about the order of the units, and
//! writing prefers large units where they divide evenly, as Prometheus does both.

use std::fmt;

use crate::quote::quote;

/// The units from large to small, with their nanoseconds, and whether one is written only if it
/// divides the duration evenly: 90 days are `90d` and not `12w6d`.
const UNITS: [(&str, u64, bool); 7] = [
    ("y", 365 * 24 * 3600 * 1_000_000_000, true),
    ("w", 7 * 24 * 3600 * 1_000_000_000, true),
    ("d", 24 * 3600 * 1_000_000_000, false),
    ("h", 3600 * 1_000_000_000, false),
    ("m", 60 * 1_000_000_000, false),
    ("s", 1_000_000_000, false),
    ("ms", 1_000_000, false),
];

/// A text that is no duration, with Prometheus' message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing was given.
    #[error("empty duration string")]
    Empty,
    /// A number or a unit is missing, or units are not in descending order.
    #[error("not a valid duration string: {}", quote(.0.as_bytes()))]
    Invalid(String),
    /// There is no such unit.
    #[error("unknown unit {} in duration {}", quote(.unit.as_bytes()), quote(.text.as_bytes()))]
    UnknownUnit {
        /// What stands where a unit must.
        unit: String,
        /// The whole text.
        text: String,
    },
    /// More than 2⁶³-1 nanoseconds, about 292 years.
    #[error("duration out of range")]
    OutOfRange,
}

/// Reads a duration: numbers with the units `y w d h m s ms`, each at most once and in that order,
/// or `0`. The result is in nanoseconds, never negative.
///
/// # Errors
/// With the message that Prometheus has for it.
///
/// ```
/// use promql_model::parse_duration;
/// assert_eq!(parse_duration("1m30s"), Ok(90_000_000_000));
/// assert_eq!(
///     parse_duration("5hs").unwrap_err().to_string(),
///     r#"unknown unit "hs" in duration "5hs""#
/// );
/// ```
pub fn parse_duration(text: &str) -> Result<i64, DurationError> {
    match text {
        "" => return Err(DurationError::Empty),
        "0" => return Ok(0),
        _ => {}
    }
    let invalid = || DurationError::Invalid(text.into());
    let mut rest = text;
    let mut total = 0u64;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let (digits, after) = split_where(rest, |byte| !byte.is_ascii_digit());
        let number: u64 = digits.parse().map_err(|_| invalid())?;
        let (unit, after) = split_where(after, |byte| byte.is_ascii_digit());
        rest = after;
        if unit.is_empty() {
            return Err(invalid());
        }
        if UNITS.iter().all(|(name, ..)| *name != unit) {
            return Err(DurationError::UnknownUnit { unit: unit.into(), text: text.into() });
        }
        // Only smaller units than the ones before are left.
        let (_, size, _) = units.find(|(name, ..)| *name == unit).ok_or_else(invalid)?;
        total = number
            .checked_mul(*size)
            .and_then(|part| total.checked_add(part))
            .filter(|&total| i64::try_from(total).is_ok())
            .ok_or(DurationError::OutOfRange)?;
    }
    i64::try_from(total).map_err(|_| DurationError::OutOfRange)
}

/// Splits before the first byte that satisfies a condition; such bytes are ASCII or all that aren't
/// digits, so the place is between characters.
fn split_where(text: &str, condition: impl Fn(u8) -> bool) -> (&str, &str) {
    let at = text.bytes().position(condition).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// Displays nanoseconds as a duration. What is less than a millisecond is dropped, and nothing is
/// `0s`.
///
/// ```
/// use promql_model::FormatDuration;
/// assert_eq!(FormatDuration(5_400_000_000_000).to_string(), "1h30m");
/// assert_eq!(FormatDuration(-14 * 86_400_000_000_000).to_string(), "-2w");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FormatDuration(pub i64);

impl fmt::Display for FormatDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.unsigned_abs();
        rest -= rest % 1_000_000;
        if rest == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        for (unit, size, only_exact) in UNITS {
            let number = rest / size;
            if number == 0 || only_exact && !rest.is_multiple_of(size) {
                continue;
            }
            write!(f, "{number}{unit}")?;
            rest -= number * size;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("0s", 0),
            ("1ms", 1_000_000),
            ("1h1ms", 3_600_001_000_000),
            ("292y", 292 * 365 * 86_400_000_000_000),
            ("9223372036s", 9_223_372_036_000_000_000),
            ("007s", 7_000_000_000),
        ] {
            assert_eq!(parse_duration(text), Ok(nanoseconds), "{text}");
        }
    }

    #[test]
    fn refuses() {
        for (text, message) in [
            ("", "empty duration string"),
            ("s", r#"not a valid duration string: "s""#),
            ("5", r#"not a valid duration string: "5""#),
            ("5m1h", r#"not a valid duration string: "5m1h""#),
            ("1m1m", r#"not a valid duration string: "1m1m""#),
            ("99999999999999999999s", r#"not a valid duration string: "99999999999999999999s""#),
            ("1.5h", r#"unknown unit "." in duration "1.5h""#),
            ("5é", r#"unknown unit "é" in duration "5é""#),
            ("5é1", r#"unknown unit "é" in duration "5é1""#),
            ("-5m", r#"not a valid duration string: "-5m""#),
            ("293y", "duration out of range"),
            ("9223372037s", "duration out of range"),
            ("292y300d", "duration out of range"),
        ] {
            assert_eq!(parse_duration(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn writes() {
        const SECOND: i64 = 1_000_000_000;
        for (nanoseconds, text) in [
            (0, "0s"),
            (999_999, "0s"),
            (1_000_000, "1ms"),
            (90 * 86400 * SECOND, "90d"),
            (14 * 86400 * SECOND, "2w"),
            (5 * 365 * 86400 * SECOND, "5y"),
            ((365 + 17) * 86400 * SECOND, "382d"),
            (36 * 3600 * SECOND, "1d12h"),
            (-90 * SECOND, "-1m30s"),
            (i64::MAX, "106751d23h47m16s854ms"),
            (i64::MIN, "-106751d23h47m16s854ms"),
        ] {
            assert_eq!(FormatDuration(nanoseconds).to_string(), text);
        }
    }
}
