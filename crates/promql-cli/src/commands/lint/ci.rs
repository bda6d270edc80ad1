//! The report in the forms that servers read which run checks: GitHub, GitLab, Checkstyle, JUnit.

use std::fmt::Write;

use promql_lint::{FileOutcome, Finding, Outcome, Severity};
use serde::Serialize;

use super::json::place;
use crate::commands::test::junit::escape as xml;

/// What is wrong, in one text without line breaks at the end.
fn told(finding: &Finding) -> String {
    let mut text = finding.message.clone();
    if let Some(consequence) = finding.consequence {
        let _ = write!(text, "; {consequence}");
    }
    text
}

fn with_help(finding: &Finding) -> String {
    match &finding.help {
        Some(help) => format!("{}\n{help}", told(finding)),
        None => told(finding),
    }
}

/// All findings with their files.
fn all(outcome: &Outcome) -> impl Iterator<Item = (&FileOutcome, &Finding)> {
    outcome.files.iter().flat_map(|file| file.findings.iter().map(move |finding| (file, finding)))
}

/// Workflow commands of GitHub: a line for each finding, the worst first, since GitHub shows ten errors and
/// ten warnings of a step.
pub(super) fn github(outcome: &Outcome) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut findings: Vec<(&FileOutcome, &Finding)> = all(outcome).collect();
    findings.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
    let mut out = String::new();
    for (file, finding) in findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let (line, column) = place(&file.text, finding.span().start);
        let (end_line, end_column) = place(&file.text, finding.span().end);
        // A column behind the last one is only taken for a place in one line.
        let end = match end_line == line {
            true => format!(",endLine={end_line},endColumn={end_column}"),
            false => format!(",endLine={end_line}"),
        };
        let _ = writeln!(
            out,
            "::{command} file={},line={line},col={column}{end},title={}::{}",
            property(&file.name),
            property(&format!("{} ({})", finding.check.name, finding.check.code)),
            data(&with_help(finding))
        );
    }
    out
}

/// An entry of GitLab's report on code quality.
#[derive(Serialize)]
struct Quality {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: QualityPlace,
}

#[derive(Serialize)]
struct QualityPlace {
    path: String,
    lines: QualityLines,
}

#[derive(Serialize)]
struct QualityLines {
    begin: usize,
}

/// GitLab's report on code quality.
pub(super) fn gitlab(outcome: &Outcome) -> String {
    let mut entries = Vec::new();
    for file in &outcome.files {
        for finding in &file.findings {
            entries.push(Quality {
                description: told(finding),
                check_name: finding.check.name,
                fingerprint: finding.fingerprint(),
                severity: match finding.severity {
                    Severity::Error => "critical",
                    Severity::Warning => "major",
                    Severity::Info => "info",
                },
                location: QualityPlace {
                    path: file.name.trim_start_matches("./").to_owned(),
                    lines: QualityLines { begin: place(&file.text, finding.span().start).0 },
                },
            });
        }
    }
    serde_json::to_string(&entries).unwrap_or_default() + "\n"
}

/// Checkstyle's report.
pub(super) fn checkstyle(outcome: &Outcome) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">\n");
    for file in outcome.files.iter().filter(|file| !file.findings.is_empty()) {
        let _ = writeln!(out, "  <file name=\"{}\">", xml(&file.name));
        for finding in &file.findings {
            let (line, column) = place(&file.text, finding.span().start);
            let _ = writeln!(
                out,
                "    <error line=\"{line}\" column=\"{column}\" severity=\"{}\" message=\"{}\" source=\"promql.{}\"/>",
                finding.severity,
                xml(&told(finding)),
                finding.check.name
            );
        }
        out.push_str("  </file>\n");
    }
    out.push_str("</checkstyle>\n");
    out
}

/// JUnit's report: a suite for each file, a case for each rule, and one for what is not about a rule. A
/// finding that counts is a failure, another one is written beside.
pub(super) fn junit(outcome: &Outcome, fail_on: Severity) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"promql lint\">\n",
    );
    for file in &outcome.files {
        let mut cases = vec![("file".to_owned(), None)];
        for (number, group) in file.rules.groups.iter().enumerate() {
            for (rule_number, rule) in group.rules.iter().enumerate() {
                let name = format!("{}: {}", group.name.value, rule.name.value);
                cases.push((name, Some((number, rule_number))));
            }
        }
        let failures = file.findings.iter().filter(|finding| finding.severity >= fail_on).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\">",
            xml(&file.name),
            cases.len()
        );
        for (name, rule) in cases {
            let _ = write!(
                out,
                "    <testcase classname=\"{}\" name=\"{}\">",
                xml(&file.name),
                xml(&name)
            );
            let mut beside = String::new();
            for finding in file.findings.iter().filter(|finding| finding.rule == rule) {
                let (line, column) = place(&file.text, finding.span().start);
                let check = finding.check;
                let text = format!(
                    "{}:{line}:{column}: {}[{}] {}: {}",
                    file.name,
                    finding.severity,
                    check.code,
                    check.name,
                    with_help(finding)
                );
                if finding.severity >= fail_on {
                    let _ = write!(
                        out,
                        "<failure message=\"{}\" type=\"{}\">{}</failure>",
                        xml(&told(finding)),
                        check.name,
                        xml(&text)
                    );
                } else {
                    beside.push_str(&text);
                    beside.push('\n');
                }
            }
            if !beside.is_empty() {
                let _ = write!(out, "<system-out>{}</system-out>", xml(&beside));
            }
            out.push_str("</testcase>\n");
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}
