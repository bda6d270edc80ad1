//! The line editor: what it colours, suggests and completes.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::io::ErrorKind;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use anstyle::{AnsiColor, Style};
use promql_ide::{
    Completions, Problem, Role, complete, diagnose, highlight, matching_bracket, signature,
};
use rustyline::completion::{Completer, Pair};
use rustyline::config::{BellStyle, CompletionType};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::{MemHistory, SearchDirection};
use rustyline::line_buffer::LineBuffer;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Changeset, Context, EditMode, Editor, ExternalPrinter, Helper};

use crate::commands::{COMMANDS, Command, Completes, settings};
use crate::config;
use crate::history::{History, MOST_ENTRIES, without_secrets};
use crate::host::{Failure, Target, Terminal};
use crate::keys::{self, SharedBoard};
use crate::known::{Known, Listener};
use crate::menu::{Choice, Menu, Shown, clipped};
use crate::plain::plain;
use crate::session::{Exit, Session};
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
const LONGEST: usize = 20_000;

/// What the line below ends with while something is on its way.
const WAITING: &str = "…";

/// How many candidates the line below shows.
const SHOWN: usize = 8;

/// How long Tab waits for names that are on their way, and how often it looks.
const TICKS: u32 = 15;
const TICK: std::time::Duration = std::time::Duration::from_millis(10);

pub(crate) struct Assistant {
    words: Arc<RwLock<Words>>,
    board: SharedBoard,
    terminal: Terminal,
    /// How much behind the cursor belongs to the token that is completed.
    tail: Cell<usize>,
    /// What Tab offered last.
    menu: RefCell<Option<Menu>>,
}

impl Session<'_> {
    /// Reads statements from the terminal until its end.
    pub fn converse(&mut self) -> Exit {
        let terminal = self.host.terminal();
        let mode = match self.config.edit_mode {
            config::EditMode::Emacs => EditMode::Emacs,
            config::EditMode::Vi => EditMode::Vi,
        };
        let settings = rustyline::Config::builder()
            .completion_type(CompletionType::Circular)
            .edit_mode(mode)
            .bell_style(BellStyle::None)
            .history_ignore_space(true)
            .bracketed_paste(true)
            .max_history_size(MOST_ENTRIES);
        let editor = settings
            .map(rustyline::config::Builder::build)
            .and_then(|settings| Editor::with_history(settings, MemHistory::new()));
        let mut editor: Editor<Assistant, MemHistory> = match editor {
            Ok(editor) => editor,
            Err(error) => {
                self.tell(&Failure::new(format!("can't use this terminal: {error}")));
                return self.exit;
            }
        };
        let (words, board) = (Arc::clone(&self.words), SharedBoard::default());
        for (event, handler) in keys::bindings(&board) {
            editor.bind_sequence(event, handler);
        }
        editor.set_helper(Some(Assistant::new(words, Arc::clone(&board), terminal)));
        if let Ok(printer) = editor.create_external_printer() {
            self.redraw_for_answers(printer, &board);
        }
        for entry in self.history.entries() {
            let _ = editor.add_history_entry(entry.text.as_str());
        }
        if let Some(path) = self.history.path().map(std::path::Path::to_owned) {
            // Nobody waits for it, and where it fails the file stays as it is.
            std::thread::spawn(move || History::trim(&path));
        }
        let mut interrupted = false;
        while !self.ended {
            let prompt = self.prompt();
            let (initial, at) = self.initial.take().unwrap_or_default();
            let at = if initial.is_char_boundary(at) { at } else { initial.len() };
            let (front, behind) = initial.split_at(at);
            let line = editor.readline_with_initial(&prompt, (front, behind));
            keys::on(&board, |board| board.is_waiting = false);
            let (pressed, ended) = keys::on(&board, |board| {
                (board.pressed.take(), std::mem::take(&mut board.is_interrupted))
            });
            let line = if ended { Err(ReadlineError::Interrupted) } else { line };
            match line {
                Ok(_) if let Some(pressed) = pressed => {
                    interrupted = false;
                    self.press(pressed, &mut editor, &board);
                }
                Ok(line) => {
                    interrupted = false;
                    keys::on(&board, |board| {
                        board.last_word = keys::last_word(&line).to_owned();
                    });
                    self.enter(&line, &mut editor);
                }
                Err(ReadlineError::Interrupted) if interrupted => {
                    interrupted = false;
                    self.host.remark("Ctrl-D leaves\n");
                }
                Err(ReadlineError::Interrupted) => interrupted = true,
                Err(ReadlineError::Eof) => break,
                // Somebody has pasted what is no text.
                Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                    self.host
                        .remark("error: what was written is no UTF-8, and the line was left\n");
                }
                Err(error) => {
                    self.tell(&Failure::new(format!("can't read from the terminal: {error}")));
                    break;
                }
            }
        }
        // What was mistaken on the way is no failure of a conversation.
        Exit::Ok
    }

    /// Lets the line below be drawn anew when what it waits for has come, without a key.
    fn redraw_for_answers(
        &mut self,
        printer: impl ExternalPrinter + Send + 'static,
        board: &SharedBoard,
    ) {
        /// What is printed above the line for that: nothing, in the line that is there.
        const NOTHING: &str = "\x1b[A\n";
        let (board, printer) = (Arc::clone(board), Mutex::new(printer));
        let listener: Listener = Arc::new(move || {
            if keys::on(&board, |board| std::mem::take(&mut board.is_waiting)) {
                let mut printer = printer.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = printer.print(NOTHING.to_owned());
            }
        });
        if let Some(known) = self.known() {
            known.tell(Arc::clone(&listener));
        }
        self.listener = Some(listener);
    }

    fn enter(&mut self, line: &str, editor: &mut Editor<Assistant, MemHistory>) {
        if line.trim().is_empty() {
            return;
        }
        let source = self.connection.as_ref().map(|c| c.name()).unwrap_or_default();
        if let Err(error) = self.history.add(&source, line) {
            self.host.remark(&format!("the history can't be written: {error}\n"));
        }
        let _ = editor.add_history_entry(line);
        self.execute(line);
    }

    /// The name of the source, without what makes it long.
    pub(crate) fn prompt(&self) -> String {
        let mark = if self.host.terminal().unicode { "❯" } else { ">" };
        let others = &self.target.others;
        let name = match (&self.target.profile, &self.connection) {
            (Some(profile), _) if others.is_empty() => profile.clone(),
            (_, Some(_)) if !others.is_empty() => {
                let all = std::iter::once(&self.target).chain(others);
                let name = |target: &Target| {
                    target
                        .profile
                        .clone()
                        .unwrap_or_else(|| short(&without_secrets(&target.source)))
                };
                all.map(name).collect::<Vec<_>>().join("+")
            }
            (Some(profile), None) => profile.clone(),
            (_, Some(connection)) => short(&connection.name()),
            (None, None) => "promql".to_owned(),
        };
        let fixed = match (&self.settings.time, &self.settings.range) {
            (None, None) => String::new(),
            (time, range) => {
                let range = range.as_ref().map(settings::range_text);
                let time = time.as_ref().map(|time| format!("@ {time}"));
                let parts: Vec<String> = range.into_iter().chain(time).collect();
                format!(" [{}]", parts.join(" "))
            }
        };
        format!("{}{fixed} {mark} ", plain(&name))
    }
}

/// A source's name for the prompt: a host, or the end of a path.
fn short(name: &str) -> String {
    let last = match name.split_once("://") {
        Some((_, rest)) => {
            let rest = rest.trim_end_matches('/');
            rest.rsplit_once('@').map_or(rest, |(_, host)| host)
        }
        None => name.trim_end_matches('/').rsplit('/').next().unwrap_or(name),
    };
    match last.char_indices().nth(30) {
        Some((end, _)) => format!("{}…", &last[..end]),
        None => last.to_owned(),
    }
}

/// The look of the prompt for a profile.
pub(crate) fn prompt_style(profile: Option<&config::Profile>) -> Style {
    const COLORS: [(&str, AnsiColor); 8] = [
        ("black", AnsiColor::Black),
        ("red", AnsiColor::Red),
        ("green", AnsiColor::Green),
        ("yellow", AnsiColor::Yellow),
        ("blue", AnsiColor::Blue),
        ("magenta", AnsiColor::Magenta),
        ("cyan", AnsiColor::Cyan),
        ("white", AnsiColor::White),
    ];
    let Some(profile) = profile else { return Style::new().bold() };
    let name = match profile.production {
        true => Some("red"),
        false => profile.color.as_deref(),
    };
    let color = COLORS.iter().find(|(color, _)| Some(*color) == name);
    color.map_or(Style::new(), |(_, color)| color.on_default()).bold()
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
        start = at;
    } else if line[blanks..].starts_with('!') {
        return None;
    }
    let text = split_at_bars(&line[start..]).into_iter().next().unwrap_or_default();
    let text = text.find("[[").map_or(text, |end| &text[..end]);
    Some(Inside { start, text })
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
    fn new(words: Arc<RwLock<Words>>, board: SharedBoard, terminal: Terminal) -> Assistant {
        Assistant { words, board, terminal, tail: Cell::new(0), menu: RefCell::new(None) }
    }

    fn words<T>(&self, read: impl FnOnce(&Words) -> T) -> T {
        read(&self.words.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.words(|words| words.known.clone())
    }

    /// Whether the line is what is looked for in the history.
    fn is_searching(&self) -> bool {
        keys::on(&self.board, |board| board.search.is_some())
    }

    /// The list of a search below the line, the chosen one marked.
    fn marked(&self, lines: Vec<String>, chosen: Option<usize>) -> String {
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

    /// What may come at the cursor in an expression; what is missing is asked.
    fn completions(&self, inside: &Inside<'_>, pos: usize) -> Option<Completions> {
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
                display: self.marked(lines, chosen),
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

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        if !self.terminal.color || line.len() > LONGEST || self.is_searching() {
            return Cow::Borrowed(line);
        }
        let Some(inside) = expression(line) else { return Cow::Borrowed(line) };
        let at = pos.saturating_sub(inside.start);
        let partner = matching_bracket(inside.text, at);
        let mut out = line[..inside.start].to_owned();
        let mut done = 0;
        for part in highlight(inside.text) {
            out.push_str(&inside.text[done..part.span.start]);
            let mut style = style(part.role);
            if matches!(part.role, Role::Bracket(_)) && partner == Some(part.span.start) {
                style = style.bold().underline();
            }
            let text = &inside.text[part.span.clone()];
            out.push_str(&format!("{style}{text}{style:#}"));
            done = part.span.end;
        }
        out.push_str(&line[inside.start + done..]);
        Cow::Owned(out)
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        match self.terminal.color {
            true => {
                let style = self.words(|words| words.prompt);
                Cow::Owned(format!("{style}{prompt}{style:#}"))
            }
            false => Cow::Borrowed(prompt),
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        match self.terminal.color {
            true if self.is_searching() => {
                let bold = Style::new().bold();
                let line = |line: &str| match line.starts_with('>') {
                    true => format!("{bold}{line}{bold:#}"),
                    false => line.to_owned(),
                };
                Cow::Owned(hint.split('\n').map(line).collect::<Vec<_>>().join("\n"))
            }
            true => {
                let style = Style::new().dimmed();
                Cow::Owned(format!("{style}{hint}{style:#}"))
            }
            false => Cow::Borrowed(hint),
        }
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.terminal.color
    }
}

/// The colours are those of the terminal; what matters most differs by weight, too.
fn style(role: Role) -> Style {
    let color = |color: AnsiColor| color.on_default();
    match role {
        Role::Metric => Style::new(),
        Role::Function | Role::Aggregation => color(AnsiColor::Blue).bold(),
        Role::Label => color(AnsiColor::Cyan),
        Role::Matcher | Role::Operator | Role::Keyword => Style::new().bold(),
        Role::String => color(AnsiColor::Green),
        Role::Number | Role::Duration => color(AnsiColor::Magenta),
        Role::Variable => color(AnsiColor::Yellow),
        Role::Comment => Style::new().dimmed(),
        Role::Wrong => color(AnsiColor::Red).underline(),
        Role::Bracket(_) | Role::Punctuation => Style::new(),
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
