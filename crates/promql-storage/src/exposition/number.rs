//! Numbers in exposition text.

use std::borrow::Cow;

use promql_model::number::OpenMetrics;

/// Why text is no value of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotANumber {
    /// Not the syntax of a number.
    Syntax,
    /// A number in the notation of a programming language: hexadecimal or with underscores.
    Programmers,
    /// Too large for a float.
    Range,
}

/// Reads a value as Prometheus' scraper does: decimal, `Inf`, `Infinity` with an optional sign,
/// `NaN` without one; words in any case. Every NaN is the same one, the ordinary one, so text
/// cannot express a staleness marker.
pub(super) fn parse_float(text: &[u8]) -> Result<f64, NotANumber> {
    if let Some(value) = small_integer(text) {
        return Ok(value);
    }
    let unsigned = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if text.eq_ignore_ascii_case(b"nan") {
        return Ok(f64::NAN);
    }
    if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
        return Ok(if text[0] == b'-' { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if !unsigned.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return Err(NotANumber::Syntax);
    }
    let value = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
    match value {
        Some(value) if value.is_infinite() => Err(NotANumber::Range),
        Some(value) => Ok(value),
        None if unsigned.starts_with(b"0x") || unsigned.starts_with(b"0X") => {
            Err(NotANumber::Programmers)
        }
        None if unsigned.contains(&b'_') => Err(NotANumber::Programmers),
        None => Err(NotANumber::Syntax),
    }
}

/// Most values of an exposition are integers of a few digits.
fn small_integer(text: &[u8]) -> Option<f64> {
    if text.is_empty() || text.len() > 15 {
        return None;
    }
    let mut value = 0_u64;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value as f64)
}

/// The value of an `le` or `quantile` label as OpenMetrics writes it: `1` becomes `1.0`. Since
/// version 3 Prometheus stores these labels so, whatever the exposition said. Text that is no
/// number stays as it is.
pub(super) fn normal_bound(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_normal(text.as_bytes()) {
        return text;
    }
    match parse_float(text.as_bytes()) {
        Ok(value) => Cow::Owned(OpenMetrics(value).to_string()),
        Err(_) => text,
    }
}

/// Whether [`normal_bound`] would give the same text: a plain decimal of at most fifteen digits
/// between 0.0001 and a million without superfluous zeros. Those print as they were written.
fn is_normal(text: &[u8]) -> bool {
    if text == b"+Inf" {
        return true;
    }
    let Some(point) = text.iter().position(|byte| *byte == b'.') else { return false };
    let (whole, fraction) = (&text[..point], &text[point + 1..]);
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if !digits(whole) || !digits(fraction) || text.len() > 16 || whole.len() > 6 {
        return false;
    }
    let whole_is_normal = whole[0] != b'0' || whole.len() == 1;
    let fraction_is_normal = fraction == b"0" || !fraction.ends_with(b"0");
    let not_tiny = whole != b"0" || fraction == b"0" || !fraction.starts_with(b"0000");
    whole_is_normal && fraction_is_normal && not_tiny
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_written_as_openmetrics_does() {
        let table = [
            ("1", "1.0"),
            ("5e-2", "0.05"),
            ("0.00001", "1e-05"),
            ("0.00010", "0.0001"),
            ("100000", "100000.0"),
            ("1000000", "1e+06"),
            ("1234567", "1.234567e+06"),
            ("1234567.5", "1.2345675e+06"),
            ("0", "0.0"),
            ("-0", "-0.0"),
            ("-1", "-1.0"),
            ("+Inf", "+Inf"),
            ("inf", "+Inf"),
            ("-infinity", "-Inf"),
            ("nan", "NaN"),
            ("0.1", "0.1"),
            ("00.1", "0.1"),
            ("2.50", "2.5"),
            ("1e400", "1e400"),
            ("fast", "fast"),
            ("", ""),
        ];
        for (written, expected) in table {
            assert_eq!(normal_bound(Cow::Borrowed(written)), expected, "{written}");
        }
    }

    #[test]
    fn values_are_read_as_the_scraper_reads_them() {
        let good = [
            ("0", 0.0),
            ("5.", 5.0),
            (".5", 0.5),
            ("+1e3", 1000.0),
            ("-Infinity", f64::NEG_INFINITY),
            ("iNF", f64::INFINITY),
            ("123456789012345678", 123456789012345678.0),
            ("5e-324", 5e-324),
            ("1e-999", 0.0),
        ];
        for (text, expected) in good {
            assert_eq!(parse_float(text.as_bytes()), Ok(expected), "{text}");
        }
        let nan = parse_float(b"nan").map(f64::to_bits);
        assert_eq!(nan, Ok(f64::NAN.to_bits()));
        for text in ["", "+NaN", "-nan", "e5", ".", "1e", "0x", "1p3", "--1", "+-1", "\u{661}"] {
            assert!(parse_float(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(parse_float(b"0x10"), Err(NotANumber::Programmers));
        assert_eq!(parse_float(b"1_000"), Err(NotANumber::Programmers));
        assert_eq!(parse_float(b"1e999"), Err(NotANumber::Range));
    }
}
