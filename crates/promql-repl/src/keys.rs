//! Keys that do something with the line besides editing it.
//!
//! The line editor ends for them as for Enter, and goes on afterwards with the line as it was, or with another
//! one. Which keys there are is one table, which the editor and `\help` read.

use std::sync::{Arc, Mutex, PoisonError};

use rustyline::{
    Cmd, ConditionalEventHandler, Event, EventContext, EventHandler, KeyCode, KeyEvent, Modifiers,
    RepeatCount,
};

use crate::search::Search;

/// What a key does with the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Says what stands at the cursor.
    Help,
    /// Explains the expression.
    Explain,
    /// Asks it over a range, as a graph.
    Graph,
    /// Asks it as a table.
    Table,
    /// Opens it in an editor.
    Edit,
    /// Looks for it in the history.
    Search,
}

/// The keys: their names, what they are for the line editor, what they do and how that is said.
pub(crate) static KEYS: [(&str, &[KeyEvent], Action, &str); 6] = [
    (
        "F1",
        &[KeyEvent(KeyCode::F(1), Modifiers::NONE)],
        Action::Help,
        "says what stands at the cursor",
    ),
    (
        "F2",
        &[KeyEvent(KeyCode::F(2), Modifiers::NONE)],
        Action::Explain,
        "explains the expression, or the last one if there is none",
    ),
    (
        "F3",
        &[KeyEvent(KeyCode::F(3), Modifiers::NONE)],
        Action::Graph,
        "asks it over its range, else the last hour, as a graph; without text the last answer",
    ),
    (
        "F4",
        &[KeyEvent(KeyCode::F(4), Modifiers::NONE)],
        Action::Table,
        "asks it as a table; without text the last answer",
    ),
    (
        "Ctrl-X Ctrl-E",
        &[
            KeyEvent(KeyCode::Char('X'), Modifiers::CTRL),
            KeyEvent(KeyCode::Char('E'), Modifiers::CTRL),
        ],
        Action::Edit,
        "opens it in $EDITOR",
    ),
    (
        "Ctrl-R",
        &[KeyEvent(KeyCode::Char('R'), Modifiers::CTRL)],
        Action::Search,
        "looks for a statement in the history",
    ),
];

/// A key that was pressed, and the line at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pressed {
    pub(crate) action: Action,
    pub(crate) line: String,
    /// The cursor, in bytes.
    pub(crate) at: usize,
}

/// What keys leave for the session, and what they know of it.
#[derive(Default)]
pub(crate) struct Board {
    pub(crate) pressed: Option<Pressed>,
    /// The search in the history that is under way.
    pub(crate) search: Option<Search>,
    /// Whether the line below says that something is on its way.
    pub(crate) is_waiting: bool,
    /// Whether Ctrl-C ended the line.
    pub(crate) is_interrupted: bool,
    /// The last word of the statement before.
    pub(crate) last_word: String,
    /// Whether the arrows walk through all of the history, and not through what begins as the line does.
    walks: bool,
}

pub(crate) type SharedBoard = Arc<Mutex<Board>>;

/// Looks at the board, or writes on it.
pub(crate) fn on<T>(board: &SharedBoard, change: impl FnOnce(&mut Board) -> T) -> T {
    change(&mut board.lock().unwrap_or_else(PoisonError::into_inner))
}

/// What is bound to which key.
pub(crate) fn bindings(board: &SharedBoard) -> Vec<(Event, EventHandler)> {
    let key = |code, modifiers| Event::from(KeyEvent(code, modifiers));
    let does = |handles: Handles| {
        EventHandler::Conditional(Box::new(Handler { board: Arc::clone(board), handles }))
    };
    let mut all = vec![
        (key(KeyCode::Enter, Modifiers::ALT), EventHandler::Simple(Cmd::Newline)),
        (key(KeyCode::Char('E'), Modifiers::CTRL), does(Handles::End)),
        (key(KeyCode::End, Modifiers::NONE), does(Handles::End)),
        (key(KeyCode::Char('f'), Modifiers::ALT), does(Handles::Word)),
        (key(KeyCode::Right, Modifiers::CTRL), does(Handles::Word)),
        (key(KeyCode::Right, Modifiers::ALT), does(Handles::Word)),
        (key(KeyCode::Char('.'), Modifiers::ALT), does(Handles::LastWord)),
        (key(KeyCode::Up, Modifiers::NONE), does(Handles::Up)),
        (key(KeyCode::Down, Modifiers::NONE), does(Handles::Down)),
        (key(KeyCode::Char('P'), Modifiers::CTRL), does(Handles::Up)),
        (key(KeyCode::Char('N'), Modifiers::CTRL), does(Handles::Down)),
        (key(KeyCode::Char('S'), Modifiers::CTRL), does(Handles::Down)),
        (key(KeyCode::Char('G'), Modifiers::CTRL), does(Handles::Leave)),
        (key(KeyCode::Esc, Modifiers::NONE), does(Handles::Leave)),
        (key(KeyCode::Char('C'), Modifiers::CTRL), does(Handles::Interrupt)),
        (Event::Any, does(Handles::Other)),
    ];
    for (_, keys, action, _) in &KEYS {
        all.push((Event::KeySeq(keys.to_vec()), does(Handles::Press(*action))));
    }
    all
}

/// What a key does.
#[derive(Clone, Copy)]
enum Handles {
    /// Does something with the line.
    Press(Action),
    /// Takes the suggestion, if the cursor is at the end.
    End,
    /// Takes a word of the suggestion.
    Word,
    /// Writes the last word of the statement before.
    LastWord,
    /// Goes to what was written before, or to the match above.
    Up,
    /// And back.
    Down,
    /// Leaves a search.
    Leave,
    /// Leaves a search, or the line.
    Interrupt,
    /// Nothing.
    Other,
}

struct Handler {
    board: SharedBoard,
    handles: Handles,
}

impl ConditionalEventHandler for Handler {
    fn handle(
        &self,
        _: &Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        on(&self.board, |board| {
            if let Some(search) = &mut board.search {
                return in_search(self.handles, search);
            }
            let walked = std::mem::take(&mut board.walks);
            let (line, at) = (context.line(), context.pos());
            let suggested = context.hint_text().filter(|_| at == line.len());
            match self.handles {
                Handles::Press(action) => {
                    board.pressed = Some(Pressed { action, line: line.to_owned(), at });
                    Some(Cmd::AcceptLine)
                }
                Handles::End => suggested.map(|_| Cmd::CompleteHint),
                Handles::Word => suggested.map(|text| Cmd::Insert(1, first_word(text).to_owned())),
                Handles::LastWord => match board.last_word.is_empty() {
                    true => Some(Cmd::Noop),
                    false => Some(Cmd::Insert(1, board.last_word.clone())),
                },
                // Within several lines the arrows go from line to line.
                Handles::Up | Handles::Down if line.contains('\n') && !walked => None,
                Handles::Up | Handles::Down if line.is_empty() || walked => {
                    board.walks = true;
                    None
                }
                Handles::Up => Some(Cmd::HistorySearchBackward),
                Handles::Down => Some(Cmd::HistorySearchForward),
                // As Enter, so that nothing of the line below stays on the screen.
                Handles::Interrupt => {
                    board.is_interrupted = true;
                    Some(Cmd::AcceptLine)
                }
                Handles::Leave | Handles::Other => None,
            }
        })
    }
}

/// In a search the arrows choose, and what ends the line otherwise ends the search.
fn in_search(handles: Handles, search: &mut Search) -> Option<Cmd> {
    match handles {
        Handles::Up => search.choose(-1),
        Handles::Down | Handles::Press(Action::Search) => search.choose(1),
        Handles::Leave | Handles::Interrupt => {
            search.leave();
            return Some(Cmd::AcceptLine);
        }
        Handles::Press(_) | Handles::LastWord => return Some(Cmd::Noop),
        Handles::End | Handles::Word | Handles::Other => return None,
    }
    Some(Cmd::Repaint)
}

/// The first word of a text with what stands in front of it.
fn first_word(text: &str) -> &str {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let start = text.find(is_word).unwrap_or(text.len());
    let length = text[start..].find(|c| !is_word(c)).unwrap_or(text.len() - start);
    &text[..start + length]
}

/// The last word of a statement: of what stands between blanks.
pub(crate) fn last_word(line: &str) -> &str {
    line.split_whitespace().next_back().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found() {
        assert_eq!(first_word("(http_requests[5m])"), "(http_requests");
        assert_eq!(first_word("))"), "))");
        assert_eq!(first_word(" é_1 x"), " é_1");
        assert_eq!(last_word("\\describe up"), "up");
        assert_eq!(last_word(""), "");
    }
}
