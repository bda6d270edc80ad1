//! Every text is a series with as many values as it stands for, or has an error that can be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use promql_syntax::{MAX_SERIES_VALUES, parse_metric, parse_series};

fuzz_target!(|text: &str| {
    // Large repetitions are right and slow.
    if text.len() < 4096 && longest_number(text) < 6 {
        match parse_series(text) {
            Ok(series) => assert!(series.values.len() <= MAX_SERIES_VALUES),
            Err(errors) => assert!(!errors.reports("series").is_empty()),
        }
    }
    if let Err(errors) = parse_metric(text) {
        assert!(errors.to_string().contains("parse error: "));
    }
});

fn longest_number(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0)
}
