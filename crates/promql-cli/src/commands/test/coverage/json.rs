//! Coverage in the report for programs.

use promql_rules::coverage::{Coverage, FileCoverage, PointCoverage, RuleCoverage, Tally};
use promql_rules::rule_file::RuleKind;
use serde::Serialize;

use super::CoverageArgs;

/// Coverage of all rule files.
#[derive(Serialize)]
pub(in super::super) struct CoverageEntry {
    #[serde(flatten)]
    tally: TallyEntry,
    /// What was asked for, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<f64>,
    files: Vec<FileEntry>,
}

#[derive(Serialize)]
struct TallyEntry {
    points: usize,
    exercised: usize,
    percent: f64,
}

#[derive(Serialize)]
struct FileEntry {
    name: String,
    #[serde(flatten)]
    tally: TallyEntry,
    rules: Vec<RuleEntry>,
}

#[derive(Serialize)]
struct RuleEntry {
    group: String,
    name: String,
    /// `recording` or `alerting`.
    kind: &'static str,
    line: usize,
    #[serde(flatten)]
    tally: TallyEntry,
    details: Vec<PointEntry>,
}

#[derive(Serialize)]
struct PointEntry {
    kind: &'static str,
    /// Line and column of the first byte, from 1; columns in characters.
    line: usize,
    column: usize,
    /// Bytes of the file.
    start: usize,
    end: usize,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    implied: bool,
}

impl From<Tally> for TallyEntry {
    fn from(tally: Tally) -> TallyEntry {
        let Tally { points, exercised } = tally;
        TallyEntry { points, exercised, percent: tally.percent() }
    }
}

impl CoverageArgs {
    /// The object `coverage`.
    pub(in super::super) fn entry(&self, coverage: &Coverage) -> CoverageEntry {
        CoverageEntry {
            tally: coverage.total().into(),
            minimum: self.coverage_min,
            files: coverage.files().map(file).collect(),
        }
    }
}

fn file(file: &FileCoverage) -> FileEntry {
    let text = &*file.file.file.text;
    let starts: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1).collect();
    let place = |at: usize| {
        let line = starts.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).map_or(0, |line| starts[line]);
        (line + 1, 1 + text.get(start..at).map_or(0, |before| before.chars().count()))
    };
    let point = |point: PointCoverage| {
        let (line, column) = place(point.span.start);
        PointEntry {
            kind: point.kind.name(),
            line,
            column,
            start: point.span.start,
            end: point.span.end,
            count: point.count,
            missing: point.missing,
            implied: point.is_implied,
        }
    };
    let rule = |rule: RuleCoverage| RuleEntry {
        group: file.file.groups.get(rule.rule.group).map_or_else(String::new, |g| g.name.clone()),
        name: rule.rule.name.clone(),
        kind: match rule.rule.kind {
            RuleKind::Recording => "recording",
            RuleKind::Alerting => "alerting",
        },
        line: place(rule.span.start).0,
        tally: rule.tally().into(),
        details: rule.points.into_iter().map(point).collect(),
    };
    FileEntry {
        name: file.file.file.name.clone(),
        tally: file.tally().into(),
        rules: file.rules().into_iter().map(rule).collect(),
    }
}
