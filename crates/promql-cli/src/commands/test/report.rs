//! The report for people.

use anstyle::{AnsiColor, Style};
use promql_model::{Labels, Severity};
use promql_rules::coverage::Coverage;
use promql_rules::script::{
    Eval, EvalTime, Failure, LineKind, Mismatch, Origin, Pattern, RowVerdict, Script, Verdict,
};
use serde::Serialize;

use super::files::is_script;
use super::run::{Outcome, State, Unreadable};
use super::table::{INDENT, Look, pair, rows};
use super::unit::report::More;
use super::{Test, shown_name, unit};
use crate::console::Console;
use crate::console::OutputError;
use crate::exit::Exit;
use crate::render::grid::{self, push_styled};
use crate::render::number;
use crate::time::range;
use crate::{report as diagnostics, visible};

pub(super) const FAILED: Style = AnsiColor::Red.on_default().bold();
pub(super) const PASSED: Style = AnsiColor::Green.on_default();
pub(super) const UPDATED: Style = AnsiColor::Yellow.on_default().bold();

/// So many samples of a failure are shown.
const MOST_ROWS: usize = 40;

/// So many lines that series were loaded by are shown.
const MOST_ORIGINS: usize = 4;

/// How many evals ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) files: usize,
    pub(super) unreadable: usize,
    pub(super) evals: usize,
    pub(super) tests: usize,
    pub(super) passed: usize,
    pub(super) failed: usize,
    #[serde(rename = "notRun")]
    pub(super) not_run: usize,
    pub(super) updated: usize,
}

impl Counts {
    pub(super) fn of(outcomes: &[Outcome]) -> Counts {
        let mut counts = Counts { files: outcomes.len(), ..Counts::default() };
        for outcome in outcomes {
            match &outcome.state {
                State::Unreadable(_) => counts.unreadable += 1,
                State::NotRun => {}
                State::UnitTests(run) => {
                    let (passed, failed, not_run) = run.counts();
                    counts.tests += run.file.tests.len();
                    counts.passed += passed;
                    counts.failed += failed;
                    counts.not_run += not_run;
                    counts.updated += run.updated();
                }
                State::Ran { verdicts, .. } => {
                    counts.evals += verdicts.len();
                    for verdict in verdicts {
                        *match verdict {
                            Some(Verdict::Passed) => &mut counts.passed,
                            Some(Verdict::Failed(_)) => &mut counts.failed,
                            None | Some(Verdict::Cancelled) => &mut counts.not_run,
                        } += 1;
                    }
                }
            }
            counts.updated += outcome.update().map_or(0, |update| update.changes.len());
        }
        counts
    }
}

/// The lines that the series of a failure were loaded by.
pub(super) fn origins(script: &Script, eval: &Eval, failure: &Failure) -> Vec<Origin> {
    let rows = failure.mismatches.iter().filter_map(|mismatch| match mismatch {
        Mismatch::Series(rows) => Some(rows),
        _ => None,
    });
    let differing = rows.flatten().filter(|row| row.verdict != RowVerdict::Same);
    let labels: Vec<&Labels> = differing.map(|row| &row.labels).collect();
    match labels.is_empty() {
        true => Vec::new(),
        false => script.origins(eval, &labels),
    }
}

/// Tells what came of the scripts: failures to standard output, diagnostics to standard error.
///
/// # Errors
/// When standard output can't be written.
pub(super) fn tell(
    outcomes: &[Outcome],
    coverage: Option<&Coverage>,
    test: &Test,
    console: &Console,
) -> Result<(), OutputError> {
    let screen = console.screen();
    let look = Look {
        width: test.width.or(screen.width),
        max_rows: Some(test.max_rows.unwrap_or(MOST_ROWS)).filter(|rows| *rows > 0),
        color: console.color,
        unicode: console.unicode && !test.ascii,
    };
    for outcome in outcomes {
        match &outcome.state {
            State::NotRun => {}
            State::Unreadable(unreadable) => {
                for diagnostic in unreadable.diagnostics() {
                    console.remark(&diagnostics::draw(diagnostic, console));
                }
                if unreadable.omitted() > 0 {
                    let name = shown_name(&outcome.name);
                    console.remark(&format!("{name}: {} more errors\n", unreadable.omitted()));
                }
            }
            State::UnitTests(run) => {
                let more = More { verbose: test.verbose, diff: test.diff };
                let told = unit::report::tell(run, &look, more, console);
                console.remark(&told.remarks);
                console.print(&told.text)?;
            }
            State::Ran { script, .. } => {
                // What is odd about a script matters when something is wrong with it.
                if test.verbose || outcome.exit() != Exit::Ok || outcome.update().is_some() {
                    for warning in script.warnings() {
                        console.remark(&diagnostics::draw(warning, console));
                    }
                }
                let told = Teller { outcome, script, look: &look, verbose: test.verbose };
                console.print(&told.evals())?;
            }
        }
    }
    console.print(&summary(outcomes, &look))?;
    match coverage {
        Some(coverage) => test.coverage.tell(coverage, &look, console),
        None => Ok(()),
    }
}

/// Tells about the evals of a script.
struct Teller<'a> {
    outcome: &'a Outcome,
    script: &'a Script,
    look: &'a Look,
    verbose: bool,
}

impl Teller<'_> {
    fn evals(&self) -> String {
        let mut out = String::new();
        for (eval, verdict) in self.outcome.verdicts() {
            match verdict {
                Verdict::Passed if self.verbose => self.line(&mut out, "ok", PASSED, eval),
                Verdict::Passed | Verdict::Cancelled => {}
                Verdict::Failed(failure) => self.failure(&mut out, eval, failure),
            }
        }
        out
    }

    /// `FAIL up.test:12: eval instant at 5m up`
    fn line(&self, out: &mut String, word: &str, style: Style, eval: &Eval) {
        push_styled(out, word, style, self.look.color);
        let place = format!("{}:{}:", shown_name(&self.outcome.name), eval.line);
        let command = visible::escape(&self.script.text()[eval.place.clone()]).into_owned();
        out.push(' ');
        push_styled(out, &place, grid::BOLD, self.look.color);
        out.push_str(&format!(" {command}\n"));
    }

    fn failure(&self, out: &mut String, eval: &Eval, failure: &Failure) {
        let update = self.outcome.update();
        if let Some(change) = update.and_then(|update| update.change_of(eval.line)) {
            self.line(out, "UPDATED", UPDATED, eval);
            let changes = [("-", &change.removed, FAILED), ("+", &change.added, PASSED)];
            for (sign, lines, style) in changes {
                for line in lines {
                    out.push_str(INDENT);
                    let text = format!("{sign} {}", visible::escape(line));
                    push_styled(out, &text, style, self.look.color);
                    out.push('\n');
                }
            }
            out.push('\n');
            return;
        }
        self.line(out, "FAIL", FAILED, eval);
        self.attempt(out, failure);
        for mismatch in &failure.mismatches {
            if !is_told(mismatch, &failure.mismatches) {
                self.mismatch(out, eval, failure, mismatch);
            }
        }
        self.origins(out, eval, failure);
        if update.is_some() {
            let text = "not updated: no expectations hold for this query in all its forms";
            self.note(out, text);
        }
        out.push('\n');
    }

    fn note(&self, out: &mut String, text: &str) {
        out.push_str(INDENT);
        push_styled(out, text, grid::DIM, self.look.color);
        out.push('\n');
    }

    /// In which form the query failed, unless it is as it was written.
    fn attempt(&self, out: &mut String, failure: &Failure) {
        let attempt = &failure.attempt;
        if attempt.is_original && !attempt.in_range_mode {
            return;
        }
        let at = match attempt.time {
            EvalTime::Instant(at) => range::moment(at),
            EvalTime::Range { start, .. } => range::moment(start),
        };
        let is_range = if attempt.in_range_mode {
            format!(" as the middle step of a range query, at {at}")
        } else {
            format!(" at {at}")
        };
        out.push_str(INDENT);
        out.push_str("as it is written it gives what is expected; it fails");
        if attempt.is_original {
            out.push_str(&format!("{is_range}\n"));
        } else {
            out.push_str(&format!("{is_range}, with its own time on all selectors:\n"));
            let expression = visible::escape(&attempt.expression);
            out.push_str(&format!("{INDENT}{INDENT}{expression}\n"));
        }
    }

    fn mismatch(&self, out: &mut String, eval: &Eval, failure: &Failure, mismatch: &Mismatch) {
        let expectation = |at: usize| {
            let line = eval.expectations.lines.get(at)?;
            let text = match &line.kind {
                LineKind::Fail(pattern)
                | LineKind::OldFail(pattern)
                | LineKind::Warn(pattern)
                | LineKind::Info(pattern) => shown_pattern(pattern),
                _ => String::new(),
            };
            Some((line.line, text))
        };
        let look = self.look;
        match mismatch {
            Mismatch::Failed { error } => {
                out.push_str(&format!(
                    "{INDENT}the query failed: {}\n",
                    visible::escape_lines(error)
                ));
            }
            Mismatch::DidNotFail => {
                out.push_str(&format!("{INDENT}expected an error, and there was none\n"));
            }
            Mismatch::WrongError { expectation: at, got } => {
                let (_, expected) = expectation(*at).unwrap_or_default();
                let names = ("expected error", "got");
                out.push_str(&pair((names.0, &expected), (names.1, got), INDENT, look));
            }
            Mismatch::MissingAnnotation { severity, expectation: at, found } => {
                let word = severity_word(*severity);
                let (line, expected) =
                    at.and_then(expectation).unwrap_or((eval.line, String::new()));
                let expected = if expected.is_empty() { "any".to_string() } else { expected };
                let name = format!("expected {word} (line {line})");
                match &found[..] {
                    [one] => out.push_str(&pair((&name, &expected), ("got", one), INDENT, look)),
                    [] => out.push_str(&pair((&name, &expected), ("got", "none"), INDENT, look)),
                    _ => {
                        out.push_str(&format!("{INDENT}{name}  {}\n", visible::escape(&expected)));
                        for text in found {
                            out.push_str(&format!("{INDENT}got  {}\n", visible::escape(text)));
                        }
                    }
                }
            }
            Mismatch::UnexpectedAnnotations { severity, texts } => {
                let word = severity_word(*severity);
                for text in texts {
                    out.push_str(&format!(
                        "{INDENT}unexpected {word}  {}\n",
                        visible::escape(text)
                    ));
                }
            }
            Mismatch::Kind { expected, got } => {
                out.push_str(&format!("{INDENT}expected {expected}, and got {got}"));
                // What came stands at the end of upstream's message.
                let shown = failure.message.split_once("result, but got ");
                let shown = shown.and_then(|(_, came)| came.split_once(' '));
                if let Some((_, shown)) = shown.filter(|(_, shown)| !shown.is_empty()) {
                    out.push_str(&format!(": {}", visible::value(shown)));
                }
                out.push('\n');
            }
            Mismatch::Scalar { expected, got } => {
                let (expected, got) = (number::sample(*expected), number::sample(*got));
                out.push_str(&pair(("expected", &expected), ("got", &got), INDENT, look));
            }
            Mismatch::String { expected, got } => {
                let quoted = |text: &str| promql_model::quote(text.as_bytes());
                let (expected, got) = (quoted(expected), quoted(got));
                out.push_str(&pair(("expected", &expected), ("got", &got), INDENT, look));
            }
            Mismatch::OrderedMatrix => out.push_str(&format!(
                "{INDENT}expected an ordered result, but a range vector has no order\n"
            )),
            Mismatch::Series(all) => {
                out.push_str(&rows(all, look));
                if all.iter().all(|row| row.verdict == RowVerdict::Same) {
                    let text = "more values are expected than there are times in the range";
                    out.push_str(&format!("{INDENT}{text}\n"));
                }
            }
        }
    }

    /// The lines that load what differs.
    fn origins(&self, out: &mut String, eval: &Eval, failure: &Failure) {
        let origins = origins(self.script, eval, failure);
        let has_series =
            failure.mismatches.iter().any(|mismatch| matches!(mismatch, Mismatch::Series(_)));
        if origins.is_empty() {
            if has_series && self.script.selects(eval) {
                self.note(out, "the query selects none of the series that are loaded here");
            }
            return;
        }
        for (at, origin) in origins.iter().take(MOST_ORIGINS).enumerate() {
            let word = if at == 0 { "loaded by" } else { "         " };
            let place = format!("{}:{}", shown_name(&self.outcome.name), origin.line);
            let text = format!("{word} {place}  {}", visible::escape(&origin.text));
            let width = self.look.width.map_or(visible::LONGEST_VALUE, |width| width.max(20) - 2);
            self.note(out, &visible::clip(&text, width));
        }
        let more = origins.len().saturating_sub(MOST_ORIGINS);
        if more > 0 {
            let plural = if more == 1 { "" } else { "s" };
            self.note(out, &format!("          and {more} more line{plural}"));
        }
    }
}

/// Whether annotations that came are told beside one that did not.
fn is_told(mismatch: &Mismatch, all: &[Mismatch]) -> bool {
    let Mismatch::UnexpectedAnnotations { severity, texts } = mismatch else { return false };
    all.iter().any(|other| match other {
        Mismatch::MissingAnnotation { severity: of, found, .. } => {
            of == severity && texts.iter().all(|text| found.contains(text))
        }
        _ => false,
    })
}

fn shown_pattern(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Any => String::new(),
        Pattern::Text(text) => text.clone(),
        Pattern::Regex { pattern, .. } => format!("/{pattern}/"),
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// The last line.
fn summary(outcomes: &[Outcome], look: &Look) -> String {
    let counts = Counts::of(outcomes);
    let plural =
        |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let mut parts = vec![format!("{} passed", counts.passed)];
    let failed = counts.failed - counts.updated;
    for (count, word) in
        [(failed, "failed"), (counts.updated, "updated"), (counts.not_run, "not run")]
    {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let mut text = format!("{} in {}", parts.join(", "), plural(counts.files, noun(outcomes)));
    if counts.unreadable > 0 {
        text.push_str(&format!(", of which {} can't be read", counts.unreadable));
    }
    let not_run = outcomes.iter().filter(|o| matches!(o.state, State::NotRun)).count();
    if not_run > 0 {
        text.push_str(&format!(", of which {not_run} were not run"));
    }
    if counts.updated > 0 {
        text.push_str("; look at the changes before you keep them");
    }
    let (word, style) = match failed + counts.unreadable == 0 {
        true => ("ok", PASSED.bold()),
        false => ("FAILED", FAILED),
    };
    let mut out = String::new();
    push_styled(&mut out, word, style, look.color);
    out.push_str(&format!(": {text}\n"));
    out
}

/// What the files are called.
fn noun(outcomes: &[Outcome]) -> &'static str {
    let is_other = |outcome: &Outcome| match &outcome.state {
        State::UnitTests(_) | State::Unreadable(Unreadable::UnitTests(_)) => true,
        State::NotRun => outcome.path.as_ref().is_some_and(|path| !is_script(path)),
        _ => false,
    };
    if outcomes.iter().any(is_other) { "file" } else { "script" }
}
