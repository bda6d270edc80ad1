//! What the session's own keys do.

use promql_ide::{Snapshot, hover, signature};
use rustyline::Editor;
use rustyline::config::Configurer;
use rustyline::history::MemHistory;
use unicode_width::UnicodeWidthStr;

use crate::assistant::{Assistant, expression};
use crate::commands::settings::range_text;
use crate::commands::{self, edit_text};
use crate::config::EditMode;
use crate::host::{Failure, Form, Over, Range};
use crate::keys::{self, Action, Pressed, SharedBoard};
use crate::search::Search;
use crate::session::Session;
use crate::stages::Stage;
use crate::statement::{Query, Statement};

type LineEditor = Editor<Assistant, MemHistory>;

/// How long a search waits for what belongs to an escape, in milliseconds, before it is the key that leaves.
const ESCAPE: u16 = 80;

impl Session<'_> {
    /// Does what a key does with the line. The line is there again afterwards, or another one.
    pub(crate) fn press(&mut self, pressed: Pressed, editor: &mut LineEditor, board: &SharedBoard) {
        let Pressed { action, line, at } = pressed;
        let result = match action {
            Action::Search => {
                self.erase(&self.prompt(), &line);
                if let Some(found) = self.search(editor, board, &line) {
                    let end = found.len();
                    self.initial = Some((found, end));
                }
                Ok(())
            }
            Action::Help => self.help_at(&line, at),
            Action::Explain => match self.expression_of(&line) {
                Ok(Some(query)) => commands::run(self, "explain", &written(&query)),
                Ok(None) => commands::run(self, "explain", ""),
                Err(failure) => Err(failure),
            },
            Action::Graph => self.look_at(&line, Form::Graph),
            Action::Table => self.look_at(&line, Form::Table),
            Action::Edit => edit_text(self, &line),
        };
        if let Err(failure) = result {
            self.tell(&failure);
        }
        self.initial.get_or_insert((line, at));
    }

    /// The query that a line asks, or that is the argument of its command. Nothing of an empty line.
    fn expression_of(&self, line: &str) -> Result<Option<Query>, Failure> {
        let none = || Failure::new("there is no expression in the line");
        let text = match line.trim_start().starts_with('\\') {
            true => expression(line).ok_or_else(none)?.text,
            false => line,
        };
        match Statement::read(text) {
            Ok(Statement::Query(query)) => Ok(Some(query)),
            Ok(Statement::Empty) => Ok(None),
            Ok(Statement::Assign { value, .. }) => {
                Ok(Some(Query { expression: value, ..Query::default() }))
            }
            Ok(_) => Err(none()),
            Err(unclear) => Err(Failure::new(unclear.0)),
        }
    }

    /// Asks a line in a form. A graph without a range is of the last hour.
    fn look_at(&mut self, line: &str, form: Form) -> Result<(), Failure> {
        let Some(mut query) = self.expression_of(line)? else {
            return self.show_again(&[Stage::Show(form, None)]);
        };
        if form == Form::Graph && query.range.is_none() && self.settings.range.is_none() {
            query.range = Some(Range { over: Over::Last("1h".to_owned()), step: None });
        }
        query.stages.push(Stage::Show(form, None));
        self.query(&query)
    }

    /// Says what stands at a place of a line.
    fn help_at(&mut self, line: &str, at: usize) -> Result<(), Failure> {
        let start = line.trim_start();
        let command = start.strip_prefix('\\').and_then(|rest| rest.split_whitespace().next());
        let inside = expression(line).filter(|inside| inside.start <= at);
        if let (Some(name), true) = (command, inside.is_none() || at <= line.len() - start.len()) {
            return commands::run(self, "help", name);
        }
        let Some(inside) = inside.filter(|inside| !inside.text.trim().is_empty()) else {
            return commands::run(self, "help", "");
        };
        let place = (at - inside.start).min(inside.text.len());
        let found = match self.known() {
            Some(known) => known.read(|known| hover(inside.text, place, known)),
            None => hover(inside.text, place, &Snapshot::new()),
        };
        let said = found.map(|found| found.markdown.replace("**", ""));
        let said = said.or_else(|| signature(inside.text, place).map(|call| call.text));
        match said {
            Some(text) => {
                let lines: Vec<_> = text.lines().map(crate::plain::plain).collect();
                self.print_wrapped(&format!("{}\n", lines.join("\n")));
            }
            None => self.print("nothing is known of this place; \\help lists the commands\n"),
        }
        Ok(())
    }

    /// Lets somebody look for a statement in the history, beginning with a text. Gives the chosen one.
    fn search(
        &mut self,
        editor: &mut LineEditor,
        board: &SharedBoard,
        begun: &str,
    ) -> Option<String> {
        // What other sessions wrote counts, too; without it there is at least what this one knows.
        let _ = self.history.refresh();
        let source = self.connection.as_ref().map(|c| c.name()).unwrap_or_default();
        let search = Search::new(self.history.entries(), source);
        keys::on(board, |board| board.search = Some(search));
        let prompt = match self.host.terminal().unicode {
            true => "history ❯ ",
            false => "history > ",
        };
        // The line editor's own: in vi's keys an escape is a command.
        let usual = match self.config.edit_mode {
            EditMode::Emacs => None,
            EditMode::Vi => Some(500),
        };
        editor.set_keyseq_timeout(Some(ESCAPE));
        let begun = begun.lines().next().unwrap_or_default();
        let line = editor.readline_with_initial(prompt, (begun, ""));
        editor.set_keyseq_timeout(usual);
        let search = keys::on(board, |board| board.search.take());
        self.erase(prompt, line.as_ref().map_or("", String::as_str));
        search?.chosen(&line.ok()?)
    }

    /// Takes a prompt and a line, above the cursor, from the screen.
    fn erase(&self, prompt: &str, line: &str) {
        let Some((columns, _)) = self.host.terminal().size else { return };
        let rows: usize = format!("{prompt}{line}")
            .split('\n')
            .map(|line| (line.width() / columns.max(1)) + 1)
            .sum();
        self.host.print(&format!("\u{1b}[{rows}A\r\u{1b}[J"));
    }
}

/// A query as it is written, without what is done to the answer.
fn written(query: &Query) -> String {
    match &query.range {
        Some(range) => format!("{} [[{}]]", query.expression, range_text(range)),
        None => query.expression.clone(),
    }
}
