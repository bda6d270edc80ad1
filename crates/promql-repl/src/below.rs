//! What stands behind the cursor and below the line: a suggestion from the history, the list that Tab opened,
//! what is wrong, the signature of the call, or what may come.

use std::cell::OnceCell;
use std::sync::Arc;

use promql_ide::{Problem, diagnose, signature};
use rustyline::Context;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::SearchDirection;

use crate::assistant::{Assistant, expression};
use crate::keys;
use crate::menu::{Shown, clipped};
use crate::plain::plain;

/// What the line below ends with while something is on its way.
const WAITING: &str = "…";

/// How many candidates the line below shows.
const SHOWN: usize = 8;

impl Assistant {
    /// The list that Tab opened, while one of its choices stands in the line.
    fn list(&self, line: &str, pos: usize) -> Option<String> {
        let mut menu = self.menu.borrow_mut();
        let mark = if self.terminal.unicode { '❯' } else { '>' };
        let screen = self.terminal.size.unwrap_or((80, 24));
        match menu.as_ref()?.shown(line, pos, screen, mark) {
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
        let at = pos.saturating_sub(inside.start);
        // Who writes a string hasn't closed it yet.
        let is_open = |problem: &Problem| {
            problem.code.ends_with("unterminated-string")
                && problem.span.contains(&at.saturating_sub(1))
        };
        let problems = diagnose(inside.text);
        if !inside.text.contains('$')
            && !problems.iter().any(is_open)
            && let Some(problem) = problems.into_iter().next()
        {
            return Some(format!("error: {}", problem.message));
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

/// The list of a search below the line, the chosen one marked.
fn marked(lines: &[String], chosen: Option<usize>) -> String {
    let mut out = String::new();
    for (at, line) in lines.iter().enumerate() {
        out.push('\n');
        match line.strip_prefix(' ') {
            Some(rest) if chosen == Some(at) => out.push_str(&format!(">{rest}")),
            _ => out.push_str(line),
        }
    }
    out
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
            if self.assistant.known().is_some_and(|known| known.is_waiting()) {
                return None;
            }
            let status = self.assistant.status(&self.line, self.pos).unwrap_or_default();
            if status.ends_with(WAITING) {
                // The answer raised another question.
                keys::on(&self.assistant.board, |board| board.is_waiting = true);
                return None;
            }
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
        let (columns, rows) = self.terminal.size.unwrap_or((80, 24));
        let list = keys::on(&self.board, |board| {
            let search = board.search.as_mut()?;
            Some(search.list(line, SHOWN.min(rows.saturating_sub(3)), columns.saturating_sub(1)))
        });
        if let Some((lines, chosen)) = list {
            return Some(Suggestion {
                display: marked(&lines, chosen),
                completion: None,
                later: None,
            });
        }
        if line.is_empty() || !line.is_char_boundary(pos) {
            return None;
        }
        if let Some(list) = self.list(line, pos) {
            return Some(Suggestion {
                display: format!("\n{list}"),
                completion: None,
                later: None,
            });
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
