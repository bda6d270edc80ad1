//! Whether the memory that a query says it held is the memory that it took.
//!
//! The allocator counts what the whole process takes, so there is a single test here, and it runs
//! one query after the other.

mod generated;

use std::time::Duration;

use generated::Generated;
use peak_alloc::PeakAlloc;
use promql_engine::{EngineOptions, QueryOptions, evaluate_with_statistics};
use promql_syntax::{Features, compile};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const QUERIES: [&str; 24] = [
    "x",
    "sum(rate(x[5m]))",
    "sum by (i) (x)",
    "avg by (i) (x)",
    "stddev by (k) (x)",
    "max(x)",
    "topk(3, x)",
    "topk(1000, x)",
    "quantile(0.5, x)",
    "count_values by (k) (\"v\", x % 50)",
    "x or y",
    "x and ignoring (k) y",
    "x + ignoring (k) group_left y",
    "label_replace(x, \"k\", \"z\", \"k\", \".*\")",
    "max_over_time(x[1h:15s])",
    "sum(quantile_over_time(0.5, x[1h]))",
    "x @ end() + x",
    "absent(x)",
    "sum(h)",
    "sum(rate(h[5m]))",
    "avg by (k) (rate(h[5m]))",
    "sum_over_time(h{k=\"1\"}[10m])",
    "histogram_quantile(0.9, sum by (k) (rate(h[5m])))",
    "histogram_count(avg by (k) (h))",
];

#[test]
fn the_memory_that_is_counted_is_the_memory_that_is_taken() {
    let storage = Generated::new(1000, 300);
    let mut table = String::new();
    for text in QUERIES {
        let query = compile(text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        let engine = EngineOptions { threads: Some(2), ..EngineOptions::default() };
        let options =
            QueryOptions::range(0, 299 * 15_000, Duration::from_secs(15)).with_engine(engine);
        // Threads and other things that stay are there before the measurement.
        drop(evaluate_with_statistics(&query, &storage, &options));
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let (result, statistics) = evaluate_with_statistics(&query, &storage, &options);
        let taken = ALLOCATOR.peak_usage().saturating_sub(before) as f64 / 1e6;
        assert!(result.is_ok(), "{text}: {result:?}");
        let counted = statistics.peak_bytes as f64 / 1e6;
        table += &format!("{taken:8.2} MB taken, {counted:8.2} MB counted: {text}\n");
        // Statistics, label sets under way and the allocator's own share are not counted, and a
        // batch is counted as if it were full.
        let small = 1.0;
        assert!(taken < 1.15 * counted + small, "\n{table}");
        assert!(counted < 1.15 * taken + small, "\n{table}");
    }
    println!("{table}");
}
