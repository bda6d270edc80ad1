//! The report for programs.

use promql_rules::Finding;
use serde::Serialize;

use super::examine::Outcome;
use super::report::Counts;

/// The whole report.
#[derive(Serialize)]
struct Report<'a> {
    success: bool,
    counts: Counts,
    files: Vec<File<'a>>,
}

/// A file.
#[derive(Serialize)]
struct File<'a> {
    name: &'a str,
    kind: &'static str,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    dialect: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<usize>,
    diagnostics: Vec<Entry<'a>>,
}

/// Something that was found.
#[derive(Serialize)]
struct Entry<'a> {
    severity: &'static str,
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    line: usize,
    column: usize,
    start: usize,
    end: usize,
    /// What upstream's tool says.
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<&'a str>,
}

/// The report in one line.
pub(super) fn render(outcomes: &[Outcome], success: bool) -> String {
    let counts = Counts::of(outcomes);
    let report = Report { success, counts, files: outcomes.iter().map(file).collect() };
    // Strings, numbers and lists can always be written.
    serde_json::to_string(&report).unwrap_or_default() + "\n"
}

fn file(outcome: &Outcome) -> File<'_> {
    let rules = outcome.rules.as_ref();
    File {
        name: &outcome.name,
        kind: outcome.kind.name(),
        valid: outcome.is_valid(),
        dialect: rules.map(|rules| rules.dialect.name()),
        groups: rules.map(|rules| rules.groups.len()),
        rules: rules.map(|rules| rules.rule_count()),
        diagnostics: outcome.findings.iter().map(|finding| entry(finding, &outcome.text)).collect(),
    }
}

fn entry<'a>(finding: &'a Finding, text: &str) -> Entry<'a> {
    let before = text.get(..finding.span.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Entry {
        severity: match finding.severity {
            miette::Severity::Error => "error",
            miette::Severity::Warning => "warning",
            miette::Severity::Advice => "info",
        },
        code: &finding.code,
        message: &finding.message,
        label: &finding.label,
        help: finding.help.as_deref(),
        line: memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1,
        column: before[line_start..].chars().count() + 1,
        start: finding.span.start,
        end: finding.span.end,
        upstream: finding.upstream.as_deref(),
    }
}
