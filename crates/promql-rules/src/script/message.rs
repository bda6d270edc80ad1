//! Failures in the words of upstream's runner, which stops at the first one. People search for
//! these texts, and other tools match them.

use std::fmt::{Display, Write};

use promql_model::number::{Decimal, Fixed, General};
use promql_model::{Labels, QueryValue, SampleValue, SeriesSamples, VectorElement, quote};
use promql_syntax::SequenceValue;

use super::equality::{is_close, is_same_histogram};
use super::expect::ExpectedSeries;

/// A value as it is written on a line of a script, floats with six decimals.
fn sequence_value(value: &SequenceValue) -> String {
    match value {
        SequenceValue::Omitted => "_".to_owned(),
        SequenceValue::Float(value) => Fixed(*value).to_string(),
        SequenceValue::Histogram { histogram, .. } => histogram.to_string(),
    }
}

fn sequence(values: &[SequenceValue]) -> String {
    let values: Vec<String> = values.iter().map(sequence_value).collect();
    format!("[{}]", values.join(" "))
}

/// Samples with their times, each after a separator but the first.
fn points(out: &mut String, points: impl Iterator<Item = (String, i64)>, separator: &str) {
    for (at, (value, timestamp)) in points.enumerate() {
        let separator = if at == 0 { "" } else { separator };
        let _ = write!(out, "{separator}{value} @[{timestamp}]");
    }
}

fn floats(series: &SeriesSamples) -> impl Iterator<Item = (String, i64)> + '_ {
    series.floats.iter().map(|(timestamp, value)| (Decimal(*value).to_string(), *timestamp))
}

/// All samples of a series.
fn counted(series: &SeriesSamples) -> String {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let (many_floats, many_histograms) = (series.floats.len(), series.histograms.len());
    let mut out = format!("{many_floats} float point{} [", plural(many_floats));
    points(&mut out, floats(series), " ");
    let _ = write!(out, "] and {many_histograms} histogram point{} [", plural(many_histograms));
    let histograms = series.histograms.iter();
    let histograms = histograms.map(|(time, value)| (value.notation().to_string(), *time));
    points(&mut out, histograms, " ");
    out.push(']');
    out
}

pub(super) fn scalar(expected: f64, got: f64) -> String {
    format!("expected scalar {} but got {}", General(expected), General(got))
}

pub(super) fn string(expected: &str, got: &str) -> String {
    format!("expected string {} but got {}", quote(expected.as_bytes()), quote(got.as_bytes()))
}

/// That the result is of another kind than expected.
pub(super) fn kind(expected: &str, got: &QueryValue) -> String {
    let expected = match expected {
        "a scalar" => "scalar",
        "a string" => "string",
        _ => "vector or matrix",
    };
    let mut out = format!("expected {expected} result, but got ");
    match got {
        QueryValue::Scalar { timestamp, value } => {
            let _ = write!(out, "scalar: {} @[{timestamp}]", Decimal(*value));
        }
        QueryValue::String { value, .. } => out.push_str(value),
        QueryValue::Vector(elements) => {
            out.push_str("vector ");
            let lines: Vec<String> = elements.iter().map(element).collect();
            out.push_str(&lines.join("\n"));
        }
        QueryValue::Matrix(all) => {
            out.push_str("matrix ");
            let lines: Vec<String> = all.iter().map(series).collect();
            out.push_str(&lines.join("\n"));
        }
    }
    out
}

fn element(element: &VectorElement) -> String {
    let value = match &element.value {
        SampleValue::Float(value) => Decimal(*value).to_string(),
        SampleValue::Histogram(histogram) => histogram.to_string(),
    };
    format!("{} => {value} @[{}]", element.labels, element.timestamp)
}

fn series(series: &SeriesSamples) -> String {
    let mut out = format!("{} =>\n", series.labels);
    let histograms = series.histograms.iter().map(|(time, value)| (value.to_string(), *time));
    points(&mut out, floats(series).chain(histograms), "\n");
    out
}

pub(super) fn unexpected_element(element: &VectorElement) -> String {
    let value: &dyn Display = match &element.value {
        SampleValue::Float(value) => &General(*value),
        SampleValue::Histogram(histogram) => histogram,
    };
    format!("unexpected metric {} in result, has value {value}", element.labels)
}

pub(super) fn unexpected_series(series: &SeriesSamples) -> String {
    format!("unexpected metric {} in result, has {}", series.labels, counted(series))
}

pub(super) fn misplaced(series: &ExpectedSeries, position: usize) -> String {
    format!(
        "expected metric {} with {} at position {} but was at {position}",
        series.labels,
        sequence(&series.values),
        series.position
    )
}

pub(super) fn wrong_element(
    series: &ExpectedSeries,
    expected: &SequenceValue,
    got: &VectorElement,
) -> String {
    let labels = &series.labels;
    match (expected, &got.value) {
        (SequenceValue::Histogram { histogram, .. }, SampleValue::Float(value)) => format!(
            "expected histogram {} for {labels} but got float value {}",
            histogram.notation(),
            General(*value)
        ),
        (SequenceValue::Histogram { histogram, .. }, SampleValue::Histogram(got)) => {
            format!("expected {} for {labels} but got {}", histogram.notation(), got.notation())
        }
        (_, SampleValue::Histogram(got)) => format!(
            "expected float value {} for {labels} but got histogram {}",
            sequence_value(expected),
            got.notation()
        ),
        (SequenceValue::Float(expected), SampleValue::Float(got)) => {
            format!("expected {} for {labels} but got {}", General(*expected), General(*got))
        }
        (SequenceValue::Omitted, SampleValue::Float(got)) => {
            format!("expected 0 for {labels} but got {}", General(*got))
        }
    }
}

pub(super) fn missing_element(series: &ExpectedSeries) -> String {
    format!(
        "expected metric {} with {}: {} not found",
        series.labels,
        series.position,
        sequence(&series.values)
    )
}

pub(super) fn missing_series(series: &ExpectedSeries) -> String {
    format!("expected metric {} not found", series.labels)
}

pub(super) fn unsorted(first: &Labels, second: &Labels) -> String {
    format!("matrix results should always be sorted by labels, but {first} comes before {second}")
}

/// What is wrong with a series, if anything is: the counts of its samples, then their times and
/// values, floats first.
pub(super) fn wrong_series(
    expected: &ExpectedSeries,
    got: &SeriesSamples,
    time: impl Fn(usize) -> i64,
    end: i64,
) -> Option<String> {
    let labels = &expected.labels;
    let (mut floats, mut histograms) = (Vec::new(), Vec::new());
    for (at, value) in expected.values.iter().enumerate() {
        let timestamp = time(at);
        if timestamp > end {
            return Some(format!(
                "expected {} points for {labels}, but query time range cannot return this many points",
                expected.values.len()
            ));
        }
        match value {
            SequenceValue::Omitted => {}
            SequenceValue::Float(value) => floats.push((timestamp, *value)),
            SequenceValue::Histogram { histogram, hint_given } => {
                histograms.push((timestamp, histogram, *hint_given));
            }
        }
    }
    if floats.len() != got.floats.len() || histograms.len() != got.histograms.len() {
        return Some(format!(
            "expected {} float points and {} histogram points for {labels}, but got {}",
            floats.len(),
            histograms.len(),
            counted(got)
        ));
    }
    let wrong_time = |kind: &str, at: usize, expected: i64, came: i64| {
        format!(
            "expected {kind} value at index {at} for {labels} to have timestamp {expected}, but it \
             had timestamp {came} (result has {})",
            counted(got)
        )
    };
    for (at, ((time, value), (got_time, got_value))) in floats.iter().zip(&got.floats).enumerate() {
        if time != got_time {
            return Some(wrong_time("float", at, *time, *got_time));
        }
        if !is_close(*value, *got_value) {
            return Some(format!(
                "expected float value at index {at} (t={time}) for {labels} to be {}, but got {} \
                 (result has {})",
                General(*value),
                General(*got_value),
                counted(got)
            ));
        }
    }
    let pairs = histograms.iter().zip(&got.histograms);
    for (at, ((time, value, hint_given), (got_time, got_value))) in pairs.enumerate() {
        if time != got_time {
            return Some(wrong_time("histogram", at, *time, *got_time));
        }
        if !is_same_histogram(value, got_value, *hint_given) {
            return Some(format!(
                "expected histogram value at index {at} (t={time}) for {labels} to be {}, but got \
                 {} (result has {})",
                value.notation(),
                got_value.notation(),
                counted(got)
            ));
        }
    }
    None
}
