//! What stands behind the cursor and below the line: a suggestion from the history, the list that Tab opened,
//! what is wrong, the signature of the call, or what may come.

use std::cell::OnceCell;
use std::sync::Arc;

use promql_ide::{Problem, diagnose, signature};
use rustyline::Context;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::SearchDirection;

use crate::assistant::{Assistant, Inside, expression};
use crate::keys;
use crate::list::clipped;
use crate::menu::Shown;
use crate::plain::plain;

/// What the line below ends with while something is on its way.
const WAITING: &str = "…";

/// What the line below begins with if something is wrong.
pub(crate) const ERROR: &str = "error: ";

/// How many candidates the line below shows.
const SHOWN: usize = 8;

impl Assistant {
    /// Columns and rows of the terminal.
    fn screen(&self) -> (usize, usize) {
        self.terminal.size.unwrap_or((80, 24))
    }

    /// What stands in front of the chosen entry of a list.
    pub(crate) fn mark(&self) -> char {
        if self.terminal.unicode { '❯' } else { '>' }
    }

    /// The list that Tab opened, while one of its choices stands in the line.
    fn list(&self, line: &str, pos: usize) -> Option<String> {
        let mut menu = self.menu.borrow_mut();
        match menu.as_ref()?.shown(line, pos, self.screen(), self.mark()) {
            Shown::List(list) => Some(list),
            Shown::Before => None,
            Shown::Past => {
                *menu = None;
                None
            }
        }
    }

    /// The line below: what is wrong, the signature of the call, or what may come.
    fn status(&self, line: &str, pos: usize) -> Option<String> {
        let inside = expression(line)?;
        if inside.text.trim().is_empty() {
            return None;
        }
        if let Some(problem) = problem(&inside, pos) {
            return Some(format!("{ERROR}{}", problem.message));
        }
        let found = self.completions(&inside, pos)?;
        let written = pos.saturating_sub(inside.start + found.replaced.start);
        let mut parts = Vec::new();
        if written > 0 || matches!(line[..pos].chars().next_back(), Some('{' | '"' | '(' | ',')) {
            let labels: Vec<String> = found
                .items
                .iter()
                .take(SHOWN)
                .map(|item| plain(&item.label).into_owned())
                .collect();
            if labels.len() > 1 || labels.first().is_some_and(|l| !inside.text.ends_with(&**l)) {
                parts.push(labels.join("  "));
            }
        }
        if parts.is_empty()
            && let Some(call) = signature(inside.text, pos.saturating_sub(inside.start))
        {
            let active = call.active.and_then(|at| call.parameters.get(at)).cloned();
            parts.push(match active {
                Some(range) => {
                    let (front, rest) = call.text.split_at(range.start);
                    let (active, behind) = rest.split_at(range.len());
                    format!("{front}‹{active}›{behind}")
                }
                None => call.text,
            });
        }
        if self.known().is_some_and(|known| known.is_waiting()) {
            parts.push(WAITING.to_owned());
        }
        (!parts.is_empty()).then(|| parts.join("  "))
    }
}

/// What is wrong with an expression while it is written, with the cursor at a place of the line.
pub(crate) fn problem(inside: &Inside<'_>, pos: usize) -> Option<Problem> {
    // What stands for a variable isn't known here.
    if inside.text.trim().is_empty() || inside.text.contains('$') {
        return None;
    }
    let at = pos.saturating_sub(inside.start);
    // Who writes a string hasn't closed it yet.
    let is_open = |problem: &Problem| {
        problem.code.ends_with("unterminated-string")
            && problem.span.contains(&at.saturating_sub(1))
    };
    let problems = diagnose(inside.text);
    match problems.iter().any(is_open) {
        true => None,
        false => problems.into_iter().next(),
    }
}

/// A suggestion in the line, and the line below.
pub(crate) struct Suggestion {
    display: String,
    completion: Option<String>,
    /// What is shown instead when what it waits for has come.
    later: Option<Later>,
}

/// A line below that is drawn when something has come. It takes one row, too: the line editor doesn't look for
/// another one then.
struct Later {
    assistant: Assistant,
    line: String,
    pos: usize,
    front: String,
    display: OnceCell<String>,
}

impl Later {
    fn display(&self) -> Option<&str> {
        if self.display.get().is_none() {
            let waits =
                |waits: bool| keys::on(&self.assistant.board, |board| board.is_waiting = waits);
            let is_asked = || self.assistant.known().is_some_and(|known| known.is_waiting());
            // Of several questions one may be answered and another not; and that may come at this moment.
            waits(true);
            if is_asked() {
                return None;
            }
            let status = self.assistant.status(&self.line, self.pos).unwrap_or_default();
            if status.ends_with(WAITING) {
                // The answer raised another question.
                return None;
            }
            waits(false);
            let columns = self.assistant.terminal.size.map_or(80, |(columns, _)| columns);
            let status = clipped(&plain(&status), columns.saturating_sub(1));
            let _ = self.display.set(format!("{}\n{status}", self.front));
        }
        self.display.get().map(String::as_str)
    }
}

impl Hint for Suggestion {
    fn display(&self) -> &str {
        self.later.as_ref().and_then(Later::display).unwrap_or(&self.display)
    }

    fn completion(&self) -> Option<&str> {
        self.completion.as_deref()
    }
}

impl Hinter for Assistant {
    type Hint = Suggestion;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Suggestion> {
        let columns = self.screen().0;
        let searched = keys::on(&self.board, |board| {
            let search = board.search.as_mut()?;
            Some(search.list(line, self.screen(), self.mark()))
        });
        let is_written = !line.is_empty() && line.is_char_boundary(pos);
        let list = searched.or_else(|| self.list(line, pos).filter(|_| is_written));
        self.lists.set(list.is_some());
        if let Some(list) = list {
            let display = format!("\n{list}");
            return Some(Suggestion { display, completion: None, later: None });
        }
        if !is_written {
            return None;
        }
        let history = context.history();
        let from = history.len().checked_sub(1);
        let found = from.filter(|_| pos == line.len() && !line.contains('\n')).and_then(|from| {
            history.starts_with(line, from, SearchDirection::Reverse).ok().flatten()
        });
        let completion = found.and_then(|found| {
            let rest = found.entry.get(pos..)?.lines().next()?.to_owned();
            (!rest.is_empty()).then_some(rest)
        });
        let display = completion.clone().unwrap_or_default();
        let Some(mut status) = self.status(line, pos) else {
            return (!display.is_empty()).then_some(Suggestion {
                display,
                completion,
                later: None,
            });
        };
        let mut is_waiting = status.ends_with(WAITING);
        keys::on(&self.board, |board| board.is_waiting = is_waiting);
        // It may have come before anybody was told to wait for it.
        if is_waiting && self.known().is_some_and(|known| !known.is_waiting()) {
            status = self.status(line, pos).unwrap_or_default();
            is_waiting = status.ends_with(WAITING);
        }
        let later = is_waiting.then(|| Later {
            assistant: Assistant::new(
                Arc::clone(&self.words),
                Arc::clone(&self.board),
                self.terminal,
            ),
            line: line.to_owned(),
            pos,
            front: display.clone(),
            display: OnceCell::new(),
        });
        let status = clipped(&plain(&status), columns.saturating_sub(1));
        Some(Suggestion { display: format!("{display}\n{status}"), completion, later })
    }
}
