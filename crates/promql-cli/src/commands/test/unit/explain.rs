//! Where a wrong result comes from: the values of the parts of an expression.

use promql_engine::{EngineOptions, EvaluationTime, QueryOptions, evaluate};
use promql_model::{QueryValue, SampleValue};
use promql_rules::script::{Row, RowVerdict};
use promql_rules::unit_test::{Outcome, TestGroup, UnitTestFile};
use promql_storage::fixture::write_histogram;
use promql_syntax::ast::NodeKind;
use promql_syntax::{Features, Query, compile};

use super::super::report::{FAILED, PASSED};
use super::super::table::{INDENT, Look};
use super::report::one_line;
use crate::render::grid::push_styled;
use crate::render::{labels, number};
use crate::time::range;
use crate::visible;

/// So many series of a part are shown.
const MOST_SERIES: usize = 5;

/// The time of the cycle whose alerts a test sees.
pub(super) fn last_cycle(file: &UnitTestFile, test: &TestGroup, eval_time: i64) -> i64 {
    test.start + eval_time - eval_time.rem_euclid(file.evaluation_interval.max(1))
}

/// The values of the parts of an expression at a time, innermost first.
pub(super) fn explain(file: &UnitTestFile, outcome: &Outcome, query: &Query, time: i64) -> String {
    let Some(store) = &outcome.store else { return String::new() };
    let options = QueryOptions {
        time: EvaluationTime::Instant(time),
        engine: EngineOptions {
            threads: Some(1),
            default_subquery_step: std::time::Duration::from_millis(
                file.evaluation_interval.unsigned_abs(),
            ),
            ..EngineOptions::default()
        },
        cancellation: Default::default(),
    };
    let expr = query.expr();
    let mut out = format!("{INDENT}parts of the expression at {}:\n", range::written(time));
    let mut told: Vec<String> = Vec::new();
    for node in expr.nodes() {
        if matches!(
            node.kind,
            NodeKind::Number { .. } | NodeKind::String(_) | NodeKind::Paren { .. }
        ) {
            continue;
        }
        let place = node.span.start as usize..node.span.end as usize;
        let Some(source) = expr.source().get(place) else { continue };
        let text = one_line(&String::from_utf8_lossy(source));
        // What is no expression of its own, such as the inside of a range, has been told with it.
        let Ok(part) = compile(source, &Features::ALL) else { continue };
        if told.contains(&text) {
            continue;
        }
        let value = match evaluate(&part, store, &options) {
            Ok(result) => show(&result.value),
            Err(error) => vec![format!("error: {error}")],
        };
        out.push_str(&format!("{INDENT}{INDENT}{}\n", visible::escape(&text)));
        for line in value {
            out.push_str(&format!("{INDENT}{INDENT}  = {}\n", visible::escape(&line)));
        }
        told.push(text);
    }
    out
}

fn sample(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(value) => number::readable(*value),
        SampleValue::Histogram(histogram) => write_histogram(histogram),
    }
}

fn show(value: &QueryValue) -> Vec<String> {
    let series = |name: String, value: String| match &*name {
        "{}" => value,
        _ => format!("{name}  {value}"),
    };
    let mut lines: Vec<String> = match value {
        QueryValue::Scalar { value, .. } => vec![number::readable(*value)],
        QueryValue::String { value, .. } => vec![promql_model::quote(value.as_bytes())],
        QueryValue::Vector(elements) => {
            elements.iter().map(|e| series(labels::selector(&e.labels), sample(&e.value))).collect()
        }
        QueryValue::Matrix(all) => all
            .iter()
            .map(|one| {
                let floats = one.floats.iter().map(|(at, value)| (*at, number::readable(*value)));
                let histograms = one.histograms.iter().map(|(at, h)| (*at, write_histogram(h)));
                let mut points: Vec<(i64, String)> = floats.chain(histograms).collect();
                points.sort_by_key(|(at, _)| *at);
                let points: Vec<String> = points
                    .into_iter()
                    .map(|(at, value)| format!("{value} @{}", range::written(at)))
                    .collect();
                series(labels::selector(&one.labels), points.join("  "))
            })
            .collect(),
    };
    if lines.is_empty() {
        lines.push("nothing".to_owned());
    }
    let more = lines.len().saturating_sub(MOST_SERIES);
    if more > 0 {
        lines.truncate(MOST_SERIES);
        lines.push(format!("… and {more} more series"));
    }
    lines
}

/// Samples as lines with `-` for what was expected and `+` for what came.
pub(super) fn diff(rows: &[Row], look: &Look) -> String {
    let mut out = String::new();
    let mut line = |sign: &str, row: &Row, value: &SampleValue| {
        let text = format!("{sign} {} {}", labels::selector(&row.labels), sample(value));
        let style = match sign {
            "-" => PASSED,
            "+" => FAILED,
            _ => crate::render::grid::DIM,
        };
        out.push_str(INDENT);
        push_styled(&mut out, &visible::escape(&text), style, look.color);
        out.push('\n');
    };
    for row in rows {
        match (&row.expected, &row.got) {
            (Some(value), _) if row.verdict == RowVerdict::Same => line(" ", row, value),
            (expected, got) => {
                expected.iter().for_each(|value| line("-", row, value));
                got.iter().for_each(|value| line("+", row, value));
            }
        }
    }
    out
}
