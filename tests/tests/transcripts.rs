//! The commands in the README, in the book and in `transcripts/` do what is written there.
//!
//! `UPDATE_TRANSCRIPTS=1` rewrites what is outdated, and `TRANSCRIPTS=serve` looks only at files that
//! have this in their names.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what a test counts has to be seen")]
#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::fs;
use std::path::{Path, PathBuf};

use promql_tests::{binary, transcript};

fn check(files: Vec<PathBuf>) {
    assert!(!files.is_empty(), "there is nothing to check");
    let update = std::env::var_os("UPDATE_TRANSCRIPTS").is_some();
    let only = std::env::var("TRANSCRIPTS").unwrap_or_default();
    let mut wrong = 0;
    // Not in their paths: a checkout may lie anywhere.
    let is_meant = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().contains(&only))
    };
    for path in files.into_iter().filter(is_meant) {
        let text = fs::read_to_string(&path).unwrap();
        let now = transcript::replay(&text);
        if now == text {
            continue;
        }
        if update {
            fs::write(&path, now).unwrap();
            continue;
        }
        wrong += 1;
        let name = path.strip_prefix(binary::workspace()).unwrap_or(&path).display();
        eprintln!(
            "{}",
            similar::TextDiff::from_lines(&text, &now)
                .unified_diff()
                .header(&format!("{name} (written)"), "what happens")
        );
    }
    assert_eq!(wrong, 0, "transcripts are wrong; UPDATE_TRANSCRIPTS=1 rewrites them");
}

/// The Markdown files of a folder and of those in it.
fn markdown(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(markdown(&path));
        } else if path.extension().is_some_and(|e| e == "md") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn readme() {
    check(vec![binary::workspace().join("README.md")]);
}

#[test]
fn book() {
    check(markdown(&binary::workspace().join("docs/src")));
}

#[test]
fn commands() {
    check(markdown(&binary::workspace().join("tests/transcripts")));
}
