//! The line editor: what it colours, suggests and completes.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use anstyle::{AnsiColor, Style};
use promql_ide::{Completions, Role, complete, diagnose, highlight, matching_bracket, signature};
use rustyline::completion::{Completer, Pair};
use rustyline::config::{BellStyle, CompletionType};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::{MemHistory, SearchDirection};
use rustyline::line_buffer::LineBuffer;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Changeset, Cmd, Context, EditMode, Editor, Event, EventHandler, Helper, KeyCode, KeyEvent,
    Modifiers,
};

use crate::commands::{COMMANDS, Command, Completes};
use crate::config;
use crate::history::{History, MOST_ENTRIES, without_secrets};
use crate::host::{Failure, Target, Terminal};
use crate::known::Known;
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

/// How many candidates the line below shows.
const SHOWN: usize = 8;

/// How long Tab waits for names that are on their way, and how often it looks.
const TICKS: u32 = 15;
const TICK: std::time::Duration = std::time::Duration::from_millis(10);

struct Assistant {
    words: Arc<RwLock<Words>>,
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
        let words = Arc::clone(&self.words);
        editor.set_helper(Some(Assistant::new(words, terminal)));
        editor.bind_sequence(
            Event::from(KeyEvent(KeyCode::Enter, Modifiers::ALT)),
            EventHandler::Simple(Cmd::Newline),
        );
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
            let initial = self.initial.take().unwrap_or_default();
            match editor.readline_with_initial(&prompt, (&initial, "")) {
                Ok(line) => {
                    interrupted = false;
                    self.enter(&line, &mut editor);
                }
                Err(ReadlineError::Interrupted) if interrupted => {
                    interrupted = false;
                    self.host.remark("Ctrl-D leaves\n");
                }
                Err(ReadlineError::Interrupted) => interrupted = true,
                Err(ReadlineError::Eof) => break,
                Err(error) => {
                    self.tell(&Failure::new(format!("can't read from the terminal: {error}")));
                    break;
                }
            }
        }
        // What was mistaken on the way is no failure of a conversation.
        Exit::Ok
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
    fn prompt(&self) -> String {
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
            (_, Some(_)) => " [range]",
            (Some(_), None) => " [time]",
            (None, None) => "",
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
struct Inside<'l> {
    start: usize,
    text: &'l str,
}

/// The expression of a statement, without what follows a `|` or `[[`. Of a command that takes one, its
/// argument.
fn expression(line: &str) -> Option<Inside<'_>> {
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
    fn new(words: Arc<RwLock<Words>>, terminal: Terminal) -> Assistant {
        Assistant { words, terminal, tail: Cell::new(0), menu: RefCell::new(None) }
    }

    fn words<T>(&self, read: impl FnOnce(&Words) -> T) -> T {
        read(&self.words.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.words(|words| words.known.clone())
    }

    /// What may come at the cursor in an expression; what is missing is asked.
    fn completions(&self, inside: &Inside<'_>, pos: usize) -> Option<Completions> {
        let at = pos.checked_sub(inside.start).filter(|at| *at <= inside.text.len())?;
        let Some(known) = self.known() else {
            return Some(complete(inside.text, at, &promql_ide::Snapshot::new()));
        };
        let mut found = known.read(|known| complete(inside.text, at, known));
        known.ask(std::mem::take(&mut found.missing));
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
        if !inside.text.contains('$')
            && let Some(problem) = diagnose(inside.text).into_iter().next()
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
            parts.push("…".to_owned());
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
struct Suggestion {
    display: String,
    completion: Option<String>,
}

impl Hint for Suggestion {
    fn display(&self) -> &str {
        &self.display
    }

    fn completion(&self) -> Option<&str> {
        self.completion.as_deref()
    }
}

impl Hinter for Assistant {
    type Hint = Suggestion;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Suggestion> {
        if line.is_empty() || !line.is_char_boundary(pos) {
            return None;
        }
        if let Some(list) = self.list(line, pos) {
            return Some(Suggestion { display: format!("\n{list}"), completion: None });
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
        let mut display = completion.clone().unwrap_or_default();
        if let Some(status) = self.status(line, pos) {
            let columns = self.terminal.size.map_or(80, |(columns, _)| columns);
            display.push('\n');
            display.push_str(&clipped(&plain(&status), columns.saturating_sub(1)));
        }
        (!display.is_empty()).then_some(Suggestion { display, completion })
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        if !self.terminal.color || line.len() > LONGEST {
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
        Ok(match is_unfinished(context.input()) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}
