//! Sample values as text.

use std::fmt::Write;

use promql_model::number::{Decimal, Json};

/// The value as the HTTP API writes it in vectors and matrices: the shortest digits that give the
/// same float, with an exponent only below 1e-6 and from 1e21 on.
///
/// ```
/// use promql_cli::render::number::sample;
/// assert_eq!(sample(0.1), "0.1");
/// assert_eq!(sample(1e20), "100000000000000000000");
/// assert_eq!(sample(1e21), "1e+21");
/// assert_eq!(sample(1e-7), "1e-07");
/// assert_eq!(sample(f64::INFINITY), "+Inf");
/// ```
pub fn sample(value: f64) -> String {
    Json(value).to_string()
}

/// The value as [`sample`] writes it, but with at most 15 significant digits, which leaves out the
/// noise of binary fractions: `0.3`, and not `0.30000000000000004`. Forms for people use it.
///
/// ```
/// use promql_cli::render::number::readable;
/// assert_eq!(readable(0.1 + 0.2), "0.3");
/// assert_eq!(readable(1795420967.295), "1795420967.295");
/// assert_eq!(readable(9007199254740993.0), "9007199254740992");
/// ```
pub fn readable(value: f64) -> String {
    // Whole numbers up to 2^53 have no noise.
    if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
        return sample(value);
    }
    format!("{value:.14e}").parse().map_or_else(|_| sample(value), sample)
}

/// The value as the HTTP API writes a scalar: the shortest digits, never with an exponent.
pub fn plain(value: f64) -> String {
    Decimal(value).to_string()
}

/// A number for the eye: at most `digits` significant digits, with the letters of SI (`k`, `M`, `G`,
/// `m`, `µ`) or, for `binary`, of powers of 1024 (`Ki`, `Mi`, `Gi`).
///
/// ```
/// use promql_cli::render::number::short;
/// assert_eq!(short(1_234_567.0, 3, false), "1.23M");
/// assert_eq!(short(1536.0, 3, true), "1.5Ki");
/// assert_eq!(short(0.00042, 3, false), "420µ");
/// ```
pub fn short(value: f64, digits: usize, binary: bool) -> String {
    if !value.is_finite() {
        return plain(value);
    }
    if value == 0.0 {
        return "0".to_string();
    }
    let (factor, letter) = scale(value.abs(), digits, binary);
    let mut text = significant(value / factor, digits);
    text.push_str(letter);
    text
}

/// A number for the eye that is plain as long as it is neither small nor large: `1027.3`, `0.25`, but
/// `1.5M`.
pub fn legible(value: f64, binary: bool) -> String {
    match value.abs() {
        size if !binary && (0.0001..100_000.0).contains(&size) => significant(value, 5),
        _ => short(value, 4, binary),
    }
}

/// The power and its letter by which a value is divided for the eye.
pub fn scale(size: f64, digits: usize, binary: bool) -> (f64, &'static str) {
    const SI: [(f64, &str); 11] = [
        (1e15, "P"),
        (1e12, "T"),
        (1e9, "G"),
        (1e6, "M"),
        (1e3, "k"),
        (1.0, ""),
        (1e-3, "m"),
        (1e-6, "µ"),
        (1e-9, "n"),
        (1e-12, "p"),
        (1e-15, "f"),
    ];
    const KI: f64 = 1024.0;
    const BINARY: [(f64, &str); 6] = [
        (KI * KI * KI * KI * KI, "Pi"),
        (KI * KI * KI * KI, "Ti"),
        (KI * KI * KI, "Gi"),
        (KI * KI, "Mi"),
        (KI, "Ki"),
        (1.0, ""),
    ];
    let table: &[_] = if binary { &BINARY } else { &SI };
    // Half of the last digit shown, so that 999.96 becomes 1k and not 1000.
    let rounded = size * (1.0 + 0.5 * 10f64.powi(-(digits as i32)));
    table.iter().copied().find(|(factor, _)| rounded >= *factor).unwrap_or((1.0, ""))
}

/// A number with at most so many significant digits, without zeros at its end.
fn significant(value: f64, digits: usize) -> String {
    let magnitude = value.abs().log10().floor();
    if !(-10.0..=20.0).contains(&magnitude) {
        let text = format!("{value:.*e}", digits.saturating_sub(1));
        return text;
    }
    let decimals = (digits as i32 - 1 - magnitude as i32).max(0) as usize;
    let mut text = String::new();
    let _ = write!(text, "{value:.decimals$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_fit_the_eye() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.9999, "1"),
            (999.96, "1k"),
            (12.345, "12.3"),
            (-2_500_000.0, "-2.5M"),
            (1e18, "1000P"),
            (1e300, "1.00e285P"),
            (1e-20, "1.00e-20"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(short(value, 3, false), text);
        }
        assert_eq!(short(8_589_934_592.0, 3, true), "8Gi");
    }
}
