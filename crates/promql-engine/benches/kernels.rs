//! What each function of range vectors costs as its window grows, on one thread, over columns in
//! memory: 20 series with a sample every 15 seconds, 1,440 steps of a minute. A function that slides
//! costs the same for every window, apart from the samples of the first one.
//!
//! `cargo bench -p promql-engine --bench kernels`; a name or a part of one after `--` chooses.

mod columns;

use std::hint::black_box;
use std::time::{Duration, Instant};

use columns::{SCRAPE, counters, cpu_time};
use promql_engine::{EngineOptions, QueryOptions, evaluate};
use promql_syntax::functions::FUNCTIONS;
use promql_syntax::{Features, ValueType, compile};

/// The windows, in seconds.
const WINDOWS: [(&str, i64); 5] =
    [("1m", 60), ("5m", 300), ("1h", 3600), ("6h", 21_600), ("1d", 86_400)];

const SERIES: usize = 20;
const STEPS: i64 = 1440;
const STEP: i64 = 60_000;
const DAY: i64 = 86_400_000;

/// Each function of one range vector, those with further arguments, and those of extended windows.
fn functions() -> Vec<String> {
    let of_one_range = FUNCTIONS.iter().filter_map(|function| match function.parameters {
        [parameter] if parameter.value_type == ValueType::RangeVector => {
            Some(format!("{}(x_total[W])", function.name))
        }
        _ => None,
    });
    let others = [
        "quantile_over_time(0.9, x_total[W])",
        "predict_linear(x_total[W], 3600)",
        "double_exponential_smoothing(x_total[W], 0.5, 0.5)",
        "increase(x_total[W] anchored)",
        "increase(x_total[W] smoothed)",
        "changes(x_total[W] anchored)",
        "resets(x_total[W] anchored)",
    ];
    of_one_range.chain(others.map(str::to_owned)).collect()
}

/// The time that the thread works for one run, whatever else the machine does. The clock for that
/// ticks every few milliseconds, so it is taken of many runs.
fn time_of(run: &impl Fn()) -> Duration {
    let (begun, start, mut runs) = (cpu_time(), Instant::now(), 0);
    loop {
        run();
        runs += 1;
        let worked = cpu_time().zip(begun).map(|(now, before)| now.saturating_sub(before));
        let worked = worked.unwrap_or_else(|| start.elapsed());
        if worked >= Duration::from_millis(80) {
            return worked / runs;
        }
    }
}

#[allow(clippy::print_stdout, reason = "the numbers are the point")]
fn main() {
    let chosen = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let functions = functions();
    let functions: Vec<&String> = functions
        .iter()
        .filter(|function| chosen.as_ref().is_none_or(|c| function.contains(c.as_str())))
        .collect();
    let data = counters(1, SERIES, (2 * DAY / SCRAPE) as usize + 1);
    let engine = EngineOptions { threads: Some(1), ..EngineOptions::default() };
    let options = QueryOptions::range(DAY, DAY + (STEPS - 1) * STEP, Duration::from_secs(60))
        .with_engine(engine);
    println!("ns for each series and step, and in brackets for each sample of the series\n");
    print!("| function |");
    WINDOWS.iter().for_each(|(name, _)| print!(" {name} |"));
    print!("\n|---|");
    WINDOWS.iter().for_each(|_| print!("---:|"));
    println!();
    for function in functions {
        print!("| `{}` |", function.replace("x_total[W]", "x[…]"));
        for (name, seconds) in WINDOWS {
            // The cheapest aggregation: it keeps the steps that have a value.
            let text = format!("group({})", function.replace('W', name));
            let query = compile(&text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            let run = || {
                black_box(evaluate(&query, &data, &options))
                    .unwrap_or_else(|e| panic!("{text}: {e}"));
            };
            let best = (0..2).map(|_| time_of(&run)).min().unwrap_or_default();
            let samples = (STEPS * STEP / 1000 + seconds) * 1000 / SCRAPE;
            let nanoseconds = best.as_nanos() as f64 / SERIES as f64;
            let (step, sample) = (nanoseconds / STEPS as f64, nanoseconds / samples as f64);
            print!(" {step:.1} ({sample:.1}) |");
        }
        println!();
    }
}
