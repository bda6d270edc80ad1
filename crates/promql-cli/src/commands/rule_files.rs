//! The rule files that unit tests and configurations name.
//!
//! Both name them by patterns that are relative to their own folder, but a pattern that matches nothing
//! is let pass in unit tests, and by a server only if it has a `*`. Unit tests may also name a folder, and
//! any folders by `**`, which promtool doesn't know.

use std::path::{Path, PathBuf};

use promql_rules::yaml::Text;
use promql_rules::{FileKind, Finding};

use crate::paths::{files_below, is_of_kind, is_yaml, matching, matching_below};
use crate::watch::Pattern;

/// The rule files that a file names.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// In the order of the patterns, and then of the paths.
    pub(super) paths: Vec<PathBuf>,
    /// The patterns that match no file, joined to the folder of the file.
    pub(super) unmatched: Vec<String>,
    /// The patterns.
    pub(super) patterns: Vec<Pattern>,
    /// What is wrong or odd about them.
    pub(super) findings: Vec<Finding>,
}

/// Those of a unit-test file at a path, each once; of standard input, which has no path, relative to the
/// current folder. Without `extensions` patterns are what they are for promtool.
pub(super) fn of_unit_tests(patterns: &[Text], path: Option<&Path>, extensions: bool) -> Named {
    let (folder, mut named) = begin(patterns, path);
    for pattern in patterns {
        let found = match extensions {
            true => extended(folder, &pattern.value),
            false => matching(folder, &pattern.value),
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                named.findings.push(no_pattern(pattern, &error));
                continue;
            }
        };
        if found.is_empty() {
            named.unmatched.push(folder.join(&pattern.value).display().to_string());
            let finding = Finding::error(
                "unit-test::no-rule-file",
                pattern.span.clone(),
                format!("no file is called like `{}`", pattern.value),
                "no rules come from here",
                "patterns are relative to the folder of the test file",
            );
            named.findings.push(finding.warning());
        }
        for path in found {
            if !named.paths.contains(&path) {
                named.paths.push(path);
            }
        }
    }
    named
}

/// The rule files that a pattern names, those of folders too.
fn extended(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, glob::PatternError> {
    let mut files = Vec::new();
    for path in matching_below(folder, pattern)? {
        let is_rules = |path: &Path| is_yaml(path) && is_of_kind(path, FileKind::Rules);
        match path.is_dir() {
            // A folder that can't be read is told as a rule file that can't.
            true => files.extend(files_below(&path, is_rules).unwrap_or_else(|_| vec![path])),
            false => files.push(path),
        }
    }
    Ok(files)
}

/// Those of a configuration at a path. A server checks a file twice that is named twice.
pub(super) fn of_configuration(patterns: &[Text], path: Option<&Path>) -> Named {
    let (folder, mut named) = begin(patterns, path);
    for pattern in patterns {
        match matching(folder, &pattern.value) {
            Err(error) => named.findings.push(no_pattern(pattern, &error)),
            Ok(found) if found.is_empty() => {
                let joined = folder.join(&pattern.value).display().to_string();
                if !pattern.value.contains('*') {
                    let finding = Finding::error(
                        "config::no-rule-file",
                        pattern.span.clone(),
                        format!("no file is called like `{}`", pattern.value),
                        "a server doesn't start without it",
                        "a pattern with `*` may match nothing, any other must name a file; paths are \
                         relative to the folder of the configuration",
                    );
                    let upstream = format!("{joined:?} does not point to an existing file");
                    named.findings.push(finding.with_upstream(upstream));
                }
                named.unmatched.push(joined);
            }
            Ok(found) => named.paths.extend(found),
        }
    }
    named
}

/// The folder that patterns of a file are relative to, and nothing found yet.
fn begin<'p>(patterns: &[Text], path: Option<&'p Path>) -> (&'p Path, Named) {
    let folder = path.and_then(Path::parent).unwrap_or(Path::new(""));
    let patterns = patterns.iter().map(|pattern| (folder.to_path_buf(), pattern.value.clone()));
    (folder, Named { patterns: patterns.collect(), ..Named::default() })
}

fn no_pattern(pattern: &Text, error: &glob::PatternError) -> Finding {
    Finding::error(
        "rules::bad-pattern",
        pattern.span.clone(),
        format!("`{}` is no pattern for files: {error}", pattern.value),
        "no pattern",
        "`*` stands for any part of a name, `?` for a character, `[…]` for one of several",
    )
    .with_upstream("syntax error in pattern")
}
