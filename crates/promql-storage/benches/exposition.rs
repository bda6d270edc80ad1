//! How fast exposition text is read: `cargo bench -p promql-storage --bench exposition`.
//!
//! Two texts of the same size: a scrape, where each line is a series of its own, and a backfill
//! file, where each series has many lines. The first shows what making series costs, the second
//! what reading lines costs.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use promql_storage::exposition::{Format, read};

const LINES: usize = 200_000;
const RUNS: usize = 5;

/// Lines of a histogram as an HTTP server has it, in the order in which exporters write them;
/// `series` of them are different.
fn text(series: usize, timestamps: bool) -> String {
    let mut text = String::from("# TYPE http_request_duration_seconds histogram\n");
    for line in 0..LINES {
        let at = line % series;
        let bound = ["0.005", "0.05", "0.5", "1", "+Inf"][at % 5];
        let _ = write!(
            text,
            "http_request_duration_seconds_bucket{{method=\"GET\",path=\"/api/v1/items/{:06}\",\
             status=\"200\",le=\"{bound}\"}} {}",
            at / 5,
            line * 17,
        );
        if timestamps {
            let _ = write!(text, " {}", 1_700_000_000_000 + line / series * 15_000);
        }
        text.push('\n');
    }
    text
}

fn measure(name: &str, text: &str) {
    let mut best = f64::MAX;
    for _ in 0..RUNS {
        let start = Instant::now();
        let exposition = read(name, text.as_bytes(), Format::Text, 0).expect("well formed");
        best = best.min(start.elapsed().as_secs_f64());
        black_box(exposition);
    }
    let megabytes = text.len() as f64 / 1e6;
    println!(
        "{name:10} {megabytes:5.1} MB {:6.1} ms {:6.0} MB/s {:5.0} ns a line",
        best * 1e3,
        megabytes / best,
        best * 1e9 / LINES as f64
    );
}

fn main() {
    measure("scrape", &text(LINES, false));
    measure("backfill", &text(1000, true));
    // Nothing but comments and metadata: what finding lines costs.
    measure(
        "comments",
        &"# a comment of about the length that a help text has, a bit more\n".repeat(LINES),
    );
}
