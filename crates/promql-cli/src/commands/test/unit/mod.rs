//! Unit-test files: their rule files are found and read, and their tests run.

mod alert_diff;
pub(super) mod debug;
mod explain;
mod explanation_json;
pub(super) mod json;
pub(super) mod promtool;
pub(super) mod report;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use promql_rules::evaluate::PreparedFile;
use promql_rules::rule_file::LoadOptions;
use promql_rules::unit_test::{
    self, AlertVerdict, Explanations, ExpressionVerdict, Outcome, RunOptions, TestGroup,
    UnitTestFile, Update, run,
};
use promql_rules::{Finding, Located};
use rayon::prelude::*;

use super::files::Input;
use super::run::Selection;
use crate::commands::rule_files::{self, Named};
use crate::paths;
use crate::watch::Pattern;

/// What came of a unit-test file.
pub(super) struct UnitRun {
    pub(super) file: UnitTestFile,
    /// What is odd in it as a whole.
    pub(super) warnings: Vec<Finding>,
    /// The patterns that match no file, joined to the folder of the file.
    pub(super) unmatched: Vec<String>,
    /// The patterns for rule files.
    pub(super) patterns: Vec<Pattern>,
    /// The rule files, in the order of their patterns.
    pub(super) rules: Vec<Arc<PreparedFile>>,
    /// The rule files that can't be used. No test is run then, and all fail.
    pub(super) faults: Vec<Arc<RuleFault>>,
    /// One outcome for each test; nothing for those that were not run.
    pub(super) outcomes: Vec<Option<Outcome>>,
    /// How long each took.
    pub(super) took: Vec<Duration>,
    /// Where failures come from, if that was asked for, for each test that has some.
    pub(super) explanations: Vec<Option<Explanations>>,
    /// Which tests were chosen.
    pub(super) chosen: Vec<bool>,
    /// The file as it was brought up to date, and what comes of it then; nothing if there is nothing
    /// to bring up to date, or if that wasn't asked for.
    pub(super) update: Option<Updated>,
}

/// A file that was brought up to date.
pub(super) struct Updated {
    pub(super) update: Update,
    /// Which tests pass with it.
    passes: Vec<bool>,
}

/// A rule file that can't be used.
#[derive(Debug)]
pub(super) struct RuleFault {
    pub(super) name: String,
    pub(super) text: Arc<str>,
    pub(super) findings: Vec<Finding>,
}

impl RuleFault {
    /// What is wrong, ready to be drawn.
    pub(super) fn located(&self) -> Vec<Located> {
        let errors = self.findings.iter().filter(|finding| finding.is_error());
        errors.map(|finding| finding.located(&self.name, &self.text)).collect()
    }
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TestState {
    Passed,
    Failed,
    NotRun,
}

impl UnitRun {
    /// How the test of a number ended.
    pub(super) fn state(&self, number: usize) -> TestState {
        if !self.chosen.get(number).copied().unwrap_or(false) {
            return TestState::NotRun;
        }
        match self.outcomes.get(number) {
            _ if !self.faults.is_empty() => TestState::Failed,
            Some(Some(outcome)) if outcome.is_passed() => TestState::Passed,
            Some(Some(_)) => TestState::Failed,
            _ => TestState::NotRun,
        }
    }

    /// Whether all tests that were chosen passed.
    pub(super) fn is_passed(&self) -> bool {
        self.faults.is_empty()
            && (0..self.file.tests.len())
                .all(|test| self.state(test) != TestState::Failed || self.is_updated(test))
    }

    /// Whether a test that failed passes now that it was brought up to date.
    pub(super) fn is_updated(&self, number: usize) -> bool {
        let passes = self.update.as_ref().map(|updated| &updated.passes);
        passes.is_some_and(|passes| passes.get(number) == Some(&true))
    }

    /// How many tests of alerts and expressions were brought up to date.
    pub(super) fn updated(&self) -> usize {
        let Some(updated) = &self.update else { return 0 };
        let tests = self.file.tests.iter().enumerate().filter(|(at, _)| self.is_updated(*at));
        let is_within = |test: &TestGroup, at: &usize| test.span.contains(at);
        let count = tests.map(|(_, test)| {
            updated.update.changed.iter().filter(|at| is_within(test, at)).count()
        });
        count.sum()
    }

    /// What passed, what failed and what was not run: tests of alerts and of expressions, and tests
    /// that failed as a whole.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let (mut passed, mut failed, mut not_run) = (0, 0, 0);
        for (number, test) in self.file.tests.iter().enumerate() {
            let items = test.alert_tests.len() + test.expression_tests.len();
            let Some(Some(outcome)) = self.outcomes.get(number) else {
                failed += usize::from(self.state(number) == TestState::Failed);
                not_run += items;
                continue;
            };
            failed += usize::from(!outcome.failures.is_empty());
            let alerts = outcome.alerts.iter().map(|verdict| {
                verdict.as_ref().map(|verdict| matches!(verdict, AlertVerdict::Passed))
            });
            let expressions = outcome.expressions.iter().map(|verdict| {
                verdict.as_ref().map(|verdict| matches!(verdict, ExpressionVerdict::Passed))
            });
            for verdict in alerts.chain(expressions) {
                *match verdict {
                    Some(true) => &mut passed,
                    Some(false) => &mut failed,
                    None => &mut not_run,
                } += 1;
            }
        }
        (passed, failed, not_run)
    }

    /// What is odd in the file and its tests, ready to be drawn.
    pub(super) fn located_warnings(&self) -> Vec<Located> {
        let of_tests = self.outcomes.iter().flatten().flat_map(|outcome| &outcome.warnings);
        let mut warnings: Vec<&Finding> = self.warnings.iter().chain(of_tests).collect();
        // What is odd about the file is found by each of its tests.
        warnings.sort_by_key(|finding| finding.span.start);
        warnings.dedup();
        let located = warnings.iter().map(|f| f.located(&self.file.name, &self.file.text));
        let mut located: Vec<Located> = located.collect();
        let mut of_rules: Vec<&(usize, Finding)> =
            self.outcomes.iter().flatten().flat_map(|outcome| &outcome.rule_warnings).collect();
        of_rules.sort_by_key(|(file, finding)| (*file, finding.span.start));
        of_rules.dedup();
        for (file, finding) in of_rules {
            let Some(file) = self.rules.get(*file).map(|file| &file.file) else { continue };
            located.push(finding.located(&file.name, &file.text));
        }
        located
    }
}

/// What reading a rule file came to.
pub(super) type Prepared = Result<Arc<PreparedFile>, Arc<RuleFault>>;

/// Rule files that were read, each once for all tests.
#[derive(Default)]
pub(super) struct RuleCache {
    files: Mutex<HashMap<PathBuf, Arc<OnceLock<Prepared>>>>,
    options: LoadOptions,
}

impl RuleCache {
    pub(super) fn new(options: LoadOptions) -> RuleCache {
        RuleCache { files: Mutex::default(), options }
    }

    /// A rule file, however often it is asked for.
    pub(super) fn load(&self, path: &Path) -> Prepared {
        let path = &*paths::cleaned(path);
        let cell = match self.files.lock() {
            Ok(mut files) => Arc::clone(files.entry(path.to_path_buf()).or_default()),
            Err(_) => Arc::default(),
        };
        cell.get_or_init(|| self.read(path)).clone()
    }

    fn read(&self, path: &Path) -> Prepared {
        let name = path.display().to_string();
        let fault = |text: Arc<str>, findings: Vec<Finding>| {
            Arc::new(RuleFault { name: name.clone(), text, findings })
        };
        let text = std::fs::read(path).map_err(|error| {
            let message = format!("the rule file {name} can't be read: {error}");
            fault("".into(), vec![Finding::error("rules::unreadable", 0..0, message, "", "")])
        })?;
        PreparedFile::load(&name, &text, &self.options)
            .map(Arc::new)
            .map_err(|(file, findings)| fault(file.text, findings))
    }
}

/// How unit-test files are run.
pub(super) struct UnitSettings {
    pub(super) options: RunOptions,
    pub(super) rules: RuleCache,
    /// Whether it is found out where failures come from.
    pub(super) explain: bool,
    /// Whether files may say what promtool doesn't know.
    pub(super) extensions: bool,
}

/// Runs the tests of a file.
///
/// # Errors
/// What is wrong with it.
pub(super) fn run_file(
    input: &Input,
    settings: &UnitSettings,
    selection: &Selection,
    update: bool,
) -> Result<UnitRun, Vec<Located>> {
    let read = UnitTestFile::read_with(&input.name, &input.text, settings.extensions);
    let located = |findings: &[Finding]| {
        findings.iter().map(|finding| finding.located(&input.name, &read.text)).collect()
    };
    let Some(file) = read.file else { return Err(located(&read.findings)) };
    let Named { paths, unmatched, patterns, findings } =
        rule_files::of_unit_tests(&file.rule_files, input.path.as_deref(), settings.extensions);
    if let Some(error) = findings.iter().find(|finding| finding.is_error()) {
        return Err(located(std::slice::from_ref(error)));
    }
    let mut warnings = read.findings;
    warnings.extend(findings);
    let (mut rules, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        match settings.rules.load(&path) {
            Ok(file) => rules.push(file),
            Err(fault) => faults.push(fault),
        }
    }
    let chosen: Vec<bool> =
        file.tests.iter().map(|test| selection.takes_test(&file, test)).collect();
    let is_usable = faults.is_empty();
    let run_one = |number: usize| {
        let is_run = is_usable && chosen[number] && !settings.options.cancellation.is_cancelled();
        is_run.then(|| {
            let start = Instant::now();
            (run(&file, number, &rules, &settings.options), start.elapsed())
        })
    };
    let outcomes: Vec<Option<(Outcome, Duration)>> = match selection.fail_fast {
        false => (0..file.tests.len()).into_par_iter().map(run_one).collect(),
        true => {
            let mut failed = false;
            let run_next = |number: usize| {
                let outcome = if failed { None } else { run_one(number) };
                failed |= outcome.as_ref().is_some_and(|(outcome, _)| !outcome.is_passed());
                outcome
            };
            (0..file.tests.len()).map(run_next).collect()
        }
    };
    let took = outcomes.iter().map(|o| o.as_ref().map_or(Duration::ZERO, |o| o.1)).collect();
    let mut outcomes: Vec<Option<Outcome>> =
        outcomes.into_iter().map(|outcome| outcome.map(|(outcome, _)| outcome)).collect();
    if !settings.options.traps {
        warnings.clear();
        outcomes.iter_mut().flatten().for_each(|outcome| outcome.warnings.clear());
    }
    let update = update.then(|| bring_up_to_date(&file, &outcomes, &rules, settings)).flatten();
    let explain = |(number, outcome): (usize, &Option<Outcome>)| {
        let outcome =
            outcome.as_ref().filter(|outcome| settings.explain && !outcome.is_passed())?;
        Some(unit_test::explain(&file, number, &rules, &settings.options, outcome))
    };
    let explanations = outcomes.par_iter().enumerate().map(explain).collect();
    Ok(UnitRun {
        file,
        warnings,
        unmatched,
        patterns,
        rules,
        faults,
        outcomes,
        took,
        explanations,
        chosen,
        update,
    })
}

/// Writes what failing tests give into the text of their file, and runs them again.
fn bring_up_to_date(
    file: &UnitTestFile,
    outcomes: &[Option<Outcome>],
    rules: &[Arc<PreparedFile>],
    settings: &UnitSettings,
) -> Option<Updated> {
    let update = unit_test::update(file, outcomes);
    if update.changed.is_empty() {
        return None;
    }
    let read = UnitTestFile::read(&file.name, update.text.as_bytes()).file?;
    let options = RunOptions {
        traps: false,
        keep_series: false,
        coverage: false,
        ..settings.options.clone()
    };
    let passes = outcomes.iter().enumerate().map(|(number, outcome)| {
        let has_failed = outcome.as_ref().is_some_and(|outcome| !outcome.is_passed());
        has_failed && run(&read, number, rules, &options).is_passed()
    });
    Some(Updated { passes: passes.collect(), update })
}

/// The line of a byte of a text, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}

/// Where a test begins.
pub(super) fn test_line(file: &UnitTestFile, test: &TestGroup) -> usize {
    line_of(&file.text, test.span.start)
}
