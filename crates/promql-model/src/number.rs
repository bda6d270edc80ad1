//! Numbers as Prometheus writes them. There are three forms, all with the fewest digits that read
//! back as the same number, and with `+Inf`, `-Inf` and `NaN`:
//!
//! | form | where | 2000000 | 1e-7 |
//! |---|---|---|---|
//! | [`Decimal`] | printed queries, `count_values`, exposition text | `2000000` | `0.0000001` |
//! | [`General`] | fill values, native histograms, messages | `2e+06` | `1e-07` |
//! | [`Json`] | sample values in the HTTP API | `2000000` | `1e-07` |
//!
//! and [`Fixed`] with six decimals for some messages, and [`OpenMetrics`] for bounds of buckets. All are displayed without allocating, so
//! `write!` appends them to whatever is at hand.

use std::fmt::{self, Write};

/// Displays a number without exponent, however long that gets: Go's `strconv` form `'f', -1`.
///
/// ```
/// use promql_model::number::Decimal;
/// assert_eq!(Decimal(1e21).to_string(), "1000000000000000000000");
/// assert_eq!(Decimal(f64::INFINITY).to_string(), "+Inf");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Decimal(pub f64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match special(self.0) {
            Some(word) => f.write_str(word),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Displays a number with an exponent if that is below -4 or above 5, and otherwise without: Go's
/// `%v`, `%g`, and `strconv` form `'g', -1`.
///
/// ```
/// use promql_model::number::General;
/// assert_eq!(General(999999.0).to_string(), "999999");
/// assert_eq!(General(1e6).to_string(), "1e+06");
/// assert_eq!(General(0.00001).to_string(), "1e-05");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct General(pub f64);

impl fmt::Display for General {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(word) = special(self.0) {
            return f.write_str(word);
        }
        let scientific = Scientific::of(self.0);
        if (-4..6).contains(&scientific.exponent) {
            write!(f, "{}", self.0)
        } else {
            scientific.write(f)
        }
    }
}

/// Displays a number as the HTTP API does in its answers (there in quotes): without exponent, unless
/// it is nearer to zero than 1e-6 or is 1e21 or larger.
///
/// ```
/// use promql_model::number::Json;
/// assert_eq!(Json(1e20).to_string(), "100000000000000000000");
/// assert_eq!(Json(1.5e-7).to_string(), "1.5e-07");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Json(pub f64);

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if size.is_finite() && size != 0.0 && !(1e-6..1e21).contains(&size) {
            Scientific::of(self.0).write(f)
        } else {
            Decimal(self.0).fmt(f)
        }
    }
}

/// Displays a number with six decimals: Go's `%f`.
///
/// ```
/// use promql_model::number::Fixed;
/// assert_eq!(Fixed(0.1).to_string(), "0.100000");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Fixed(pub f64);

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match special(self.0) {
            Some(word) => f.write_str(word),
            None => write!(f, "{:.6}", self.0),
        }
    }
}

/// Displays a number as OpenMetrics does, with a point or an exponent in it: the values of the label
/// `le`.
///
/// ```
/// use promql_model::number::OpenMetrics;
/// assert_eq!(OpenMetrics(1.0).to_string(), "1.0");
/// assert_eq!(OpenMetrics(1e6).to_string(), "1e+06");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct OpenMetrics(pub f64);

impl fmt::Display for OpenMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        General(self.0).fmt(f)?;
        if self.0.fract() == 0.0 && self.0.abs() < 1e6 { f.write_str(".0") } else { Ok(()) }
    }
}

/// The word for what isn't a finite number.
fn special(number: f64) -> Option<&'static str> {
    match number {
        _ if number.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}

/// A finite number as mantissa and exponent, with the fewest digits.
struct Scientific {
    /// Rust's form, as in `-1.5e-7`: at most 17 digits, two signs, a point, and three digits after
    /// the `e`.
    text: [u8; 32],
    mantissa_end: usize,
    exponent: i32,
}

impl Scientific {
    fn of(number: f64) -> Self {
        let mut buffer = Buffer { text: [0; 32], length: 0 };
        // The buffer is long enough.
        let _ = write!(buffer, "{number:e}");
        let text = buffer.text.get(..buffer.length).unwrap_or_default();
        let mantissa_end = text.iter().position(|&byte| byte == b'e').unwrap_or(text.len());
        let exponent = text.get(mantissa_end + 1..).and_then(|text| str::from_utf8(text).ok());
        let exponent = exponent.and_then(|text| text.parse().ok()).unwrap_or(0);
        Self { text: buffer.text, mantissa_end, exponent }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mantissa = self.text.get(..self.mantissa_end).unwrap_or_default();
        f.write_str(str::from_utf8(mantissa).unwrap_or_default())?;
        let sign = if self.exponent < 0 { '-' } else { '+' };
        write!(f, "e{sign}{:02}", self.exponent.unsigned_abs())
    }
}

struct Buffer {
    text: [u8; 32],
    length: usize,
}

impl fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.text.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_differ_in_where_the_exponent_begins() {
        for (number, decimal, general, json) in [
            (0.0, "0", "0", "0"),
            (-0.0, "-0", "-0", "-0"),
            (1.0, "1", "1", "1"),
            (-1.5, "-1.5", "-1.5", "-1.5"),
            (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004", "0.30000000000000004"),
            (100000.0, "100000", "100000", "100000"),
            (999999.5, "999999.5", "999999.5", "999999.5"),
            (1e6, "1000000", "1e+06", "1000000"),
            (123456789.0, "123456789", "1.23456789e+08", "123456789"),
            (1e20, "100000000000000000000", "1e+20", "100000000000000000000"),
            (1e21, "1000000000000000000000", "1e+21", "1e+21"),
            (0.0001, "0.0001", "0.0001", "0.0001"),
            (0.00001, "0.00001", "1e-05", "0.00001"),
            (1e-6, "0.000001", "1e-06", "0.000001"),
            (-9.9e-7, "-0.00000099", "-9.9e-07", "-9.9e-07"),
            (1.2345678901234569e23, "123456789012345690000000", "1.2345678901234569e+23", {
                "1.2345678901234569e+23"
            }),
            (f64::INFINITY, "+Inf", "+Inf", "+Inf"),
            (f64::NEG_INFINITY, "-Inf", "-Inf", "-Inf"),
            (f64::NAN, "NaN", "NaN", "NaN"),
            (-f64::NAN, "NaN", "NaN", "NaN"),
        ] {
            assert_eq!(Decimal(number).to_string(), decimal);
            assert_eq!(General(number).to_string(), general);
            assert_eq!(Json(number).to_string(), json);
        }
    }

    #[test]
    fn extremes_fit() {
        assert_eq!(General(f64::MAX).to_string(), "1.7976931348623157e+308");
        assert_eq!(General(-f64::MIN_POSITIVE).to_string(), "-2.2250738585072014e-308");
        assert_eq!(General(5e-324).to_string(), "5e-324");
        assert_eq!(Fixed(-1e15).to_string(), "-1000000000000000.000000");
        assert_eq!(Fixed(f64::NAN).to_string(), "NaN");
    }
}
