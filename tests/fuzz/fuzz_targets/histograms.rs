//! Native histograms of any numbers can be combined, cut and asked: nothing crashes or hangs, what is
//! empty stays empty, and the notation reads back as the same histogram.

#![no_main]

use libfuzzer_sys::fuzz_target;
use promql_model::{CompensatedHistogram, FloatHistogram, HistogramMean, RunReader};
use promql_syntax::{SequenceValue, parse_series};

fuzz_target!(|input: (&str, f64, f64)| {
    let (text, a, b) = input;
    // Large repetitions and rows of buckets are right and slow.
    if text.len() > 1024 || longest_number(text) > 4 {
        return;
    }
    let Ok(series) = parse_series(&format!("m {text}")) else { return };
    let histograms: Vec<FloatHistogram> = series
        .values
        .into_iter()
        .filter_map(|value| match value {
            SequenceValue::Histogram { histogram, .. } => Some(*histogram),
            _ => None,
        })
        .take(8)
        .collect();
    for pair in histograms.windows(2) {
        combine(&pair[0], &pair[1]);
    }
    for histogram in &histograms {
        ask(histogram, a, b);
    }
    read_back(histograms);
});

/// What is read back has the same populated buckets.
fn read_back(mut histograms: Vec<FloatHistogram>) {
    let written = histograms.clone();
    let mut runs = RunReader::default();
    (0..histograms.len()).for_each(|at| runs.histogram(&mut histograms, at));
    runs.finish(&mut histograms);
    for (mut read, mut written) in histograms.into_iter().zip(written) {
        read.compact(0);
        written.compact(0);
        assert_eq!(read, written);
    }
}

fn combine(first: &FloatHistogram, second: &FloatHistogram) {
    let _ = second.detect_reset(first);
    let mut sum = first.clone();
    let mut compensated = CompensatedHistogram::from_float(first);
    let mut mean = HistogramMean::new(first);
    let added = sum.add(second).is_ok();
    assert_eq!(added, compensated.add(second).is_ok());
    assert_eq!(added, mean.add(second).is_ok());
    assert_eq!(added, first.has_custom_buckets() == second.has_custom_buckets());
    let _ = (compensated.to_float(), mean.value());
    let mut difference = first.clone();
    let _ = difference.subtract(second);
    // Where it is the same loop over buckets, it gives the same.
    let mut scaled = FloatHistogram::default();
    if scaled.set_to_scaled_difference(first, second, 0.5) {
        let mut half = difference.clone();
        half.multiply(0.5);
        assert!(scaled.is_like(&half, |a, b| a == b || (a.is_nan() && b.is_nan())));
    }
    for mut histogram in [sum, difference] {
        ask(&histogram, 0.5, 2.0);
        histogram.compact(0);
        let before = histogram.clone();
        histogram.compact(0);
        assert_eq!(histogram, before);
    }
    let _ = FloatHistogram::interpolate((0.0, first), (2.0, second), 1.0, true);
}

fn ask(histogram: &FloatHistogram, a: f64, b: f64) {
    let _ = (histogram.quantile(a), histogram.fraction(a, b), histogram.variance());
    let _ = (histogram.validate(), histogram.samples(), histogram.totals(), histogram.emptied());
    let (mut below, mut above) = (histogram.clone(), histogram.clone());
    below.trim_above(a);
    above.trim_below(b);
    let mut scaled = histogram.clone();
    scaled.multiply(a);
    scaled.divide(b);
    let _ = scaled.to_string();
    let notation = histogram.notation().to_string();
    if notation.contains('…') {
        return;
    }
    let again = parse_series(&format!("m {}", notation.replace("+Inf", "Inf")));
    let again = again.unwrap_or_else(|errors| panic!("{notation}: {errors:?}"));
    let [SequenceValue::Histogram { histogram: again, .. }] = &again.values[..] else {
        panic!("{notation} is no histogram")
    };
    assert_eq!(again.notation().to_string(), notation);
}

fn longest_number(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0)
}
