//! What stands around a cursor.

use std::ops::Range;

use promql_model::{MatchOp, Matcher};
use promql_syntax::ValueType;
use promql_syntax::functions::{AggregatorInfo, FunctionInfo};

use crate::catalogue::{Condition, Selector};
use crate::lex::{Kind, Token, tokens};
use crate::walk::{Before, Behind, Frame, FrameKind, List, Span, State, Walk};

/// What may be written at the cursor.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Nothing that is known: a comment, or a number.
    Nowhere,
    /// An operand.
    Operand(Before),
    /// What goes on behind an operand.
    Behind(Behind),
    /// Behind an aggregation operator: its clause or its arguments.
    Clause,
    /// The parenthesis of a list of labels.
    List,
    /// A label in a list.
    ListLabel(List),
    /// A label, or a metric's name in quotes, in braces.
    LabelName,
    /// The operator behind one.
    MatchOperator,
    /// The value behind that.
    LabelValue,
    /// A string that is an argument.
    Text,
    /// A duration.
    Duration(Span),
    /// A time behind `@`.
    Time,
}

/// The call around the cursor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Argument {
    pub(crate) callee: Callee,
    /// The frame of the arguments, in the walk.
    pub(crate) frame: usize,
    /// The position of the argument, from 0.
    pub(crate) index: usize,
    /// Whether the argument begins at the cursor.
    pub(crate) begins: bool,
}

/// What is called.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Callee {
    Function(&'static FunctionInfo),
    Aggregator(&'static AggregatorInfo),
}

impl Argument {
    /// The type that the argument has to have.
    pub(crate) fn wanted(&self) -> Option<ValueType> {
        match self.callee {
            Callee::Function(info) => info.parameter(self.index).map(|p| p.value_type),
            Callee::Aggregator(info) => match (&info.parameter, self.index) {
                (Some(parameter), 0) => Some(parameter.value_type),
                _ => Some(ValueType::InstantVector),
            },
        }
    }
}

/// A text, its tokens, and the state of the walk in front of the token at the cursor.
pub(crate) struct Cursor {
    /// The text. A string that is open at the cursor is closed in it.
    pub(crate) text: String,
    pub(crate) tokens: Vec<Token>,
    /// The offset of the cursor.
    pub(crate) at: usize,
    /// The token that is being written, or the first one behind the cursor.
    pub(crate) index: usize,
    /// Whether there is a token being written.
    pub(crate) is_writing: bool,
    /// How many bytes at the end of that token were made up to close a string.
    added: usize,
    state: State,
    pub(crate) frames: Vec<Frame>,
}

impl Cursor {
    /// Looks at a text and an offset in it. An offset that isn't one is moved to the left.
    pub(crate) fn new(text: &str, at: usize) -> Cursor {
        let at = floor(text, at);
        let (mut text, mut list) = (text.to_owned(), tokens(text));
        let mut added = 0;
        if let Some(span) = open_string(&text, &list, at) {
            let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
            let behind = &text[at..span.end];
            let end = at + behind.find(|c| !part(c)).unwrap_or(behind.len());
            let quote = char::from(text.as_bytes()[span.start]);
            // A backslash at the end would escape the quote.
            let slashes = text[..end].bytes().rev().take_while(|b| *b == b'\\').count();
            let closing = match slashes % 2 == 1 && quote != '`' {
                true => format!("\\{quote}"),
                false => quote.to_string(),
            };
            added = closing.len();
            text.insert_str(end, &closing);
            list = tokens(&text);
        }
        let index = list.iter().position(|token| token.span.end >= at).unwrap_or(list.len());
        // Where one token ends and another begins, the one that can be written on is meant.
        let touches = |i: usize| list.get(i).is_some_and(|token| is_written(token, at));
        let (index, is_writing) = match (touches(index), touches(index + 1)) {
            (true, _) => (index, true),
            (false, true) => (index + 1, true),
            _ => (list.iter().position(|t| t.span.end > at).unwrap_or(list.len()), false),
        };
        let mut walk = Walk::new(&text);
        for before in 0..index {
            walk.step(&list, before);
        }
        let (state, frames) = (walk.state, walk.frames);
        Cursor { text, tokens: list, at, index, is_writing, added, state, frames }
    }

    /// The token that is being written.
    pub(crate) fn token(&self) -> Option<&Token> {
        self.is_writing.then(|| self.tokens.get(self.index)).flatten()
    }

    /// The text of a token.
    pub(crate) fn text_of(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text(&self.text))
    }

    /// What is replaced by what is chosen, in the text as it was given.
    pub(crate) fn replaced(&self) -> Range<usize> {
        match self.token() {
            Some(token) => token.span.start..token.span.end.saturating_sub(self.added).max(self.at),
            None => self.at..self.at,
        }
    }

    /// What is written of the token, in front of the cursor.
    pub(crate) fn pattern(&self) -> &str {
        self.token().map_or("", |token| &self.text[token.span.start..self.at])
    }

    /// The first token behind the one being written.
    pub(crate) fn next(&self) -> Option<&Token> {
        let at = self.index + usize::from(self.is_writing);
        self.tokens[at.min(self.tokens.len())..].iter().find(|t| t.kind != Kind::Comment)
    }

    /// Whether the text goes on with something.
    pub(crate) fn is_followed_by(&self, text: &str) -> bool {
        self.next().is_some_and(|token| token.text(&self.text).starts_with(text))
    }

    /// The last token in front of the one being written.
    pub(crate) fn previous(&self) -> Option<usize> {
        (0..self.index).rev().find(|at| self.tokens[*at].kind != Kind::Comment)
    }

    /// What may be written.
    pub(crate) fn place(&self) -> Place {
        let kind = self.token().map(|token| token.kind);
        let in_string = matches!(kind, Some(Kind::String | Kind::OpenString));
        match (self.state, kind) {
            (_, Some(Kind::Comment)) => Place::Nowhere,
            (State::MatcherValue, _) => Place::LabelValue,
            (State::Matcher, _) => Place::LabelName,
            (State::ListLabel, _) => match self.frames.last() {
                Some(Frame { kind: FrameKind::List(list), .. }) => Place::ListLabel(*list),
                _ => Place::Nowhere,
            },
            (State::Operand(_), _) if in_string => Place::Text,
            (_, _) if in_string => Place::Nowhere,
            (State::Operand(_), Some(Kind::Number | Kind::Duration)) => Place::Nowhere,
            (State::Operand(before), _) => Place::Operand(before),
            (State::Complete(_), Some(Kind::Number | Kind::Duration)) => Place::Nowhere,
            (State::Complete(behind), _) => Place::Behind(behind),
            (State::Arguments(_), _) => Place::Clause,
            (State::MatcherOperator, _) => Place::MatchOperator,
            (State::Duration(span), _) => Place::Duration(span),
            (State::Time, _) => Place::Time,
            (State::List, _) => Place::List,
            (State::MatcherNext | State::ListNext | State::TimeWord | State::Fill, _) => {
                Place::Nowhere
            }
        }
    }

    /// The function whose arguments a frame holds.
    fn callee(&self, frame: &Frame) -> Option<Callee> {
        match frame.kind {
            FrameKind::Aggregation(info, _) => Some(Callee::Aggregator(info)),
            FrameKind::Call => {
                let walk = Walk::new(&self.text);
                walk.function_of(frame, &self.tokens).map(Callee::Function)
            }
            _ => None,
        }
    }

    /// The innermost call around the cursor. Parentheses inside its arguments don't count.
    pub(crate) fn argument(&self) -> Option<Argument> {
        let (place, frame) = self.frames.iter().enumerate().rev().find(|(_, frame)| {
            matches!(frame.kind, FrameKind::Call | FrameKind::Aggregation(..))
        })?;
        let callee = self.callee(frame)?;
        let begins = self.previous().is_some_and(|before| {
            place + 1 == self.frames.len()
                && (before == frame.open || self.tokens[before].kind == Kind::Comma)
        });
        Some(Argument { callee, frame: place, index: frame.argument, begins })
    }

    /// The selector whose braces are open at the cursor, without the matcher that is being written.
    pub(crate) fn selector(&self) -> Selector {
        let Some(frame) = self.frames.last() else { return Selector::default() };
        let FrameKind::Braces { named } = frame.kind else { return Selector::default() };
        let mut selector = self.selector_at(frame.open, named);
        // The second argument of `info` selects among the metrics with labels to add.
        if selector.metric.is_none()
            && let Some(Argument { callee: Callee::Function(info), index: 1, .. }) = self.argument()
            && info.name == "info"
        {
            selector.metric = Some("target_info".to_owned());
        }
        selector
    }

    /// The selector whose brace is a token, without the matcher at the cursor.
    fn selector_at(&self, open: usize, named: bool) -> Selector {
        let mut selector = Selector::default();
        if named {
            let name = (0..open).rev().find(|at| self.tokens[*at].kind != Kind::Comment);
            selector.metric = name.map(|at| self.text_of(at).to_owned());
        }
        let mut matcher: Vec<usize> = Vec::new();
        for at in open + 1..=self.tokens.len() {
            let kind = self.tokens.get(at).map(|token| token.kind);
            match kind {
                Some(Kind::Comment) => {}
                None | Some(Kind::Comma | Kind::Close(_) | Kind::Open(_)) => {
                    // The matcher that is being written; behind a comma that is nothing yet.
                    let written = matcher.contains(&self.index)
                        || matcher.last().is_some_and(|last| *last + 1 == self.index)
                            && !self.is_writing;
                    if !written {
                        self.add_matcher(&matcher, &mut selector);
                    }
                    matcher.clear();
                    if kind != Some(Kind::Comma) {
                        break;
                    }
                }
                Some(_) => matcher.push(at),
            }
        }
        selector
    }

    fn add_matcher(&self, matcher: &[usize], selector: &mut Selector) {
        let string = |at: usize| match self.tokens[at].kind {
            Kind::String => unquote(self.text_of(at)),
            Kind::Word => Some(self.text_of(at).to_owned()),
            _ => None,
        };
        match *matcher {
            [name] if self.tokens[name].kind == Kind::String => selector.metric = string(name),
            [label, op, value] => {
                let (Some(label), Some(op)) = (string(label), match_op(self.text_of(op))) else {
                    return;
                };
                let is_string = self.tokens[value].kind == Kind::String;
                let Some(value) = is_string.then(|| string(value)).flatten() else { return };
                if label == "__name__" && op == MatchOp::Equal {
                    selector.metric = Some(value);
                } else if Matcher::new(label.as_str(), op, value.as_bytes()).is_ok() {
                    selector.conditions.push(Condition { label, op, value });
                }
            }
            _ => {}
        }
    }

    /// The label and the operator of the matcher whose value is being written.
    pub(crate) fn matcher(&self) -> Option<(String, MatchOp)> {
        let mut before = (0..self.index).rev().filter(|at| self.tokens[*at].kind != Kind::Comment);
        let op = match_op(self.text_of(before.next()?))?;
        let label = before.next()?;
        let label = match self.tokens[label].kind {
            Kind::String => unquote(self.text_of(label))?,
            _ => self.text_of(label).to_owned(),
        };
        Some((label, op))
    }

    /// The words and strings between a parenthesis or a brace and its end, without the one that is being
    /// written: labels that are there already. Of a matcher only its label.
    pub(crate) fn present(&self, open: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut begins = true;
        for at in open + 1..self.tokens.len() {
            match self.tokens[at].kind {
                Kind::Close(_) | Kind::Open(_) => break,
                Kind::Comma => begins = true,
                Kind::Comment => {}
                kind @ (Kind::Word | Kind::String) if begins => {
                    begins = false;
                    if self.is_writing && at == self.index {
                        continue;
                    }
                    let text = self.text_of(at);
                    found.extend(match kind {
                        Kind::Word => Some(text.to_owned()),
                        _ => unquote(text),
                    });
                }
                _ => {}
            }
        }
        found
    }
}

/// The string at the cursor that nobody has closed yet. With a quote missing, the next quote of the line
/// seems to close it, and the last string of the line is open instead.
fn open_string(text: &str, tokens: &[Token], at: usize) -> Option<Range<usize>> {
    let place = tokens.iter().position(|token| {
        let Range { start, end } = token.span;
        match token.kind {
            Kind::OpenString => start < at && at <= end,
            Kind::String => start < at && at < end,
            _ => false,
        }
    })?;
    let token = &tokens[place];
    let quote = text.as_bytes()[token.span.start];
    let line_end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    let open = |other: &Token| {
        other.kind == Kind::OpenString
            && other.span.start < line_end
            && text.as_bytes()[other.span.start] == quote
    };
    let is_open = token.kind == Kind::OpenString || tokens[place + 1..].iter().any(open);
    is_open.then(|| token.span.clone())
}

/// Whether a token is being written at an offset.
fn is_written(token: &Token, at: usize) -> bool {
    let Range { start, end } = token.span;
    match token.kind {
        Kind::Word | Kind::Variable | Kind::Number | Kind::Duration | Kind::Unknown => {
            start < at && at <= end
        }
        Kind::OpenString | Kind::Comment => start < at && at <= end,
        Kind::String => start < at && at < end,
        _ => false,
    }
}

fn match_op(text: &str) -> Option<MatchOp> {
    let ops = [MatchOp::Equal, MatchOp::NotEqual, MatchOp::Matches, MatchOp::NotMatches];
    ops.into_iter().find(|op| op.symbol() == text)
}

/// The largest offset of a character that is not behind another offset.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The value of a string literal, if it is one in UTF-8.
pub(crate) fn unquote(literal: &str) -> Option<String> {
    let expr = promql_syntax::parse(literal, &promql_syntax::Features::ALL).ok()?;
    match expr.kind(expr.root()) {
        promql_syntax::ast::NodeKind::String(text) => {
            String::from_utf8(expr.text(text).to_vec()).ok()
        }
        _ => None,
    }
}
