//! When a query is evaluated: the flags of a query put together.

use std::time::Duration;

use crate::render::timestamps;
use clap::Args;
use promql_engine::QueryOptions;
use promql_model::{FormatDuration, parse_duration};

use super::instant::{Clock, TimeError};
use crate::render::Range;

/// The flags as they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "When")]
pub struct Times {
    /// One point in time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub time: Option<String>,
    /// The range from this long ago until --end
    #[arg(long, value_name = "DURATION")]
    pub last: Option<String>,
    /// The start of a range
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub start: Option<String>,
    /// The end of a range [default: now, for files their last sample]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub end: Option<String>,
    /// The step of a range [default: a round one that gives at most 250 points]
    #[arg(long, value_name = "DURATION")]
    pub step: Option<String>,
}

/// When a query is evaluated, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Once.
    At(i64),
    /// From start to end, step by step.
    Over(Range),
}

impl From<When> for QueryOptions {
    fn from(when: When) -> QueryOptions {
        match when {
            When::At(time) => QueryOptions::instant(time),
            When::Over(range) => {
                let step = Duration::from_millis(range.step.unsigned_abs());
                QueryOptions::range(range.start, range.end, step)
            }
        }
    }
}

/// Flags that make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// A flag's value is no time.
    #[error("--{flag}: {error}")]
    Time {
        /// The flag.
        flag: &'static str,
        /// What is wrong.
        error: TimeError,
    },
    /// A flag's value is no duration.
    #[error("--{flag}: {reason}; write a duration (30s, 5m, 1h30m, 7d) or a number of seconds")]
    Duration {
        /// The flag.
        flag: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Flags that contradict each other.
    #[error("{0}")]
    Together(&'static str),
    /// The end lies before the start.
    #[error("--end ({end}) is before --start ({start})")]
    Backwards {
        /// The start.
        start: String,
        /// The end.
        end: String,
    },
    /// More steps than a server is asked for.
    #[error(
        "from start to end there are {points} steps of {step}, and a server is asked for at most \
         1000000; use --step {enough} or leave --step out"
    )]
    TooManySteps {
        /// The number of steps.
        points: i64,
        /// The step.
        step: String,
        /// A step that is large enough.
        enough: String,
    },
}

/// The most steps that a server is asked for, in requests of 11,000.
const MOST_STEPS: i64 = 1_000_000;

/// A step that is chosen for the user gives at most so many points.
const AUTOMATIC_POINTS: i64 = 250;

/// The steps that are chosen, in seconds.
const STEPS: [i64; 20] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800,
];

/// The step for a range when none was asked for: the smallest of 1, 2, 5, 10, 15, 30 seconds,
/// minutes (1, 2, 5, 10, 15, 30), hours (1, 2, 3, 6, 12), 1 day, 2 days, or a week that gives at
/// most 250 points, and whole weeks beyond. In milliseconds.
///
/// ```
/// use promql_cli::time::range::automatic_step;
/// assert_eq!(automatic_step(3_600_000), 15_000);
/// assert_eq!(automatic_step(24 * 3_600_000), 600_000);
/// ```
pub fn automatic_step(range: i64) -> i64 {
    let least = range / AUTOMATIC_POINTS;
    let fits = |step: &i64| step * 1000 >= least;
    const WEEK: i64 = 604_800_000;
    match STEPS.iter().copied().find(fits) {
        Some(step) => step * 1000,
        None => (least / WEEK + 1).saturating_mul(WEEK),
    }
}

impl Times {
    /// Whether a range was asked for.
    pub fn is_range(&self) -> bool {
        [&self.start, &self.end, &self.step, &self.last].iter().any(|flag| flag.is_some())
    }

    /// The times of the evaluation. `latest` is what `--time` and `--end` are when they are not
    /// given: now for a server, the time of the last sample for a file.
    ///
    /// # Errors
    /// When a flag can't be read or flags contradict each other.
    pub fn when(&self, clock: &Clock, latest: i64) -> Result<When, RangeError> {
        let time = |flag: &'static str, text: &Option<String>| -> Result<Option<i64>, RangeError> {
            let read = |text: &String| clock.read(text);
            text.as_ref().map(read).transpose().map_err(|error| RangeError::Time { flag, error })
        };
        if !self.is_range() {
            return Ok(When::At(time("time", &self.time)?.unwrap_or(latest)));
        }
        if self.time.is_some() {
            return Err(RangeError::Together(
                "--time asks for one point in time, and --start, --end, --step and --last for a \
                 range: use one or the other",
            ));
        }
        if self.start.is_some() && self.last.is_some() {
            return Err(RangeError::Together(
                "--start and --last both say where the range begins: use one of them",
            ));
        }
        let end = time("end", &self.end)?.unwrap_or(latest);
        let start = match (time("start", &self.start)?, &self.last) {
            (Some(start), _) => start,
            (None, Some(last)) => end.saturating_sub(duration("last", last)?),
            (None, None) => {
                return Err(RangeError::Together(
                    "where does the range begin? Say --last 1h, or --start with a time",
                ));
            }
        };
        if end < start {
            let text = crate::render::timestamps::rfc3339;
            return Err(RangeError::Backwards { start: text(start), end: text(end) });
        }
        let range = end.saturating_sub(start);
        let step = match &self.step {
            Some(step) => duration("step", step)?,
            None => automatic_step(range),
        };
        Ok(When::Over(Range { start, end, step }))
    }
}

/// Refuses a range with more steps than a server is asked for.
///
/// # Errors
/// With a step that is large enough.
pub fn check_steps(range: Range) -> Result<(), RangeError> {
    let length = range.end.saturating_sub(range.start);
    let points = length / range.step.max(1);
    if points <= MOST_STEPS {
        return Ok(());
    }
    let enough = (length / MOST_STEPS / 1000 + 1).saturating_mul(1000);
    Err(RangeError::TooManySteps { points, step: written(range.step), enough: written(enough) })
}

/// Reads a duration of the language, or a number of seconds, to milliseconds above 0.
///
/// # Errors
/// When the text is neither, or not above 0.
pub fn duration(flag: &'static str, text: &str) -> Result<i64, RangeError> {
    let error = |reason: String| RangeError::Duration { flag, reason };
    let text = text.trim();
    let milliseconds = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds.abs() < 1e12 => {
            (seconds * 1000.0).round() as i64
        }
        Ok(_) => return Err(error(format!("`{text}` is out of range"))),
        Err(_) => parse_duration(text).map_err(|e| error(e.to_string()))? / 1_000_000,
    };
    if milliseconds <= 0 {
        return Err(error(format!("`{text}` is not above zero (the least is 1ms)")));
    }
    Ok(milliseconds)
}

/// A duration in milliseconds as the language writes it.
pub fn written(milliseconds: i64) -> String {
    FormatDuration(milliseconds.saturating_mul(1_000_000)).to_string()
}

/// A time of a fixture: a duration since its start, or the time itself if it is one of a calendar.
pub fn moment(milliseconds: i64) -> String {
    match milliseconds.abs() < YEAR {
        true => written(milliseconds),
        false => timestamps::rfc3339(milliseconds),
    }
}

/// A year, in milliseconds.
const YEAR: i64 = 365 * 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use jiff::tz::TimeZone;

    /// Flags as on a command line, at 2026-11-23T10:00:00Z.
    fn when(flags: &str) -> String {
        let mut times = Times::default();
        for flag in flags.split_whitespace() {
            let (name, value) = flag.split_once('=').unwrap();
            let field = match name {
                "time" => &mut times.time,
                "start" => &mut times.start,
                "end" => &mut times.end,
                "step" => &mut times.step,
                "last" => &mut times.last,
                _ => unreachable!(),
            };
            *field = Some(value.to_string());
        }
        let clock = Clock { now: 1_795_428_000_000, zone: TimeZone::UTC };
        let text = crate::render::timestamps::rfc3339;
        let checked = |when| match when {
            When::Over(range) => check_steps(range).map(|()| when),
            When::At(_) => Ok(when),
        };
        match times.when(&clock, clock.now).and_then(checked) {
            Ok(When::At(time)) => format!("at {}", text(time)),
            Ok(When::Over(r)) => {
                format!("{} to {} step {}", text(r.start), text(r.end), written(r.step))
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn flags() {
        assert_snapshot!(when(""), @"at 2026-11-23T10:00:00Z");
        assert_snapshot!(when("time=now-1h"), @"at 2026-11-23T09:00:00Z");
        assert_snapshot!(when("last=1h"), @"2026-11-23T09:00:00Z to 2026-11-23T10:00:00Z step 15s");
        assert_snapshot!(when("last=1h step=60"), @"2026-11-23T09:00:00Z to 2026-11-23T10:00:00Z step 1m");
        assert_snapshot!(when("last=30m end=now-1d"), @"2026-11-22T09:30:00Z to 2026-11-22T10:00:00Z step 10s");
        assert_snapshot!(when("start=0 end=300 step=0.5"), @"1970-01-01T00:00:00Z to 1970-01-01T00:05:00Z step 500ms");
        assert_snapshot!(when("start=today"), @"2026-11-23T00:00:00Z to 2026-11-23T10:00:00Z step 5m");
        assert_snapshot!(when("start=now"), @"2026-11-23T10:00:00Z to 2026-11-23T10:00:00Z step 1s");
        assert_snapshot!(when("last=10y"), @"2016-11-25T10:00:00Z to 2026-11-23T10:00:00Z step 3w");
    }

    #[test]
    fn flags_that_make_no_sense() {
        assert_snapshot!(when("time=now last=1h"), @"--time asks for one point in time, and --start, --end, --step and --last for a range: use one or the other");
        assert_snapshot!(when("start=now-1h last=1h"), @"--start and --last both say where the range begins: use one of them");
        assert_snapshot!(when("end=now"), @"where does the range begin? Say --last 1h, or --start with a time");
        assert_snapshot!(when("step=1m"), @"where does the range begin? Say --last 1h, or --start with a time");
        assert_snapshot!(when("start=now end=now-1h"), @"--end (2026-11-23T09:00:00Z) is before --start (2026-11-23T10:00:00Z)");
        assert_snapshot!(when("last=1x"), @r#"--last: unknown unit "x" in duration "1x"; write a duration (30s, 5m, 1h30m, 7d) or a number of seconds"#);
        assert_snapshot!(when("last=1h step=0"), @"--step: `0` is not above zero (the least is 1ms); write a duration (30s, 5m, 1h30m, 7d) or a number of seconds");
        assert_snapshot!(when("last=1h step=-5"), @"--step: `-5` is not above zero (the least is 1ms); write a duration (30s, 5m, 1h30m, 7d) or a number of seconds");
        assert_snapshot!(when("last=1h step=NaN"), @"--step: `NaN` is out of range; write a duration (30s, 5m, 1h30m, 7d) or a number of seconds");
        assert_snapshot!(when("last=1d step=50ms"), @"from start to end there are 1728000 steps of 50ms, and a server is asked for at most 1000000; use --step 1s or leave --step out");
        assert_snapshot!(when("start=noon"), @"--start: `noon` is not a time: write RFC 3339 (2026-11-23T10:00:00Z), seconds since the epoch (1795428000 or 1795428000.5), a time relative to now (now, now-1h, now-1d12h, now+5m), or a local date or time (2026-11-23, 2026-11-23 10:00, 10:00, today, yesterday)");
    }

    #[test]
    fn automatic_steps_give_at_most_250_points() {
        for range in [0, 1, 999, 60_000, 250_000, 251_000, 3_600_000, 86_400_000, i64::MAX / 4] {
            let step = automatic_step(range);
            assert!(step >= 1000 && range / step <= AUTOMATIC_POINTS, "{range} {step}");
        }
    }
}
