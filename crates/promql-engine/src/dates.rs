//! Parts of dates, in UTC and the proleptic Gregorian calendar, without leap seconds.

use promql_syntax::query::DatePart;

const SECONDS_A_DAY: i64 = 86_400;

/// A part of the date that a number of seconds since the epoch stands for. Parts of a second don't
/// count. What is out of range gives some number, as upstream does.
pub(crate) fn date_part(part: DatePart, seconds: f64) -> f64 {
    // The conversion takes the nearest number; upstream takes the smallest for all of these.
    let in_range = seconds.abs() < 9e18;
    date_part_of(part, if in_range { seconds as i64 } else { i64::MIN }) as f64
}

fn date_part_of(part: DatePart, seconds: i64) -> i64 {
    let days = seconds.div_euclid(SECONDS_A_DAY);
    let second_of_day = seconds.rem_euclid(SECONDS_A_DAY);
    let date = Date::of(days);
    match part {
        DatePart::Minute => second_of_day / 60 % 60,
        DatePart::Hour => second_of_day / 3600,
        DatePart::DayOfWeek => (days + 4).rem_euclid(7),
        DatePart::DayOfMonth => date.day,
        DatePart::DayOfYear => days - Date::first_of_month(date.year, 1) + 1,
        DatePart::DaysInMonth => {
            let (year, month) = match date.month {
                12 => (date.year + 1, 1),
                month => (date.year, month + 1),
            };
            Date::first_of_month(year, month) - Date::first_of_month(date.year, date.month)
        }
        DatePart::Month => date.month,
        DatePart::Year => date.year,
    }
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Date {
    year: i64,
    /// 1 to 12.
    month: i64,
    /// 1 to 31.
    day: i64,
}

/// The days of 400 years, after which the calendar repeats.
const DAYS_OF_ERA: i64 = 146_097;

/// From 0000-03-01 to the epoch. Years that begin in March have the leap day at their end.
const EPOCH: i64 = 719_468;

impl Date {
    /// The day that is so many days after the epoch.
    fn of(days: i64) -> Date {
        let days = days + EPOCH;
        let era = days.div_euclid(DAYS_OF_ERA);
        let day = days.rem_euclid(DAYS_OF_ERA);
        let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Date { year, month, day: day_of_year - (153 * march_month + 2) / 5 + 1 }
    }

    /// The days from the epoch to the first of a month.
    fn first_of_month(year: i64, month: i64) -> i64 {
        let year = year - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let march_month = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * march_month + 2) / 5;
        let day = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * DAYS_OF_ERA + day - EPOCH
    }
}

/// A time in milliseconds since the epoch as RFC 3339 writes it, in whole seconds.
pub(crate) fn rfc3339(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let Date { year, month, day } = Date::of(seconds.div_euclid(SECONDS_A_DAY));
    let of_day = seconds.rem_euclid(SECONDS_A_DAY);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The same with the milliseconds, if there are any.
pub(crate) fn rfc3339_exact(milliseconds: i64) -> String {
    let whole = rfc3339(milliseconds);
    match milliseconds.rem_euclid(1000) {
        0 => whole,
        rest => format!("{}.{rest:03}Z", whole.trim_end_matches('Z')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let parts = [
            DatePart::Year,
            DatePart::Month,
            DatePart::DayOfMonth,
            DatePart::DayOfYear,
            DatePart::DayOfWeek,
            DatePart::DaysInMonth,
            DatePart::Hour,
            DatePart::Minute,
        ];
        let of = |seconds: f64| parts.map(|part| date_part(part, seconds));
        assert_eq!(of(0.0), [1970.0, 1.0, 1.0, 1.0, 4.0, 31.0, 0.0, 0.0]);
        // 2000-02-29 23:59:59, a Tuesday.
        assert_eq!(of(951_868_799.9), [2000.0, 2.0, 29.0, 60.0, 2.0, 29.0, 23.0, 59.0]);
        // 1900-03-01 00:00:00, a Thursday, in a year without a leap day.
        assert_eq!(of(-2_203_891_200.0), [1900.0, 3.0, 1.0, 60.0, 4.0, 31.0, 0.0, 0.0]);
        assert_eq!(rfc3339(1_700_000_100_500), "2023-11-14T22:15:00Z");
        assert_eq!(rfc3339_exact(1_700_000_100_005), "2023-11-14T22:15:00.005Z");
        assert_eq!(rfc3339_exact(-1000), "1969-12-31T23:59:59Z");
        for seconds in [f64::NAN, f64::INFINITY, f64::MIN, 9e18, -9e18] {
            assert!(parts.iter().all(|&part| date_part(part, seconds).is_finite()));
        }
    }
}
