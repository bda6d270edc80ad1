//! Runs scripts on all threads, with an outcome that doesn't depend on their number.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use miette::Diagnostic;
use promql_model::Regex;
use promql_rules::script::{Eval, RunOptions, Script, Update, Verdict};
use promql_storage::Problems;
use promql_syntax::Features;
use rayon::prelude::*;

use super::files::Input;
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
    /// Another script failed first.
    NotRun,
}

/// Why a script can't be run.
pub(super) enum Unreadable {
    /// It is none.
    Script(Box<Problems>),
    /// It is another kind of file.
    Kind(Box<UnitTest>),
}

impl Unreadable {
    /// All that is wrong.
    pub(super) fn diagnostics(&self) -> Vec<&dyn Diagnostic> {
        match self {
            Unreadable::Script(problems) => {
                problems.problems().iter().map(|problem| problem as &dyn Diagnostic).collect()
            }
            Unreadable::Kind(kind) => vec![&**kind],
        }
    }

    /// How many there are beyond those.
    pub(super) fn omitted(&self) -> usize {
        match self {
            Unreadable::Script(problems) => problems.omitted(),
            Unreadable::Kind(_) => 0,
        }
    }
}

/// A kind of file that is not run yet.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{name}: unit-test files are not supported yet")]
#[diagnostic(
    code(test::kind),
    help(
        "`promql test` runs scripts in the .test format; `promql query -s {name}` evaluates over the input series of a unit test"
    )
)]
pub(super) struct UnitTest {
    name: String,
}

impl Outcome {
    /// How the script counts for the end of the run. What was brought up to date is no failure.
    pub(super) fn exit(&self) -> Exit {
        match &self.state {
            State::Unreadable(..) => Exit::Usage,
            State::NotRun => Exit::Failed,
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
        if let State::Ran { update, .. } = &mut self.state {
            *update = None;
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
    patterns: Vec<(String, Option<Regex>)>,
    fail_fast: bool,
}

impl Selection {
    /// Evals like one of the patterns, or all if there are none.
    pub(super) fn new(patterns: &[String], fail_fast: bool) -> Selection {
        // What is no regular expression, as `rate(x[5m]`, can still be a part of a line.
        let regex = |text: &String| Regex::new(format!(".*(?:{text}).*").as_bytes()).ok();
        let patterns = patterns.iter().map(|text| (text.clone(), regex(text))).collect();
        Selection { patterns, fail_fast }
    }

    fn takes(&self, script: &Script, eval: &Eval) -> bool {
        let command = &script.text()[eval.place.clone()];
        let line = format!("{}:{}: {command}", script.name(), eval.line);
        let like = |(text, regex): &(String, Option<Regex>)| {
            line.contains(text) || regex.as_ref().is_some_and(|regex| regex.is_match(&line))
        };
        self.patterns.is_empty() || self.patterns.iter().any(like)
    }

    /// Whether nothing was run because nothing was chosen.
    pub(super) fn leaves_nothing(&self, outcomes: &[Outcome]) -> bool {
        let is_left = |outcome: &Outcome| match &outcome.state {
            State::Ran { verdicts, .. } => verdicts.iter().all(Option::is_none),
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
    selection: &Selection,
    update: bool,
    progress: &Progress,
) -> Vec<Outcome> {
    let first_failed = AtomicUsize::new(usize::MAX);
    let run = |(at, input): (usize, Input)| {
        let (name, path) = (input.name.clone(), input.path.clone());
        let state = match at > first_failed.load(Ordering::Relaxed) {
            true => State::NotRun,
            false => run_one(&input, features, options, selection, update),
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
    selection: &Selection,
    update: bool,
) -> State {
    let is_yaml = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
    };
    if input.path.as_ref().is_some_and(is_yaml) {
        let name = input.name.clone();
        return State::Unreadable(Unreadable::Kind(Box::new(UnitTest { name })));
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
