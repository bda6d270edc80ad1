//! The report in the words of `promtool check rules` and `promtool check config`.

use promql_rules::FileKind;

use super::Check;
use super::examine::Outcome;
use crate::console::{Console, OutputError};

/// Tells what upstream's tool tells: progress and success to standard output, what is wrong to
/// standard error.
///
/// # Errors
/// When standard output can't be written.
pub(super) fn tell(
    outcomes: &[Outcome],
    check: &Check,
    console: &Console,
) -> Result<(), OutputError> {
    for outcome in outcomes {
        let name = &outcome.name;
        let is_stdin = name == "standard input";
        console.print(&format!("Checking {name}\n"))?;
        let prefix = if is_stdin { String::new() } else { format!("{name}: ") };
        if !outcome.is_valid() {
            console.remark(&format!("  FAILED:\n{}", errors(outcome, &prefix)));
            continue;
        }
        if outcome.kind == FileKind::UnitTests {
            console.print("  SUCCESS\n\n")?;
            continue;
        }
        if outcome.kind == FileKind::ServerConfig {
            let count = outcome.upstream.rule_files;
            if count > 0 {
                console.print(&format!("  SUCCESS: {count} rule files found\n"))?;
            }
            let text = format!(" SUCCESS: {name} is valid prometheus config file syntax\n\n");
            console.print(&text)?;
            continue;
        }
        if let Some(duplicates) =
            outcome.upstream.duplicates.as_ref().filter(|_| check.finds_duplicates())
        {
            console.remark(&format!("  FAILED:\n{duplicates}\n"));
            console.print("\n")?;
            continue;
        }
        let count = outcome.rules.as_ref().map_or(0, |rules| rules.rule_count());
        console.print(&format!("  SUCCESS: {count} rules found\n\n"))?;
    }
    Ok(())
}

/// The errors, those of the YAML under one heading.
fn errors(outcome: &Outcome, prefix: &str) -> String {
    let errors = &outcome.upstream.errors;
    // A text that isn't YAML, or a duration that is none, is all that is said.
    let is_listed = |error: &&String| error.starts_with("line ");
    let fatal = outcome.findings.iter().find(|finding| {
        let is_yaml = finding.code.starts_with("yaml::");
        is_yaml && finding.upstream.as_ref().is_some_and(|text| !is_listed(&text))
    });
    if let Some(text) = fatal.and_then(|finding| finding.upstream.as_ref()) {
        return format!("{prefix}{text}\n");
    }
    let listed: Vec<&String> = errors.iter().filter(is_listed).collect();
    if !listed.is_empty() {
        let lines: String = listed.iter().map(|line| format!("  {line}\n")).collect();
        return format!("{prefix}yaml: unmarshal errors:\n{lines}");
    }
    if errors.is_empty() {
        // What upstream's tool would not complain about.
        let errors = outcome.findings.iter().filter(|finding| finding.is_error());
        return errors.map(|finding| format!("{prefix}{}\n", finding.message)).collect();
    }
    errors.iter().map(|error| format!("{prefix}{error}\n")).collect()
}
