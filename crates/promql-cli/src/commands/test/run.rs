//! Runs scripts on all threads, with an outcome that doesn't depend on their number.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use miette::Diagnostic;
use promql_model::Search;
use promql_rules::Located;
use promql_rules::script::{Eval, RunOptions, Script, Update, Verdict};
use promql_rules::unit_test::{TestGroup, UnitTestFile};
use promql_storage::Problems;
use promql_syntax::Features;
use rayon::prelude::*;

use super::files::Input;
use super::unit::{self, UnitRun, UnitSettings, test_line};
use crate::exit::Exit;
use crate::progress::Progress;

/// What came of a script.
pub(super) struct Outcome {
    pub(super) name: String,
    /// Nothing for standard input.
    pub(super) path: Option<PathBuf>,
    pub(super) state: State,
}

/// What came of a script.
pub(super) enum State {
    /// It can't be run.
    Unreadable(Unreadable),
    /// It was run. One verdict for each eval; nothing for those that were not chosen.
    Ran {
        script: Box<Script>,
        verdicts: Vec<Option<Verdict>>,
        /// What was brought up to date, if that was asked for.
        update: Option<Box<Update>>,
    },
    /// It is a unit-test file, and was run.
    UnitTests(Box<UnitRun>),
    /// Another script failed first.
    NotRun,
}

/// Why a script can't be run.
pub(super) enum Unreadable {
    /// It is none.
    Script(Box<Problems>),
    /// It is no unit-test file.
    UnitTests(Vec<Located>),
}

impl Unreadable {
    /// All that is wrong.
    pub(super) fn diagnostics(&self) -> Vec<&dyn Diagnostic> {
        match self {
            Unreadable::Script(problems) => {
                problems.problems().iter().map(|problem| problem as &dyn Diagnostic).collect()
            }
            Unreadable::UnitTests(located) => {
                located.iter().map(|located| located as &dyn Diagnostic).collect()
            }
        }
    }

    /// How many there are beyond those.
    pub(super) fn omitted(&self) -> usize {
        match self {
            Unreadable::Script(problems) => problems.omitted(),
            Unreadable::UnitTests(_) => 0,
        }
    }
}

impl Outcome {
    /// How the script counts for the end of the run. What was brought up to date is no failure.
    pub(super) fn exit(&self) -> Exit {
        match &self.state {
            State::Unreadable(..) => Exit::Usage,
            State::NotRun => Exit::Failed,
            State::UnitTests(run) if run.is_passed() => Exit::Ok,
            State::UnitTests(_) => Exit::Failed,
            State::Ran { script, verdicts, update } => {
                let mut evals = script.evals().iter().zip(verdicts);
                let is_fine = |(eval, verdict): (&Eval, &Option<Verdict>)| match verdict {
                    None | Some(Verdict::Passed) => true,
                    _ => update.as_ref().is_some_and(|u| u.change_of(eval.line).is_some()),
                };
                if evals.all(is_fine) { Exit::Ok } else { Exit::Failed }
            }
        }
    }

    /// What was brought up to date.
    pub(super) fn update(&self) -> Option<&Update> {
        match &self.state {
            State::Ran { update, .. } => update.as_deref(),
            _ => None,
        }
    }

    /// Says that nothing was brought up to date after all.
    pub(super) fn forget_update(&mut self) {
        match &mut self.state {
            State::Ran { update, .. } => *update = None,
            State::UnitTests(run) => run.update = None,
            _ => {}
        }
    }

    /// The evals that were run, with their verdicts.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = (&Eval, &Verdict)> {
        let (evals, verdicts): (&[Eval], &[Option<Verdict>]) = match &self.state {
            State::Ran { script, verdicts, .. } => (script.evals(), verdicts),
            _ => (&[], &[]),
        };
        evals.iter().zip(verdicts).filter_map(|(eval, verdict)| Some((eval, verdict.as_ref()?)))
    }
}

/// Which evals are run.
pub(super) struct Selection {
    patterns: Vec<Pattern>,
    pub(super) fail_fast: bool,
}

/// A pattern of `--run`.
struct Pattern {
    text: String,
    /// Nothing for what is no regular expression, as `rate(x[5m`: it can still be a part of a line.
    regex: Option<Search>,
}

impl Pattern {
    fn is_like(&self, text: &str) -> bool {
        text.contains(&self.text) || self.regex.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

impl Selection {
    /// Evals like one of the patterns, or all if there are none.
    pub(super) fn new(patterns: &[String], fail_fast: bool) -> Selection {
        let pattern = |text: &String| Pattern {
            text: text.clone(),
            regex: Search::new(text.as_bytes()).ok(),
        };
        Selection { patterns: patterns.iter().map(pattern).collect(), fail_fast }
    }

    fn takes(&self, script: &Script, eval: &Eval) -> bool {
        let command = &script.text()[eval.place.clone()];
        let line = format!("{}:{}: {command}", script.name(), eval.line);
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.is_like(&line))
    }

    /// Whether a test of a unit-test file is run. Its name counts, as with promtool, and also its
    /// place, `tests.yml:12:`.
    pub(super) fn takes_test(&self, file: &UnitTestFile, test: &TestGroup) -> bool {
        // To find out the line of each test takes its time.
        if self.patterns.is_empty() {
            return true;
        }
        let place = format!("{}:{}:", file.name, test_line(file, test));
        let is_placed = |text: &str| {
            text.contains(':') && place.ends_with(&format!("{}:", text.trim_end_matches(':')))
        };
        let takes =
            |pattern: &Pattern| pattern.is_like(test.plain_name()) || is_placed(&pattern.text);
        self.patterns.iter().any(takes)
    }

    /// Whether nothing was run because nothing was chosen.
    pub(super) fn leaves_nothing(&self, outcomes: &[Outcome]) -> bool {
        let is_left = |outcome: &Outcome| match &outcome.state {
            State::Ran { verdicts, .. } => verdicts.iter().all(Option::is_none),
            State::UnitTests(run) => !run.chosen.iter().any(|chosen| *chosen),
            State::Unreadable(..) | State::NotRun => false,
        };
        !self.patterns.is_empty() && outcomes.iter().all(is_left)
    }
}

/// Runs scripts. With `fail_fast` all up to the first one that fails, and that up to its first
/// failing eval.
pub(super) fn run_all(
    inputs: Vec<Input>,
    features: &Features,
    options: &RunOptions,
    unit: &UnitSettings,
    selection: &Selection,
    update: bool,
    progress: &Progress,
) -> Vec<Outcome> {
    let first_failed = AtomicUsize::new(usize::MAX);
    let run = |(at, input): (usize, Input)| {
        let (name, path) = (input.name.clone(), input.path.clone());
        let state = match at > first_failed.load(Ordering::Relaxed) {
            true => State::NotRun,
            false => run_one(&input, features, options, unit, selection, update),
        };
        let outcome = Outcome { name, path, state };
        if selection.fail_fast && outcome.exit() != Exit::Ok {
            first_failed.fetch_min(at, Ordering::Relaxed);
        }
        progress.advance();
        outcome
    };
    let mut outcomes: Vec<Outcome> = inputs.into_par_iter().enumerate().map(run).collect();
    // A script behind the first failure may have been run before that was known.
    let first = first_failed.into_inner();
    outcomes.iter_mut().skip(first.saturating_add(1)).for_each(|o| o.state = State::NotRun);
    outcomes
}

fn run_one(
    input: &Input,
    features: &Features,
    options: &RunOptions,
    unit: &UnitSettings,
    selection: &Selection,
    update: bool,
) -> State {
    if input.is_unit_test() {
        return match unit::run_file(input, unit, selection, update) {
            Ok(run) => State::UnitTests(Box::new(run)),
            Err(located) => State::Unreadable(Unreadable::UnitTests(located)),
        };
    }
    let script = match Script::parse_with(&input.name, &input.text, features) {
        Ok(script) => script,
        Err(problems) => return State::Unreadable(Unreadable::Script(Box::new(problems))),
    };
    let mut verdicts = Vec::with_capacity(script.evals().len());
    let mut ended = false;
    for eval in script.evals() {
        let is_run = !ended && selection.takes(&script, eval);
        let verdict = is_run.then(|| script.run(eval, options));
        let failed = !matches!(verdict, None | Some(Verdict::Passed));
        ended |= failed && selection.fail_fast || options.cancellation.is_cancelled();
        verdicts.push(verdict);
    }
    let update = update.then(|| {
        let failed =
            |(_, verdict): &(&Eval, &Option<Verdict>)| matches!(verdict, Some(Verdict::Failed(_)));
        let failing: Vec<&Eval> =
            script.evals().iter().zip(&verdicts).filter(failed).map(|(eval, _)| eval).collect();
        Box::new(script.update(&failing, options))
    });
    State::Ran { script: Box::new(script), verdicts, update }
}
