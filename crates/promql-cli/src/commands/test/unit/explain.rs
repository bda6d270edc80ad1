//! Where a failure comes from: what the parts of expressions gave, and what happened to alerts.

use std::collections::BTreeMap;

use promql_engine::{Part, PartValue};
use promql_model::{Labels, SampleValue, SeriesSamples};
use promql_rules::evaluate::{AlertChange, Transition};
use promql_rules::script::{Row, RowVerdict};
use promql_storage::fixture::write_histogram;
use promql_syntax::Query;
use promql_syntax::ast::NodeKind;

use super::super::report::{FAILED, PASSED};
use super::super::table::{INDENT, Look};
use super::report::one_line;
use crate::render::grid::push_styled;
use crate::render::{labels, number};
use crate::time::range;
use crate::visible;

/// So many series of a part are shown.
const MOST_SERIES: usize = 5;

/// The parts of an expression that say something, operands first: each by its text, once. Numbers
/// don't.
pub(super) fn told<'p>(query: &Query, parts: &'p [Part]) -> Vec<(String, &'p Part)> {
    let expr = query.expr();
    let mut told: Vec<(String, &Part)> = Vec::new();
    for part in parts {
        if matches!(expr.kind(part.node), NodeKind::Number { .. }) {
            continue;
        }
        let span = expr.span(part.node);
        let source = expr.source().get(span.start as usize..span.end as usize).unwrap_or_default();
        let text = one_line(&String::from_utf8_lossy(source));
        if !told.iter().any(|(known, other)| *known == text && other.times == part.times) {
            told.push((text, part));
        }
    }
    told
}

/// What the parts of an expression gave; times since the start of the test.
pub(super) fn parts(query: &Query, parts: &[Part], start: i64) -> String {
    let mut out = String::new();
    for (text, part) in told(query, parts) {
        out.push_str(&format!("{INDENT}{INDENT}{}\n", visible::escape(&text)));
        for line in show(part, start) {
            out.push_str(&format!("{INDENT}{INDENT}  = {}\n", visible::escape(&line)));
        }
    }
    out
}

fn sample(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(value) => number::readable(*value),
        SampleValue::Histogram(histogram) => write_histogram(histogram),
    }
}

/// The samples of a series in order of time, as texts.
pub(super) fn samples(series: &SeriesSamples) -> Vec<(i64, String)> {
    let floats = series.floats.iter().map(|(at, value)| (*at, number::readable(*value)));
    let histograms = series.histograms.iter().map(|(at, h)| (*at, write_histogram(h)));
    let mut samples: Vec<(i64, String)> = floats.chain(histograms).collect();
    samples.sort_by_key(|(at, _)| *at);
    samples
}

fn show(part: &Part, start: i64) -> Vec<String> {
    // Where there is one time it is that of the evaluation.
    let has_times = part.times.len() > 1 || matches!(part.value, PartValue::Range(_));
    let at = |(at, value): (i64, String)| match has_times {
        true => format!("{value} @{}", range::written(at - start)),
        false => value,
    };
    let mut lines: Vec<String> = match &part.value {
        PartValue::Scalar(values) => {
            let values = part.times.iter().zip(values);
            let values = values.map(|(time, value)| at((*time, number::readable(*value))));
            vec![values.collect::<Vec<_>>().join("  ")]
        }
        PartValue::Vector(all) | PartValue::Range(all) => {
            let line = |one: &SeriesSamples| {
                let samples: Vec<String> = samples(one).into_iter().map(at).collect();
                match labels::selector(&one.labels) {
                    name if name == "{}" => samples.join("  "),
                    name => format!("{name}  {}", samples.join("  ")),
                }
            };
            let mut all: Vec<&SeriesSamples> = all.iter().collect();
            all.sort_by(|a, b| a.labels.cmp(&b.labels));
            all.into_iter().map(line).collect()
        }
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

/// What happened, in a word for programs and in words for people.
pub(super) fn change(change: AlertChange) -> (&'static str, &'static str) {
    match change {
        AlertChange::Pending => ("pending", "pending since"),
        AlertChange::Firing { .. } => ("firing", "firing since"),
        AlertChange::Dropped { .. } => ("dropped", "dropped before `for` was over at"),
        AlertChange::Kept => ("kept", "kept firing without its condition since"),
        AlertChange::Resumed => ("resumed", "condition holds again since"),
        AlertChange::Resolved => ("resolved", "resolved at"),
    }
}

/// What happened to the alerts of a rule, a line for each; times since the start of the test.
pub(super) fn history(transitions: &[Transition], start: i64) -> String {
    let mut by_alert: BTreeMap<&Labels, Vec<String>> = BTreeMap::new();
    for Transition { time, labels, change: what } in transitions {
        let (_, words) = change(*what);
        let told = format!("{words} {}", range::written(*time - start));
        by_alert.entry(labels).or_default().push(told);
    }
    if by_alert.is_empty() {
        return format!("{INDENT}{INDENT}no alert was ever pending or firing\n");
    }
    let more = by_alert.len().saturating_sub(MOST_SERIES);
    let line = |(labels, told): (&&Labels, &Vec<String>)| {
        let labels = visible::value(&labels::selector(labels));
        format!("{INDENT}{INDENT}{labels}  {}\n", told.join(", "))
    };
    let mut out: String = by_alert.iter().take(MOST_SERIES).map(line).collect();
    if more > 0 {
        out.push_str(&format!("{INDENT}{INDENT}… and {more} more alerts\n"));
    }
    out
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
