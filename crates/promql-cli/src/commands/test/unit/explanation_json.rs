//! Explanations in the report for programs.

use promql_engine::{Part, PartValue};
use promql_rules::evaluate::{AlertChange, Transition};
use promql_rules::rule_file::RuleKind;
use promql_rules::unit_test::{ExplainedRule, Explanation};
use promql_syntax::Query;
use serde::Serialize;

use super::explain::{change, samples, told};
use super::{UnitRun, line_of};
use crate::render::{labels, number};

/// Where a failure comes from.
#[derive(Serialize)]
pub(super) struct ExplanationEntry {
    /// Those of the expression that is tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<PartEntry>>,
    rules: Vec<RuleEntry>,
}

/// A part of an expression.
#[derive(Serialize)]
struct PartEntry {
    expression: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scalar: Option<Vec<(f64, String)>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<Vec<SeriesEntry>>,
}

#[derive(Serialize)]
struct SeriesEntry {
    series: String,
    /// Seconds since the start of the test, and values.
    samples: Vec<(f64, String)>,
}

/// A rule that the failure depends on.
#[derive(Serialize)]
struct RuleEntry {
    name: String,
    /// `recording` or `alerting`.
    kind: &'static str,
    file: String,
    line: usize,
    time: f64,
    parts: Vec<PartEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<TransitionEntry>,
}

#[derive(Serialize)]
struct TransitionEntry {
    time: f64,
    labels: String,
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<f64>,
}

/// An explanation with times since the start of the test.
pub(super) fn entry(run: &UnitRun, explanation: &Explanation, start: i64) -> ExplanationEntry {
    let parts = explanation.expression.as_ref();
    ExplanationEntry {
        parts: parts.map(|(query, parts)| part_entries(query, parts, start)),
        rules: explanation.rules.iter().filter_map(|rule| rule_entry(run, rule, start)).collect(),
    }
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

fn part_entries(query: &Query, parts: &[Part], start: i64) -> Vec<PartEntry> {
    let entry = |(expression, part): (String, &Part)| {
        let times = part.times.iter().map(|time| seconds(time - start));
        let series = part.value.series().iter().map(|series| SeriesEntry {
            series: labels::selector(&series.labels),
            samples: samples(series).into_iter().map(|(at, v)| (seconds(at - start), v)).collect(),
        });
        match &part.value {
            PartValue::Scalar(values) => {
                let values = values.iter().map(|value| number::readable(*value));
                PartEntry { expression, scalar: Some(times.zip(values).collect()), series: None }
            }
            _ => PartEntry { expression, scalar: None, series: Some(series.collect()) },
        }
    };
    told(query, parts).into_iter().map(entry).collect()
}

fn rule_entry(run: &UnitRun, rule: &ExplainedRule, start: i64) -> Option<RuleEntry> {
    let file = &run.rules.get(rule.file)?.file;
    let written = file.groups.get(rule.rule.group)?.rules.get(rule.rule.rule)?;
    let transition = |transition: &Transition| TransitionEntry {
        time: seconds(transition.time - start),
        labels: labels::selector(&transition.labels),
        change: change(transition.change).0,
        since: match transition.change {
            AlertChange::Firing { since } | AlertChange::Dropped { since } => {
                Some(seconds(since - start))
            }
            _ => None,
        },
    };
    Some(RuleEntry {
        name: rule.rule.name.clone(),
        kind: match rule.rule.kind {
            RuleKind::Recording => "recording",
            RuleKind::Alerting => "alerting",
        },
        file: file.name.clone(),
        line: line_of(&file.text, written.expr.span.start),
        time: seconds(rule.time - start),
        parts: part_entries(&rule.rule.query, &rule.parts, start),
        history: rule.history.iter().map(transition).collect(),
    })
}
