//! The report for people.

use anstyle::{AnsiColor, Style};
use promql_rules::FileKind;
use serde::Serialize;

use super::Check;
use super::examine::Outcome;
use crate::console::{Console, OutputError};
use crate::render::grid::push_styled;
use crate::{report as diagnostics, visible};

const FAILED: Style = AnsiColor::Red.on_default().bold();
const PASSED: Style = AnsiColor::Green.on_default();

/// How much of what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) files: usize,
    pub(super) invalid: usize,
    pub(super) groups: usize,
    pub(super) rules: usize,
    pub(super) errors: usize,
    pub(super) warnings: usize,
    pub(super) remarks: usize,
}

impl Counts {
    pub(super) fn of(outcomes: &[Outcome]) -> Counts {
        let mut counts = Counts { files: outcomes.len(), ..Counts::default() };
        for outcome in outcomes {
            counts.invalid += usize::from(!outcome.is_valid());
            if let Some(rules) = &outcome.rules {
                counts.groups += rules.groups.len();
                counts.rules += rules.rule_count();
            }
            for finding in &outcome.findings {
                *match finding.severity {
                    miette::Severity::Error => &mut counts.errors,
                    miette::Severity::Warning => &mut counts.warnings,
                    miette::Severity::Advice => &mut counts.remarks,
                } += 1;
            }
        }
        counts
    }
}

/// Tells what came of the files: diagnostics to standard error, the summary to standard output.
///
/// # Errors
/// When standard output can't be written.
pub(super) fn tell(
    outcomes: &[Outcome],
    check: &Check,
    console: &Console,
) -> Result<(), OutputError> {
    for outcome in outcomes {
        let name = visible::escape(&outcome.name);
        for finding in &outcome.findings {
            let located = finding.located(&name, &outcome.text);
            console.remark(&diagnostics::draw(&located, console));
        }
        if check.verbose {
            console.print(&line(outcome, &name, console))?;
        }
    }
    console.print(&summary(outcomes, console))
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn verdict(is_ok: bool, console: &Console) -> String {
    let (word, style) = if is_ok { ("ok", PASSED.bold()) } else { ("FAILED", FAILED) };
    let mut out = String::new();
    push_styled(&mut out, word, style, console.color);
    out
}

/// What a file is, on a line.
fn line(outcome: &Outcome, name: &str, console: &Console) -> String {
    let what = match &outcome.rules {
        Some(rules) => {
            let count = plural(rules.rule_count(), "rule");
            format!("{count} in {}", plural(rules.groups.len(), "group"))
        }
        None if outcome.kind == FileKind::UnitTests => "unit tests".to_string(),
        None => "the configuration of a server".to_string(),
    };
    format!("{} {name}: {what}\n", verdict(outcome.is_valid(), console))
}

fn summary(outcomes: &[Outcome], console: &Console) -> String {
    let counts = Counts::of(outcomes);
    let mut parts = Vec::new();
    for (count, word) in [(counts.errors, "error"), (counts.warnings, "warning")] {
        if count > 0 {
            parts.push(plural(count, word));
        }
    }
    parts.push(plural(counts.rules, "rule"));
    let files = plural(counts.files, "file");
    let files = match counts.invalid {
        0 => files,
        invalid => format!("{files}, of which {invalid} can't be loaded"),
    };
    format!("{}: {} in {files}\n", verdict(counts.invalid == 0, console), parts.join(", "))
}
