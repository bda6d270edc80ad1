//! Rule files that upstream's checker accepts or refuses, rule files as they are used in practice,
//! and the same files given to the real checker where it is there.

use std::path::{Path, PathBuf};
use std::process::Command;

use promql_rules::rule_file::{Dialect, LoadOptions, Loaded, NameScheme, RuleFile, duplicates};
use promql_syntax::Features;
use promql_tests::conformance::{self, Tally, say};
use promql_tests::{corpus, reference};
use serde_json::Value;

fn load(path: &Path, options: &LoadOptions) -> Loaded {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    RuleFile::load(&path.display().to_string(), &text, options)
}

fn errors(loaded: &Loaded) -> Vec<String> {
    let errors = loaded.findings.iter().filter(|finding| finding.is_error());
    errors.map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
}

#[test]
fn verdicts_are_upstreams() {
    let Some(files) = conformance::files("rulefmt", "cases.json") else { return };
    for path in files {
        let folder = path.parent().unwrap_or(Path::new("."));
        let table = conformance::read_json(&path);
        let mut tally = Tally::default();
        for case in table["cases"].as_array().into_iter().flatten() {
            tally.check(case["id"].as_str().unwrap_or_default(), verdict(case, folder));
        }
        tally.finish("rulefmt");
    }
}

fn verdict(case: &Value, folder: &Path) -> Result<(), String> {
    let file = case["file"].as_str().ok_or("no file")?;
    let names = match case["names"].as_str() {
        Some("legacy") => NameScheme::Legacy,
        _ => NameScheme::Utf8,
    };
    let needs = |feature: &str| {
        case["needs"].as_array().is_some_and(|needs| needs.iter().any(|need| need == feature))
    };
    // No more than the file needs.
    let features = Features {
        experimental_functions: needs("experimental-functions"),
        extended_range_selectors: needs("extended-range-selectors"),
        fill_modifiers: needs("fill-modifiers"),
    };
    let options = LoadOptions { names, features, ..LoadOptions::default() };
    let loaded = load(&folder.join(file), &options);
    let is_ok = case["ok"].as_bool().ok_or("no verdict")?;
    if loaded.is_valid() != is_ok {
        return Err(format!("{file}: expected {is_ok}, found {:?}", errors(&loaded)));
    }
    let told: Vec<&str> = loaded.upstream_errors().collect();
    if let Some(part) = case["first_error_contains"].as_str()
        && !told.first().is_some_and(|first| first.contains(part))
    {
        return Err(format!("{file}: {part:?} is not in the first of {told:?}"));
    }
    if let Some(count) = case["error_count"].as_u64()
        && told.len() as u64 != count
    {
        return Err(format!("{file}: not {count} errors but {told:?}"));
    }
    if case["warns"].is_string() && loaded.findings.is_empty() {
        return Err(format!("{file}: no warning"));
    }
    let expected: Vec<&str> = case["duplicates"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|duplicate| duplicate["metric"].as_str())
        .collect();
    let found: Vec<&str> = duplicates(&loaded.file).iter().map(|d| d.name).collect();
    if !expected.is_empty() && found != expected {
        return Err(format!("{file}: duplicates {found:?}, expected {expected:?}"));
    }
    if case["lint_fatal_exit"].as_u64() == Some(3) && found.is_empty() {
        return Err(format!("{file}: no duplicates found"));
    }
    Ok(())
}

/// The rule files of the real world.
fn real_files() -> Option<Vec<PathBuf>> {
    let mut files = conformance::files("realworld/rules", ".yaml")?;
    files.extend(conformance::files("realworld/rules", ".yml")?);
    Some(files)
}

#[test]
fn real_rule_files_have_no_errors() {
    let Some(files) = real_files() else { return };
    let (mut tally, mut rules, mut warnings) = (Tally::default(), 0, 0);
    for path in files {
        let loaded = load(&path, &LoadOptions::default());
        rules += loaded.file.rule_count();
        warnings += loaded.findings.len();
        let outcome = match (errors(&loaded), loaded.file.rule_count()) {
            (errors, _) if !errors.is_empty() => Err(format!("{errors:?}")),
            (_, 0) => Err("no rules found".to_owned()),
            _ => Ok(()),
        };
        tally.check(&path.display().to_string(), outcome);
        for finding in &loaded.findings {
            say(&format!("  {}: {}", path.display(), finding.message));
        }
    }
    say(&format!("realworld/rules: {rules} rules, {warnings} warnings and remarks"));
    tally.finish("realworld/rules");
}

/// Where the older checker at hand rightly differs: it hasn't these features.
fn needs_newer(text: &str) -> bool {
    ["anchored", "smoothed", "fill(", "sort_by_label", "[1m * 2]"].iter().any(|w| text.contains(w))
}

#[test]
fn the_real_checker_says_the_same() {
    let Some(promtool) = reference::program(&["promtool", "prometheus-promtool"]) else {
        return say("promtool not found, skipping the comparison of rule files with it");
    };
    let mut files = Vec::new();
    for folder in ["good", "malformed", "dialects"] {
        let entries = std::fs::read_dir(corpus::path("rules").join(folder));
        let entries = entries.unwrap_or_else(|error| panic!("corpus/rules/{folder}: {error}"));
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.extend(real_files().unwrap_or_default());
    for ending in [".yml", ".yaml"] {
        files.extend(conformance::files("rulefmt", ending).unwrap_or_default());
    }
    files.sort();
    let mut tally = Tally::default();
    let mut same_text = 0;
    for path in files {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
        if needs_newer(&text) {
            continue;
        }
        tally.check(&path.display().to_string(), compare(&promtool, &path, &mut same_text));
    }
    say(&format!("promtool: {same_text} refused files with the same messages"));
    tally.finish("rule files beside promtool");
}

/// Compares the verdict of a file, and if it is refused for its rules also the messages.
fn compare(promtool: &Path, path: &Path, same_text: &mut usize) -> Result<(), String> {
    let output = Command::new(promtool)
        .args(["check", "rules", "--lint=none"])
        .arg(path)
        .output()
        .map_err(|error| format!("promtool can't be run: {error}"))?;
    let options = LoadOptions { dialect: Some(Dialect::Prometheus), ..LoadOptions::default() };
    let loaded = load(path, &options);
    let accepted = output.status.success();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if accepted != loaded.is_valid() {
        return Err(format!("promtool: {accepted}, here: {:?}; {stderr}", errors(&loaded)));
    }
    if accepted {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let count = format!("{} rules found", loaded.file.rule_count());
        return match stdout.contains(&count) {
            true => Ok(()),
            false => Err(format!("promtool: {stdout}, here: {count}")),
        };
    }
    let prefix = format!("{}: ", path.display());
    let theirs: Vec<&str> = stderr
        .lines()
        .filter_map(|line| {
            line.strip_prefix(&prefix).or(line.strip_prefix("  line").map(|_| line.trim()))
        })
        .filter(|line| *line != "yaml: unmarshal errors:")
        .collect();
    let ours: Vec<&str> = loaded.upstream_errors().collect();
    // Of the texts of the YAML parsers only the place can be compared; those of rules are upstream's.
    let is_yaml = |line: &&str| {
        line.starts_with("line ") || line.starts_with("yaml:") || !line.contains("rule ")
    };
    if theirs.iter().any(is_yaml) {
        // Each is there twice: the text is decoded twice.
        let all = ours.iter().all(|line| theirs.contains(line));
        *same_text += usize::from(all);
        if !all {
            say(&format!("  {}: {ours:?}\n    promtool: {theirs:?}", path.display()));
        }
        return Ok(());
    }
    let sorted = |lines: &[&str]| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        lines.sort();
        lines
    };
    *same_text += 1;
    match sorted(&ours) == sorted(&theirs) {
        true => Ok(()),
        false => Err(format!("{ours:#?}\n  promtool: {theirs:#?}")),
    }
}
