//! Whole queries over columns in memory, on one thread. The time is that of a query; divided by the
//! number of series and steps, which the names say, it is comparable with the floors of the machine.
//! `cargo bench -p promql-engine`; a name or a part of one after `--` chooses, and with `--apart`
//! equal parts of a query are not shared.

use std::hint::black_box;
use std::time::{Duration, Instant};

use promql_engine::{
    EngineOptions, LabelQuery, QueryOptions, SampleBuffer, Samples, SelectRequest, SelectedSeries,
    Storage, StorageError, evaluate,
};
use promql_model::Labels;
use promql_syntax::{Features, compile};

/// Counters of some targets. The series of a target have the same timestamps, with jitter and an
/// occasional missed scrape, and now and then a reset.
struct Columns {
    labels: Vec<Labels>,
    timestamps: Vec<Vec<i64>>,
    values: Vec<Vec<f64>>,
    series_per_target: usize,
}

const SCRAPE: i64 = 15_000;

impl Columns {
    fn new(targets: usize, series_per_target: usize, samples: usize) -> Columns {
        let mut state = 42_u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        let timestamps: Vec<Vec<i64>> = (0..targets)
            .map(|_| {
                let offset = (random() * SCRAPE as f64) as i64;
                let mut times: Vec<i64> =
                    (0..samples as i64).map(|k| k * SCRAPE + offset).collect();
                times.iter_mut().for_each(|t| *t += if random() < 0.15 { 7 } else { 0 });
                times.retain(|_| random() >= 0.0005);
                times
            })
            .collect();
        let mut columns = Columns { labels: vec![], timestamps, values: vec![], series_per_target };
        for series in 0..targets * series_per_target {
            let mut value = 1e6 * random();
            let slope = 100.0 * random();
            let len = columns.timestamps[series / series_per_target].len();
            columns.values.push(
                (0..len)
                    .map(|_| {
                        value = if random() < 0.00001 { 0.0 } else { value + slope * random() };
                        value
                    })
                    .collect(),
            );
            columns.labels.push(Labels::from_pairs([
                ("__name__", "x_total".to_owned()),
                ("instance", format!("host-{:05}", series / series_per_target)),
                ("path", format!("{:03}", series % series_per_target)),
            ]));
        }
        columns
    }
}

impl Storage for Columns {
    fn select<'a>(
        &'a self,
        _: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        Ok(Box::new(All(self)))
    }

    fn label_names(&self, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }

    fn label_values(&self, _: &str, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }
}

struct All<'a>(&'a Columns);

impl SelectedSeries for All<'_> {
    fn labels(&self) -> &[Labels] {
        &self.0.labels
    }

    fn read<'b>(&'b self, at: usize, _: &'b mut SampleBuffer) -> Result<Samples<'b>, StorageError> {
        let timestamps = &self.0.timestamps[at / self.0.series_per_target];
        Ok(Samples::floats(timestamps, &self.0.values[at]))
    }
}

const QUERIES: [&str; 17] = [
    "sum(rate(x_total[5m]))",
    "sum by (instance) (rate(x_total[5m]))",
    "count(rate(x_total[5m]) > 0)",
    "sum(x_total)",
    "max(x_total)",
    "sum(avg_over_time(x_total[1h]))",
    "sum(max_over_time(x_total[1h]))",
    "sum(stddev_over_time(x_total[1h]))",
    "sum(quantile_over_time(0.9, x_total[1h]))",
    "sum(predict_linear(x_total[1h], 3600))",
    "sum(rate(x_total[5m]) / rate(x_total[5m]))",
    "topk(5, rate(x_total[5m]))",
    "sum(max_over_time(rate(x_total[5m])[30m:1m]))",
    "sum(rate(x_total[5m]) / (rate(x_total[5m]) + rate(x_total[5m] offset 5m)))",
    "sum(x_total > 1e6 and x_total < 1e7)",
    "max(rate(x_total[5m])) - min(rate(x_total[5m]))",
    "sum(max_over_time(x_total[1h]) - min_over_time(x_total[1h]))",
];

#[allow(clippy::print_stdout, reason = "the numbers are the point")]
fn main() {
    let chosen = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let (targets, series_per_target, samples) = (20, 50, 1440);
    let columns = Columns::new(targets, series_per_target, samples);
    let share = !std::env::args().any(|argument| argument == "--apart");
    let engine = EngineOptions { threads: Some(1), share, ..EngineOptions::default() };
    let end = samples as i64 * SCRAPE;
    for (step, steps) in [(SCRAPE, samples), (60_000, samples / 4)] {
        let options = QueryOptions::range(SCRAPE, end, Duration::from_millis(step as u64))
            .with_engine(engine.clone());
        for text in
            QUERIES.iter().filter(|q| chosen.as_ref().is_none_or(|c| q.contains(c.as_str())))
        {
            let query = compile(text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            let mut times: Vec<Duration> = (0..9)
                .map(|_| {
                    let start = Instant::now();
                    black_box(evaluate(&query, &columns, &options))
                        .unwrap_or_else(|e| panic!("{text}: {e}"));
                    start.elapsed()
                })
                .collect();
            times.sort();
            let pairs = (columns.labels.len() * steps) as f64;
            println!(
                "{:6.2} ns per (series, step)  best {:6.2}  {:2} s step  {text}",
                times[4].as_nanos() as f64 / pairs,
                times[0].as_nanos() as f64 / pairs,
                step / 1000,
            );
        }
    }
}
