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
        if !outcome.is_valid() && outcome.kind == FileKind::ServerConfig {
            console.remark(&format!("  FAILED: {}", configuration_error(outcome)));
            console.print("\n")?;
            continue;
        }
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
            if let Some(scrapes) = &outcome.upstream.scrapes {
                console.remark(&format!("  FAILED: {scrapes}\n"));
            }
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

/// The first thing that is wrong with a configuration, as upstream looks no further: the YAML, the paths in
/// it, the files that these name.
fn configuration_error(outcome: &Outcome) -> String {
    let is_path = |text: &&String| {
        text.ends_with("does not point to an existing file") || *text == "syntax error in pattern"
    };
    let errors = &outcome.upstream.errors;
    if let (Some(path), true) = (errors.iter().find(is_path), errors.iter().all(|e| is_path(&e))) {
        return format!("{path}\n");
    }
    let name = &outcome.name;
    match errors.iter().find(|error| error.starts_with("invalid rule file path")) {
        Some(path) if !has_yaml_errors(outcome) => format!("parsing YAML file {name}: {path}\n"),
        _ => format!("parsing YAML file {name}: {}", yaml_errors(outcome).unwrap_or_default()),
    }
}

fn has_yaml_errors(outcome: &Outcome) -> bool {
    outcome.findings.iter().any(|finding| finding.is_error() && finding.code.starts_with("yaml::"))
}

/// The errors of the YAML. A text that isn't YAML, or a duration that is none, is all that is said; the
/// others are listed.
fn yaml_errors(outcome: &Outcome) -> Option<String> {
    let is_listed = |error: &&String| error.starts_with("line ");
    let fatal = outcome.findings.iter().find(|finding| {
        let is_yaml = finding.code.starts_with("yaml::");
        is_yaml && finding.upstream.as_ref().is_some_and(|text| !is_listed(&text))
    });
    if let Some(text) = fatal.and_then(|finding| finding.upstream.as_ref()) {
        return Some(format!("{text}\n"));
    }
    let listed = outcome.upstream.errors.iter().filter(is_listed);
    let lines: String = listed.map(|line| format!("  {line}\n")).collect();
    (!lines.is_empty()).then(|| format!("yaml: unmarshal errors:\n{lines}"))
}

/// The errors, those of the YAML under one heading.
fn errors(outcome: &Outcome, prefix: &str) -> String {
    let errors = &outcome.upstream.errors;
    if let Some(text) = yaml_errors(outcome) {
        return format!("{prefix}{text}");
    }
    if errors.is_empty() {
        // What upstream's tool would not complain about.
        let errors = outcome.findings.iter().filter(|finding| finding.is_error());
        return errors.map(|finding| format!("{prefix}{}\n", finding.message)).collect();
    }
    errors.iter().map(|error| format!("{prefix}{error}\n")).collect()
}
