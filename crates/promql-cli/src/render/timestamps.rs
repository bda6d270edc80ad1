//! Times as text.

use jiff::{Timestamp, tz::TimeZone};

/// A time as the HTTP API writes it in vectors and matrices: seconds, with exactly three decimals
/// if it is no whole second.
pub fn api(milliseconds: i64) -> String {
    if milliseconds % 1000 == 0 {
        return (milliseconds / 1000).to_string();
    }
    let sign = if milliseconds < 0 { "-" } else { "" };
    let size = milliseconds.unsigned_abs();
    format!("{sign}{}.{:03}", size / 1000, size % 1000)
}

/// A time as the HTTP API writes it in scalars and strings: seconds in the shortest form.
pub fn api_short(milliseconds: i64) -> String {
    let text = api(milliseconds);
    match text.contains('.') {
        true => text.trim_end_matches('0').to_string(),
        false => text,
    }
}

/// A time in UTC by RFC 3339: `2026-11-23T05:09:30Z`, with milliseconds if there are some. A time
/// out of the calendar's reach is given in seconds.
pub fn rfc3339(milliseconds: i64) -> String {
    match Timestamp::from_millisecond(milliseconds) {
        Ok(time) => time.to_string(),
        Err(_) => api(milliseconds),
    }
}

/// A time for people: `2026-11-23 05:09:30` in a zone, with milliseconds if asked for.
pub fn civil(milliseconds: i64, zone: &TimeZone, with_milliseconds: bool) -> String {
    let Ok(time) = Timestamp::from_millisecond(milliseconds) else { return api(milliseconds) };
    let form = if with_milliseconds { "%Y-%m-%d %H:%M:%S%.3f" } else { "%Y-%m-%d %H:%M:%S" };
    time.to_zoned(zone.clone()).strftime(form).to_string()
}

/// What a zone is called at a time: its name (`Europe/Berlin`) or its offset.
pub fn zone_name(zone: &TimeZone, milliseconds: i64) -> String {
    if let Some(name) = zone.iana_name() {
        return name.strip_prefix("Etc/").unwrap_or(name).to_string();
    }
    match Timestamp::from_millisecond(milliseconds) {
        Ok(time) => time.to_zoned(zone.clone()).strftime("%:z").to_string(),
        Err(_) => "UTC".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_by_the_api() {
        assert_eq!(api(1_795_410_570_000), "1795410570");
        assert_eq!(api(1_795_410_570_500), "1795410570.500");
        assert_eq!(api(-750), "-0.750");
        assert_eq!(api(0), "0");
        assert_eq!(api_short(1_795_410_570_500), "1795410570.5");
        assert_eq!(api_short(10_000), "10");
        assert_eq!(rfc3339(1_795_410_570_500), "2026-11-23T05:09:30.5Z");
        assert_eq!(rfc3339(i64::MAX), "9223372036854775.807");
    }
}
