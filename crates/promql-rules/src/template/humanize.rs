//! Numbers for people: `humanize` and its relatives.

use super::constant::parse_float;
use super::printf::general;
use super::time;
use super::value::Value;

/// A value as a float, as all these functions take it.
///
/// # Errors
/// When it is no number and no text of one.
pub(super) fn to_float(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(value) => Ok(*value),
        Value::Int(value, _) => Ok(*value as f64),
        Value::Uint(value, _) => Ok(*value as f64),
        Value::Text(text) => parse_float(text),
        Value::Duration(nanoseconds) => Ok(*nanoseconds as f64 / 1e9),
        other => Err(format!("can't convert {} to float", other.type_name())),
    }
}

/// Four digits, the form that all these functions end in.
fn four_digits(value: f64) -> String {
    general(value, 4)
}

/// With an SI prefix.
pub(super) fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four_digits(value);
    }
    let (scaled, prefix) = match value.abs() >= 1.0 {
        true => larger(value, 1000.0, &["", "k", "M", "G", "T", "P", "E", "Z", "Y"]),
        false => smaller(value),
    };
    four_digits(scaled) + prefix
}

/// With a binary prefix.
pub(super) fn humanize_1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four_digits(value);
    }
    let prefixes = ["", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
    let (scaled, prefix) = larger(value, 1024.0, &prefixes);
    four_digits(scaled) + prefix
}

/// Divides as long as the value is not below the base and there are prefixes.
fn larger(mut value: f64, base: f64, prefixes: &[&'static str]) -> (f64, &'static str) {
    let mut prefixes = prefixes.iter().copied().peekable();
    let mut prefix = prefixes.next().unwrap_or_default();
    while value.abs() >= base
        && let Some(next) = prefixes.next()
    {
        value /= base;
        prefix = next;
    }
    (value, prefix)
}

/// Multiplies as long as the value is below 1 and there are prefixes.
fn smaller(mut value: f64) -> (f64, &'static str) {
    let mut prefix = "";
    for next in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = next;
        value *= 1000.0;
    }
    (value, prefix)
}

/// Seconds as days, hours, minutes and seconds.
pub(super) fn humanize_duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return four_digits(seconds);
    }
    if seconds == 0.0 {
        return "0s".to_owned();
    }
    if seconds.abs() < 1.0 {
        let (scaled, prefix) = smaller(seconds);
        return format!("{}{prefix}s", four_digits(scaled));
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let size = seconds.abs();
    // What 64 bits can't hold becomes the smallest number, as on the processors that servers have.
    let whole = if size < 9_223_372_036_854_775_808.0 { size as i64 } else { i64::MIN };
    let (s, m, h, d) = (whole % 60, whole / 60 % 60, whole / 3600 % 24, whole / 86_400);
    if d != 0 {
        format!("{sign}{d}d {h}h {m}m {s}s")
    } else if h != 0 {
        format!("{sign}{h}h {m}m {s}s")
    } else if m != 0 {
        format!("{sign}{m}m {s}s")
    } else {
        format!("{sign}{}s", four_digits(size))
    }
}

/// A ratio in percent.
pub(super) fn humanize_percentage(ratio: f64) -> String {
    four_digits(ratio * 100.0) + "%"
}

/// Seconds since the epoch as a date.
///
/// # Errors
/// When the time doesn't fit into 64 bits of nanoseconds.
pub(super) fn humanize_timestamp(seconds: f64) -> Result<String, String> {
    if !seconds.is_finite() {
        return Ok(four_digits(seconds));
    }
    Ok(time::show(time::of_seconds(seconds)?))
}
