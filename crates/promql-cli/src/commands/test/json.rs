//! The report for programs.

use miette::Diagnostic;
use promql_model::{SampleValue, Severity};
use promql_rules::Located;
use promql_rules::script::{
    Attempt, Eval, EvalTime, Failure, Mismatch, Origin, Row, RowVerdict, Script, Verdict,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::coverage::CoverageEntry;
use super::run::{Outcome, State};
use super::unit::json::TestEntry;
use super::{report, unit};
use crate::render::{labels, number};
use crate::report::to_json;

/// The whole report.
#[derive(Serialize)]
struct Report<'a> {
    success: bool,
    counts: report::Counts,
    files: Vec<File<'a>>,
    /// What the unit tests exercise of the rules, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<CoverageEntry>,
}

/// A script.
#[derive(Serialize)]
struct File<'a> {
    name: &'a str,
    /// `run`, `unreadable`, or `not run` when another script failed first.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnostics: Option<Box<RawValue>>,
    evals: Vec<EvalEntry<'a>>,
    /// Those of a unit-test file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tests: Vec<TestEntry<'a>>,
}

/// An eval.
#[derive(Serialize)]
struct EvalEntry<'a> {
    line: usize,
    command: &'a str,
    expression: &'a str,
    time: Time,
    /// `passed`, `failed` or `not run`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<UpdateEntry<'a>>,
}

/// When a query is evaluated, in seconds since the epoch.
#[derive(Serialize)]
#[serde(untagged)]
enum Time {
    Instant { at: f64 },
    Range { start: f64, end: f64, step: f64 },
}

impl From<EvalTime> for Time {
    fn from(time: EvalTime) -> Time {
        match time {
            EvalTime::Instant(at) => Time::Instant { at: seconds(at) },
            EvalTime::Range { start, end, step } => {
                Time::Range { start: seconds(start), end: seconds(end), step: seconds(step) }
            }
        }
    }
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// How an eval failed.
#[derive(Serialize)]
struct FailureEntry<'a> {
    message: &'a str,
    attempt: AttemptEntry<'a>,
    mismatches: Vec<MismatchEntry<'a>>,
    #[serde(rename = "loadedBy")]
    loaded_by: Vec<OriginEntry>,
}

/// How the query was run.
#[derive(Serialize)]
struct AttemptEntry<'a> {
    expression: &'a str,
    time: Time,
    original: bool,
    #[serde(rename = "rangeMode")]
    range_mode: bool,
}

impl<'a> From<&'a Attempt> for AttemptEntry<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        AttemptEntry {
            expression: &attempt.expression,
            time: attempt.time.into(),
            original: attempt.is_original,
            range_mode: attempt.in_range_mode,
        }
    }
}

/// One thing that is not as expected.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum MismatchEntry<'a> {
    Failed {
        error: &'a str,
    },
    DidNotFail,
    WrongError {
        line: usize,
        got: &'a str,
    },
    MissingAnnotation {
        severity: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<usize>,
        found: &'a [String],
    },
    UnexpectedAnnotations {
        severity: &'static str,
        texts: &'a [String],
    },
    Kind {
        expected: &'static str,
        got: &'static str,
    },
    Scalar {
        expected: String,
        got: String,
    },
    String {
        expected: &'a str,
        got: &'a str,
    },
    OrderedRangeVector,
    Series {
        samples: Vec<SampleEntry>,
    },
}

/// A sample that was expected, that came, or both.
#[derive(Serialize)]
pub(super) struct SampleEntry {
    series: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<f64>,
    expected: Option<String>,
    got: Option<String>,
    /// `same`, `different`, `missing`, `unexpected` or `misplaced`.
    verdict: &'static str,
    #[serde(rename = "expectedPosition", skip_serializing_if = "Option::is_none")]
    expected_position: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<usize>,
}

/// A line that a series was loaded by.
#[derive(Serialize)]
struct OriginEntry {
    line: usize,
    text: String,
}

/// What was changed in the script.
#[derive(Serialize)]
struct UpdateEntry<'a> {
    removed: &'a [String],
    added: &'a [String],
}

/// The report in one line.
pub(super) fn render(
    outcomes: &[Outcome],
    coverage: Option<CoverageEntry>,
    success: bool,
) -> String {
    let counts = report::Counts::of(outcomes);
    let report = Report { success, counts, files: outcomes.iter().map(file).collect(), coverage };
    // Strings, numbers and lists can always be written.
    serde_json::to_string(&report).unwrap_or_default() + "\n"
}

fn file(outcome: &Outcome) -> File<'_> {
    let name = &outcome.name;
    match &outcome.state {
        State::Unreadable(unreadable) => {
            let diagnostics: Vec<&dyn Diagnostic> = unreadable.diagnostics();
            let diagnostics = RawValue::from_string(to_json(diagnostics)).ok();
            File { name, state: "unreadable", diagnostics, evals: Vec::new(), tests: Vec::new() }
        }
        State::NotRun => {
            File { name, state: "not run", diagnostics: None, evals: Vec::new(), tests: Vec::new() }
        }
        State::UnitTests(run) => {
            let faults = run.faults.iter().flat_map(|fault| fault.located());
            let located: Vec<Located> = run.located_warnings().into_iter().chain(faults).collect();
            let all: Vec<&dyn Diagnostic> =
                located.iter().map(|located| located as &dyn Diagnostic).collect();
            let diagnostics = (!all.is_empty()).then(|| to_json(all));
            let diagnostics = diagnostics.and_then(|text| RawValue::from_string(text).ok());
            let tests = unit::json::tests(run);
            File { name, state: "run", diagnostics, evals: Vec::new(), tests }
        }
        State::Ran { script, verdicts, .. } => {
            let warnings: Vec<&dyn Diagnostic> =
                script.warnings().iter().map(|warning| warning as &dyn Diagnostic).collect();
            let diagnostics = (!warnings.is_empty()).then(|| to_json(warnings));
            let diagnostics = diagnostics.and_then(|text| RawValue::from_string(text).ok());
            let evals = script.evals().iter().zip(verdicts);
            let evals = evals.map(|(eval, verdict)| entry(outcome, script, eval, verdict.as_ref()));
            File { name, state: "run", diagnostics, evals: evals.collect(), tests: Vec::new() }
        }
    }
}

fn entry<'a>(
    outcome: &'a Outcome,
    script: &'a Script,
    eval: &'a Eval,
    verdict: Option<&'a Verdict>,
) -> EvalEntry<'a> {
    let (word, failure) = match verdict {
        None | Some(Verdict::Cancelled) => ("not run", None),
        Some(Verdict::Passed) => ("passed", None),
        Some(Verdict::Failed(failure)) => ("failed", Some(failure_entry(script, eval, failure))),
    };
    let change = outcome.update().and_then(|update| update.change_of(eval.line));
    EvalEntry {
        line: eval.line,
        command: &script.text()[eval.place.clone()],
        expression: &eval.expression,
        time: eval.time.into(),
        outcome: word,
        failure,
        update: change.map(|change| UpdateEntry { removed: &change.removed, added: &change.added }),
    }
}

fn failure_entry<'a>(script: &Script, eval: &Eval, failure: &'a Failure) -> FailureEntry<'a> {
    let line = |expectation: usize| {
        eval.expectations.lines.get(expectation).map_or(eval.line, |line| line.line)
    };
    let entry = |mismatch: &'a Mismatch| match mismatch {
        Mismatch::Failed { error } => MismatchEntry::Failed { error },
        Mismatch::DidNotFail => MismatchEntry::DidNotFail,
        Mismatch::WrongError { expectation, got } => {
            MismatchEntry::WrongError { line: line(*expectation), got }
        }
        Mismatch::MissingAnnotation { severity, expectation, found } => {
            MismatchEntry::MissingAnnotation {
                severity: severity_word(*severity),
                line: expectation.map(line),
                found,
            }
        }
        Mismatch::UnexpectedAnnotations { severity, texts } => {
            MismatchEntry::UnexpectedAnnotations { severity: severity_word(*severity), texts }
        }
        Mismatch::Kind { expected, got } => MismatchEntry::Kind { expected, got },
        Mismatch::Scalar { expected, got } => {
            MismatchEntry::Scalar { expected: number::sample(*expected), got: number::sample(*got) }
        }
        Mismatch::String { expected, got } => MismatchEntry::String { expected, got },
        Mismatch::OrderedMatrix => MismatchEntry::OrderedRangeVector,
        Mismatch::Series(rows) => MismatchEntry::Series {
            samples: rows.iter().map(|row| sample_entry(row, row.expectation.map(line))).collect(),
        },
    };
    let origin = |Origin { line, text }: Origin| OriginEntry { line, text };
    FailureEntry {
        message: &failure.message,
        attempt: (&failure.attempt).into(),
        mismatches: failure.mismatches.iter().map(entry).collect(),
        loaded_by: report::origins(script, eval, failure).into_iter().map(origin).collect(),
    }
}

pub(super) fn sample_entry(row: &Row, line: Option<usize>) -> SampleEntry {
    let value = |value: &SampleValue| match value {
        SampleValue::Float(value) => number::sample(*value),
        SampleValue::Histogram(histogram) => promql_storage::fixture::write_histogram(histogram),
    };
    let (verdict, positions) = match row.verdict {
        RowVerdict::Same => ("same", None),
        RowVerdict::Different => ("different", None),
        RowVerdict::Missing => ("missing", None),
        RowVerdict::Unexpected => ("unexpected", None),
        RowVerdict::Misplaced { expected, got } => ("misplaced", Some((expected, got))),
    };
    SampleEntry {
        series: labels::selector(&row.labels),
        line,
        time: row.timestamp.map(seconds),
        expected: row.expected.as_ref().map(value),
        got: row.got.as_ref().map(value),
        verdict,
        expected_position: positions.map(|(expected, _)| expected),
        position: positions.map(|(_, got)| got),
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}
