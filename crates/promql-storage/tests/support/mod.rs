//! What the tests share: diagnostics and series as text.

#![allow(dead_code, unreachable_pub)]

pub(crate) mod folder;
#[path = "../../../../tests/src/reference.rs"]
pub(crate) mod reference;
#[path = "../../../../tests/src/faulty.rs"]
pub(crate) mod server;

use std::fmt::Write;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use promql_model::FloatHistogram;
use promql_storage::MemoryStorage;

/// A diagnostic as it is shown, without colour.
pub(crate) fn rendered(diagnostic: &dyn Diagnostic) -> String {
    let mut out = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(90)
        .render_report(&mut out, diagnostic)
        .expect("a diagnostic renders");
    let lines: Vec<&str> = out.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// Series with their samples, one line each.
pub(crate) fn series(storage: &MemoryStorage) -> String {
    let mut out = String::new();
    for (index, labels) in storage.series().iter().enumerate() {
        let pairs: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let _ = write!(out, "{{{}}}", pairs.join(", "));
        let samples = storage.samples(index).expect("an index of the storage");
        for (at, (timestamp, value)) in samples.timestamps.iter().zip(samples.values).enumerate() {
            let _ = write!(out, " {value:?}@{timestamp}");
            if let Some(start) = samples.start_timestamps.get(at) {
                let _ = write!(out, "(since {start})");
            }
        }
        for (timestamp, histogram) in samples.histogram_timestamps.iter().zip(samples.histograms) {
            let _ = write!(out, " {}@{timestamp}", shown_histogram(histogram));
        }
        out.push('\n');
    }
    out
}

/// The populated buckets of a histogram with their bounds.
pub(crate) fn shown_histogram(histogram: &FloatHistogram) -> String {
    let buckets = histogram.buckets().map(|b| format!(" {}..{}={}", b.lower, b.upper, b.count));
    let buckets: String = buckets.collect();
    format!("{{count={} sum={}{buckets}}}", histogram.count, histogram.sum)
}
