//! How often each check found something, and in which files.

use std::collections::BTreeMap;
use std::fmt::Write;

use promql_lint::{Outcome, Severity};
use serde::Serialize;

use crate::visible;

/// So many files are shown.
const MOST_FILES: usize = 10;

/// How often a check found something.
#[derive(Serialize)]
struct OfCheck {
    check: &'static str,
    code: &'static str,
    /// The worst of its findings.
    severity: &'static str,
    findings: usize,
    /// Those with a change that may be made without asking.
    fixable: usize,
}

/// How much was found in a file.
#[derive(Serialize)]
struct OfFile<'a> {
    file: &'a str,
    findings: usize,
}

/// All of it.
#[derive(Serialize)]
struct Statistics<'a> {
    success: bool,
    findings: usize,
    checks: Vec<OfCheck>,
    files: Vec<OfFile<'a>>,
}

fn statistics(outcome: &Outcome, success: bool) -> Statistics<'_> {
    let mut checks: BTreeMap<&'static str, (Severity, OfCheck)> = BTreeMap::new();
    let mut files = Vec::new();
    for file in &outcome.files {
        if !file.findings.is_empty() {
            files.push(OfFile { file: &file.name, findings: file.findings.len() });
        }
        for finding in &file.findings {
            let check = finding.check;
            let (worst, row) = checks.entry(check.code).or_insert_with(|| {
                let (code, severity) = (check.code, finding.severity.name());
                let row = OfCheck { check: check.name, code, severity, findings: 0, fixable: 0 };
                (finding.severity, row)
            });
            *worst = finding.severity.max(*worst);
            row.severity = worst.name();
            row.findings += 1;
            let is_safe = |fix: &promql_lint::Fix| fix.safety == promql_lint::Safety::Safe;
            row.fixable += usize::from(finding.fix.as_ref().is_some_and(is_safe));
        }
    }
    let mut checks: Vec<OfCheck> = checks.into_values().map(|(_, row)| row).collect();
    checks.sort_by_key(|row| std::cmp::Reverse(row.findings));
    files.sort_by_key(|row| std::cmp::Reverse(row.findings));
    let findings = checks.iter().map(|row| row.findings).sum();
    Statistics { success, findings, checks, files }
}

/// For people: the checks with the most findings first, then the files with the most.
pub(super) fn text(outcome: &Outcome) -> String {
    let found = statistics(outcome, true);
    let digits = found.findings.to_string().len();
    let width = found.checks.iter().map(|row| row.check.len() + row.code.len() + 3).max();
    let width = width.unwrap_or_default();
    let mut out = String::new();
    for row in &found.checks {
        let name = format!("{} ({})", row.check, row.code);
        let fixable = match row.fixable {
            0 => String::new(),
            count => format!("  {count} can be mended by --fix"),
        };
        let line = format!("{:digits$}  {name:width$}  {:7}{fixable}", row.findings, row.severity);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if found.files.len() > 1 {
        out.push('\n');
        for row in found.files.iter().take(MOST_FILES) {
            let _ = writeln!(out, "{:digits$}  {}", row.findings, visible::escape(row.file));
        }
        let more = found.files.len().saturating_sub(MOST_FILES);
        if more > 0 {
            let _ = writeln!(out, "{:digits$}  and in {more} more", "");
        }
    }
    if out.is_empty() {
        out.push_str("nothing found\n");
    }
    out
}

/// For programs, in one line.
pub(super) fn json(outcome: &Outcome, success: bool) -> String {
    // Strings, numbers and lists can always be written.
    serde_json::to_string(&statistics(outcome, success)).unwrap_or_default() + "\n"
}
