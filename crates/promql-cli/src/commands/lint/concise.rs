//! The report in a line for each finding, for `grep` and for editors.

use std::fmt::Write;

use promql_lint::Outcome;

use super::json::place;
use crate::visible;

/// `FILE:LINE:COLUMN: SEVERITY[CODE] NAME: MESSAGE`
pub(super) fn render(outcome: &Outcome) -> String {
    let mut out = String::new();
    for file in &outcome.files {
        for finding in &file.findings {
            let (line, column) = place(&file.text, finding.span().start);
            let check = finding.check;
            let mut message = finding.message.clone();
            if let Some(consequence) = finding.consequence {
                let _ = write!(message, "; {consequence}");
            }
            let _ = writeln!(
                out,
                "{}:{line}:{column}: {}[{}] {}: {}",
                visible::escape(&file.name),
                finding.severity,
                check.code,
                check.name,
                visible::escape(&message)
            );
        }
    }
    out
}
