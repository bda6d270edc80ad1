//! Whole queries over 10,000 series of 1,440 samples in memory, at 100 and at 1,000 steps, on one
//! thread and on two, with the most memory that they take beside the data. Time passes for others on
//! the machine, too, so that there is also the time that all threads together worked.
//!
//! `cargo bench -p promql-engine --bench queries`; a part of a query after `--` chooses.

mod columns;

use std::hint::black_box;
use std::time::{Duration, Instant};

use columns::{SCRAPE, cpu_time, services};
use peak_alloc::PeakAlloc;
use promql_engine::{EngineOptions, QueryOptions, evaluate};
use promql_syntax::{Features, compile};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const TARGETS: usize = 200;
const SERIES_PER_TARGET: usize = 50;
const SAMPLES: usize = 1440;

const QUERIES: [&str; 13] = [
    "x_total",
    "rate(x_total[5m])",
    "sum(rate(x_total[5m]))",
    "sum by (instance) (rate(x_total[5m]))",
    "sum(avg_over_time(x_total[1h]))",
    "max(quantile_over_time(0.9, x_total[1h]))",
    "max_over_time(sum by (instance) (rate(x_total[5m]))[30m:1m])",
    "sum(rate(x_total[5m]) / rate(x_total[1h]))",
    "sum by (zone) (rate(x_total[5m]) * on (instance) group_left (zone) target)",
    "histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m])))",
    "topk(5, rate(x_total[5m]))",
    "count(x_total unless on (instance) (target == 0))",
    "max(x_total) - min(x_total)",
];

#[allow(clippy::print_stdout, reason = "the numbers are the point")]
fn main() {
    let chosen = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let data = services(TARGETS, SERIES_PER_TARGET, SAMPLES);
    let series = (TARGETS * SERIES_PER_TARGET) as f64;
    println!("| query | steps | threads | ms | worked, ms | ns per (series, step) | MB |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for text in QUERIES.iter().filter(|q| chosen.as_ref().is_none_or(|c| q.contains(c.as_str()))) {
        let query = compile(text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        // The last hours, so that all windows are full.
        for (steps, step) in [(100, 10 * SCRAPE), (1000, SCRAPE)] {
            for threads in [1, 2] {
                let engine = EngineOptions { threads: Some(threads), ..EngineOptions::default() };
                let end = SAMPLES as i64 * SCRAPE;
                let start = end - (steps - 1) * step;
                let step = Duration::from_millis(step as u64);
                let options = QueryOptions::range(start, end, step).with_engine(engine);
                MEMORY.reset_peak_usage();
                let before = MEMORY.current_usage();
                let run = || {
                    let (start, worked) = (Instant::now(), cpu_time());
                    black_box(evaluate(&query, &data, &options))
                        .unwrap_or_else(|e| panic!("{text}: {e}"));
                    let elapsed = start.elapsed();
                    let worked = cpu_time().zip(worked).map(|(now, before)| now - before);
                    (elapsed, worked.unwrap_or(elapsed))
                };
                let runs: Vec<(Duration, Duration)> = (0..9).map(|_| run()).collect();
                let best = runs.iter().map(|run| run.0).min().unwrap_or_default();
                let worked = runs.iter().map(|run| run.1).min().unwrap_or_default();
                println!(
                    "| `{text}` | {steps} | {threads} | {:.1} | {:.1} | {:.1} | {:.1} |",
                    best.as_secs_f64() * 1e3,
                    worked.as_secs_f64() * 1e3,
                    worked.as_nanos() as f64 / series / steps as f64,
                    (MEMORY.peak_usage() - before) as f64 / 1e6,
                );
            }
        }
    }
}
