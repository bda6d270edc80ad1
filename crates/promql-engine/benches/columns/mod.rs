//! Series in memory that benchmarks evaluate queries over.

#![allow(dead_code, reason = "not every benchmark needs all of it")]

#[path = "../../tests/support/mod.rs"]
pub(crate) mod support;

use std::sync::Arc;
use std::time::Duration;

use promql_engine::{SampleBuffer, Samples};
use promql_model::Labels;

use support::{SeriesOf, Source};

/// The milliseconds between two samples.
pub(crate) const SCRAPE: i64 = 15_000;

/// Floats in columns. The series of a target share their timestamps.
pub(crate) struct Columns(Vec<(Arc<[i64]>, Vec<f64>)>);

impl Source for Columns {
    fn read<'b>(&'b self, series: usize, _: &'b mut SampleBuffer) -> Samples<'b> {
        let (timestamps, values) = &self.0[series];
        Samples::floats(timestamps, values)
    }
}

/// How long the threads of this process have worked so far: what others do on the machine doesn't
/// count. Known on Linux.
pub(crate) fn cpu_time() -> Option<Duration> {
    let mut total = 0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        total += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(total))
}

/// A generator of numbers that are random enough.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Random {
        Random(42)
    }

    /// A number from 0 to below 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }
}

/// The times at which a target is scraped: with jitter, and now and then a scrape is missed.
fn scrapes(samples: usize, random: &mut Random) -> Arc<[i64]> {
    let offset = (random.next() * SCRAPE as f64) as i64;
    let mut times: Vec<i64> = (0..samples as i64).map(|k| k * SCRAPE + offset).collect();
    times.iter_mut().for_each(|t| *t += if random.next() < 0.15 { 7 } else { 0 });
    times.retain(|_| random.next() >= 0.0005);
    times.into()
}

/// A counter that is reset now and then.
fn counter(len: usize, random: &mut Random) -> Vec<f64> {
    let mut value = 1e6 * random.next();
    let slope = 100.0 * random.next();
    let mut next = || {
        value = if random.next() < 0.00001 { 0.0 } else { value + slope * random.next() };
        value
    };
    (0..len).map(|_| next()).collect()
}

/// Counters `x_total` of some targets.
pub(crate) fn counters(
    targets: usize,
    series_per_target: usize,
    samples: usize,
) -> SeriesOf<Columns> {
    let mut random = Random::new();
    let mut all = SeriesOf { labels: Vec::new(), source: Columns(Vec::new()) };
    for target in 0..targets {
        let timestamps = scrapes(samples, &mut random);
        for series in 0..series_per_target {
            let values = counter(timestamps.len(), &mut random);
            all.source.0.push((timestamps.clone(), values));
            all.labels.push(Labels::from_pairs([
                ("__name__", "x_total".to_owned()),
                ("instance", format!("host-{target:05}")),
                ("path", format!("{series:03}")),
            ]));
        }
    }
    all
}

/// What queries are about: `h_bucket`, classic histograms of ten buckets, one series `target` of each
/// target, and `x_total` as [`counters`] makes it.
pub(crate) fn services(
    targets: usize,
    series_per_target: usize,
    samples: usize,
) -> SeriesOf<Columns> {
    const BOUNDS: [&str; 10] =
        ["+Inf", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5"];
    let mut random = Random::new();
    let mut all = SeriesOf { labels: Vec::new(), source: Columns(Vec::new()) };
    let instance = |target: usize| ("instance", format!("host-{target:05}"));
    for target in 0..targets {
        let timestamps = scrapes(samples, &mut random);
        let paths = 0..series_per_target / BOUNDS.len();
        let totals: Vec<_> = paths.map(|_| counter(timestamps.len(), &mut random)).collect();
        for (at, le) in BOUNDS.into_iter().enumerate() {
            // The one for infinity comes first in the order of labels.
            let share = if at == 0 { 1.0 } else { at as f64 / BOUNDS.len() as f64 };
            for (path, total) in totals.iter().enumerate() {
                let values = total.iter().map(|value| value * share).collect();
                all.source.0.push((timestamps.clone(), values));
                all.labels.push(Labels::from_pairs([
                    ("__name__", "h_bucket".to_owned()),
                    instance(target),
                    ("le", le.to_owned()),
                    ("path", format!("{path:03}")),
                ]));
            }
        }
    }
    for target in 0..targets {
        let timestamps = scrapes(samples, &mut random);
        let values = vec![(target % 2) as f64; timestamps.len()];
        all.source.0.push((timestamps, values));
        all.labels.push(Labels::from_pairs([
            ("__name__", "target".to_owned()),
            instance(target),
            ("zone", format!("z{}", target % 3)),
        ]));
    }
    let counters = counters(targets, series_per_target, samples);
    all.labels.extend(counters.labels);
    all.source.0.extend(counters.source.0);
    all
}
