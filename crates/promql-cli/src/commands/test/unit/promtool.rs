//! The report of `--strict-promtool`: what promtool prints, where promtool prints it.

use std::sync::Arc;

use promql_rules::Located;
use promql_rules::unit_test::failure_text;

use super::super::run::{Outcome, State, Unreadable};
use super::{RuleFault, UnitRun};
use crate::console::{Console, OutputError};

/// What promtool puts before what is wrong with the YAML.
const YAML: &str = "yaml: unmarshal errors:";

/// Tells what came of unit-test files.
///
/// # Errors
/// When standard output can't be written.
pub(in super::super) fn tell(outcomes: &[Outcome], console: &Console) -> Result<(), OutputError> {
    for outcome in outcomes {
        match &outcome.state {
            State::UnitTests(run) => {
                for pattern in &run.unmatched {
                    console.remark(&format!("  WARNING: no file match pattern {pattern}\n"));
                }
                let texts = failures(run);
                if texts.is_empty() && run.is_passed() {
                    console.print("  SUCCESS\n\n")?;
                } else {
                    failed(&texts, console)?;
                }
            }
            State::Unreadable(Unreadable::UnitTests(located)) => {
                let mut texts = Vec::new();
                for finding in located.iter().map(Located::finding).filter(|f| f.is_error()) {
                    let text = finding.upstream.as_deref().unwrap_or(&finding.message);
                    match texts.last_mut() {
                        // All that is wrong with the YAML is told at once.
                        _ if !text.starts_with("line ") => texts.push(text.to_owned()),
                        Some(yaml) if yaml.starts_with(YAML) => {
                            yaml.push_str(&format!("\n  {text}"));
                        }
                        _ => texts.push(format!("{YAML}\n  {text}")),
                    }
                }
                // A file that can't be read is all that promtool tells.
                texts.truncate(1);
                failed(&texts, console)?;
            }
            State::NotRun => {}
            State::Ran { .. } | State::Unreadable(_) => {
                let has_failed = outcome.exit() != crate::exit::Exit::Ok;
                console.print(if has_failed { "  FAILED\n\n" } else { "  SUCCESS\n\n" })?;
            }
        }
    }
    Ok(())
}

fn failed(texts: &[String], console: &Console) -> Result<(), OutputError> {
    console.remark("  FAILED:\n");
    for text in texts {
        console.remark(&format!("{text}\n"));
        console.print("\n")?;
    }
    console.print("\n")
}

/// All that failed in a file, in promtool's words.
fn failures(run: &UnitRun) -> Vec<String> {
    let chosen = (0..run.file.tests.len()).filter(|number| run.chosen[*number]);
    chosen.flat_map(|number| failures_of(run, number)).collect()
}

/// All that failed in a test, in promtool's words. It reads the rule files anew for each test, and
/// complains anew.
pub(in super::super) fn failures_of(run: &UnitRun, number: usize) -> Vec<String> {
    let mut texts = rule_faults(run);
    if let Some(outcome) = &run.outcomes[number] {
        texts.extend(failure_text(&run.file, number, outcome, &run.rules));
    }
    texts
}

/// What is wrong with the rule files, in promtool's words.
pub(super) fn rule_faults(run: &UnitRun) -> Vec<String> {
    let told = |fault: &Arc<RuleFault>| {
        let errors = fault.findings.iter().filter(|finding| finding.is_error());
        let texts = errors.map(|finding| {
            let text = finding.upstream.as_deref().unwrap_or(&finding.message);
            format!("{}: {text}", fault.name)
        });
        texts.collect::<Vec<String>>()
    };
    // The first file with errors is the last one that is read.
    run.faults.first().map(told).unwrap_or_default()
}
