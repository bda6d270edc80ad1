//! The samples of replicas as one series.
//!
//! Two servers that scrape the same targets have the same series, at other times. Taking the samples
//! of both would count everything twice; so at any time one of them is followed, and the other only
//! where the first has a gap. This is how Thanos does it: after a sample of one replica, the other is
//! left alone for twice the distance between the last two samples, so that a switch needs two samples to be missing, and the samples never come more often
//! than those of one replica.
//!
//! Three rules are added:
//!
//! - After the very first sample the distance is the least between the first two of any replica, and
//!   not always two and a half seconds.
//!
//! - A counter that is followed from one replica to the other must not seem to be reset. A replica
//!   that lags behind may show less than was seen already. Such a sample is passed over, unless the
//!   replica itself saw the counter fall since the switch, which is a reset then.
//! - A staleness marker of one replica is about that replica as long as the other goes on. It is left
//!   out, and the other is followed at once.
//!
//! More than two replicas are taken together one after the other.

use promql_engine::SampleBuffer;
use promql_model::{CounterResetHint, is_stale_nan};

use crate::columns::push_start;

/// How long the other replica is left alone after the first sample if there is no second, in
/// milliseconds.
const FIRST_PENALTY: i64 = 5_000;

/// A pause of a replica of which nothing else is known, in milliseconds: the usual lookback delta.
const LONGEST_PAUSE: i64 = 300_000;

/// A sample, and where it is.
#[derive(Clone, Copy, Debug)]
struct Point {
    time: i64,
    /// What must not fall: the value, or the number of observations.
    level: f64,
    is_stale: bool,
    /// Whether falling is a reset.
    is_counter: bool,
    replica: u32,
    is_histogram: bool,
    index: usize,
}

/// Makes one series of the samples of its replicas, the most trusted first. `is_counter` says
/// whether floats are those of a counter.
pub(super) fn merge(replicas: &[SampleBuffer], is_counter: bool, out: &mut SampleBuffer) {
    let points = replicas.iter().enumerate().map(|(at, columns)| points(at, columns, is_counter));
    let merged = points.reduce(|one, other| follow(&one, &other)).unwrap_or_default();
    out.clear();
    let mut last = None;
    for Point { replica, is_histogram, index, .. } in merged {
        let from = &replicas[replica as usize];
        if is_histogram {
            let start = from.histogram_start_timestamps.get(index).copied().unwrap_or(0);
            push_start(&mut out.histogram_start_timestamps, start, out.histogram_timestamps.len());
            out.histogram_timestamps.push(from.histogram_timestamps[index]);
            let mut histogram = from.histograms[index].clone();
            // What it says about the one before is about one of the same replica.
            if last != Some((replica, index.wrapping_sub(1)))
                && histogram.hint != CounterResetHint::Gauge
            {
                histogram.hint = CounterResetHint::Unknown;
            }
            out.histograms.push(histogram);
            last = Some((replica, index));
        } else {
            let start = from.start_timestamps.get(index).copied().unwrap_or(0);
            push_start(&mut out.start_timestamps, start, out.timestamps.len());
            out.timestamps.push(from.timestamps[index]);
            out.values.push(from.values[index]);
        }
    }
}

/// The samples of both kinds by time.
fn points(replica: usize, columns: &SampleBuffer, is_counter: bool) -> Vec<Point> {
    let replica = u32::try_from(replica).unwrap_or(u32::MAX);
    let floats = columns.timestamps.iter().zip(&columns.values).enumerate();
    let floats = floats.map(|(index, (time, value))| Point {
        time: *time,
        level: *value,
        is_stale: is_stale_nan(*value),
        is_counter,
        replica,
        is_histogram: false,
        index,
    });
    let histograms = columns.histogram_timestamps.iter().zip(&columns.histograms).enumerate();
    let histograms = histograms.map(|(index, (time, histogram))| Point {
        time: *time,
        level: histogram.count,
        is_stale: histogram.is_stale(),
        is_counter: histogram.hint != CounterResetHint::Gauge,
        replica,
        is_histogram: true,
        index,
    });
    let mut points: Vec<Point> = floats.chain(histograms).collect();
    points.sort_by_key(|point| point.time);
    points
}

/// A replica, and how far it was followed.
struct Followed<'a> {
    points: &'a [Point],
    at: usize,
    penalty: i64,
}

impl Followed<'_> {
    fn skip_to(&mut self, time: i64) {
        let behind = &self.points[self.at..];
        self.at += behind.partition_point(|point| point.time < time);
    }

    /// To the first sample behind a time, which may have been skipped.
    fn go_to(&mut self, time: i64) {
        self.at = self.points.partition_point(|point| point.time <= time);
    }

    /// How far the next sample and the one after it are apart.
    fn distance(&self) -> Option<i64> {
        Some(self.points.get(self.at + 1)?.time - self.next()?.time)
    }

    fn next(&self) -> Option<&Point> {
        self.points.get(self.at)
    }

    /// Whether the counter falls after a time and up to the next sample.
    fn resets_since(&self, time: i64) -> bool {
        let first = self.points.partition_point(|point| point.time <= time);
        // Without a sample before, nothing says that it lags behind.
        let Some(first) = first.checked_sub(1) else { return true };
        let known = self.points[first..=self.at].iter().filter(|point| !point.is_stale);
        let levels: Vec<f64> = known.map(|point| point.level).collect();
        levels.windows(2).any(|pair| pair[1] < pair[0])
    }

    /// Whether there are samples on both sides of a time, as close as they usually are.
    fn goes_on_at(&self, time: i64) -> bool {
        let next = self.points.partition_point(|point| point.time <= time);
        let (Some(before), Some(after)) = (next.checked_sub(1), self.points.get(next)) else {
            return false;
        };
        let usual = match before.checked_sub(1) {
            Some(first) => 3 * (self.points[before].time - self.points[first].time),
            None => LONGEST_PAUSE,
        };
        let before = &self.points[before];
        !before.is_stale && !after.is_stale && after.time - before.time <= usual
    }
}

/// Follows one replica, and another where the first has a gap.
fn follow(one: &[Point], other: &[Point]) -> Vec<Point> {
    let mut out: Vec<Point> = Vec::with_capacity(one.len().max(other.len()));
    let mut replicas = [one, other].map(|points| Followed { points, at: 0, penalty: 0 });
    // Which one is followed, and since when nothing was taken.
    let mut followed = 0;
    let mut last: Option<i64> = None;
    loop {
        if let Some(last) = last {
            for replica in &mut replicas {
                replica.skip_to(last.saturating_add(1).saturating_add(replica.penalty));
            }
        }
        let chosen = match (replicas[0].next(), replicas[1].next()) {
            (None, None) => return out,
            (Some(_), None) => 0,
            (None, Some(_)) => 1,
            (Some(one), Some(other)) => usize::from(other.time < one.time),
        };
        let Some(point) = replicas[chosen].next().copied() else { return out };
        if point.is_stale && replicas[1 - chosen].goes_on_at(point.time) {
            replicas[chosen].at += 1;
            replicas[1 - chosen].penalty = 0;
            replicas[1 - chosen].go_to(point.time);
            continue;
        }
        let falls = |before: &Point| {
            point.is_counter && !point.is_stale && !before.is_stale && point.level < before.level
        };
        if chosen != followed
            && out.last().is_some_and(falls)
            && last.is_some_and(|last| !replicas[chosen].resets_since(last))
        {
            replicas[chosen].at += 1;
            continue;
        }
        replicas[chosen].penalty = 0;
        replicas[1 - chosen].penalty = match last {
            Some(last) => 2 * (point.time - last),
            None => {
                let distances = replicas.iter().filter_map(Followed::distance);
                distances.min().map_or(FIRST_PENALTY, |distance| 2 * distance)
            }
        };
        followed = chosen;
        last = Some(point.time);
        out.push(point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use promql_model::stale_nan;

    /// `10=1 20=2`, a marker as `30=x`.
    fn columns(text: &str) -> SampleBuffer {
        let mut columns = SampleBuffer::default();
        for word in text.split_whitespace() {
            let (time, value) = word.split_once('=').unwrap();
            columns.timestamps.push(time.parse::<i64>().unwrap() * 1000);
            columns.values.push(value.parse().unwrap_or(stale_nan()));
        }
        columns
    }

    fn merged(replicas: &[&str], is_counter: bool) -> String {
        let replicas: Vec<SampleBuffer> = replicas.iter().map(|text| columns(text)).collect();
        let mut out = SampleBuffer::default();
        merge(&replicas, is_counter, &mut out);
        let words = out.timestamps.iter().zip(&out.values).map(|(time, value)| {
            let value = if is_stale_nan(*value) { "x".to_owned() } else { value.to_string() };
            format!("{}={value}", time / 1000)
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn one_replica_is_followed_and_the_other_in_its_gaps() {
        let a = "10=1 20=2 30=3 80=8 90=9";
        let b = "15=1 25=2 35=3 45=4 55=5 65=6 75=7 85=8";
        // After 30 two samples of the first are missing; then the second is followed to its end.
        assert_eq!(merged(&[a, b], true), "10=1 20=2 30=3 55=5 65=6 75=7 85=8");
        assert_eq!(merged(&[a, a], true), a);
        assert_eq!(merged(&[a, ""], true), a);
        assert_eq!(merged(&["", b], true), b);
        assert_eq!(merged(&[], true), "");
        let c = "12=1 95=9 105=10 115=11 125=12";
        assert_eq!(merged(&[a, b, c], true), "10=1 20=2 30=3 55=5 65=6 75=7 85=8 115=11 125=12");
    }

    #[test]
    fn a_counter_does_not_fall_at_a_switch() {
        // The second lags behind: what it shows at 60 was there before.
        let a = "10=100 20=200 30=300";
        let b = "10=50 20=140 30=220 40=260 50=280 60=290 70=310 80=320";
        assert_eq!(merged(&[a, b], true), "10=100 20=200 30=300 70=310 80=320");
        assert_eq!(merged(&[a, b], false), "10=100 20=200 30=300 60=290 70=310 80=320");
        // A reset that both would have seen stays one.
        let b = "10=90 20=190 30=290 40=380 50=5 60=10 70=20";
        assert_eq!(merged(&[a, b], true), "10=100 20=200 30=300 60=10 70=20");
    }

    #[test]
    fn a_marker_of_one_is_none_of_both() {
        let a = "10=1 20=2 30=x";
        let b = "12=1 22=2 32=3 42=4 52=x";
        assert_eq!(merged(&[a, b], true), "10=1 20=2 32=3 42=4 52=x");
        let b = "12=1 22=2 32=x";
        assert_eq!(merged(&[a, b], true), "10=1 20=2 30=x");
    }

    #[test]
    fn samples_come_no_more_often_than_those_of_one() {
        let replica = |offset: i64, gaps: &[i64]| -> String {
            let times = (0..200).filter(|n| !gaps.contains(n)).map(|n| 15 * n + offset);
            times.map(|t| format!("{t}={t} ")).collect()
        };
        let (a, b) = (replica(0, &[7, 8, 9, 50, 100, 101, 102, 103]), replica(7, &[30, 31, 110]));
        let text = merged(&[&a, &b], true);
        let times: Vec<i64> =
            text.split(' ').map(|word| word.split('=').next().unwrap().parse().unwrap()).collect();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 15), "{text}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] <= 45), "{text}");
    }
}
