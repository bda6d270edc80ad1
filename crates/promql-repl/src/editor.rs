//! The conversation: statements are read from the terminal, line by line, until its end.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};

use anstyle::{AnsiColor, Style};
use rustyline::config::{BellStyle, CompletionType};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{EditMode, Editor, ExternalPrinter};

use crate::assistant::Assistant;
use crate::commands::settings;
use crate::config;
use crate::history::{History, MOST_ENTRIES, without_secrets};
use crate::host::{Failure, Target};
use crate::keys::{self, SharedBoard};
use crate::known::Listener;
use crate::plain::plain;
use crate::session::{Exit, Session};

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
