//! The examples in the documentation of each check are what the check does.
//!
//! With `UPDATE_EXAMPLES=1` the documentation is brought up to date: the lines under carets, and the
//! blocks with what the proposed changes make of an example.

use std::fmt::Write;
use std::path::Path;

use promql_lint::examples::{Example, examples};
use promql_lint::{CHECKS, Check, Input, Settings, lint};

/// How many examples of each kind a check needs at least.
const ENOUGH: usize = 3;

/// Checks that no example can be written for, each with the reason. Each has a test of its own.
const WITHOUT_EXAMPLES: &[(&str, &str)] = &[
    ("file-unreadable", "bytes that are not UTF-8 can't stand in a documentation"),
    ("removed-rule-still-used", "it needs files from before a change; see `removed_rules.rs`"),
];

/// Checks of the category E, whose bad examples are invalid files.
fn is_syntax(check: &Check) -> bool {
    check.code.starts_with('E')
}

/// The documentation of a check as it should be, and what is wrong with it.
fn renewed(check: &'static Check) -> (String, Vec<String>) {
    let mut wrong = Vec::new();
    let mut out = String::new();
    let lines: Vec<&str> = check.docs.lines().collect();
    let all = examples(check.docs);
    let mut at = 0;
    let copy = |out: &mut String, from: usize, to: usize| {
        lines[from..to].iter().for_each(|line| {
            let _ = writeln!(out, "{line}");
        });
    };
    for (number, example) in all.iter().enumerate() {
        if !example.is_tried() {
            continue;
        }
        copy(&mut out, at, example.lines.start);
        let seen = example.try_on(check);
        let is_bad = example.has("bad");
        if is_bad != (seen.findings > 0) {
            wrong.push(format!(
                "{} findings in a {:?}:\n{}",
                seen.findings, example.words, example.text
            ));
        }
        if !is_syntax(check) && !seen.invalid.is_empty() {
            wrong.push(format!("an example is invalid: {:?}\n{}", seen.invalid, example.text));
        }
        seen.text.lines().for_each(|line| {
            let _ = writeln!(out, " {line}");
        });
        at = example.lines.end;
        let next = all.get(number + 1).filter(|next: &&Example| next.has("fixed"));
        let language = &example.words[0];
        let fence = |line: Option<&&str>| line.is_some_and(|line| line.trim() == "```");
        if let Some(fixed) = &seen.fixed {
            copy(&mut out, at, at + usize::from(fence(lines.get(at))));
            at += usize::from(fence(lines.get(at)));
            let _ = writeln!(out, " ```{language} fixed");
            fixed.lines().for_each(|line| {
                let _ = writeln!(out, " {line}");
            });
            match next {
                Some(next) => at = next.lines.end,
                None => {
                    let _ = writeln!(out, " ```");
                }
            }
        } else if next.is_some() {
            wrong.push(format!("nothing is fixed, as it is written, in:\n{}", example.text));
        }
    }
    copy(&mut out, at, lines.len());
    (out, wrong)
}

/// Writes a documentation into the source file of its check.
fn write(check: &Check, docs: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(check.source);
    let source = std::fs::read_to_string(&path).expect("the source file of a check");
    let mut out = String::new();
    let mut is_written = false;
    for line in source.lines() {
        if !line.starts_with("    ///") || is_written && out.ends_with("\n}\n") {
            out.push_str(line);
            out.push('\n');
        } else if !is_written {
            is_written = true;
            for line in docs.lines() {
                let _ = writeln!(out, "    ///{}", line.trim_end());
            }
        }
    }
    std::fs::write(&path, out).expect("the source file can be written");
}

#[test]
fn examples_are_what_checks_do() {
    let update = std::env::var_os("UPDATE_EXAMPLES").is_some();
    let mut failures = Vec::new();
    for check in CHECKS {
        let (docs, wrong) = renewed(check);
        let told = |text: String| format!("{} ({}): {text}", check.name, check.code);
        failures.extend(wrong.into_iter().map(told));
        let tidy = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        if tidy(&docs) != tidy(check.docs) {
            match update {
                true => write(check, &docs),
                false => failures.push(told(format!("the documentation should be\n{docs}"))),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn checks_have_enough_examples() {
    let mut poor = Vec::new();
    for check in CHECKS {
        let all = examples(check.docs);
        let count = |word: &str| all.iter().filter(|e| e.is_tried() && e.has(word)).count();
        if WITHOUT_EXAMPLES.iter().any(|(name, _)| *name == check.name) {
            continue;
        }
        if count("bad") < ENOUGH || count("good") < ENOUGH {
            poor.push(format!(
                "{} {}: {} bad, {} good",
                check.code,
                check.name,
                count("bad"),
                count("good")
            ));
        }
    }
    assert!(poor.is_empty(), "too few examples:\n{}", poor.join("\n"));
}

#[test]
fn the_table_is_in_order() {
    for pair in CHECKS.windows(2) {
        assert!(pair[0].code < pair[1].code, "{} before {}", pair[0].code, pair[1].code);
    }
    let mut names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CHECKS.len(), "a name is there twice");
    for check in CHECKS {
        assert!(check.docs.starts_with(' '), "{}", check.name);
        assert!(
            check.source.contains(&check.name.replace('-', "_")),
            "{}: {}",
            check.name,
            check.source
        );
    }
}

#[test]
fn files_that_are_not_utf8_are_told() {
    let outcome =
        lint(vec![Input::new("a.yml", b"groups: []\n# \xff\n".as_slice())], &Settings::default());
    let found: Vec<(&str, std::ops::Range<usize>)> =
        outcome.files[0].findings.iter().map(|f| (f.check.name, f.span())).collect();
    assert_eq!(found, [("file-unreadable", 13..16)]);
}

/// The page of the book with all checks, which is made of what they say about themselves.
/// `UPDATE_EXAMPLES=1` writes it.
#[test]
fn the_page_of_the_book_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/reference/checks.md");
    let page = promql_lint::all_pages();
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/src/reference/checks.md is out of date; UPDATE_EXAMPLES=1 writes it"
    );
}
