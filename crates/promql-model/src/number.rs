//! Numbers as Prometheus writes them. There are three forms, all with the fewest digits that read
//! back as the same number, and with `+Inf`, `-Inf` and `NaN`:
//!
//! | form | where | 2000000 | 1e-7 |
//! |---|---|---|---|
//! | [`Decimal`] | printed queries, `count_values`, exposition text | `2000000` | `0.0000001` |
//! | [`General`] | fill values, native histograms, messages | `2e+06` | `1e-07` |
//! | [`Json`] | sample values in the HTTP API | `2000000` | `1e-07` |
//!
//! and [`Fixed`] with six decimals for some messages, [`OpenMetrics`] for bounds of buckets, and
//! [`Scientific`] for the values of alerts. All are displayed without allocating, so `write!` appends
//! them to whatever is at hand.

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
            None => Digits::of(self.0).write_plain(f),
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
        let digits = Digits::of(self.0);
        if (-4..6).contains(&digits.exponent) {
            digits.write_plain(f)
        } else {
            digits.write_scientific(f)
        }
    }
}

/// Displays a number as the HTTP API does in vectors and matrices (there in quotes): without
/// exponent, unless it is nearer to zero than 1e-6 or is 1e21 or larger. Scalar results are
/// [`Decimal`] there.
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
            Digits::of(self.0).write_scientific(f)
        } else {
            Decimal(self.0).fmt(f)
        }
    }
}

impl Json {
    /// Appends the number to a text. The same as displaying it, and several times as fast, which
    /// matters where answers have hundreds of thousands of them.
    pub fn append(self, out: &mut String) {
        let number = self.0;
        let size = number.abs();
        // Whole numbers, but not the negative zero.
        if size < 1e15 && number.trunc() == number && (number != 0.0 || number.is_sign_positive()) {
            out.push_str(itoa::Buffer::new().format(number as i64));
            return;
        }
        if (1e-5..1e15).contains(&size) {
            // Where digits are written without exponent, they stand as they are wanted here.
            out.push_str(zmij::Buffer::new().format_finite(number));
            return;
        }
        let _ = write!(out, "{self}");
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

/// Displays a number with an exponent always: Go's `%e` with the fewest digits, `strconv` form
/// `'e', -1`. The HTTP API writes the values of alerts so.
///
/// ```
/// use promql_model::number::Scientific;
/// assert_eq!(Scientific(1.0).to_string(), "1e+00");
/// assert_eq!(Scientific(-0.125).to_string(), "-1.25e-01");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Scientific(pub f64);

impl fmt::Display for Scientific {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match special(self.0) {
            Some(word) => f.write_str(word),
            None => Digits::of(self.0).write_scientific(f),
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

/// A finite number, as the fewest digits that tell it from all others: `d.ddd` times 10 to the
/// exponent.
///
/// Where two such numbers are equally near, Go takes the one whose last digit is even. So does the
/// algorithm used here, but not Rust's standard library.
struct Digits {
    negative: bool,
    /// At most 17, the first `length` count. No zeros at the ends, except for zero itself.
    digits: [u8; 17],
    length: usize,
    exponent: i32,
}

impl Digits {
    fn of(number: f64) -> Self {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(number);
        let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
        let mut parsed = Self {
            negative: number.is_sign_negative(),
            digits: [b'0'; 17],
            length: 0,
            exponent: 0,
        };
        // The number of places before the point, and of zeros after it before the first digit.
        let (mut places, mut zeros) = (0, 0);
        let (mut seen_point, mut end) = (false, 0);
        for byte in mantissa.bytes() {
            match byte {
                b'.' => seen_point = true,
                b'0' if parsed.length == 0 => zeros += i32::from(seen_point),
                b'0'..=b'9' => {
                    if let Some(digit) = parsed.digits.get_mut(parsed.length) {
                        *digit = byte;
                    }
                    parsed.length += 1;
                    places += i32::from(!seen_point);
                    end = if byte == b'0' { end } else { parsed.length };
                }
                _ => {}
            }
        }
        parsed.length = end.clamp(1, parsed.digits.len());
        if end > 0 {
            let power: i32 = power.parse().unwrap_or(0);
            parsed.exponent = power + if places > 0 { places - 1 } else { -1 - zeros };
        }
        parsed
    }

    fn write_plain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_sign(f)?;
        let Ok(point) = usize::try_from(self.exponent + 1) else {
            f.write_str("0.")?;
            write_zeros(f, (-1 - self.exponent).unsigned_abs() as usize)?;
            return f.write_str(self.range(0, self.length));
        };
        match point {
            0 => f.write_str("0.")?,
            _ if point >= self.length => {
                f.write_str(self.range(0, self.length))?;
                return write_zeros(f, point - self.length);
            }
            _ => {
                f.write_str(self.range(0, point))?;
                f.write_str(".")?;
            }
        }
        f.write_str(self.range(point, self.length))
    }

    fn write_scientific(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_sign(f)?;
        f.write_str(self.range(0, 1))?;
        if self.length > 1 {
            f.write_str(".")?;
            f.write_str(self.range(1, self.length))?;
        }
        let sign = if self.exponent < 0 { '-' } else { '+' };
        write!(f, "e{sign}{:02}", self.exponent.unsigned_abs())
    }

    fn write_sign(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative { f.write_str("-") } else { Ok(()) }
    }

    fn range(&self, from: usize, to: usize) -> &str {
        let digits = self.digits.get(from..to).unwrap_or_default();
        str::from_utf8(digits).unwrap_or_default()
    }
}

fn write_zeros(f: &mut fmt::Formatter<'_>, mut count: usize) -> fmt::Result {
    const ZEROS: &str = "00000000000000000000000000000000";
    while count > 0 {
        let zeros = ZEROS.get(..count).unwrap_or(ZEROS);
        f.write_str(zeros)?;
        count -= zeros.len();
    }
    Ok(())
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
            // Halfway between two numbers of so many digits.
            (184945788090.0 + 0.078125, "184945788090.07812", "1.8494578809007812e+11", {
                "184945788090.07812"
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

    fn appended(number: f64) -> String {
        let mut out = String::new();
        Json(number).append(&mut out);
        out
    }

    #[test]
    fn appended_as_displayed_at_the_edges() {
        let edges = [0.0_f64, 1e-6, 1e-5, 0.001, 1.0, 1e14, 1e15, 1e16, 1e17, 1e20, 1e21, 1e300];
        let around = edges.iter().flat_map(|x| [x.next_down(), *x, x.next_up(), x * 1.5, x * 1.25]);
        let special = [f64::NAN, f64::INFINITY, f64::MAX, f64::MIN_POSITIVE, 5e-324];
        for number in around.chain(special).flat_map(|x| [x, -x]) {
            assert_eq!(appended(number), Json(number).to_string());
        }
    }

    proptest::proptest! {
        #[test]
        fn appended_as_displayed(number in proptest::num::f64::ANY, whole: i64, exponent in -8..18) {
            let scaled = whole as f64 / 1e18 * 10_f64.powi(exponent);
            for number in [number, whole as f64, scaled, (whole / 1_000_000) as f64 / 1000.0] {
                assert_eq!(appended(number), Json(number).to_string());
            }
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
