//! From the text of a template to tokens, as Go's `text/template` cuts it.
//!
//! Between `{{` and `}}` the rules are Go's to the letter, spaces among them: they separate
//! operands, so they are tokens. What is no token ends the input with an error token.

use std::borrow::Cow;

use promql_model::quote::{Quoted, is_printable};

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    End,
    Field,
    Identifier,
    LeftDelimiter,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelimiter,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Keyword(Keyword),
}

/// The words that are no names of functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Dot,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

const KEYWORDS: [(&str, Keyword); 11] = [
    ("block", Keyword::Block),
    ("break", Keyword::Break),
    ("continue", Keyword::Continue),
    ("define", Keyword::Define),
    ("else", Keyword::Else),
    ("end", Keyword::End),
    ("if", Keyword::If),
    ("nil", Keyword::Nil),
    ("range", Keyword::Range),
    ("template", Keyword::Template),
    ("with", Keyword::With),
];

/// A token: its kind, its text (of an error the message), and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: Cow<'a, str>,
    pub(super) start: usize,
    /// The first byte behind it.
    pub(super) end: usize,
    /// The line that it begins in, from 1.
    pub(super) line: usize,
}

impl Token<'_> {
    /// How messages name it.
    pub(super) fn shown(&self) -> String {
        match self.kind {
            Kind::End => "EOF".to_owned(),
            Kind::Error => self.text.to_string(),
            Kind::Keyword(_) => format!("<{}>", self.text),
            _ if self.text.len() > 10 => {
                let front: String = self.text.chars().take(10).collect();
                format!("{}...", Quoted(front.as_bytes()))
            }
            _ => Quoted(self.text.as_bytes()).to_string(),
        }
    }
}

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
const LEFT_COMMENT: &str = "/*";
const RIGHT_COMMENT: &str = "*/";

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphabetic() || c.is_numeric() && is_digit_character(c)
}

/// Go counts decimal digits of all scripts, but not other numbers such as `½`.
fn is_digit_character(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.to_digit(10).is_none() && c.is_alphanumeric())
}

/// Cuts a text into tokens, one at a time.
pub(super) struct Lexer<'a> {
    input: &'a str,
    /// Where the token begins, and where reading has come to.
    start: usize,
    at: usize,
    start_line: usize,
    inside_action: bool,
    parens: usize,
    ended: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a str) -> Self {
        Lexer {
            input,
            start: 0,
            at: 0,
            start_line: 1,
            inside_action: false,
            parens: 0,
            ended: false,
        }
    }

    /// The next token. After the last one, or an error, there are only ends.
    pub(super) fn next(&mut self) -> Token<'a> {
        if self.ended {
            return Token {
                kind: Kind::End,
                text: Cow::Borrowed(""),
                start: self.at,
                end: self.at,
                line: self.start_line,
            };
        }
        if self.inside_action { self.action() } else { self.text() }
    }

    fn rest(&self) -> &'a str {
        self.input.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Leaves out what was read.
    fn ignore(&mut self) {
        self.start_line += lines(&self.input[self.start..self.at]);
        self.start = self.at;
    }

    fn emit(&mut self, kind: Kind) -> Token<'a> {
        let text = Cow::Borrowed(&self.input[self.start..self.at]);
        let token = Token { kind, text, start: self.start, end: self.at, line: self.start_line };
        self.ignore();
        token
    }

    fn error(&mut self, message: impl Into<String>) -> Token<'a> {
        self.ended = true;
        Token {
            kind: Kind::Error,
            text: Cow::Owned(message.into()),
            start: self.start,
            end: self.at.max(self.start),
            line: self.start_line,
        }
    }

    fn text(&mut self) -> Token<'a> {
        loop {
            let Some(length) = self.rest().find(LEFT) else {
                self.at = self.input.len();
                if self.at > self.start {
                    return self.emit(Kind::Text);
                }
                self.ended = true;
                return self.emit(Kind::End);
            };
            if length > 0 {
                self.at += length;
                let delimiter = self.at;
                if has_left_trim(&self.input[delimiter + LEFT.len()..]) {
                    let text = &self.input[self.start..delimiter];
                    self.at = self.start + text.trim_end_matches(is_space).len();
                }
                let token = self.emit(Kind::Text);
                self.at = delimiter;
                self.ignore();
                if !token.text.is_empty() {
                    return token;
                }
            }
            self.at += LEFT.len();
            let trim = if has_left_trim(self.rest()) { TRIM } else { 0 };
            if self.input[self.at + trim..].starts_with(LEFT_COMMENT) {
                self.at += trim;
                self.ignore();
                match self.comment() {
                    Some(error) => return error,
                    None => continue,
                }
            }
            let token = self.emit(Kind::LeftDelimiter);
            self.at += trim;
            self.ignore();
            self.inside_action = true;
            self.parens = 0;
            return token;
        }
    }

    /// Leaves out a comment, to the end of its action.
    fn comment(&mut self) -> Option<Token<'a>> {
        self.at += LEFT_COMMENT.len();
        let Some(length) = self.rest().find(RIGHT_COMMENT) else {
            return Some(self.error("unclosed comment"));
        };
        self.at += length + RIGHT_COMMENT.len();
        let Some(trim) = self.right_delimiter() else {
            return Some(self.error("comment ends before closing delimiter"));
        };
        self.at += if trim { TRIM } else { 0 } + RIGHT.len();
        if trim {
            self.skip_spaces();
        }
        self.ignore();
        None
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_space).len();
    }

    /// Whether the action ends here, and whether space behind it is cut.
    fn right_delimiter(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim(rest) && rest[TRIM..].starts_with(RIGHT) {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
    }

    fn close(&mut self, trim: bool) -> Token<'a> {
        if trim {
            self.at += TRIM;
            self.ignore();
        }
        self.at += RIGHT.len();
        let token = self.emit(Kind::RightDelimiter);
        if trim {
            self.skip_spaces();
            self.ignore();
        }
        self.inside_action = false;
        token
    }

    fn action(&mut self) -> Token<'a> {
        if let Some(trim) = self.right_delimiter() {
            if self.parens == 0 {
                return self.close(trim);
            }
            return self.error("unclosed left paren");
        }
        let Some(next) = self.bump() else {
            return self.error("unclosed action");
        };
        match next {
            c if is_space(c) => self.space(),
            '=' => self.emit(Kind::Assign),
            ':' => match self.bump() {
                Some('=') => self.emit(Kind::Declare),
                _ => self.error("expected :="),
            },
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant"),
            '`' => {
                while let Some(c) = self.bump() {
                    if c == '`' {
                        return self.emit(Kind::RawString);
                    }
                }
                self.error("unterminated raw quoted string")
            }
            '$' => self.name(Kind::Variable),
            '.' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => match self.peek() {
                Some(_) => self.name(Kind::Field),
                None => self.number(),
            },
            '.' | '+' | '-' | '0'..='9' => self.number(),
            c if is_word(c) => self.word(),
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen)
            }
            ')' if self.parens == 0 => self.error("unexpected right paren"),
            ')' => {
                self.parens -= 1;
                self.emit(Kind::RightParen)
            }
            c if c.is_ascii() && is_printable(c) => self.emit(Kind::Char),
            c => self.error(format!("unrecognized character in action: {}", code_point(c))),
        }
    }

    fn space(&mut self) -> Token<'a> {
        while self.peek().is_some_and(is_space) {
            self.bump();
        }
        // The last space may belong to a trim marker.
        let last = self.at - 1;
        let rest = &self.input[last..];
        if has_right_trim(rest) && rest[TRIM..].starts_with(RIGHT) {
            self.at = last;
            if self.at == self.start {
                return self.close(true);
            }
        }
        self.emit(Kind::Space)
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str) -> Token<'a> {
        loop {
            match self.bump() {
                Some('\\') => match self.bump() {
                    None | Some('\n') => return self.error(unterminated),
                    Some(_) => {}
                },
                None | Some('\n') => return self.error(unterminated),
                Some(c) if c == quote => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    /// `$`, `$name`, `.`, `.name`.
    fn name(&mut self, kind: Kind) -> Token<'a> {
        if self.at_terminator() {
            let kind = if kind == Kind::Field { Kind::Keyword(Keyword::Dot) } else { kind };
            return self.emit(kind);
        }
        while self.peek().is_some_and(is_word) {
            self.bump();
        }
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.emit(kind)
    }

    fn word(&mut self) -> Token<'a> {
        while self.peek().is_some_and(is_word) {
            self.bump();
        }
        if !self.at_terminator() {
            return self.bad_character();
        }
        let word = &self.input[self.start..self.at];
        let keyword = KEYWORDS.iter().find(|(text, _)| *text == word);
        self.emit(match keyword {
            Some((_, keyword)) => Kind::Keyword(*keyword),
            None if matches!(word, "true" | "false") => Kind::Bool,
            None => Kind::Identifier,
        })
    }

    fn bad_character(&mut self) -> Token<'a> {
        let bad = self.peek().map_or_else(|| "U+FFFD".to_owned(), code_point);
        self.start = self.at;
        self.at += self.peek().map_or(0, char::len_utf8);
        self.error(format!("bad character {bad}"))
    }

    /// Whether a name may end here.
    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(c) => is_space(c) || self.rest().starts_with(RIGHT),
        }
    }

    fn number(&mut self) -> Token<'a> {
        self.at = self.start;
        let mut is_number = self.scan_number();
        let mut kind = Kind::Number;
        if is_number && matches!(self.peek(), Some('+' | '-')) {
            is_number = self.scan_number() && self.input[..self.at].ends_with('i');
            kind = Kind::Complex;
        }
        if !is_number {
            let text = Quoted(&self.input.as_bytes()[self.start..self.at]);
            return self.error(format!("bad number syntax: {text}"));
        }
        self.emit(kind)
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_word) {
            self.bump();
            return false;
        }
        true
    }

    fn accept(&mut self, valid: &str) -> bool {
        let accepted = self.peek().is_some_and(|c| valid.contains(c));
        if accepted {
            self.at += 1;
        }
        accepted
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }
}

/// The length of a trim marker: a dash and a space.
const TRIM: usize = 2;

fn has_left_trim(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next() == Some('-') && characters.next().is_some_and(is_space)
}

fn has_right_trim(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(is_space) && characters.next() == Some('-')
}

fn lines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// `U+0041 'A'`, without the character where it can't be shown.
pub(super) fn code_point(c: char) -> String {
    match is_printable(c) {
        true => format!("U+{:04X} '{c}'", u32::from(c)),
        false => format!("U+{:04X}", u32::from(c)),
    }
}
