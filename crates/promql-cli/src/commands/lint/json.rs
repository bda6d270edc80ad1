//! The report for programs.

use promql_lint::{FileOutcome, Finding, Outcome};
use promql_rules::rule_file::RuleKind;
use serde::Serialize;

use super::counts::Counts;

/// The whole report.
#[derive(Serialize)]
struct Report<'a> {
    success: bool,
    counts: Counts,
    findings: Vec<Entry<'a>>,
}

/// A finding.
#[derive(Serialize)]
struct Entry<'a> {
    check: &'static str,
    code: &'static str,
    category: &'static str,
    severity: &'static str,
    evidence: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    consequence: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(flatten)]
    place: Place<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<Rule<'a>>,
    related: Vec<Place<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Fix<'a>>,
    fingerprint: String,
}

/// A place of a file. Lines and columns count from 1, columns are characters; `start` and `end` are bytes
/// from 0.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    start: usize,
    end: usize,
    #[serde(skip_serializing_if = "str::is_empty")]
    label: &'a str,
}

#[derive(Serialize)]
struct Rule<'a> {
    kind: &'static str,
    name: &'a str,
}

#[derive(Serialize)]
struct Fix<'a> {
    title: &'a str,
    safety: &'static str,
    edits: Vec<Edit<'a>>,
}

#[derive(Serialize)]
struct Edit<'a> {
    start: usize,
    end: usize,
    text: &'a str,
}

/// The report in one line.
pub(super) fn render(outcome: &Outcome, counts: Counts, success: bool) -> String {
    let mut findings = Vec::new();
    for file in &outcome.files {
        findings.extend(file.findings.iter().map(|finding| entry(finding, file, outcome)));
    }
    // Strings, numbers and lists can always be written.
    serde_json::to_string(&Report { success, counts, findings }).unwrap_or_default() + "\n"
}

fn entry<'a>(finding: &'a Finding, file: &'a FileOutcome, outcome: &'a Outcome) -> Entry<'a> {
    let group = finding.rule.and_then(|(group, _)| file.rules.groups.get(group));
    let rule = group.zip(finding.rule).and_then(|(group, (_, rule))| group.rules.get(rule));
    let labels = finding.labels.iter().map(|label| spanned(file, &label.span, &label.text));
    let mut labels = labels.collect::<Vec<_>>().into_iter();
    let first = labels.next().unwrap_or_else(|| spanned(file, &(0..0), ""));
    let elsewhere = finding.related.iter().filter_map(|related| {
        let file = outcome.files.get(related.file)?;
        Some(spanned(file, &related.span, &related.text))
    });
    Entry {
        check: finding.check.name,
        code: finding.check.code,
        category: finding.check.category().name(),
        severity: finding.severity.name(),
        evidence: finding.evidence.name(),
        message: &finding.message,
        consequence: finding.consequence,
        help: finding.help.as_deref(),
        place: first,
        group: group.map(|group| group.name.value.as_str()),
        rule: rule.map(|rule| Rule {
            kind: match rule.kind {
                _ if file.is_dashboard => "panel",
                RuleKind::Alerting => "alert",
                RuleKind::Recording => "record",
            },
            name: &rule.name.value,
        }),
        related: labels.chain(elsewhere).collect(),
        fix: finding.fix.as_ref().map(|fix| Fix {
            title: &fix.title,
            safety: fix.safety.name(),
            edits: fix
                .edits
                .iter()
                .map(|edit| Edit { start: edit.span.start, end: edit.span.end, text: &edit.text })
                .collect(),
        }),
        fingerprint: finding.fingerprint(),
    }
}

fn spanned<'a>(file: &'a FileOutcome, span: &std::ops::Range<usize>, label: &'a str) -> Place<'a> {
    let (line, column) = place(&file.text, span.start);
    let (end_line, end_column) = place(&file.text, span.end);
    let (start, end) = (span.start, span.end);
    Place { file: &file.name, line, column, end_line, end_column, start, end, label }
}

/// The line and the column of a byte, from 1; columns are characters.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
    (line, before[line_start..].chars().count() + 1)
}
