//! One point in time.

use jiff::civil::{self, Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use promql_model::parse_duration;

/// What "now" and "here" mean.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The time that `now` stands for, in milliseconds since the epoch.
    pub now: i64,
    /// The zone of times that are written without one.
    pub zone: TimeZone,
}

/// A text that is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time: {reason}")]
pub struct TimeError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The forms of a time, for help texts and errors.
pub const EXAMPLES: &str = "write RFC 3339 (2026-11-23T10:00:00Z), seconds since the epoch \
    (1795428000 or 1795428000.5), a time relative to now (now, now-1h, now-1d12h, now+5m), or a \
    local date or time (2026-11-23, 2026-11-23 10:00, 10:00, today, yesterday)";

/// Years beyond this are taken for milliseconds or nanoseconds written by mistake.
const YEAR_10000: f64 = 253_402_300_800.0;

impl Clock {
    /// The system's clock and zone (the environment variable `TZ` is heeded).
    pub fn system() -> Clock {
        Clock { now: Timestamp::now().as_millisecond(), zone: TimeZone::system() }
    }

    /// Reads a time, to milliseconds since the epoch.
    ///
    /// # Errors
    /// When the text has none of the forms, or names a day that no calendar has.
    ///
    /// ```
    /// use promql_cli::time::Clock;
    /// let clock = Clock { now: 1_795_428_000_000, zone: jiff::tz::TimeZone::UTC };
    /// assert_eq!(clock.read("now-1h"), Ok(1_795_424_400_000));
    /// assert_eq!(clock.read("2026-11-23T10:00:00Z"), Ok(1_795_428_000_000));
    /// assert_eq!(clock.read("1795428000.25"), Ok(1_795_428_000_250));
    /// assert_eq!(clock.read("2026-11-23 10:00"), Ok(1_795_428_000_000));
    /// ```
    pub fn read(&self, text: &str) -> Result<i64, TimeError> {
        let error = |reason: &str| TimeError { text: text.to_string(), reason: reason.to_string() };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(error(EXAMPLES));
        }
        if let Some(offset) = trimmed.strip_prefix("now") {
            return self.relative(offset).map_err(|reason| error(&reason));
        }
        if let Some(seconds) = number(trimmed) {
            return from_seconds(seconds).map_err(|reason| error(&reason));
        }
        // `-1h` is short for `now-1h`.
        if trimmed.starts_with('-') {
            return self.relative(trimmed).map_err(|reason| error(&reason));
        }
        self.calendar(trimmed).map_err(|reason| error(&reason))
    }

    /// What follows `now`: nothing, `-1h30m` or `+5m`.
    fn relative(&self, offset: &str) -> Result<i64, String> {
        let offset = offset.trim();
        let (forward, duration) = match offset.as_bytes().first() {
            None => return Ok(self.now),
            Some(b'+') => (true, &offset[1..]),
            Some(b'-') => (false, &offset[1..]),
            Some(_) => return Err("after `now` comes `-` or `+` and a duration: now-1h30m".into()),
        };
        let duration = parse_duration(duration.trim())
            .map_err(|e| format!("{e}; durations are written 30s, 5m, 1h30m, 7d"))?;
        let milliseconds = duration / 1_000_000;
        let time = if forward {
            self.now.checked_add(milliseconds)
        } else {
            self.now.checked_sub(milliseconds)
        };
        time.ok_or_else(|| "that is out of the calendar's reach".to_string())
    }

    /// Dates and times of day, with or without a zone.
    fn calendar(&self, text: &str) -> Result<i64, String> {
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(round(time));
        }
        let today = self.today()?;
        match text {
            "today" => return self.local(today.date().to_datetime(civil::Time::midnight())),
            "yesterday" => {
                let day = today.date().checked_sub(1.day()).map_err(|e| e.to_string())?;
                return self.local(day.to_datetime(civil::Time::midnight()));
            }
            _ => {}
        }
        // A zone in letters: `Z` behind a short form.
        let (text, zone) = match text.strip_suffix(['Z', 'z']) {
            Some(rest) => (rest, TimeZone::UTC),
            None => (text, self.zone.clone()),
        };
        let here = Clock { now: self.now, zone };
        for form in
            ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        {
            if let Ok(parts) = strtime::parse(form, text) {
                let time = parts.to_datetime().map_err(|e| e.to_string())?;
                return here.local(time);
            }
        }
        if let Ok(parts) = strtime::parse("%Y-%m-%d", text) {
            let date: Date = parts.to_date().map_err(|e| e.to_string())?;
            return here.local(date.to_datetime(civil::Time::midnight()));
        }
        for form in ["%H:%M", "%H:%M:%S%.f"] {
            if let Ok(parts) = strtime::parse(form, text) {
                let time = parts.to_time().map_err(|e| e.to_string())?;
                return here.local(here.today()?.date().to_datetime(time));
            }
        }
        Err(EXAMPLES.to_string())
    }

    fn today(&self) -> Result<Zoned, String> {
        let now = Timestamp::from_millisecond(self.now).map_err(|e| e.to_string())?;
        Ok(now.to_zoned(self.zone.clone()))
    }

    /// A time on the clocks of the zone. Where clocks are set back the earlier of the two moments
    /// counts, where they are set forward the time is moved forward with them.
    fn local(&self, time: DateTime) -> Result<i64, String> {
        let time = self.zone.to_ambiguous_zoned(time).compatible().map_err(|e| e.to_string())?;
        Ok(round(time.timestamp()))
    }
}

/// To the nearest millisecond, as servers do.
fn round(time: Timestamp) -> i64 {
    let nanoseconds = time.as_nanosecond();
    i64::try_from((nanoseconds + 500_000).div_euclid(1_000_000)).unwrap_or(i64::MAX)
}

/// A number in decimal notation, as a server writes times.
fn number(text: &str) -> Option<f64> {
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e' | 'E');
    if !text.chars().all(plain) {
        return None;
    }
    text.parse().ok()
}

fn from_seconds(seconds: f64) -> Result<i64, String> {
    if seconds.abs() < YEAR_10000 {
        return Ok((seconds * 1000.0).round() as i64);
    }
    let as_milliseconds = seconds / 1000.0;
    if as_milliseconds.abs() < YEAR_10000 {
        return Err(format!(
            "as seconds that is after the year 9999; if it is in milliseconds, write \
             {as_milliseconds}"
        ));
    }
    Err("as seconds that is after the year 9999".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::timestamps::rfc3339;
    use insta::assert_snapshot;

    fn clock(zone: TimeZone) -> Clock {
        // 2026-11-23T10:00:00Z
        Clock { now: 1_795_428_000_000, zone }
    }

    fn read(text: &str) -> String {
        match clock(TimeZone::fixed(jiff::tz::offset(2))).read(text) {
            Ok(time) => rfc3339(time),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_form() {
        for (text, time) in [
            ("now", "2026-11-23T10:00:00Z"),
            ("now-1h", "2026-11-23T09:00:00Z"),
            ("now - 1d12h", "2026-11-21T22:00:00Z"),
            ("now+5m", "2026-11-23T10:05:00Z"),
            ("-90s", "2026-11-23T09:58:30Z"),
            ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
            ("2026-11-23T10:00:00.123456789+01:00", "2026-11-23T09:00:00.123Z"),
            ("2026-11-23 10:00:00", "2026-11-23T08:00:00Z"),
            ("2026-11-23 10:00:00Z", "2026-11-23T10:00:00Z"),
            ("2026-11-23T10:00", "2026-11-23T08:00:00Z"),
            ("2026-11-23T10:00Z", "2026-11-23T10:00:00Z"),
            ("2026-11-23", "2026-11-22T22:00:00Z"),
            ("10:00", "2026-11-23T08:00:00Z"),
            ("10:00:30.5", "2026-11-23T08:00:30.5Z"),
            ("10:00Z", "2026-11-23T10:00:00Z"),
            ("today", "2026-11-22T22:00:00Z"),
            ("yesterday", "2026-11-21T22:00:00Z"),
            ("0", "1970-01-01T00:00:00Z"),
            ("1795428000", "2026-11-23T10:00:00Z"),
            ("1795428000.123", "2026-11-23T10:00:00.123Z"),
            ("1.7e9", "2023-11-14T22:13:20Z"),
            ("-60", "1969-12-31T23:59:00Z"),
        ] {
            assert_eq!(read(text), time, "{text}");
        }
    }

    #[test]
    fn clocks_that_are_set() {
        let Ok(berlin) = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3") else { unreachable!() };
        let read = |text| clock(berlin.clone()).read(text).map(rfc3339);
        // The hour from 2 to 3 occurs twice on that day, and not at all on the other.
        assert_eq!(read("2026-10-25 02:30"), Ok("2026-10-25T00:30:00Z".to_string()));
        assert_eq!(read("2026-03-29 02:30"), Ok("2026-03-29T01:30:00Z".to_string()));
    }

    #[test]
    fn no_times() {
        assert_snapshot!(read("1795428000000"), @"`1795428000000` is not a time: as seconds that is after the year 9999; if it is in milliseconds, write 1795428000");
        assert_snapshot!(read("now-1.5h"), @r#"`now-1.5h` is not a time: unknown unit "." in duration "1.5h"; durations are written 30s, 5m, 1h30m, 7d"#);
        assert_snapshot!(read("nowish"), @"`nowish` is not a time: after `now` comes `-` or `+` and a duration: now-1h30m");
        assert_snapshot!(read("2026-02-30"), @"`2026-02-30` is not a time: invalid date: parameter 'day' for `2026-02` is invalid, must be in range `1..=28`");
        assert_snapshot!(read("teatime"), @"`teatime` is not a time: write RFC 3339 (2026-11-23T10:00:00Z), seconds since the epoch (1795428000 or 1795428000.5), a time relative to now (now, now-1h, now-1d12h, now+5m), or a local date or time (2026-11-23, 2026-11-23 10:00, 10:00, today, yesterday)");
        assert_snapshot!(read(""), @"`` is not a time: write RFC 3339 (2026-11-23T10:00:00Z), seconds since the epoch (1795428000 or 1795428000.5), a time relative to now (now, now-1h, now-1d12h, now+5m), or a local date or time (2026-11-23, 2026-11-23 10:00, 10:00, today, yesterday)");
        assert_snapshot!(read("NaN"), @"`NaN` is not a time: write RFC 3339 (2026-11-23T10:00:00Z), seconds since the epoch (1795428000 or 1795428000.5), a time relative to now (now, now-1h, now-1d12h, now+5m), or a local date or time (2026-11-23, 2026-11-23 10:00, 10:00, today, yesterday)");
        assert_snapshot!(read("now-292y"), @"1735-02-02T10:00:00Z");
        assert_snapshot!(read("now+"), @"`now+` is not a time: empty duration string; durations are written 30s, 5m, 1h30m, 7d");
        assert_snapshot!(read("1e400"), @"`1e400` is not a time: as seconds that is after the year 9999");
    }
}
