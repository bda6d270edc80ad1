//! What the line editor knows and completes.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use anstyle::Style;
use promql_ide::{Completions, complete};
use rustyline::completion::{Completer, Pair};
use rustyline::line_buffer::LineBuffer;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Changeset, Context, Helper};

use crate::commands::{COMMANDS, Command, Completes};
use crate::host::Terminal;
use crate::keys::{self, SharedBoard};
use crate::known::Known;
use crate::menu::{Choice, Menu};
use crate::plain::plain;
use crate::stages::STAGES;
use crate::statement::{is_unfinished, split_at_bars};

/// What completion knows beside the language.
pub(crate) struct Words {
    pub(crate) known: Option<Arc<Known>>,
    pub(crate) profiles: Vec<String>,
    pub(crate) saved: Vec<String>,
    /// The look of the prompt: it warns of a source that matters.
    pub(crate) prompt: Style,
}

impl Words {
    pub(crate) fn new(profiles: Vec<String>) -> Words {
        Words { known: None, profiles, saved: Vec::new(), prompt: Style::new().bold() }
    }
}

/// A statement longer than this is neither coloured nor completed while it is written.
pub(crate) const LONGEST: usize = 20_000;

/// How long Tab waits for names that are on their way, and how often it looks.
const TICKS: u32 = 15;
const TICK: std::time::Duration = std::time::Duration::from_millis(10);

/// Helps whoever writes a line.
pub(crate) struct Assistant {
    pub(crate) words: Arc<RwLock<Words>>,
    pub(crate) board: SharedBoard,
    pub(crate) terminal: Terminal,
    /// How much behind the cursor belongs to the token that is completed.
    tail: Cell<usize>,
    /// What Tab offered last.
    pub(crate) menu: RefCell<Option<Menu>>,
    /// Whether what is below the line is a list, one entry of which is chosen.
    pub(crate) lists: Cell<bool>,
    /// Whether the line is drawn for the last time.
    pub(crate) is_done: Cell<bool>,
}

impl Helper for Assistant {}

/// The text of an expression in a line, and where it begins.
pub(crate) struct Inside<'l> {
    pub(crate) start: usize,
    pub(crate) text: &'l str,
}

/// The expression of a statement, without what follows a `|` or `[[`. Of a command that takes one, its
/// argument.
pub(crate) fn expression(line: &str) -> Option<Inside<'_>> {
    if line.len() > LONGEST {
        return None;
    }
    let blanks = line.len() - line.trim_start().len();
    let mut start = 0;
    if line[blanks..].starts_with('\\') {
        let (name, at) = command(line)?;
        let row = COMMANDS.iter().find(|row| row.is_called(name))?;
        if row.completes != Completes::Expression {
            return None;
        }
        start = at + before_expression(row.name, &line[at..]);
    } else if line[blanks..].starts_with('!') {
        return None;
    }
    let text = split_at_bars(&line[start..]).into_iter().next().unwrap_or_default();
    let text = text.find("[[").map_or(text, |end| &text[..end]);
    Some(Inside { start, text })
}

/// How much of a command's arguments stands in front of the expression: an interval, a time, two sources, or
/// another expression.
fn before_expression(command: &str, arguments: &str) -> usize {
    /// Where the words behind so many begin; nothing if there are none.
    fn behind(text: &str, words: usize) -> Option<usize> {
        let mut at = 0;
        for _ in 0..words {
            let rest = &text[at..];
            let end = at + rest.find(char::is_whitespace)?;
            at = end + text[end..].len() - text[end..].trim_start().len();
        }
        Some(at)
    }
    let first = arguments.split_whitespace().next().unwrap_or_default();
    let found = match command {
        "watch" if promql_model::parse_duration(first).is_ok() => behind(arguments, 1),
        "diff" if arguments.contains(';') => arguments.rfind(';').map(|at| at + 1),
        "diff"
            if first.strip_prefix('-').is_some_and(|d| promql_model::parse_duration(d).is_ok()) =>
        {
            behind(arguments, 1)
        }
        "diff" if first.contains("://") => behind(arguments, 2),
        _ => None,
    };
    found.unwrap_or(0)
}

/// The name of a command, and where its arguments begin.
fn command(line: &str) -> Option<(&str, usize)> {
    let blanks = line.len() - line.trim_start().len();
    let rest = line[blanks..].strip_prefix('\\')?;
    let end = rest.find(char::is_whitespace)?;
    let behind = &rest[end..];
    let gap = behind.len() - behind.trim_start().len();
    Some((&rest[..end], blanks + 1 + end + gap))
}

impl Assistant {
    pub(crate) fn new(
        words: Arc<RwLock<Words>>,
        board: SharedBoard,
        terminal: Terminal,
    ) -> Assistant {
        Assistant {
            words,
            board,
            terminal,
            tail: Cell::new(0),
            menu: RefCell::new(None),
            lists: Cell::new(false),
            is_done: Cell::new(false),
        }
    }

    pub(crate) fn words<T>(&self, read: impl FnOnce(&Words) -> T) -> T {
        read(&self.words.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn known(&self) -> Option<Arc<Known>> {
        self.words(|words| words.known.clone())
    }

    /// Whether the line is what is looked for in the history.
    pub(crate) fn is_searching(&self) -> bool {
        keys::on(&self.board, |board| board.search.is_some())
    }

    /// What may come at the cursor in an expression; what is missing is asked.
    pub(crate) fn completions(&self, inside: &Inside<'_>, pos: usize) -> Option<Completions> {
        let at = pos.checked_sub(inside.start).filter(|at| *at <= inside.text.len())?;
        let Some(known) = self.known() else {
            return Some(complete(inside.text, at, &promql_ide::Snapshot::new()));
        };
        let look = || known.read(|known| complete(inside.text, at, known));
        let mut found = look();
        let missing = std::mem::take(&mut found.missing);
        let has_asked = !missing.is_empty();
        known.ask(missing);
        // A file answers faster than it is looked at.
        if has_asked && !known.is_waiting() {
            found = look();
        }
        Some(found)
    }

    /// Words that are no part of an expression: commands, sources, stages.
    fn other_words(&self, line: &str, pos: usize) -> Option<(usize, Vec<Choice>)> {
        let front = &line[..pos];
        let choices = |start: usize, choices: Vec<Choice>| {
            let written = &front[start..];
            let fitting = choices.into_iter().filter(|choice| choice.insert.starts_with(written));
            Some((start, fitting.collect()))
        };
        let fitting = |start: usize, words: Vec<String>| {
            choices(start, words.into_iter().map(Choice::word).collect())
        };
        let commands = |start: usize| {
            let choice =
                |row: &Command| Choice { detail: row.about.to_owned(), ..Choice::word(row.name) };
            choices(start, COMMANDS.iter().map(choice).collect())
        };
        if front.trim_start().starts_with('\\') {
            let Some((name, start)) = command(front) else {
                let start = front.len() - front.trim_start().len() + 1;
                return commands(start);
            };
            let row = COMMANDS.iter().find(|row| row.is_called(name))?;
            let word = front.rfind(char::is_whitespace).map_or(start, |at| at + 1).max(start);
            return match row.completes {
                Completes::Nothing | Completes::Expression => None,
                Completes::Metric => {
                    let known = self.known()?;
                    let names = known.read(|known| {
                        let metrics = promql_ide::Catalogue::metrics(known)?.names();
                        let found = metrics.search(&front[word..], 50, |_| ());
                        Some(found.iter().map(|(at, _)| metrics.get(*at).to_owned()).collect())
                    });
                    let names: Vec<String> = names?;
                    Some((word, names.into_iter().map(Choice::word).collect()))
                }
                Completes::Source => {
                    let mut words = self.words(|words| words.profiles.clone());
                    words.extend(files(&front[word..]));
                    fitting(word, words)
                }
                Completes::File => fitting(word, files(&front[word..])),
                Completes::Saved => fitting(word, self.words(|words| words.saved.clone())),
                Completes::Setting => {
                    let settings = crate::options::SETTINGS
                        .iter()
                        .map(|s| Choice { detail: s.about.to_owned(), ..Choice::word(s.name) });
                    choices(word, settings.chain([Choice::word("--save")]).collect())
                }
                Completes::Command => commands(word),
            };
        }
        let parts = split_at_bars(front);
        if let (Some(last), true) = (parts.last(), parts.len() > 1) {
            let start = pos - last.trim_start().len();
            let choice = |(name, about): &(&str, &str)| Choice {
                detail: (*about).to_owned(),
                ..Choice::word(*name)
            };
            return choices(start, STAGES.iter().map(choice).collect());
        }
        None
    }

    /// What Tab offers for a part of the line.
    fn choices(&self, line: &str, pos: usize) -> Option<(Range<usize>, Vec<Choice>)> {
        if let Some((start, found)) = self.other_words(line, pos) {
            return Some((start..pos, found));
        }
        let inside = expression(line)?;
        let mut found = self.completions(&inside, pos)?;
        // Whoever presses Tab waits for something, but not for a server that is slow.
        let known = self.known();
        for _ in 0..TICKS {
            if !found.items.is_empty() || known.as_ref().is_none_or(|known| !known.is_waiting()) {
                break;
            }
            std::thread::sleep(TICK);
            found = self.completions(&inside, pos).unwrap_or_default();
        }
        let replaced = inside.start + found.replaced.start..inside.start + found.replaced.end;
        let choice = |item: promql_ide::Item| Choice {
            label: item.label,
            insert: item.insert,
            detail: item.detail,
        };
        Some((replaced, found.items.into_iter().map(choice).collect()))
    }
}

/// Files and folders whose paths begin like this.
fn files(written: &str) -> Vec<String> {
    let (folder, _) = written.rsplit_once('/').map_or(("", written), |(f, n)| (f, n));
    let shown = |name: &str| match written.contains('/') {
        true => format!("{folder}/{name}"),
        false => name.to_owned(),
    };
    let path = match (folder, written.starts_with('/')) {
        ("", true) => "/",
        ("", false) => ".",
        (folder, _) => folder,
    };
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .take(10_000)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            Some(shown(&name) + if is_folder { "/" } else { "" })
        })
        .collect();
    names.sort_unstable();
    names
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        if self.is_searching() {
            self.tail.set(0);
            return Ok((pos, Vec::new()));
        }
        let (replaced, choices) = self.choices(line, pos).unwrap_or((pos..pos, Vec::new()));
        self.tail.set(replaced.end.saturating_sub(pos));
        let pair = |choice: &Choice| Pair {
            display: plain(&choice.label).into_owned(),
            replacement: choice.insert.clone(),
        };
        let (start, pairs) = (replaced.start, choices.iter().map(pair).collect());
        let menu = Menu::new(line, pos, replaced, choices);
        self.menu.replace(Some(menu).filter(|menu| menu.is_a_choice()));
        Ok((start, pairs))
    }

    /// The whole token is replaced, also its part behind the cursor: the first time, since then what was
    /// chosen before ends at the cursor.
    fn update(&self, line: &mut LineBuffer, start: usize, elected: &str, changes: &mut Changeset) {
        let end = (line.pos() + self.tail.take()).min(line.as_str().len());
        line.replace(start..end, elected, changes);
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let is_unfinished = !self.is_searching() && is_unfinished(context.input());
        Ok(match is_unfinished {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}
