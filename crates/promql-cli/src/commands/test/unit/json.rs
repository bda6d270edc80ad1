//! Unit tests in the report for programs.

use std::collections::BTreeMap;

use promql_rules::unit_test::{
    AlertRow, AlertTest, AlertVerdict, ExpressionTest, ExpressionVerdict, GroupFailure,
};
use serde::Serialize;

use super::super::json::{SampleEntry, sample_entry};
use super::explanation_json::{self, ExplanationEntry};
use super::{TestState, UnitRun, line_of, promtool, test_line};

/// A test.
#[derive(Serialize)]
pub(in super::super) struct TestEntry<'a> {
    name: String,
    line: usize,
    /// `passed`, `failed` or `not run`.
    outcome: &'static str,
    /// What failed the test as a whole.
    failures: Vec<FailureEntry>,
    alerts: Vec<AlertEntry<'a>>,
    expressions: Vec<ExpressionEntry<'a>>,
}

/// What failed a test as a whole.
#[derive(Serialize)]
struct FailureEntry {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<RuleEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<f64>,
}

/// A rule.
#[derive(Serialize)]
struct RuleEntry {
    name: String,
    file: String,
    line: usize,
}

/// A test of an alert.
#[derive(Serialize)]
struct AlertEntry<'a> {
    line: usize,
    alertname: &'a str,
    #[serde(rename = "evalTime")]
    eval_time: f64,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alerts: Vec<AlertRowEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ExplanationEntry>,
}

/// Alerts side by side.
#[derive(Serialize)]
struct AlertRowEntry<'a> {
    /// `same`, `different`, `missing` or `unexpected`.
    verdict: &'static str,
    expected: Option<Texts<'a>>,
    got: Option<Texts<'a>>,
}

#[derive(Serialize)]
struct Texts<'a> {
    labels: &'a BTreeMap<String, String>,
    annotations: &'a BTreeMap<String, String>,
}

/// A test of an expression.
#[derive(Serialize)]
struct ExpressionEntry<'a> {
    line: usize,
    expression: &'a str,
    #[serde(rename = "evalTime")]
    eval_time: f64,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    samples: Vec<SampleEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ExplanationEntry>,
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// The tests of a file.
pub(in super::super) fn tests(run: &UnitRun) -> Vec<TestEntry<'_>> {
    (0..run.file.tests.len()).map(|number| test(run, number)).collect()
}

fn test(run: &UnitRun, number: usize) -> TestEntry<'_> {
    let test = &run.file.tests[number];
    let outcome = run.outcomes[number].as_ref();
    let mut failures: Vec<FailureEntry> = outcome
        .into_iter()
        .flat_map(|outcome| &outcome.failures)
        .map(|failure| failure_entry(run, failure))
        .collect();
    if !run.faults.is_empty() && run.chosen[number] {
        let texts = promtool::rule_faults(run);
        failures.extend(texts.into_iter().map(|message| FailureEntry {
            message,
            rule: None,
            line: None,
            time: None,
        }));
    }
    let explanations = run.explanations.get(number).and_then(Option::as_ref);
    let entry = |explanation: Option<&Option<_>>| {
        let explanation = explanation.and_then(Option::as_ref);
        explanation.map(|explanation| explanation_json::entry(run, explanation, test.start))
    };
    let alerts = test.alert_tests.iter().enumerate().map(|(at, alert)| AlertEntry {
        explanation: entry(explanations.and_then(|e| e.alerts.get(at))),
        ..alert_entry(run, alert, outcome.and_then(|outcome| outcome.alerts[at].as_ref()))
    });
    let expressions = test.expression_tests.iter().enumerate().map(|(at, expression)| {
        let verdict = outcome.and_then(|outcome| outcome.expressions[at].as_ref());
        ExpressionEntry {
            explanation: entry(explanations.and_then(|e| e.expressions.get(at))),
            ..expression_entry(run, expression, verdict)
        }
    });
    TestEntry {
        name: test.shown_name(number),
        line: test_line(&run.file, test),
        outcome: match run.state(number) {
            TestState::Passed => "passed",
            TestState::Failed => "failed",
            TestState::NotRun => "not run",
        },
        failures,
        alerts: alerts.collect(),
        expressions: expressions.collect(),
    }
}

fn failure_entry(run: &UnitRun, failure: &GroupFailure) -> FailureEntry {
    match failure {
        GroupFailure::Finding(finding) => FailureEntry {
            message: finding.message.clone(),
            rule: None,
            line: Some(line_of(&run.file.text, finding.span.start)),
            time: None,
        },
        GroupFailure::Rule { file, group, rule, time, message } => {
            let file = run.rules.get(*file);
            let place = file.and_then(|file| {
                let rule = file.file.groups.get(*group)?.rules.get(*rule)?;
                Some(RuleEntry {
                    name: rule.name.value.clone(),
                    file: file.file.name.clone(),
                    line: line_of(&file.file.text, rule.expr.span.start),
                })
            });
            FailureEntry {
                message: message.clone(),
                rule: place,
                line: None,
                time: Some(seconds(*time)),
            }
        }
        GroupFailure::Sample { labels, span, time, message } => FailureEntry {
            message: format!("{labels}: {message}"),
            rule: None,
            line: Some(line_of(&run.file.text, span.start)),
            time: Some(seconds(*time)),
        },
    }
}

fn alert_entry<'a>(
    run: &'a UnitRun,
    alert: &'a AlertTest,
    verdict: Option<&'a AlertVerdict>,
) -> AlertEntry<'a> {
    let texts = |texts: &'a (BTreeMap<String, String>, BTreeMap<String, String>)| Texts {
        labels: &texts.0,
        annotations: &texts.1,
    };
    let row = |row: &'a AlertRow| AlertRowEntry {
        verdict: match (&row.expected, &row.got) {
            _ if row.is_same() => "same",
            (Some(_), Some(_)) => "different",
            (Some(_), None) => "missing",
            _ => "unexpected",
        },
        expected: row.expected.as_ref().map(texts),
        got: row.got.as_ref().map(texts),
    };
    let (outcome, alerts) = match verdict {
        None => ("not run", Vec::new()),
        Some(AlertVerdict::Passed) => ("passed", Vec::new()),
        Some(AlertVerdict::Failed(rows)) => ("failed", rows.iter().map(row).collect()),
    };
    AlertEntry {
        line: line_of(&run.file.text, alert.span.start),
        alertname: &alert.alertname.value,
        eval_time: seconds(alert.eval_time.value),
        outcome,
        alerts,
        explanation: None,
    }
}

fn expression_entry<'a>(
    run: &'a UnitRun,
    test: &'a ExpressionTest,
    verdict: Option<&'a ExpressionVerdict>,
) -> ExpressionEntry<'a> {
    let mut entry = ExpressionEntry {
        line: line_of(&run.file.text, test.expr.span.start),
        expression: &test.expr.value,
        eval_time: seconds(test.eval_time.value),
        outcome: "not run",
        error: None,
        samples: Vec::new(),
        explanation: None,
    };
    let line = |at: Option<usize>| {
        let sample = test.expected.get(at?)?;
        Some(line_of(&run.file.text, sample.span.start))
    };
    match verdict {
        None => {}
        Some(ExpressionVerdict::Passed) => entry.outcome = "passed",
        Some(ExpressionVerdict::Failed(rows)) => {
            entry.outcome = "failed";
            entry.samples =
                rows.iter().map(|row| sample_entry(row, line(row.expectation))).collect();
        }
        Some(ExpressionVerdict::Broken { message, .. }) => {
            entry.outcome = "failed";
            entry.error = Some(message);
        }
    }
    entry
}
