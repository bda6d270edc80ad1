//! The lexer.
//!
//! PromQL's tokens depend on where they stand: inside braces every word is a label name, directly
//! behind `[` only durations are read, and the values of a series have a notation of their own. So
//! there is one set of logos rules for each such mode, and the lexer goes from one to the other and
//! keeps what crosses modes: the depth of parentheses, and what a bracket has held so far.
//!
//! The whole text is read before it is parsed, up to the first error; the error stands in the
//! stream at its place, so the parser meets it when it gets there.

mod number;
mod series;
mod string;
mod token;

use logos::Logos;

pub(crate) use string::{decode_string, is_plain};
pub(crate) use token::Naming;
pub use token::{Token, TokenKind};

use crate::error::{Error, ErrorKind};
use crate::span::Span;
use number::{Scanned, scan_number_or_duration};

/// What the lexer made of a text.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// The tokens without comments.
    pub tokens: Vec<Token>,
    /// The comments, from `#` to the end of the line.
    pub comments: Vec<Span>,
    /// What ended the stream early.
    pub error: Option<Error>,
    /// The most parentheses that are open at once.
    pub(crate) depth: u32,
    /// Whether there is a word whose meaning takes more than one token of look-ahead.
    pub(crate) ambiguous: bool,
}

/// Reads the tokens of an expression.
///
/// ```
/// let tokens = promql_syntax::lexer::tokenize(b"up # is it?");
/// assert_eq!(tokens.tokens.len(), 1);
/// assert_eq!(tokens.comments.len(), 1);
/// ```
pub fn tokenize(source: &[u8]) -> Tokens {
    run(source, false, Vec::new())
}

/// The same into a vector that was used before.
pub(crate) fn tokenize_into(source: &[u8], tokens: Vec<Token>) -> Tokens {
    run(source, false, tokens)
}

/// Reads the tokens of a series description.
pub fn tokenize_series(source: &[u8]) -> Tokens {
    run(source, true, Vec::new())
}

fn run(source: &[u8], series: bool, mut tokens: Vec<Token>) -> Tokens {
    tokens.clear();
    let mut lexer = Lexer {
        source,
        out: Tokens { tokens, ..Tokens::default() },
        series,
        parentheses: 0,
        in_brackets: false,
        colon_seen: false,
        duration_seen: false,
    };
    lexer.out.tokens.reserve(source.len() / 4 + 4);
    let mut mode = Mode::Normal(TokenKind::lexer(source));
    loop {
        let next = match mode {
            Mode::Normal(lex) => lexer.normal(lex),
            Mode::Braces(lex) => lexer.braces(lex),
            Mode::Bracket(lex) => lexer.bracket(lex),
            Mode::Values(at) => lexer.values(at),
            Mode::End => break,
        };
        match next {
            Ok(next) => mode = next,
            Err(error) => {
                lexer.out.error = Some(error);
                break;
            }
        }
    }
    lexer.out
}

/// Where in the text the lexer stands, and by which rules it goes on.
enum Mode<'s> {
    /// Plain expression text, and a bracket behind its first number.
    Normal(logos::Lexer<'s, TokenKind>),
    /// Inside braces.
    Braces(logos::Lexer<'s, BraceToken>),
    /// Behind `[`, before the first number.
    Bracket(logos::Lexer<'s, BracketToken>),
    /// The values of a series, from this offset.
    Values(usize),
    /// At the end of the text.
    End,
}

/// The rules inside braces.
#[derive(Logos, Clone, Copy)]
#[logos(utf8 = false, skip(r"[ \t\n\r]+"))]
enum BraceToken {
    #[regex("[a-zA-Z_][a-zA-Z0-9_]*")]
    Identifier,
    #[regex("[\"'`]")]
    Quote,
    #[token(",")]
    Comma,
    #[token("=")]
    Assign,
    #[token("!=")]
    NotEqual,
    #[token("=~")]
    EqualRegex,
    #[token("!~")]
    NotEqualRegex,
    #[token("}")]
    RightBrace,
    /// The start of a comment.
    #[token("#")]
    Comment,
}

/// The rules directly behind `[`.
#[derive(Logos, Clone, Copy)]
#[logos(utf8 = false, skip(r"[ \t\n\r]+"))]
enum BracketToken {
    #[token("]")]
    RightBracket,
    #[token("(")]
    LeftParen,
    #[token(")")]
    RightParen,
    #[token(",")]
    Comma,
    #[token(":")]
    Colon,
    #[token("+")]
    Add,
    #[token("-")]
    Sub,
    #[token("*")]
    Mul,
    #[token("/")]
    Div,
    #[token("%")]
    Mod,
    #[token("^")]
    Pow,
    #[regex(r"[0-9]|\.[0-9]")]
    Number,
    #[regex("[a-zA-Z_]+")]
    Word,
}

/// The words that stand for durations, in any case.
fn duration_word(word: &[u8]) -> Option<TokenKind> {
    const WORDS: [(&[u8], TokenKind); 4] = [
        (b"step", TokenKind::Step),
        (b"range", TokenKind::Range),
        (b"max_of", TokenKind::MaxOf),
        (b"min_of", TokenKind::MinOf),
    ];
    WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|&(_, kind)| kind)
}

struct Lexer<'s> {
    source: &'s [u8],
    out: Tokens,
    /// Whether the text is a series description.
    series: bool,
    parentheses: u32,
    in_brackets: bool,
    /// Whether the bracket has held a colon.
    colon_seen: bool,
    /// Whether any bracket of the text has held a number. Upstream never resets it.
    duration_seen: bool,
}

type Next<'s> = Result<Mode<'s>, Error>;

impl<'s> Lexer<'s> {
    /// Plain expression text. Inside a bracket behind its first number the same rules hold, but
    /// words and colons mean something else there.
    fn normal(&mut self, mut lex: logos::Lexer<'s, TokenKind>) -> Next<'s> {
        loop {
            let before = self.in_brackets.then(|| lex.clone());
            let Some(result) = lex.next() else {
                return self.end(self.source.len());
            };
            let at = lex.span();
            let Ok(kind) = result else { return Err(self.unexpected(at.start)) };
            match kind {
                TokenKind::Comment => {
                    let end = self.comment(at.start);
                    lex.bump(end - at.end);
                    continue;
                }
                TokenKind::Number if !self.source[at.start].is_ascii_alphabetic() => {
                    let end = self.number(at.start)?;
                    lex.bump(end - at.end);
                    continue;
                }
                TokenKind::String => {
                    let end = self.string(at.start)?;
                    lex.bump(end - at.end);
                    continue;
                }
                _ if self.source[at.start].is_ascii_alphabetic()
                    || matches!(self.source[at.start], b'_' | b':') =>
                {
                    if let Some(mut before) = before {
                        let end = self.word_in_brackets(at.start)?;
                        before.bump(end - before.span().end);
                        lex = before;
                        continue;
                    }
                    self.out.ambiguous |= matches!(
                        kind,
                        TokenKind::Offset | TokenKind::GroupLeft | TokenKind::GroupRight
                    );
                    let is_fill = matches!(
                        kind,
                        TokenKind::Fill | TokenKind::FillLeft | TokenKind::FillRight
                    );
                    if is_fill && !self.parenthesis_follows(at.end) {
                        self.push(TokenKind::Identifier, at.start, at.end);
                    } else {
                        self.push(kind, at.start, at.end);
                    }
                    if self.series && self.source.get(at.end) != Some(&b'{') {
                        return Ok(Mode::Values(at.end));
                    }
                    continue;
                }
                TokenKind::Assign if self.source.get(at.end) == Some(&b'~') => {
                    return Err(self.error(ErrorKind::UnexpectedAfterEquals('~'), at.start));
                }
                TokenKind::LeftParen => self.open_parenthesis(),
                TokenKind::RightParen => self.close_parenthesis(at.end)?,
                TokenKind::LeftBrace => {
                    self.push(kind, at.start, at.end);
                    return Ok(Mode::Braces(lex.morph()));
                }
                TokenKind::LeftBracket if self.in_brackets => {
                    return Err(self.error(ErrorKind::UnexpectedLeftBracket, at.start));
                }
                TokenKind::LeftBracket => {
                    self.push(kind, at.start, at.end);
                    self.in_brackets = true;
                    self.colon_seen = false;
                    return Ok(Mode::Bracket(lex.morph()));
                }
                TokenKind::RightBracket if !self.in_brackets => {
                    return Err(self.error(ErrorKind::UnexpectedRightBracket, at.start));
                }
                TokenKind::RightBracket => self.in_brackets = false,
                _ => {}
            }
            self.push(kind, at.start, at.end);
        }
    }

    /// Inside braces.
    fn braces(&mut self, mut lex: logos::Lexer<'s, BraceToken>) -> Next<'s> {
        while let Some(result) = lex.next() {
            let at = lex.span();
            let kind = match result {
                Ok(BraceToken::Identifier) => TokenKind::Identifier,
                Ok(BraceToken::Comma) => TokenKind::Comma,
                Ok(BraceToken::Assign) => TokenKind::Assign,
                Ok(BraceToken::NotEqual) => TokenKind::NotEqual,
                Ok(BraceToken::EqualRegex) => TokenKind::EqualRegex,
                Ok(BraceToken::NotEqualRegex) => TokenKind::NotEqualRegex,
                Ok(BraceToken::Comment) => {
                    let end = self.comment(at.start);
                    lex.bump(end - at.end);
                    continue;
                }
                Ok(BraceToken::Quote) => {
                    let end = self.string(at.start)?;
                    lex.bump(end - at.end);
                    continue;
                }
                Ok(BraceToken::RightBrace) => {
                    self.push(TokenKind::RightBrace, at.start, at.end);
                    return Ok(match self.series {
                        true => Mode::Values(at.end),
                        false => Mode::Normal(lex.morph()),
                    });
                }
                Err(()) => {
                    let kind = match self.source[at.start] {
                        b'!' => ErrorKind::UnexpectedAfterBangInBraces(self.char_at(at.start + 1)),
                        b'{' => ErrorKind::UnexpectedLeftBrace,
                        _ => ErrorKind::UnexpectedInBraces(self.char_at(at.start)),
                    };
                    return Err(self.error(kind, at.start));
                }
            };
            self.push(kind, at.start, at.end);
        }
        Err(self.error(ErrorKind::EndInBraces, self.source.len()))
    }

    /// Behind `[`, before the first number.
    fn bracket(&mut self, mut lex: logos::Lexer<'s, BracketToken>) -> Next<'s> {
        while let Some(result) = lex.next() {
            let at = lex.span();
            let kind = match result {
                Ok(BracketToken::RightBracket) => {
                    self.push(TokenKind::RightBracket, at.start, at.end);
                    self.in_brackets = false;
                    return Ok(Mode::Normal(lex.morph()));
                }
                Ok(BracketToken::Number) => {
                    let end = self.number(at.start)?;
                    lex.bump(end - at.end);
                    self.duration_seen = true;
                    return Ok(Mode::Normal(lex.morph()));
                }
                Ok(BracketToken::Word) => match duration_word(&self.source[at.clone()]) {
                    Some(kind) => kind,
                    None => {
                        let kind = ErrorKind::UnexpectedInDuration(self.char_at(at.start));
                        return Err(self.error(kind, at.start));
                    }
                },
                Ok(BracketToken::Colon) => {
                    if !self.duration_seen {
                        return Err(self.error(ErrorKind::ColonBeforeDuration, at.end));
                    }
                    if self.colon_seen {
                        return Err(self.error(ErrorKind::RepeatedColon, at.end));
                    }
                    self.colon_seen = true;
                    TokenKind::Colon
                }
                Ok(BracketToken::RightParen) => {
                    self.close_parenthesis(at.end)?;
                    TokenKind::RightParen
                }
                Ok(BracketToken::LeftParen) => {
                    self.open_parenthesis();
                    TokenKind::LeftParen
                }
                Ok(BracketToken::Comma) => TokenKind::Comma,
                Ok(BracketToken::Add) => TokenKind::Add,
                Ok(BracketToken::Sub) => TokenKind::Sub,
                Ok(BracketToken::Mul) => TokenKind::Mul,
                Ok(BracketToken::Div) => TokenKind::Div,
                Ok(BracketToken::Mod) => TokenKind::Mod,
                Ok(BracketToken::Pow) => TokenKind::Pow,
                Err(()) => {
                    let kind = ErrorKind::UnexpectedInDuration(self.char_at(at.start));
                    return Err(self.error(kind, at.start));
                }
            };
            self.push(kind, at.start, at.end);
        }
        Err(self.error(ErrorKind::EndInDuration, self.source.len()))
    }

    /// A word or a colon in a bracket behind its first number. Gives the offset behind it.
    fn word_in_brackets(&mut self, start: usize) -> Result<usize, Error> {
        if self.source[start] == b':' {
            if self.colon_seen {
                return Err(self.error(ErrorKind::UnexpectedColon, start));
            }
            self.colon_seen = true;
            self.push(TokenKind::Colon, start, start + 1);
            return Ok(start + 1);
        }
        let length = self.source[start..]
            .iter()
            .position(|b| !b.is_ascii_alphabetic() && *b != b'_')
            .unwrap_or(self.source.len() - start);
        match duration_word(&self.source[start..start + length]) {
            Some(kind) => {
                self.push(kind, start, start + length);
                Ok(start + length)
            }
            None => Err(self.error(ErrorKind::ExpectedColon(self.char_at(start)), start)),
        }
    }

    /// The end of the text in plain expression text.
    fn end(&self, at: usize) -> Next<'s> {
        if self.parentheses > 0 {
            Err(self.error(ErrorKind::UnclosedParenthesis, at))
        } else if self.in_brackets {
            Err(self.error(ErrorKind::UnclosedBracket, at))
        } else {
            Ok(Mode::End)
        }
    }

    /// A comment up to the end of the line. Gives the offset behind it.
    fn comment(&mut self, start: usize) -> usize {
        let rest = &self.source[start..];
        let end = start + memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        self.out.comments.push(span(start, end));
        end
    }

    fn number(&mut self, start: usize) -> Result<usize, Error> {
        let scanned = if self.series {
            number::scan_series_number(self.source, start)
        } else {
            scan_number_or_duration(self.source, start)
        };
        let (kind, end) = match scanned {
            Scanned::Number(end) => (TokenKind::Number, end),
            Scanned::Duration(end) => (TokenKind::Duration, end),
            Scanned::Bad(end) => {
                let text = self.source[start..end].into();
                let kind = match self.series {
                    true => ErrorKind::BadSeriesNumber(text),
                    false => ErrorKind::BadNumberOrDuration(text),
                };
                return Err(self.error(kind, start));
            }
        };
        self.push(kind, start, end);
        Ok(end)
    }

    fn string(&mut self, start: usize) -> Result<usize, Error> {
        match string::scan_string(self.source, start) {
            Ok(end) => {
                self.push(TokenKind::String, start, end);
                Ok(end)
            }
            Err(kind) => Err(self.error(kind, start)),
        }
    }

    fn open_parenthesis(&mut self) {
        self.parentheses += 1;
        self.out.depth = self.out.depth.max(self.parentheses);
    }

    fn close_parenthesis(&mut self, end: usize) -> Result<(), Error> {
        match self.parentheses.checked_sub(1) {
            Some(depth) => {
                self.parentheses = depth;
                Ok(())
            }
            None => Err(self.error(ErrorKind::UnexpectedRightParenthesis, end)),
        }
    }

    /// Whether the next character that is not blank is an opening parenthesis. Comments are not
    /// skipped, which is how upstream tells `fill (` from a metric of that name.
    fn parenthesis_follows(&self, at: usize) -> bool {
        let rest = &self.source[at..];
        rest.iter().find(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r')) == Some(&b'(')
    }

    fn unexpected(&self, start: usize) -> Error {
        let kind = match self.source[start] {
            b'!' => ErrorKind::UnexpectedAfterBang(self.char_at(start + 1)),
            _ => ErrorKind::UnexpectedCharacter(self.char_at(start)),
        };
        self.error(kind, start)
    }

    /// The character at an offset. The end of the text and bytes that are not UTF-8 are U+FFFD.
    fn char_at(&self, at: usize) -> char {
        let rest = self.source.get(at..).unwrap_or_default();
        string::decode_char(rest).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// An error that reaches from `start` to the end of the text, as all errors of the lexer do.
    fn error(&self, kind: ErrorKind, start: usize) -> Error {
        Error { kind, span: span(start, self.source.len()) }
    }

    fn push(&mut self, kind: TokenKind, start: usize, end: usize) {
        self.out.tokens.push(Token { kind, span: span(start, end) });
    }
}

/// Texts longer than [`crate::MAX_SOURCE_LEN`] are refused before they are read, so offsets fit.
fn span(start: usize, end: usize) -> Span {
    Span::new(start as u32, end as u32)
}
