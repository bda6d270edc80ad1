//! Values with their units, for people.
//!
//! What the unit is, the names of metrics say, by the conventions of Prometheus, and the expression around
//! them: a rate of bytes is bytes per second, a rate of a processor's seconds is a share of it. The
//! analysis of the linter follows that ([`promql_lint::flow`]); where it knows nothing, numbers are as they are.

use jiff::tz::TimeZone;
use promql_lint::flow::{Base, Env, Unit, analyse};
use promql_repl::Units;
use promql_syntax::Features;

use super::{number, timestamps};

/// The unit of an expression's values, if it has one and only one.
///
/// ```
/// use promql_cli::render::unit;
/// let shown = |text, value| {
///     let unit = unit::of_expression(text).expect("a unit");
///     unit::write(value, unit, &jiff::tz::TimeZone::UTC)
/// };
/// assert_eq!(shown("process_resident_memory_bytes", 209_715_200.0), "200 MiB");
/// assert_eq!(shown("rate(node_network_receive_bytes_total[5m])", 1536.0), "1.5 KiB/s");
/// assert_eq!(shown("rate(process_cpu_seconds_total[5m])", 0.125), "12.5 %");
/// assert_eq!(unit::of_expression("up"), None);
/// ```
pub fn of_expression(text: &str) -> Option<Unit> {
    let expr = promql_syntax::parse(text, &Features::ALL).ok()?;
    let flows = analyse(&expr, &Env::default());
    let mut units = flows.root(&expr).arms.iter().map(|arm| arm.quantity.unit);
    let first = units.next()??;
    units.all(|unit| unit == Some(first)).then_some(first)
}

/// The unit that is to be shown.
pub fn chosen(units: Units, expression: &str) -> Option<Unit> {
    match units {
        Units::Off => None,
        Units::Auto => of_expression(expression),
        Units::Of { name, per_second } => {
            let unit = match name {
                "time" => Unit::TIMESTAMP,
                "number" => Unit::of(Base::Number),
                name => Unit::of_name(&format!("x_{name}"))?,
            };
            Some(Unit { per_second: i8::from(per_second), ..unit })
        }
    }
}

/// A value with its unit: four digits at most, and the prefix that makes it a number between 1 and 1000.
pub fn write(value: f64, unit: Unit, zone: &TimeZone) -> String {
    let value = value * unit.scale;
    if !value.is_finite() {
        return number::plain(value);
    }
    let per_second = "/s".repeat(usize::try_from(unit.per_second).unwrap_or(0));
    let prefixed = |symbol: &str| {
        let text = number::short(value, 4, unit.base == Base::Byte);
        let digits = text.trim_end_matches(|c: char| c.is_alphabetic());
        format!("{digits} {}{symbol}{per_second}", &text[digits.len()..])
    };
    let plain = |symbol: &str| format!("{}{symbol}{per_second}", number::legible(value, false));
    match unit.base {
        Base::Second if unit.absolute && value.abs() < 1e12 => {
            timestamps::civil((value * 1e3) as i64, zone, false)
        }
        // Not for times of more digits than a float has.
        Base::Second if unit.per_second == 0 && (60.0..1e14).contains(&value.abs()) => {
            duration(value)
        }
        Base::Second => prefixed("s"),
        Base::Byte => prefixed("B"),
        Base::Bit => prefixed("bit"),
        Base::Ratio => {
            format!("{} %{per_second}", number::legible(value * 100.0, false))
        }
        Base::Celsius => plain(" °C"),
        Base::Volt => prefixed("V"),
        Base::Ampere => prefixed("A"),
        Base::Joule => prefixed("J"),
        Base::Meter => prefixed("m"),
        Base::Gram => prefixed("g"),
        Base::Hertz => prefixed("Hz"),
        Base::Number => plain(""),
    }
}

/// Seconds as the two largest of days, hours, minutes and seconds.
fn duration(seconds: f64) -> String {
    const PARTS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let sign = if seconds < 0.0 { "-" } else { "" };
    let whole = seconds.abs().round() as u64;
    let first = PARTS.iter().position(|(size, _)| whole >= *size).unwrap_or(3);
    let mut left = whole;
    let mut parts = Vec::new();
    for (size, letter) in PARTS.iter().skip(first).take(2) {
        parts.push(format!("{}{letter}", left / size));
        left %= size;
    }
    sign.to_owned() + &parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_legible() {
        let table = [
            ("x_bytes", 0.0, "0 B"),
            ("x_bytes", 1023.0, "1023 B"),
            ("x_bytes", 1.5e9, "1.397 GiB"),
            ("-x_bytes", -2048.0, "-2 KiB"),
            ("rate(x_bytes_total[5m]) * 8", 2.5e6, "2.5 Mbit/s"),
            ("x_seconds", 0.0042, "4.2 ms"),
            ("x_seconds", 59.5, "59.5 s"),
            ("x_seconds", 3725.0, "1h 2m"),
            ("x_seconds", 200_000.0, "2d 7h"),
            ("x_milliseconds", 250.0, "250 ms"),
            ("process_start_time_seconds", 1_795_428_000.0, "2026-11-23 10:00:00"),
            ("x_hours", 1.5, "1h 30m"),
            ("x_ratio", 0.999, "99.9 %"),
            ("x_bytes / y_bytes", 1.5, "150 %"),
            ("x_celsius", 21.25, "21.25 °C"),
            ("count(up)", 17.0, "17"),
            ("x_bytes", f64::NAN, "NaN"),
            ("x_seconds", 1e300, "1.000e285 Ps"),
        ];
        for (text, value, expected) in table {
            let unit = of_expression(text).unwrap_or_else(|| panic!("no unit of {text}"));
            assert_eq!(write(value, unit, &TimeZone::UTC), expected, "{text} {value}");
        }
        for text in ["up", "x_bytes or y_seconds", "1", "sum(", "job:x_bytes:sum"] {
            assert_eq!(of_expression(text), None, "{text}");
        }
    }

    #[test]
    fn all_names_are_known() {
        for name in Units::NAMES {
            let units = Units::named(name).expect("a unit");
            assert!(chosen(units, "up").is_some(), "{name}");
        }
        let rate = Units::named("bytes/s").and_then(|units| chosen(units, "up")).expect("a unit");
        assert_eq!(write(2048.0, rate, &TimeZone::UTC), "2 KiB/s");
    }
}
