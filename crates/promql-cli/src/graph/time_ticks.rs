//! The time axis: ticks where a clock or a calendar has them.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// What lies between two ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Milliseconds(i64),
    Days(i64),
    Months(i64),
    Years(i64),
}

const STEPS: [Step; 45] = {
    use Step::*;
    const S: i64 = 1000;
    const M: i64 = 60 * S;
    const H: i64 = 60 * M;
    [
        Milliseconds(1),
        Milliseconds(2),
        Milliseconds(5),
        Milliseconds(10),
        Milliseconds(20),
        Milliseconds(50),
        Milliseconds(100),
        Milliseconds(200),
        Milliseconds(500),
        Milliseconds(S),
        Milliseconds(2 * S),
        Milliseconds(5 * S),
        Milliseconds(10 * S),
        Milliseconds(15 * S),
        Milliseconds(30 * S),
        Milliseconds(M),
        Milliseconds(2 * M),
        Milliseconds(5 * M),
        Milliseconds(10 * M),
        Milliseconds(15 * M),
        Milliseconds(30 * M),
        Milliseconds(H),
        Milliseconds(2 * H),
        Milliseconds(3 * H),
        Milliseconds(6 * H),
        Milliseconds(12 * H),
        Days(1),
        Days(2),
        Days(7),
        Days(14),
        Months(1),
        Months(2),
        Months(3),
        Months(6),
        Years(1),
        Years(2),
        Years(5),
        Years(10),
        Years(20),
        Years(50),
        Years(100),
        Years(200),
        Years(500),
        Years(1000),
        Years(2000),
    ]
};

/// The times from `start` to `end` (milliseconds since the epoch) that get a tick, with labels in
/// the local time of `zone`. The step is the smallest whose labels fit into `columns` with three
/// columns between them. A time out of the calendar's reach has no ticks.
pub fn ticks(start: i64, end: i64, zone: &TimeZone, columns: usize) -> Vec<(i64, String)> {
    let reach = |t| Timestamp::from_millisecond(t).is_ok();
    if !reach(start) || !reach(end) || end < start {
        return Vec::new();
    }
    if start == end {
        return vec![(start, label(start, zone, "%H:%M:%S"))];
    }
    let span = (end as f64 - start as f64).max(1.0);
    let fits = |step: &Step| {
        let room = columns as f64 * step.milliseconds() as f64 / span;
        room >= (step.label_width() + 3) as f64
    };
    let step = STEPS.iter().copied().find(fits).unwrap_or(Step::Years(2000));
    step.ticks(start, end, zone).unwrap_or_default()
}

impl Step {
    fn milliseconds(self) -> i64 {
        const DAY: i64 = 86_400_000;
        match self {
            Step::Milliseconds(n) => n,
            Step::Days(n) => n * DAY,
            Step::Months(n) => n * 28 * DAY,
            Step::Years(n) => n * 365 * DAY,
        }
    }

    fn form(self) -> &'static str {
        match self {
            Step::Milliseconds(n) if n < 1000 => "%H:%M:%S%.3f",
            Step::Milliseconds(n) if n < 60_000 => "%H:%M:%S",
            Step::Milliseconds(_) => "%H:%M",
            Step::Days(_) => "%b %d",
            Step::Months(_) => "%b %Y",
            Step::Years(_) => "%Y",
        }
    }

    fn label_width(self) -> usize {
        match self {
            Step::Milliseconds(n) if n < 1000 => 12,
            Step::Milliseconds(n) if n < 60_000 => 8,
            Step::Milliseconds(_) | Step::Days(_) => 6,
            Step::Months(_) => 8,
            Step::Years(_) => 4,
        }
    }

    fn ticks(
        self,
        start: i64,
        end: i64,
        zone: &TimeZone,
    ) -> Result<Vec<(i64, String)>, jiff::Error> {
        let mut ticks = Vec::new();
        let mut date = Timestamp::from_millisecond(start)?.to_zoned(zone.clone()).date();
        loop {
            let midnight = midnight(date, zone)?;
            if midnight > end {
                return Ok(ticks);
            }
            let next = date.checked_add(1.day())?;
            match self {
                Step::Milliseconds(n) => {
                    let day_end = self::midnight(next, zone)?.min(end + 1);
                    let first = midnight + (start - midnight).max(0).div_euclid(n) * n;
                    let mut time = if first < start { first + n } else { first };
                    while time < day_end {
                        // A new day is announced by its date.
                        let form = if time == midnight { "%b %d" } else { self.form() };
                        ticks.push((time, label(time, zone, form)));
                        time += n;
                    }
                }
                _ if midnight >= start && self.has(date) => {
                    ticks.push((midnight, label(midnight, zone, self.form())));
                }
                _ => {}
            }
            date = match self {
                Step::Milliseconds(_) | Step::Days(_) => next,
                Step::Months(_) => date.first_of_month().checked_add(1.month())?,
                Step::Years(n) => {
                    let years = n - i64::from(date.year()).rem_euclid(n);
                    date.first_of_year().checked_add(years.years())?
                }
            };
        }
    }

    /// Whether a day begins with a tick.
    fn has(self, date: Date) -> bool {
        // 1970-01-05 was a Monday.
        let monday = Date::constant(1970, 1, 5);
        let days = date.since(monday).map_or(0, |span| i64::from(span.get_days()));
        match self {
            Step::Milliseconds(_) => false,
            Step::Days(n) => days.rem_euclid(n) == 0,
            Step::Months(n) => date.day() == 1 && (i64::from(date.month()) - 1) % n == 0,
            Step::Years(n) => {
                date.day() == 1 && date.month() == 1 && i64::from(date.year()).rem_euclid(n) == 0
            }
        }
    }
}

fn midnight(date: Date, zone: &TimeZone) -> Result<i64, jiff::Error> {
    let time = zone.to_ambiguous_zoned(date.to_datetime(Time::midnight())).compatible()?;
    Ok(time.timestamp().as_millisecond())
}

fn label(time: i64, zone: &TimeZone, form: &str) -> String {
    match Timestamp::from_millisecond(time) {
        Ok(time) => time.to_zoned(zone.clone()).strftime(form).to_string(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(start: &str, end: &str, zone: TimeZone, columns: usize) -> String {
        let time = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let ticks = ticks(time(start), time(end), &zone, columns);
        ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_are_at_natural_boundaries() {
        let utc = |start, end, columns| labels(start, end, TimeZone::UTC, columns);
        assert_eq!(
            utc("2026-11-23T10:03:20Z", "2026-11-23T11:03:20Z", 70),
            "10:10 10:20 10:30 10:40 10:50 11:00"
        );
        assert_eq!(
            utc("2026-11-23T20:00:00Z", "2026-11-24T04:00:00Z", 60),
            "20:00 22:00 Nov 24 02:00 04:00"
        );
        assert_eq!(
            utc("2026-11-23T10:00:00Z", "2026-11-23T10:00:30Z", 50),
            "10:00:00 10:00:10 10:00:20 10:00:30"
        );
        assert_eq!(
            utc("2026-11-23T10:00:00Z", "2026-11-23T10:00:00.1Z", 50),
            "Nov 23 10:00:00.050 10:00:00.100".replace("Nov 23", "10:00:00.000")
        );
        assert_eq!(
            utc("2026-11-01T00:00:00Z", "2026-11-30T00:00:00Z", 60),
            "Nov 02 Nov 09 Nov 16 Nov 23 Nov 30"
        );
        assert_eq!(
            utc("2026-01-15T00:00:00Z", "2026-12-31T00:00:00Z", 80),
            "Mar 2026 May 2026 Jul 2026 Sep 2026 Nov 2026"
        );
        assert_eq!(utc("2006-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 60), "2010 2015 2020 2025");
    }

    #[test]
    fn a_day_has_as_many_hours_as_its_zone_gives_it() {
        let Ok(berlin) = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3") else { unreachable!() };
        assert_eq!(
            labels("2026-10-24T18:00:00Z", "2026-10-25T18:00:00Z", berlin, 60),
            "Oct 25 05:00 11:00 17:00"
        );
    }

    #[test]
    fn odd_ranges() {
        assert_eq!(ticks(5, 4, &TimeZone::UTC, 80), []);
        assert_eq!(ticks(i64::MIN, i64::MAX, &TimeZone::UTC, 80), []);
        assert_eq!(ticks(0, 0, &TimeZone::UTC, 80), [(0, "00:00:00".to_string())]);
        // All of the calendar.
        let all = ticks(-377_705_000_000_000, 253_402_207_000_000, &TimeZone::UTC, 80);
        assert!(all.len() <= 20, "{all:?}");
        assert!(ticks(0, 10_000_000_000, &TimeZone::UTC, 0).len() < 10);
    }
}
