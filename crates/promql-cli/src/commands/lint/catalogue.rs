//! What checks say about themselves.

use promql_lint::{CHECKS, Check, Settings};
use promql_rules::yaml;
use serde::Serialize;

use super::{Format, Stop};
use crate::console::Console;
use crate::render::grid::push_styled;

/// A check, for programs.
#[derive(Serialize)]
struct Entry {
    check: &'static str,
    code: &'static str,
    category: &'static str,
    severity: &'static str,
    evidence: &'static str,
    fix: &'static str,
    on: bool,
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    documentation: Option<String>,
}

fn entry(check: &'static Check, is_on: bool) -> Entry {
    Entry {
        check: check.name,
        code: check.code,
        category: check.category().name(),
        severity: check.severity.name(),
        evidence: check.evidence.name(),
        fix: check.fixes.name(),
        on: is_on,
        summary: check.summary(),
        documentation: None,
    }
}

/// All checks, each in a line; as JSON, in a list.
pub(super) fn list(settings: &Settings, format: Format, console: &Console) -> String {
    if format == Format::Json {
        let entries = CHECKS.iter().map(|check| entry(check, settings.is_on(check)));
        let entries: Vec<Entry> = entries.collect();
        return serde_json::to_string(&entries).unwrap_or_default() + "\n";
    }
    let width = CHECKS.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let mut out = String::new();
    let mut category = None;
    for check in CHECKS {
        if category != Some(check.category()) {
            let gap = if category.is_some() { "\n" } else { "" };
            out.push_str(gap);
            let name = check.category().name();
            push_styled(&mut out, name, anstyle::Style::new().bold(), console.color);
            out.push('\n');
            category = Some(check.category());
        }
        let severity = match settings.severity(check, check.severity) {
            Some(severity) => severity.name(),
            None => "off",
        };
        let fix = match check.fixes {
            promql_lint::Fixes::Never => "",
            promql_lint::Fixes::Safe => "fix",
            promql_lint::Fixes::Unsafe => "unsafe fix",
        };
        let line = format!("  {} {:width$}  {severity:7}  {fix}", check.code, check.name);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The documentation of a check.
pub(super) fn explain(word: &str, format: Format) -> Result<String, Stop> {
    let Some(check) = promql_lint::check(word) else {
        return Err(super::unknown(word));
    };
    if format == Format::Json {
        let documentation = Some(promql_lint::page(check));
        let entry = Entry { documentation, ..entry(check, check.is_on) };
        return Ok(serde_json::to_string(&entry).unwrap_or_default() + "\n");
    }
    Ok(promql_lint::page(check))
}

/// The name of a check that is most like a word.
pub(super) fn like(word: &str) -> Option<&'static str> {
    let names: Vec<&'static str> = CHECKS.iter().map(|check| check.name).collect();
    yaml::like(word, &names)
}
