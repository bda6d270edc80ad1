//! How fast text becomes a checked tree, side by side with the crate `promql-parser`.
//!
//! Run `cargo bench -p promql-syntax`. All expressions of `../shared/conformance/realworld` (or of
//! `PROMQL_CONFORMANCE_DIR`) and of the corpus that both accept are parsed, in turns, with both
//! parsers in one process. Printed are the medians over the rounds, since the machines this runs on
//! are noisy: only ratios of one run mean anything.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its figures")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use promql_syntax::{Features, check, parse};

/// Whether a parser accepts a text.
type Parser = fn(&str) -> bool;

/// Counts allocations.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: usize = 31;

fn main() {
    let mut expressions = Vec::new();
    collect(&folder(), &mut expressions);
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus"), &mut expressions);
    if expressions.is_empty() {
        println!("no expressions found: is ../shared/conformance beside the checkout?");
        return;
    }
    let found = expressions.len();
    expressions.retain(|text| ours(text) && theirs(text));
    println!("{found} expressions, {} of them accepted by both parsers", expressions.len());
    let plain: Vec<String> = expressions.iter().filter(|text| !has_regex(text)).cloned().collect();
    compare("all expressions", &expressions);
    compare("without regular expressions", &plain);
}

fn ours(text: &str) -> bool {
    parse(text, &Features::ALL).and_then(|expr| check(&expr)).is_ok()
}

fn theirs(text: &str) -> bool {
    promql_parser::parser::parse(text).is_ok()
}

fn has_regex(text: &str) -> bool {
    text.contains("=~") || text.contains("!~")
}

fn compare(name: &str, expressions: &[String]) {
    let bytes: usize = expressions.iter().map(String::len).sum();
    let count = expressions.len() as f64;
    println!("\n{name}: {} expressions, {:.0} bytes each", expressions.len(), bytes as f64 / count);
    let parsers: [(&str, Parser); 3] = [
        ("text to checked tree", ours),
        ("text to tree", |text| parse(text, &Features::ALL).is_ok()),
        ("promql-parser", theirs),
    ];
    let mut rounds = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for (run, times) in parsers.iter().zip(&mut rounds) {
            let start = Instant::now();
            for text in expressions {
                black_box(run.1(black_box(text)));
            }
            times.push(start.elapsed());
        }
    }
    let baseline = median(&mut rounds[2]);
    for ((name, run), times) in parsers.iter().zip(&mut rounds) {
        let total = median(times);
        let mut single: Vec<Duration> =
            expressions.iter().map(|text| best_of(5, || run(text))).collect();
        single.sort();
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        for text in expressions {
            black_box(run(text));
        }
        let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
        println!(
            "  {name:<21} {:>8.0} ns a query, {:>6.1} MB/s, p95 {:>6} ns, {:>5.1} allocations, {:>5.1}x",
            total.as_nanos() as f64 / count,
            bytes as f64 / total.as_secs_f64() / 1e6,
            single[single.len() * 95 / 100].as_nanos(),
            allocations as f64 / count,
            baseline.as_secs_f64() / total.as_secs_f64(),
        );
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn best_of(times: usize, mut run: impl FnMut() -> bool) -> Duration {
    let one = |()| {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    };
    std::iter::repeat_n((), times).map(one).min().unwrap()
}

fn folder() -> PathBuf {
    let named = std::env::var_os("PROMQL_CONFORMANCE_DIR").map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    named.unwrap_or_else(|| root.join("../../../shared/conformance")).join("realworld/exprs")
}

/// The expressions of JSON files, and those of `.promql` files with one to a paragraph.
fn collect(folder: &Path, expressions: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() {
            collect(&path, expressions);
        } else if ending == "json" {
            let text = std::fs::read(&path).unwrap();
            let Ok(file) = serde_json::from_slice::<serde_json::Value>(&text) else { continue };
            for case in file["exprs"].as_array().into_iter().flatten() {
                let text = case["expanded"].as_str().or(case["expr"].as_str());
                expressions.extend(text.map(str::to_owned));
            }
        } else if ending == "promql" {
            let text = std::fs::read_to_string(&path).unwrap();
            expressions.extend(text.split("\n\n").map(str::to_owned));
        }
    }
}
