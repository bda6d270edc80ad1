//! Series for queries that a machine makes up: whatever series do in reality, more often.
//!
//! | metric | what it is like |
//! |---|---|
//! | `c_total{i,j}` | counters with resets |
//! | `g{i,j}` | gauges, small and of either sign, many of them equal |
//! | `one{i,k}` | a gauge for each `i` |
//! | `h_bucket{i,le}` | classic histograms |
//! | `f_bucket{i,le}` | classic histograms of which all buckets are there or none |
//! | `wild{i,j}` | gauges with NaN, infinities, and zeros of either sign |
//! | `big{i}`, `tiny{i}` | values near 1e12, and near 1e-120 |
//! | `steady{i,j}` | values that seldom change |
//! | `when{i}` | times of two centuries |
//! | `served{instance,job}`, `target_info{instance,job,os}` | for `info()` |
//!
//! Each has regular, late and missing scrapes, gaps, stale markers, and an end or a beginning of
//! its own, in a mixture that differs from series to series.

use promql_model::{Labels, stale_nan};
use promql_storage::{Columns, MemoryBuilder, MemoryStorage};

use crate::random::Random;

/// The first sample's time: a full hour.
pub const START: i64 = 1_699_999_200_000;

/// No sample is later.
pub const END: i64 = START + 3_600_000;

/// The usual time between two samples.
const INTERVAL: i64 = 15_000;

/// The series, always the same.
pub fn storage() -> MemoryStorage {
    let mut storage = MemoryBuilder::default();
    series(&mut Random::new(7)).into_iter().for_each(|(labels, columns)| {
        storage.insert(labels, columns);
    });
    storage.build()
}

fn series(random: &mut Random) -> Vec<(Labels, Columns)> {
    let mut all: Vec<(Labels, Columns)> = Vec::new();
    let series = |name: &str, labels: &[(&str, &str)], values: Values, random: &mut Random| {
        let name = [("__name__", name)];
        let labels = Labels::from_pairs(name.iter().chain(labels).copied());
        (labels, one_series(values, random))
    };
    for (i, j) in [("0", "x"), ("0", "y"), ("1", "x"), ("1", "y"), ("2", "z"), ("10", "z")] {
        all.push(series("c_total", &[("i", i), ("j", j)], Values::Counter, random));
        all.push(series("g", &[("i", i), ("j", j)], Values::Gauge, random));
        all.push(series("wild", &[("i", i), ("j", j)], Values::Wild, random));
        all.push(series("steady", &[("i", i), ("j", j)], Values::Steady, random));
    }
    for i in ["0", "1", "3"] {
        all.push(series("one", &[("i", i), ("k", "v")], Values::Gauge, random));
        all.push(series("big", &[("i", i)], Values::Big, random));
        all.push(series("tiny", &[("i", i)], Values::Tiny, random));
        all.push(series("when", &[("i", i)], Values::Times, random));
        for le in ["0.1", "1", "5", "+Inf"] {
            all.push(series("h_bucket", &[("i", i), ("le", le)], Values::Counter, random));
        }
        let labels = |le| Labels::from_pairs([("__name__", "f_bucket"), ("i", i), ("le", le)]);
        let mut bucket = one_series(Values::Counter, random);
        for le in ["0.1", "1", "5", "+Inf"] {
            // Each bucket has more than the one below.
            bucket.values.iter_mut().for_each(|value| *value *= 1.25);
            all.push((labels(le), bucket.clone()));
        }
    }
    for instance in ["a", "b", "c"] {
        let labels = [("instance", instance), ("job", "api")];
        all.push(series("served", &labels, Values::Complete, random));
        let os = if instance == "a" { "linux" } else { "plan9" };
        all.push(series(
            "target_info",
            &[labels[0], labels[1], ("os", os)],
            Values::Complete,
            random,
        ));
    }
    all
}

#[derive(Clone, Copy)]
enum Values {
    Counter,
    Gauge,
    Wild,
    Big,
    Tiny,
    Steady,
    Times,
    /// Without gaps, since `info()` of this server mixes up series that come and go.
    Complete,
}

fn one_series(values: Values, random: &mut Random) -> Columns {
    let mut series = Columns::default();
    if matches!(values, Values::Complete) {
        series.timestamps = (0..=240).map(|k| START + k * INTERVAL).collect();
        series.values = series.timestamps.iter().map(|_| random.below(9) as f64).collect();
        return series;
    }
    let mut total = random.below(50) as f64;
    // Late scrapes: none, now and then, or all.
    let late = random.pick(&[0, 0, 5, 1]);
    let gap = random.below(300) as i64;
    let gap = gap..gap + random.pick(&[0, 5, 30, 60]);
    let begins = if random.once_in(6) { random.below(200) as i64 } else { 0 };
    let ends = if random.once_in(6) { 40 + random.below(200) as i64 } else { 240 };
    for k in begins..ends {
        let quarter = random.below(40) as f64 / 4.0;
        let restarts = random.once_in(90);
        if random.once_in(40) || gap.contains(&k) {
            continue;
        }
        let value = match values {
            Values::Counter | Values::Complete => {
                total = if restarts { quarter } else { total + quarter };
                total
            }
            Values::Gauge => quarter * 7.0 - 20.0,
            Values::Wild if random.once_in(4) => random.pick(&[
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                0.0,
                -0.0,
                1e300,
                -1e300,
                // The logarithm of Go on x86 is wrong for still smaller, subnormal numbers.
                1e-300,
            ]),
            Values::Wild => quarter - 5.0,
            Values::Big => 1e12 + quarter * 64.0,
            Values::Tiny => quarter * 1e-120,
            Values::Steady => {
                if restarts {
                    total = random.below(3) as f64 - 1.0;
                }
                total
            }
            // From 1900 to 2100, in seconds.
            Values::Times => random.below(6_300_000_000) as f64 - 2_200_000_000.0 + quarter,
        };
        let is_gone = random.once_in(60);
        let jitter = late > 0 && random.once_in(late);
        let jitter = if jitter { random.below(9_000) as i64 } else { 0 };
        series.timestamps.push(START + k * INTERVAL + jitter);
        series.values.push(if is_gone { stale_nan() } else { value });
    }
    if ends < 240
        && let Some(last) = series.timestamps.last()
    {
        series.timestamps.push(last + INTERVAL);
        series.values.push(stale_nan());
    }
    series
}
