//! Rule files and dashboards as they are used in practice, formatted: what they mean stays, all but
//! the expressions stays byte for byte, and formatting again changes nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use promql_rules::format::{format_dashboard, format_rules, is_dashboard};
use promql_rules::rule_file::{LoadOptions, RuleFile};
use promql_syntax::FormatOptions;
use promql_tests::conformance::{self, Tally, say};
use promql_tests::{corpus, reference};
use serde_json::Value;

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn corpus_files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(corpus::path(folder));
    let entries = entries.unwrap_or_else(|error| panic!("corpus/{folder}: {error}"));
    entries.flatten().map(|entry| entry.path()).collect()
}

fn rule_files() -> Vec<PathBuf> {
    let mut files = corpus_files("rules/good");
    files.extend(corpus_files("rules/dialects"));
    for ending in [".yaml", ".yml"] {
        files.extend(conformance::files("realworld/rules", ending).unwrap_or_default());
    }
    files.sort();
    files
}

/// Each rule with all that it says, the expression as its tree is written.
fn meaning(text: &str) -> Vec<String> {
    let loaded = RuleFile::load("", text.as_bytes(), &LoadOptions::default());
    let mut all = Vec::new();
    for group in &loaded.file.groups {
        for rule in &group.rules {
            let expr = rule.query.as_ref().map_or(rule.expr.value.clone(), |query| {
                promql_syntax::Expr::to_string(query.expr())
            });
            let texts = |pairs: &[(promql_rules::yaml::Text, promql_rules::yaml::Text)]| {
                let pairs =
                    pairs.iter().map(|(name, value)| (name.value.clone(), value.value.clone()));
                pairs.collect::<Vec<_>>()
            };
            all.push(format!(
                "{} {} {:?} {expr} {:?} {:?} {:?} {:?}",
                group.name.value,
                rule.name.value,
                rule.kind,
                texts(&rule.labels),
                texts(&rule.annotations),
                rule.for_duration.map(|d| d.value),
                rule.keep_firing_for.map(|d| d.value),
            ));
        }
    }
    all
}

/// A file without its expressions, and without the blanks at their ends.
fn without_expressions(text: &str) -> Vec<String> {
    let loaded = RuleFile::load("", text.as_bytes(), &LoadOptions::default());
    let rules = loaded.file.groups.iter().flat_map(|group| &group.rules);
    let mut spans: Vec<_> = rules.map(|rule| rule.expr.span.clone()).collect();
    spans.sort_by_key(|span| span.start);
    spans.dedup();
    let (mut parts, mut at) = (Vec::new(), 0);
    for span in spans {
        parts.push(text[at..span.start].trim().to_owned());
        at = span.end;
    }
    parts.push(text[at..].trim().to_owned());
    parts
}

#[test]
fn rule_files_mean_the_same() {
    let options = FormatOptions::default();
    let (mut tally, mut expressions, mut changed) = (Tally::default(), 0, 0);
    let mut written = Vec::new();
    for path in rule_files() {
        let text = read(&path);
        let outcome = format_rules(&text, &options)
            .map_err(|findings| format!("{findings:?}"))
            .and_then(|formatted| {
                let again = format_rules(&formatted.text, &options);
                if again.map(|again| again.text).as_ref() != Ok(&formatted.text) {
                    return Err("not stable".to_owned());
                }
                if meaning(&text) != meaning(&formatted.text) {
                    return Err("does not mean the same".to_owned());
                }
                if without_expressions(&text) != without_expressions(&formatted.text) {
                    return Err("something else was changed".to_owned());
                }
                let is_metricsql = path.ends_with("vmalert.yml");
                if !formatted.left.is_empty() && !is_metricsql {
                    return Err(format!("left: {:?}", formatted.left));
                }
                expressions += formatted.expressions;
                changed += formatted.changed;
                written.push((path.clone(), formatted.text));
                Ok(())
            });
        tally.check(&path.display().to_string(), outcome);
    }
    say(&format!("rule files: {expressions} expressions, of which {changed} were formatted"));
    real_checker_accepts(&written);
    tally.finish("formatted rule files");
}

/// Whether the real checker, where it is at hand, still takes the files that it took before.
fn real_checker_accepts(files: &[(PathBuf, String)]) {
    let Some(promtool) = reference::program(&["promtool", "prometheus-promtool"]) else {
        return say("promtool not found, skipping what it says about formatted rule files");
    };
    let folder = std::env::temp_dir().join(format!("promql-format-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let check = |path: &Path| {
        let status =
            Command::new(&promtool).args(["check", "rules", "--lint=none"]).arg(path).output();
        status.expect("promtool runs").status.success()
    };
    let mut compared = 0;
    for (original, text) in files {
        let path = folder.join("rules.yml");
        std::fs::write(&path, text).expect("a file can be written");
        if check(original) {
            assert!(
                check(&path),
                "promtool refuses {} when it is formatted:\n{text}",
                original.display()
            );
            compared += 1;
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    say(&format!("promtool accepts all of {compared} formatted files that it accepted before"));
}

#[test]
fn dashboards_mean_the_same() {
    let options = FormatOptions::default();
    let mut files = corpus_files("dashboards");
    files.extend(conformance::files("realworld/dashboards", ".json").unwrap_or_default());
    let (mut tally, mut expressions, mut changed, mut left) = (Tally::default(), 0, 0, 0);
    for path in files {
        let text = read(&path);
        let outcome = format_dashboard(&text, &options)
            .map_err(|findings| format!("{findings:?}"))
            .and_then(|formatted| {
                if !is_dashboard(&text) {
                    return Err("is taken for no dashboard".to_owned());
                }
                let again = format_dashboard(&formatted.text, &options).map(|again| again.text);
                if again.as_ref() != Ok(&formatted.text) {
                    return Err("not stable".to_owned());
                }
                let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
                same_but_expressions(&parse(&text), &parse(&formatted.text), "")?;
                for finding in &formatted.left {
                    say(&format!("  {}: {}", path.display(), finding.message));
                }
                expressions += formatted.expressions;
                changed += formatted.changed;
                left += formatted.left.len();
                Ok(())
            });
        tally.check(&path.display().to_string(), outcome);
    }
    say(&format!("dashboards: {expressions} expressions, {changed} formatted, {left} left"));
    tally.finish("formatted dashboards");
}

/// Compares two values. Expressions must have the same words, but for blanks, parentheses and quotes.
fn same_but_expressions(a: &Value, b: &Value, key: &str) -> Result<(), String> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            a.iter().try_for_each(|(key, value)| match b.get(key) {
                Some(other) => same_but_expressions(value, other, key),
                None => Err(format!("{key} is gone")),
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).try_for_each(|(a, b)| same_but_expressions(a, b, ""))
        }
        (Value::String(a), Value::String(b)) if key == "expr" => {
            let words = |text: &str| {
                let is_word = |c: char| c.is_alphanumeric() || "_:$.".contains(c);
                let words = text.split(|c| !is_word(c)).filter(|word| !word.is_empty());
                let number = |word: &str| word.parse().map(|number: f64| number.to_string());
                let words = words.map(|word| number(word).unwrap_or(word.to_lowercase()));
                let mut words: Vec<String> = words.collect();
                words.sort();
                words
            };
            match words(a) == words(b) {
                true => Ok(()),
                false => Err(format!("{a}\n  became\n{b}")),
            }
        }
        (a, b) if a == b => Ok(()),
        (a, b) => Err(format!("{a} became {b}")),
    }
}
