//! Checks files on all threads, with an outcome that doesn't depend on their number.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use promql_engine::Cancellation;
use promql_rules::rule_file::{Dialect, Loaded, RuleFile, duplicates};
use promql_rules::unit_test::{ReadFile, UnitTestFile};
use promql_rules::{FileKind, Finding, ServerConfig};
use rayon::prelude::*;

use super::files::Input;
use super::{Check, Format};
use crate::commands::rule_files::{self, Named};
use crate::exit::Exit;
use crate::paths;
use crate::progress::Progress;
use crate::watch::Pattern;

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
    /// The patterns for rule files that are in it.
    pub(super) patterns: Vec<Pattern>,
}

/// What upstream's tool would say.
#[derive(Default)]
pub(super) struct Upstream {
    pub(super) errors: Vec<String>,
    pub(super) duplicates: Option<String>,
    /// How many rule files a configuration names.
    pub(super) rule_files: usize,
    /// That a job of a configuration scrapes rarely.
    pub(super) scrapes: Option<String>,
}

impl Outcome {
    /// What came of a file that isn't known to be a rule file.
    fn new(name: String, kind: FileKind, text: Arc<str>, mut findings: Vec<Finding>) -> Outcome {
        let is_error = |finding: &&Finding| finding.is_error();
        let errors = findings.iter().filter(is_error);
        let errors = errors.filter_map(|finding| finding.upstream.clone()).collect();
        findings.sort_by_key(|finding| finding.span.start);
        let upstream = Upstream { errors, ..Upstream::default() };
        Outcome { name, kind, text, findings, rules: None, upstream, patterns: Vec::new() }
    }

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

/// Checks files, and the rule files that unit tests and configurations among them name.
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
            FileKind::UnitTests => unit_tests(input, check),
            FileKind::Rules | FileKind::Unknown => vec![rules(input, check)],
        };
        progress.advance();
        outcomes
    };
    let outcomes: Vec<Vec<Outcome>> = files.into_par_iter().map(examine).collect();
    let mut outcomes: Vec<Outcome> = outcomes.into_iter().flatten().collect();
    // A file that was named, and that another file names too, is told about once; upstream's tool tells
    // about it each time.
    if check.format != Format::Promtool {
        let mut seen = HashSet::new();
        outcomes.retain(|outcome| seen.insert(paths::cleaned(Path::new(&outcome.name))));
    }
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
        patterns: Vec::new(),
    }
}

/// Checks unit tests: all that is wrong before they are run, and then the rule files that they name.
fn unit_tests(input: Input, check: &Check) -> Vec<Outcome> {
    let extensions = check.load_options().dialect != Some(Dialect::Prometheus);
    let ReadFile { file, text, mut findings } =
        UnitTestFile::read_with(&input.name, &input.text, extensions);
    let named = match &file {
        Some(file) if !check.syntax_only => {
            rule_files::of_unit_tests(&file.rule_files, input.path.as_deref(), extensions)
        }
        _ => Named::default(),
    };
    findings.extend(named.findings);
    let mut outcome = Outcome::new(input.name, FileKind::UnitTests, text, findings);
    outcome.patterns = named.patterns;
    with_rule_files(outcome, named.paths, check)
}

/// Checks a configuration, and then the rule files that it names.
fn configuration(input: Input, check: &Check) -> Vec<Outcome> {
    let (config, mut findings) = ServerConfig::load(&String::from_utf8_lossy(&input.text));
    let mut named = Named::default();
    if !check.syntax_only {
        named = rule_files::of_configuration(&config.rule_files, input.path.as_deref());
        findings.append(&mut named.findings);
    }
    let is_valid = !findings.iter().any(Finding::is_error);
    let mut rare = Vec::new();
    if is_valid && check.finds_rare_scrapes() {
        rare = config.rarely_scraped(check.lookback.0);
    }
    let scrapes = rare.first().and_then(|finding| finding.upstream.clone());
    findings.extend(rare);
    let mut outcome = Outcome::new(input.name, FileKind::ServerConfig, config.text, findings);
    outcome.upstream.rule_files = named.paths.len();
    outcome.upstream.scrapes = scrapes;
    outcome.patterns = named.patterns;
    // Upstream's tool opens no other file then.
    if check.format == Format::Promtool && !outcome.is_valid() {
        named.paths.clear();
    }
    with_rule_files(outcome, named.paths, check)
}

/// A file with the outcomes of the rule files that it names.
fn with_rule_files(outcome: Outcome, paths: Vec<PathBuf>, check: &Check) -> Vec<Outcome> {
    let read = |path: PathBuf| match Input::read(&path) {
        Ok(input) => rules(input, check),
        Err(error) => {
            let name = path.display().to_string();
            let finding =
                Finding::error("rules::unreadable", 0..0, error.to_string(), "", "check the path");
            let finding = finding.with_upstream(error.to_string());
            Outcome::new(name, FileKind::Rules, "".into(), vec![finding])
        }
    };
    let mut outcomes = vec![outcome];
    outcomes.par_extend(paths.into_par_iter().map(read));
    outcomes
}
