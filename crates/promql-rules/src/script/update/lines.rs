//! Lines of a script as they are written.

use promql_model::{CounterResetHint, Labels, SampleValue};
use promql_storage::fixture::write_sequence;
use promql_syntax::{SequenceValue, parse_metric};

/// The line of a series that has values now. What it was before keeps its labels, as they were
/// written, and the blanks behind them.
pub(super) fn series(before: Option<&str>, labels: &Labels, values: &str) -> String {
    match before.and_then(|before| metric_length(before, labels).map(|at| &before[..at])) {
        Some(metric) => format!("{metric}{values}"),
        None => format!("{} {values}", metric(labels)),
    }
}

fn metric(labels: &Labels) -> String {
    let text = labels.selector().to_string();
    // Without braces it would be one of the lines about what is expected.
    if text == "expect" { format!("{text}{{}}") } else { text }
}

/// The length of a line's metric with the blanks behind it.
fn metric_length(line: &str, labels: &Labels) -> Option<usize> {
    let blanks = line.char_indices().filter(|(_, c)| c.is_ascii_whitespace()).map(|(at, _)| at);
    // A blank may stand inside the braces, too; then what is before it is no metric, or another.
    let end =
        blanks.into_iter().find(|at| parse_metric(&line[..*at]).ok().as_ref() == Some(labels))?;
    let rest = &line[end..];
    Some(end + (rest.len() - rest.trim_start().len()))
}

/// Samples with their positions as the values on a line. The hint of a histogram about counter
/// resets counts when it is written, so it is left out unless it is wanted.
pub(super) fn values(samples: &[(i64, SampleValue)], with_hints: bool) -> String {
    let value = |value: &SampleValue| match value {
        SampleValue::Float(value) => SequenceValue::Float(readable(*value)),
        SampleValue::Histogram(histogram) => {
            let mut histogram = histogram.clone();
            if !with_hints {
                histogram.hint = CounterResetHint::Unknown;
            }
            SequenceValue::Histogram { histogram, hint_given: with_hints }
        }
    };
    let values: Vec<(i64, SequenceValue)> =
        samples.iter().map(|(at, sample)| (*at, value(sample))).collect();
    write_sequence(&values)
}

/// A number without the noise of binary fractions: at most 15 digits, far beyond what a comparison
/// looks at.
pub(super) fn readable(value: f64) -> f64 {
    if value.fract() == 0.0 || !value.is_finite() {
        return value;
    }
    format!("{value:.14e}").parse().unwrap_or(value)
}

/// A text as a regular expression that matches it.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
