//! Whole queries over columns in memory, on one thread. The time is that of a query; divided by the
//! number of series and steps, which the names say, it is comparable with the floors of the machine.
//! `cargo bench -p promql-engine`; a name or a part of one after `--` chooses, and with `--apart`
//! equal parts of a query are not shared.

mod columns;

use std::hint::black_box;
use std::time::{Duration, Instant};

use columns::{SCRAPE, counters};
use promql_engine::{EngineOptions, QueryOptions, evaluate};
use promql_syntax::{Features, compile};

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
    let columns = counters(targets, series_per_target, samples);
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
