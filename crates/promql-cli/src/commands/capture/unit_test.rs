//! Fixtures as unit tests of promtool, which count times from 0.

use std::fmt::Write;

use promql_engine::{EvaluationTime, QueryOptions};
use promql_model::number::General;
use promql_model::{Labels, QueryValue, SampleValue};
use promql_storage::Columns;
use promql_storage::fixture::{InputSeries, input_series, write_histogram};

use super::{Answered, ReadBack, Written};
use crate::commands::Stop;
use crate::render::labels;
use crate::time::range;
use crate::visible;

/// Writes series as the input of a unit test that expects what expressions gave.
///
/// # Errors
/// When the samples are not at the multiples of one step, or there is more than an instant query.
pub(super) fn write(
    series: &[(Labels, Columns)],
    answered: &[Answered<'_>],
    options: &QueryOptions,
    rules: &[String],
) -> Result<Written, Stop> {
    let inputs = match series {
        [] => InputSeries { start: 0, step: 60_000, series: Vec::new() },
        series => input_series(series).ok_or_else(|| {
            Stop::Usage(
                "the samples are not at the multiples of one step, as those of a unit test are: move \
                 them there, for example with --align 15s, or write a script (-o test)"
                    .to_owned(),
            )
        })?,
    };
    let InputSeries { start: origin, step, series: inputs } = inputs;
    let mut text = String::new();
    if !rules.is_empty() {
        text.push_str("rule_files:\n");
        for file in rules {
            let _ = writeln!(text, "  - {}", yaml(file));
        }
        text.push('\n');
    }
    // Samples are loaded when rules are evaluated.
    let step = range::written(step);
    let _ = writeln!(text, "evaluation_interval: {step}\n\ntests:\n  - interval: {step}");
    let _ = writeln!(text, "    # Time 0 is {}.", crate::render::timestamps::rfc3339(origin));
    text.push_str(if inputs.is_empty() { "    input_series: []\n" } else { "    input_series:\n" });
    for (metric, values) in &inputs {
        let _ =
            writeln!(text, "      - series: {}\n        values: {}", yaml(metric), yaml(values));
    }
    if let EvaluationTime::Instant(at) = options.time
        && !answered.is_empty()
    {
        let since = at.saturating_sub(origin);
        if since < 0 {
            return Err(Stop::Usage(
                "a unit test can't ask about a time before its first sample: write a script \
                 (-o test)"
                    .to_owned(),
            ));
        }
        text.push_str("    promql_expr_test:\n");
        for one in answered {
            expectation(&mut text, one, since)?;
        }
    }
    Ok(Written { text, read_back: ReadBack::UnitTest, origin })
}

fn expectation(text: &mut String, one: &Answered<'_>, since: i64) -> Result<(), Stop> {
    let expression = String::from_utf8_lossy(&one.input.text);
    let expression = expression.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let elements = match &one.result.value {
        QueryValue::Vector(elements) => {
            elements.iter().map(|e| (e.labels.clone(), e.value.clone())).collect()
        }
        QueryValue::Scalar { value, .. } => vec![(Labels::empty(), SampleValue::Float(*value))],
        QueryValue::String { .. } | QueryValue::Matrix(_) => {
            let shown = visible::value(expression.trim());
            let message = format!("a unit test expects instant vectors, which `{shown}` is not");
            return Err(Stop::Usage(message));
        }
    };
    let _ = writeln!(text, "      - expr: {}", yaml(expression.trim()));
    let _ = writeln!(text, "        eval_time: {}", range::written(since));
    text.push_str("        exp_samples:");
    text.push_str(if elements.is_empty() { " []\n" } else { "\n" });
    for (labels, value) in elements {
        let _ = writeln!(text, "          - labels: {}", yaml(&labels::selector(&labels)));
        let _ = match value {
            SampleValue::Float(value) => writeln!(text, "            value: {}", float(value)),
            SampleValue::Histogram(histogram) => {
                writeln!(text, "            histogram: {}", yaml(&write_histogram(&histogram)))
            }
        };
    }
    Ok(())
}

/// A number in YAML.
fn float(value: f64) -> String {
    match value {
        _ if value.is_nan() => ".nan".to_owned(),
        f64::INFINITY => ".inf".to_owned(),
        f64::NEG_INFINITY => "-.inf".to_owned(),
        value => General(value).to_string(),
    }
}

/// A YAML scalar in single quotes.
fn yaml(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The options of an evaluation whose times count from another one.
pub(super) fn shifted(options: &QueryOptions, origin: i64) -> QueryOptions {
    let since = |time: i64| time.saturating_sub(origin);
    let time = match options.time {
        EvaluationTime::Instant(at) => EvaluationTime::Instant(since(at)),
        EvaluationTime::Range { start, end, step } => {
            EvaluationTime::Range { start: since(start), end: since(end), step }
        }
    };
    QueryOptions { time, ..options.clone() }
}

/// Moves the times of a result.
pub(super) fn shift(value: &mut QueryValue, by: i64) {
    let shift = |time: &mut i64| *time = time.saturating_add(by);
    match value {
        QueryValue::Scalar { timestamp, .. } | QueryValue::String { timestamp, .. } => {
            shift(timestamp);
        }
        QueryValue::Vector(elements) => elements.iter_mut().for_each(|e| shift(&mut e.timestamp)),
        QueryValue::Matrix(series) => {
            for one in series {
                one.floats.iter_mut().for_each(|(time, _)| shift(time));
                one.histograms.iter_mut().for_each(|(time, _)| shift(time));
            }
        }
    }
}
