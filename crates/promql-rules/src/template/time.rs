//! Times and durations: how Go prints them, and what can be asked of them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use promql_model::number::General;

use super::value::{IntType, Value};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The name of a month or of a day of the week.
pub(super) fn name_of(value: i64, kind: IntType) -> Option<&'static str> {
    let at = usize::try_from(value).ok()?;
    match kind {
        IntType::Month => MONTHS.get(at.checked_sub(1)?).copied(),
        IntType::Weekday => DAYS.get(at).copied(),
        IntType::Int | IntType::Int64 => None,
    }
}

/// A time in nanoseconds of seconds since the epoch, cut to milliseconds.
///
/// # Errors
/// When it doesn't fit into 64 bits.
pub(super) fn of_seconds(seconds: f64) -> Result<i64, String> {
    if !seconds.is_finite() {
        return Err("value is NaN or Inf".to_owned());
    }
    let nanoseconds = seconds * 1e9;
    if nanoseconds.abs() > 9_223_372_036_854_775_807.0 {
        return Err(format!(
            "{} cannot be represented as a nanoseconds timestamp since it overflows int64",
            General(seconds)
        ));
    }
    Ok(nanoseconds as i64 / 1_000_000 * 1_000_000)
}

fn civil(nanoseconds: i64) -> DateTime {
    let time = Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or_default();
    time.to_zoned(TimeZone::UTC).datetime()
}

/// A time as Go prints it.
pub(super) fn show(nanoseconds: i64) -> String {
    format(nanoseconds, "2006-01-02 15:04:05.999999999 -0700 MST")
}

/// What stands in a layout for a part of a time, longest first where one begins with another.
const PARTS: [&str; 37] = [
    "January",
    "Jan",
    "Monday",
    "Mon",
    "MST",
    "2006",
    "__2",
    "_2",
    "002",
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "15",
    "PM",
    "pm",
    "-07:00:00",
    "-070000",
    "-07:00",
    "-0700",
    "-07",
    "Z07:00:00",
    "Z070000",
    "Z07:00",
    "Z0700",
    "Z07",
    ".0",
    ",0",
    ".9",
    ",9",
    "1",
    "2",
    "3",
    "4",
    "5",
];

/// A time in a layout, which shows how `Mon Jan 2 15:04:05 2006` would be written.
pub(super) fn format(nanoseconds: i64, layout: &str) -> String {
    let time = civil(nanoseconds);
    let mut shown = String::new();
    let mut rest = layout;
    while let Some(c) = rest.chars().next() {
        let part = match rest {
            // `_2006` is an underscore and a year.
            _ if rest.starts_with("_2006") => None,
            // `Janus` is no month, but `January` and `Jan` are.
            _ if rest.starts_with("Jan")
                && !rest.starts_with("January")
                && rest[3..].starts_with(|c: char| c.is_ascii_lowercase()) =>
            {
                None
            }
            _ if rest.starts_with("Mon")
                && !rest.starts_with("Monday")
                && rest[3..].starts_with(|c: char| c.is_ascii_lowercase()) =>
            {
                None
            }
            _ => PARTS.iter().find(|part| rest.starts_with(**part)),
        };
        let Some(part) = part else {
            shown.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        if let Some(digit) = part.strip_prefix(['.', ',']) {
            let digits = rest[1..].len() - rest[1..].trim_start_matches(digit).len();
            let behind = rest[1 + digits..].chars().next();
            if behind.is_some_and(|c| c.is_ascii_digit()) {
                shown.push(c);
                rest = &rest[1..];
                continue;
            }
            let fraction = format!("{:09}", time.subsec_nanosecond());
            let fraction = &fraction[..digits.min(9)];
            match digit {
                "9" => {
                    let fraction = fraction.trim_end_matches('0');
                    if !fraction.is_empty() {
                        shown.push(c);
                        shown.push_str(fraction);
                    }
                }
                _ => {
                    shown.push(c);
                    shown.push_str(fraction);
                }
            }
            rest = &rest[1 + digits..];
            continue;
        }
        shown.push_str(&show_part(part, &time));
        rest = &rest[part.len()..];
    }
    shown
}

fn show_part(part: &str, time: &DateTime) -> String {
    let month = MONTHS.get(usize::try_from(time.month() - 1).unwrap_or(0)).unwrap_or(&"");
    let day = DAYS
        .get(usize::try_from(time.weekday().to_sunday_zero_offset()).unwrap_or(0))
        .unwrap_or(&"");
    let hour12 = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    match part {
        "January" => (*month).to_owned(),
        "Jan" => month[..3].to_owned(),
        "Monday" => (*day).to_owned(),
        "Mon" => day[..3].to_owned(),
        "MST" => "UTC".to_owned(),
        "2006" => format!("{:04}", time.year()),
        "06" => format!("{:02}", time.year().rem_euclid(100)),
        "01" => format!("{:02}", time.month()),
        "1" => time.month().to_string(),
        "02" => format!("{:02}", time.day()),
        "_2" => format!("{:2}", time.day()),
        "2" => time.day().to_string(),
        "002" => format!("{:03}", time.day_of_year()),
        "__2" => format!("{:3}", time.day_of_year()),
        "15" => format!("{:02}", time.hour()),
        "03" => format!("{hour12:02}"),
        "3" => hour12.to_string(),
        "04" => format!("{:02}", time.minute()),
        "4" => time.minute().to_string(),
        "05" => format!("{:02}", time.second()),
        "5" => time.second().to_string(),
        "PM" => if time.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        "pm" => if time.hour() < 12 { "am" } else { "pm" }.to_owned(),
        "-0700" => "+0000".to_owned(),
        "-07:00" => "+00:00".to_owned(),
        "-07" => "+00".to_owned(),
        "-070000" => "+000000".to_owned(),
        "-07:00:00" => "+00:00:00".to_owned(),
        _ if part.starts_with('Z') => "Z".to_owned(),
        other => other.to_owned(),
    }
}

/// A duration as Go prints it: `1h30m0s`, `1.5s`, `2ms`.
pub(crate) fn show_duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let size = nanoseconds.unsigned_abs();
    if size == 0 {
        return "0s".to_owned();
    }
    let with_fraction = |unit: u64| {
        let (whole, part) = (size / unit, size % unit);
        let digits = unit.ilog10() as usize;
        let fraction = format!("{part:0digits$}");
        match fraction.trim_end_matches('0') {
            _ if digits == 0 => whole.to_string(),
            "" => whole.to_string(),
            fraction => format!("{whole}.{fraction}"),
        }
    };
    match size {
        0..1_000 => return format!("{sign}{size}ns"),
        1_000..1_000_000 => return format!("{sign}{}µs", with_fraction(1_000)),
        1_000_000..1_000_000_000 => return format!("{sign}{}ms", with_fraction(1_000_000)),
        _ => {}
    }
    let minutes = size / 60_000_000_000;
    let (part, fraction) = (size % 60_000_000_000 / 1_000_000_000, size % 1_000_000_000);
    let mut seconds = part.to_string();
    if fraction > 0 {
        let fraction = format!("{fraction:09}");
        seconds = format!("{seconds}.{}", fraction.trim_end_matches('0'));
    }
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// Calls a method of a time or a duration. Nothing if it has no such method.
pub(super) fn method(
    receiver: &Value,
    name: &str,
    arguments: &[Value],
) -> Option<Result<Value, String>> {
    match receiver {
        Value::Time(time) => method_of_time(*time, name, arguments),
        Value::Duration(duration) => method_of_duration(*duration, name, arguments),
        _ => None,
    }
}

fn method_of_time(time: i64, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
    let at = civil(time);
    let int = |value: i64| Value::int(value);
    let int64 = |value: i64| Value::Int(value, IntType::Int64);
    let plain = match name {
        "String" => Value::text(show(time)),
        "Unix" => int64(time.div_euclid(1_000_000_000)),
        "UnixMilli" => int64(time.div_euclid(1_000_000)),
        "UnixMicro" => int64(time.div_euclid(1_000)),
        "UnixNano" => int64(time),
        "UTC" | "Local" => Value::Time(time),
        "Year" => int(i64::from(at.year())),
        "Month" => Value::Int(i64::from(at.month()), IntType::Month),
        "Day" => int(i64::from(at.day())),
        "YearDay" => int(i64::from(at.day_of_year())),
        "Hour" => int(i64::from(at.hour())),
        "Minute" => int(i64::from(at.minute())),
        "Second" => int(i64::from(at.second())),
        "Nanosecond" => int(i64::from(at.subsec_nanosecond())),
        "Weekday" => Value::Int(i64::from(at.weekday().to_sunday_zero_offset()), IntType::Weekday),
        "IsZero" => Value::Bool(false),
        _ => return with_argument(time, name, arguments),
    };
    Some(match arguments.len() {
        0 => Ok(plain),
        count => Err(wrong_count(name, 0, count)),
    })
}

fn with_argument(time: i64, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
    const METHODS: [&str; 9] =
        ["Format", "Sub", "Add", "Before", "After", "Equal", "Compare", "Truncate", "Round"];
    if !METHODS.contains(&name) {
        return None;
    }
    let [argument] = arguments else {
        return Some(Err(wrong_count(name, 1, arguments.len())));
    };
    let wrong = |expected: &str| {
        let got = argument.type_name();
        Err(format!("wrong type for value; expected {expected}; got {got}"))
    };
    Some(match (name, argument) {
        ("Format", Value::Text(layout)) => Ok(Value::text(format(time, layout))),
        ("Format", _) => wrong("string"),
        ("Sub", Value::Time(other)) => Ok(Value::Duration(time.saturating_sub(*other))),
        ("Before", Value::Time(other)) => Ok(Value::Bool(time < *other)),
        ("After", Value::Time(other)) => Ok(Value::Bool(time > *other)),
        ("Equal", Value::Time(other)) => Ok(Value::Bool(time == *other)),
        ("Compare", Value::Time(other)) => Ok(Value::int(time.cmp(other) as i64)),
        ("Add", Value::Duration(duration)) => Ok(Value::Time(time.saturating_add(*duration))),
        ("Truncate", Value::Duration(unit)) => Ok(Value::Time(truncate(time, *unit))),
        ("Round", Value::Duration(unit)) => Ok(Value::Time(round(time, *unit))),
        ("Add" | "Truncate" | "Round", _) => wrong("time.Duration"),
        _ => wrong("time.Time"),
    })
}

fn method_of_duration(
    duration: i64,
    name: &str,
    arguments: &[Value],
) -> Option<Result<Value, String>> {
    let int64 = |value: i64| Value::Int(value, IntType::Int64);
    // Whole units first, so that nothing is lost.
    let units =
        |unit: i64| Value::Float((duration / unit) as f64 + (duration % unit) as f64 / unit as f64);
    let plain = match name {
        "String" => Value::text(show_duration(duration)),
        "Seconds" => units(1_000_000_000),
        "Minutes" => units(60_000_000_000),
        "Hours" => units(3_600_000_000_000),
        "Milliseconds" => int64(duration / 1_000_000),
        "Microseconds" => int64(duration / 1_000),
        "Nanoseconds" => int64(duration),
        "Abs" => Value::Duration(duration.saturating_abs()),
        "Truncate" | "Round" => {
            return Some(match arguments {
                [Value::Duration(unit)] if name == "Round" => {
                    Ok(Value::Duration(round(duration, *unit)))
                }
                [Value::Duration(unit)] => Ok(Value::Duration(truncate(duration, *unit))),
                [other] => Err(format!(
                    "wrong type for value; expected time.Duration; got {}",
                    other.type_name()
                )),
                _ => Err(wrong_count(name, 1, arguments.len())),
            });
        }
        _ => return None,
    };
    Some(match arguments.len() {
        0 => Ok(plain),
        count => Err(wrong_count(name, 0, count)),
    })
}

fn truncate(value: i64, unit: i64) -> i64 {
    if unit <= 0 { value } else { value - value % unit }
}

/// To the nearest multiple, halves away from zero.
fn round(value: i64, unit: i64) -> i64 {
    if unit <= 0 {
        return value;
    }
    let rest = value % unit;
    let down = value - rest;
    match rest.saturating_abs().saturating_mul(2) >= unit {
        true => down.saturating_add(unit.saturating_mul(value.signum())),
        false => down,
    }
}

fn wrong_count(name: &str, wanted: usize, got: usize) -> String {
    format!("wrong number of args for {name}: want {wanted} got {got}")
}
