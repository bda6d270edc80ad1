//! Failures in the words of promtool, which scripts may look for.

use std::collections::BTreeMap;
use std::fmt::Write;

use promql_model::{FormatDuration, SampleValue};

use super::{AlertRow, AlertVerdict, ExpressionVerdict, GroupFailure, Outcome, UnitTestFile};
use crate::evaluate::PreparedFile;
use crate::script::Row;
use crate::template::show_duration;

/// Everything that failed in a test, in promtool's order and words.
pub fn failure_text(
    file: &UnitTestFile,
    number: usize,
    outcome: &Outcome,
    rules: &[std::sync::Arc<PreparedFile>],
) -> Vec<String> {
    let Some(test) = file.tests.get(number) else { return Vec::new() };
    let mut texts: Vec<String> =
        outcome.failures.iter().map(|failure| group_failure(failure, rules)).collect();
    let mut alerts: Vec<usize> = (0..test.alert_tests.len()).collect();
    alerts.sort_by_key(|at| test.alert_tests[*at].eval_time.value);
    for at in alerts {
        let (alert, verdict) = (&test.alert_tests[at], &outcome.alerts[at]);
        if let Some(AlertVerdict::Failed(rows)) = verdict {
            let mut text = String::new();
            if !test.plain_name().is_empty() {
                let _ = writeln!(text, "    name: {},", test.plain_name());
            }
            let time = duration(alert.eval_time.value);
            let _ = write!(
                text,
                "    alertname: {}, time: {time}, \n        exp:{}, \n        got:{}",
                alert.alertname.value,
                alerts_text(rows, |row| row.expected.as_ref()),
                alerts_text(rows, |row| row.got.as_ref()),
            );
            texts.push(text);
        }
    }
    for (expression, verdict) in test.expression_tests.iter().zip(&outcome.expressions) {
        let head = format!(
            "    expr: {}, time: {}",
            promql_model::quote(expression.expr.value.as_bytes()),
            duration(expression.eval_time.value)
        );
        match verdict {
            Some(ExpressionVerdict::Broken { message, .. }) => {
                texts.push(format!("{head}, err: {message}"));
            }
            Some(ExpressionVerdict::Failed(rows)) => texts.push(format!(
                "{head},\n        exp: {}\n        got: {}",
                samples_text(rows, |row| row.expected.as_ref()),
                samples_text(rows, |row| row.got.as_ref()),
            )),
            _ => {}
        }
    }
    texts
}

/// That a rule failed.
pub fn rule_error_text(name: &str, time: i64, message: &str) -> String {
    format!("    rule: {name}, time: {}, err: {message}", show_duration(time * 1_000_000))
}

fn group_failure(failure: &GroupFailure, rules: &[std::sync::Arc<PreparedFile>]) -> String {
    match failure {
        GroupFailure::Finding(finding) => {
            format!("    {}", finding.upstream.as_deref().unwrap_or(&finding.message))
        }
        GroupFailure::Rule { file, group, rule, time, message } => {
            let group = rules.get(*file).and_then(|file| file.file.groups.get(*group));
            let rule = group.and_then(|group| group.rules.get(*rule));
            rule_error_text(rule.map_or("", |rule| &rule.name.value), *time, message)
        }
        GroupFailure::Sample { message, .. } => format!("    {message}"),
    }
}

fn duration(milliseconds: i64) -> FormatDuration {
    FormatDuration(milliseconds.saturating_mul(1_000_000))
}

type Texts = (BTreeMap<String, String>, BTreeMap<String, String>);

fn alerts_text(rows: &[AlertRow], side: impl Fn(&AlertRow) -> Option<&Texts>) -> String {
    let mut alerts: Vec<&Texts> = rows.iter().filter_map(side).collect();
    alerts.sort();
    if alerts.is_empty() {
        return "[]".to_owned();
    }
    let shown = alerts.iter().enumerate().map(|(at, (labels, annotations))| {
        format!(
            "\n            {at}:\n              Labels:{}\n              Annotations:{}",
            texts(labels),
            texts(annotations)
        )
    });
    let shown: Vec<String> = shown.collect();
    format!("[{}\n            ]", shown.join(","))
}

/// Labels or annotations, empty ones too, which label sets don't have.
fn texts(texts: &BTreeMap<String, String>) -> String {
    let shown = texts.iter().map(|(name, value)| {
        let name = match promql_model::is_label_name(name) {
            true => name.clone(),
            false => promql_model::quote(name.as_bytes()),
        };
        format!("{name}={}", promql_model::quote(value.as_bytes()))
    });
    format!("{{{}}}", shown.collect::<Vec<_>>().join(", "))
}

fn samples_text(rows: &[Row], side: impl Fn(&Row) -> Option<&SampleValue>) -> String {
    let shown = rows.iter().filter_map(|row| {
        let value = match side(row)? {
            SampleValue::Float(value) => scientific(*value),
            SampleValue::Histogram(histogram) => histogram.notation().to_string(),
        };
        Some(format!("{} {value}", row.labels))
    });
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() { "nil".to_owned() } else { shown.join(", ") }
}

/// `1.1E+01`
fn scientific(value: f64) -> String {
    if !value.is_finite() {
        return promql_model::number::General(value).to_string();
    }
    let text = format!("{value:E}");
    let (mantissa, power) = text.split_once('E').unwrap_or((&text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}E{sign}{:02}", power.unsigned_abs())
}
