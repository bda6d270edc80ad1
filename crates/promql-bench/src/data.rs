//! The data: targets that are scraped every 15 s, with the irregularities that real ones have.
//!
//! | of each target | series |
//! |---|---|
//! | `http_requests_total{path, method, code}` | 40 counters |
//! | `http_request_duration_seconds` | a classic histogram for two handlers, 26 series |
//! | `memory_used_bytes{pool}`, `memory_limit_bytes{pool}` | 24 gauges in pairs |
//! | `up`, `cpu_seconds_total`, `goroutines`, … | 10 others |
//!
//! All series of a target have the same timestamps: an offset of the target's own, jitter of some
//! milliseconds on 15 % of the scrapes, and one of 2,000 scrapes is missing. Counters are reset once
//! in six hours.

use std::io::{self, Write};

use crate::random::Random;

/// The first scrape, in milliseconds: a multiple of the two hours that a block spans.
pub(crate) const START: i64 = 1_780_012_800_000;

/// The usual time between two scrapes, in milliseconds.
const INTERVAL: i64 = 15_000;

/// How much data there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    /// Of 100 series each.
    pub(crate) targets: u64,
    /// In milliseconds.
    pub(crate) duration: i64,
}

const HOUR: i64 = 3_600_000;

/// A thousand, ten thousand, a hundred thousand series.
pub(crate) const SIZES: [Size; 3] = [
    Size { name: "S", targets: 10, duration: 6 * HOUR },
    Size { name: "M", targets: 100, duration: 6 * HOUR },
    Size { name: "L", targets: 1_000, duration: 2 * HOUR },
];

impl Size {
    pub(crate) fn end(self) -> i64 {
        START + self.duration
    }
}

const JOBS: [&str; 5] = ["api", "web", "worker", "db", "batch"];
const PATHS: [&str; 5] = ["/", "/login", "/search", "/cart", "/checkout"];
const METHODS: [&str; 2] = ["GET", "POST"];
const CODES: [&str; 4] = ["200", "302", "404", "500"];
const HANDLERS: [&str; 2] = ["read", "write"];
const BOUNDS: [&str; 11] =
    ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "+Inf"];

/// What the values of a series are like.
#[derive(Clone, Copy)]
enum Kind {
    /// Grows by up to so much at each scrape, in whole numbers.
    Counter(u64),
    /// Grows by fractions.
    Seconds,
    /// Wanders.
    Gauge(f64),
    Constant(f64),
}

/// One metric family: its name, its type, and of each target the series.
struct Family {
    name: &'static str,
    metric_type: &'static str,
    /// What is put behind the family's name, the other labels, and the values.
    series: Vec<(&'static str, String, Kind)>,
}

fn families() -> Vec<Family> {
    let mut requests = Vec::new();
    for path in PATHS {
        for method in METHODS {
            for (rank, code) in CODES.iter().enumerate() {
                let labels = format!(",path=\"{path}\",method=\"{method}\",code=\"{code}\"");
                requests.push(("_total", labels, Kind::Counter(200 >> (2 * rank))));
            }
        }
    }
    let mut durations = Vec::new();
    for handler in HANDLERS {
        for (at, bound) in (1..).zip(BOUNDS) {
            let labels = format!(",handler=\"{handler}\",le=\"{bound}\"");
            durations.push(("_bucket", labels, Kind::Counter(at * 9)));
        }
        let labels = format!(",handler=\"{handler}\"");
        durations.push(("_count", labels.clone(), Kind::Counter(99)));
        durations.push(("_sum", labels, Kind::Seconds));
    }
    let pools = |kind: Kind| {
        let pool = |number: u64| ("", format!(",pool=\"pool-{number}\""), kind);
        (0..12).map(pool).collect::<Vec<_>>()
    };
    let family = |name, metric_type, series| Family { name, metric_type, series };
    let single = |name, kind| family(name, "gauge", vec![("", String::new(), kind)]);
    vec![
        family(
            "cpu_seconds",
            "counter",
            vec![
                ("_total", ",mode=\"user\"".to_owned(), Kind::Seconds),
                ("_total", ",mode=\"system\"".to_owned(), Kind::Seconds),
            ],
        ),
        single("goroutines", Kind::Gauge(250.0)),
        family("http_request_duration_seconds", "histogram", durations),
        family("http_requests", "counter", requests),
        single("load1", Kind::Gauge(3.0)),
        family("memory_limit_bytes", "gauge", pools(Kind::Constant(4e9))),
        family("memory_used_bytes", "gauge", pools(Kind::Gauge(2e9))),
        single("open_files", Kind::Gauge(90.0)),
        single("process_start_time_seconds", Kind::Constant(1_779_900_000.0)),
        family("received_bytes", "counter", vec![("_total", String::new(), Kind::Counter(90_000))]),
        single("temperature_celsius", Kind::Gauge(55.0)),
        family("tasks_done", "counter", vec![("_total", String::new(), Kind::Counter(12))]),
        single("up", Kind::Constant(1.0)),
    ]
}

/// Writes all data as OpenMetrics text. `progress` is told how many series are written, and can end
/// it by an error.
pub(crate) fn write(
    size: Size,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64) -> io::Result<()>,
) -> io::Result<()> {
    let times: Vec<Vec<i64>> = (0..size.targets).map(|target| scrapes(target, size)).collect();
    let mut written = 0;
    for (number, family) in families().iter().enumerate() {
        writeln!(out, "# TYPE {} {}", family.name, family.metric_type)?;
        for (target, times) in times.iter().enumerate() {
            let job = JOBS[target % JOBS.len()];
            // Most targets are of one job.
            let job = if target % 5 < 2 { "api" } else { job };
            let own = format!("instance=\"host-{target}:8080\",job=\"{job}\"");
            for (at, (suffix, labels, kind)) in family.series.iter().enumerate() {
                let seed = (target as u64) << 20 | (number as u64) << 10 | at as u64;
                let start = format!("{}{suffix}{{{own}{labels}}}", family.name);
                series(&start, times, *kind, &mut Random::new(seed), out)?;
                written += 1;
            }
            progress(written)?;
        }
    }
    writeln!(out, "# EOF")
}

/// When a target is scraped.
fn scrapes(target: u64, size: Size) -> Vec<i64> {
    let mut random = Random::new(target + 1);
    let offset = random.below(INTERVAL as u64) as i64;
    let mut times = Vec::new();
    let mut time = START + offset;
    while time < size.end() {
        let jitter = if random.below(100) < 15 { 1 + random.below(9) as i64 } else { 0 };
        if !random.once_in(2_000) && time + jitter < size.end() {
            times.push(time + jitter);
        }
        time += INTERVAL;
    }
    times
}

fn series(
    start: &str,
    times: &[i64],
    kind: Kind,
    random: &mut Random,
    out: &mut dyn Write,
) -> io::Result<()> {
    let reset = random.below(1440) as usize;
    let mut value = match kind {
        Kind::Counter(_) | Kind::Seconds => random.below(100_000) as f64,
        Kind::Gauge(middle) | Kind::Constant(middle) => middle,
    };
    for (at, time) in times.iter().enumerate() {
        match kind {
            Kind::Counter(most) => value += random.below(most.max(2)) as f64,
            Kind::Seconds => value += random.below(15_000) as f64 / 1000.0,
            Kind::Gauge(middle) => {
                let step = (random.below(2001) as f64 - 1000.0) / 1000.0;
                value = (value + middle * step / 50.0).clamp(middle * 0.1, middle * 1.9);
                if middle > 1000.0 {
                    value = value.round();
                }
            }
            Kind::Constant(_) => {}
        }
        if at == reset && matches!(kind, Kind::Counter(_) | Kind::Seconds) {
            value = 0.0;
        }
        writeln!(out, "{start} {value} {}.{:03}", time / 1000, time % 1000)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One target, a quarter of an hour.
    const SMALL: Size = Size { name: "small", targets: 2, duration: HOUR / 4 };

    fn text() -> String {
        let mut out = Vec::new();
        write(SMALL, &mut out, &mut |_| Ok(())).expect("memory can be written to");
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn a_hundred_series_of_each_target() {
        let text = text();
        let series = |line: &'static str| line.rsplit(' ').nth(2);
        let text: &'static str = text.leak();
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let series: std::collections::BTreeSet<_> = samples.filter_map(series).collect();
        assert_eq!(series.len(), 200);
    }

    #[test]
    fn the_same_each_time() {
        assert_eq!(text(), text());
    }

    #[test]
    fn times_ascend_within_the_data() {
        for size in SIZES {
            for target in 0..size.targets {
                let times = scrapes(target, size);
                assert!(times.is_sorted_by(|a, b| a < b));
                assert!(times[0] >= START && times[times.len() - 1] < size.end());
            }
        }
    }
}
