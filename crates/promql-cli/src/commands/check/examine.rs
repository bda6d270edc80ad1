//! Checks files on all threads, with an outcome that doesn't depend on their number.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use promql_engine::Cancellation;
use promql_rules::rule_file::{Loaded, RuleFile, duplicates};
use promql_rules::unit_test::{ReadFile, UnitTestFile};
use promql_rules::{FileKind, Finding, ServerConfig};
use rayon::prelude::*;

use super::Check;
use super::files::Input;
use crate::exit::Exit;
use crate::inputs;
use crate::progress::Progress;

/// What came of a file.
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) kind: FileKind,
    /// The file, as far as it is text.
    pub(super) text: Arc<str>,
    /// What was found, in the order of the file.
    pub(super) findings: Vec<Finding>,
    /// The rule file, if it is one.
    pub(super) rules: Option<RuleFile>,
    /// What upstream's tool would say about the file, and about duplicates in it.
    pub(super) upstream: Upstream,
}

/// What upstream's tool would say.
#[derive(Default)]
pub(super) struct Upstream {
    pub(super) errors: Vec<String>,
    pub(super) duplicates: Option<String>,
    /// How many rule files a configuration names.
    pub(super) rule_files: usize,
}

impl Outcome {
    /// Whether something makes the file invalid.
    pub(super) fn is_valid(&self) -> bool {
        !self.findings.iter().any(Finding::is_error)
    }

    /// How the run ends because of this file.
    pub(super) fn exit(&self, check: &Check) -> Exit {
        let warns =
            self.findings.iter().any(|finding| finding.severity == miette::Severity::Warning);
        match (self.is_valid(), warns && check.lint_fatal) {
            (false, _) => Exit::Failed,
            (true, true) => Exit::Lint,
            (true, false) => Exit::Ok,
        }
    }
}

/// Checks files, and the rule files that configurations among them name.
pub(super) fn all(
    files: Vec<Input>,
    check: &Check,
    cancellation: &Cancellation,
    progress: &Progress,
) -> Vec<Outcome> {
    let examine = |input: Input| {
        if cancellation.is_cancelled() {
            return Vec::new();
        }
        let outcomes = match input.kind {
            FileKind::ServerConfig => configuration(input, check),
            FileKind::UnitTests => vec![unit_tests(input)],
            FileKind::Rules | FileKind::Unknown => vec![rules(input, check)],
        };
        progress.advance();
        outcomes
    };
    let outcomes: Vec<Vec<Outcome>> = files.into_par_iter().map(examine).collect();
    // A file that was named, and that a configuration names too, is told about once.
    let mut seen = HashSet::new();
    let mut outcomes: Vec<Outcome> = outcomes.into_iter().flatten().collect();
    outcomes.retain(|outcome| seen.insert(outcome.name.clone()));
    outcomes
}

/// Checks a rule file.
fn rules(input: Input, check: &Check) -> Outcome {
    let loaded = RuleFile::load(&input.name, &input.text, &check.load_options());
    let errors = loaded.upstream_errors().map(str::to_owned).collect();
    let is_valid = loaded.is_valid();
    let Loaded { file, mut findings } = loaded;
    let mut upstream = Upstream { errors, ..Upstream::default() };
    if is_valid && check.finds_duplicates() {
        let duplicates = duplicates(&file);
        let line = |at: usize| memchr::memchr_iter(b'\n', &file.text.as_bytes()[..at]).count() + 1;
        for duplicate in &duplicates {
            findings.extend(duplicate.findings(line));
        }
        if !duplicates.is_empty() {
            upstream.duplicates = Some(promql_rules::rule_file::upstream_report(&duplicates));
        }
    }
    findings.sort_by_key(|finding| finding.span.start);
    Outcome {
        name: input.name,
        kind: FileKind::Rules,
        text: Arc::clone(&file.text),
        findings,
        rules: Some(file),
        upstream,
    }
}

/// Checks unit tests: all that is wrong before they are run. The rule files that they name are
/// checked when they are named themselves, or when the tests are run.
fn unit_tests(input: Input) -> Outcome {
    let ReadFile { text, findings, .. } = UnitTestFile::read(&input.name, &input.text);
    let errors = findings.iter().filter_map(|finding| finding.upstream.clone()).collect();
    let mut findings = findings;
    findings.sort_by_key(|finding| finding.span.start);
    Outcome {
        name: input.name,
        kind: FileKind::UnitTests,
        text,
        findings,
        rules: None,
        upstream: Upstream { errors, ..Upstream::default() },
    }
}

/// Checks a configuration, and then the rule files that it names.
fn configuration(input: Input, check: &Check) -> Vec<Outcome> {
    let (config, mut findings) = ServerConfig::load(&String::from_utf8_lossy(&input.text));
    let errors = findings.iter().filter_map(|finding| finding.upstream.clone()).collect();
    let mut named = Vec::new();
    if !check.syntax_only {
        let folder = input.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        for pattern in &config.rule_files {
            match rule_files(folder, &pattern.value) {
                Ok(paths) => named.extend(paths),
                Err(message) => {
                    let finding = Finding::error(
                        "config::no-rule-file",
                        pattern.span.clone(),
                        message,
                        "named here",
                        "a pattern with `*` may match nothing, any other must name a file; paths are \
                         relative to the folder of the configuration",
                    );
                    findings.push(finding);
                }
            }
        }
    }
    findings.sort_by_key(|finding| finding.span.start);
    let mut outcomes = vec![Outcome {
        name: input.name,
        kind: FileKind::ServerConfig,
        text: config.text,
        findings,
        rules: None,
        upstream: Upstream { errors, duplicates: None, rule_files: named.len() },
    }];
    let read = |path: &PathBuf| match Input::read(path) {
        Ok(input) => rules(input, check),
        Err(error) => Outcome {
            name: path.display().to_string(),
            kind: FileKind::Rules,
            text: "".into(),
            findings: vec![Finding::error("config::unreadable", 0..0, error.to_string(), "", "")],
            rules: None,
            upstream: Upstream { errors: vec![error.to_string()], ..Upstream::default() },
        },
    };
    outcomes.par_extend(named.par_iter().map(read));
    outcomes
}

/// The files that a pattern of a configuration names.
fn rule_files(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let joined = folder.join(pattern);
    if joined.is_file() {
        return Ok(vec![joined]);
    }
    let text = joined.to_string_lossy().into_owned();
    if !pattern.contains(['*', '?', '[']) {
        return Err(format!("`{pattern}` is no file"));
    }
    let files = inputs::paths_like(&text);
    match files {
        Ok(files) => Ok(files),
        Err(_) if pattern.contains('*') && glob::Pattern::new(&text).is_ok() => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    }
}
