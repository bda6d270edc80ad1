//! Errors as diagnostics of miette.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

use super::help::unclosed_parenthesis;
use super::{Error, ErrorKind, Errors};
use crate::lexer::{TokenKind, tokenize};
use crate::span::Span;

/// How many errors of one text are shown.
const MAX_SHOWN: usize = 20;

/// One error of a text, ready to be rendered: its message, its place in the text, and what to do.
#[derive(Clone)]
pub struct Report {
    message: String,
    code: &'static str,
    help: Option<String>,
    label: LabeledSpan,
    source: Arc<NamedSource<String>>,
}

impl Errors {
    /// The errors as diagnostics, of which at most 20 are given. `name` says what the text is: a
    /// file's name, or something like `query`.
    pub fn reports(&self, name: &str) -> Vec<Report> {
        let source = Arc::new(NamedSource::new(name, shown(&self.source)));
        let report = |error: &Error| Report {
            message: error.kind.to_string(),
            code: error.kind.code(),
            help: error.help(&self.source),
            label: label(error, &self.source),
            source: source.clone(),
        };
        let shown = self.errors.iter().enumerate().filter(|&(at, _)| !self.follows(at));
        shown.take(MAX_SHOWN).map(|(_, error)| report(error)).collect()
    }

    /// Whether an error only says again what one before it said: upstream complains about what it
    /// put in place of something that it could not read.
    fn follows(&self, at: usize) -> bool {
        let error = &self.errors[at];
        match error.kind {
            ErrorKind::AggregateWithoutArguments => error.span.is_empty(),
            ErrorKind::DurationNotPositive => {
                let before = &self.errors[..at];
                error.span.is_empty() || before.iter().any(|other| other.span == error.span)
            }
            ErrorKind::SetNotManyToMany => true,
            _ => false,
        }
    }
}

fn label(error: &Error, source: &[u8]) -> LabeledSpan {
    let span = place(error, source);
    let length = span.len() as usize;
    LabeledSpan::new(Some(error.label()), span.start as usize, length)
}

/// The part of the text to point at. Upstream's errors of the lexer reach to the end of the text,
/// which says nothing.
fn place(error: &Error, source: &[u8]) -> Span {
    let start = error.span.start as usize;
    let one_char = || {
        let rest = source.get(start..).unwrap_or_default();
        let text = String::from_utf8_lossy(&rest[..rest.len().min(4)]).into_owned();
        let length = text.chars().next().map_or(0, |c| match c {
            char::REPLACEMENT_CHARACTER => 1,
            c => c.len_utf8(),
        });
        Span::new(error.span.start, error.span.start + length as u32)
    };
    match &error.kind {
        ErrorKind::UnclosedParenthesis => {
            unclosed_parenthesis(source).map_or(error.span, |token| token.span)
        }
        ErrorKind::EndInBraces => last(source, TokenKind::LeftBrace).unwrap_or(error.span),
        ErrorKind::UnclosedBracket | ErrorKind::EndInDuration => {
            last(source, TokenKind::LeftBracket).unwrap_or(error.span)
        }
        // These stand behind the character that they are about.
        ErrorKind::UnexpectedRightParenthesis
        | ErrorKind::ColonBeforeDuration
        | ErrorKind::RepeatedColon => {
            Span::new(error.span.start.saturating_sub(1), error.span.start)
        }
        ErrorKind::BadNumberOrDuration(text) | ErrorKind::BadSeriesNumber(text) => {
            Span::new(error.span.start, error.span.start + text.len() as u32)
        }
        ErrorKind::BadHistogramWord(word) => {
            Span::new(error.span.start, error.span.start + word.len() as u32)
        }
        ErrorKind::UnexpectedAfterEquals(_)
        | ErrorKind::UnexpectedAfterBang(_)
        | ErrorKind::UnexpectedAfterBangInBraces(_) => {
            let end = (error.span.start + 2).min(source.len() as u32);
            Span::new(error.span.start, end)
        }
        ErrorKind::UnterminatedString => {
            let rest = source.get(start..).unwrap_or_default();
            let line = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            Span::new(error.span.start, error.span.start + line as u32)
        }
        ErrorKind::UnexpectedCharacter(_)
        | ErrorKind::UnexpectedInBraces(_)
        | ErrorKind::UnexpectedInDuration(_)
        | ErrorKind::UnexpectedInSeries(_)
        | ErrorKind::UnexpectedInHistogram(_)
        | ErrorKind::UnexpectedInBuckets(_)
        | ErrorKind::UnexpectedRightBracket
        | ErrorKind::UnexpectedLeftBracket
        | ErrorKind::UnexpectedLeftBrace
        | ErrorKind::UnexpectedColon
        | ErrorKind::ExpectedColon(_) => one_char(),
        // Upstream's range of an operator is one byte short.
        ErrorKind::BoolOnNonComparison(_)
        | ErrorKind::ScalarComparisonWithoutBool(_)
        | ErrorKind::LabelInOnAndGroup(_) => {
            let end = (error.span.end + 1).min(source.len() as u32);
            Span::new(error.span.start, end)
        }
        _ => error.span,
    }
}

/// The place of the last token of a kind.
fn last(source: &[u8], kind: TokenKind) -> Option<Span> {
    tokenize(source).tokens.iter().rev().find(|token| token.kind == kind).map(|token| token.span)
}

/// The text with everything replaced that a terminal would not show as it is, byte for byte, so that
/// offsets stay what they are.
fn shown(source: &[u8]) -> String {
    let mut text = String::with_capacity(source.len());
    for chunk in source.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '\n' || c == '\t' || !is_unsafe(c) {
                text.push(c);
            } else {
                text.extend(std::iter::repeat_n('?', c.len_utf8()));
            }
        }
        text.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    // Something to point at where something is missing at the end.
    text.push(' ');
    text
}

/// Control characters and those that change the direction of writing.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Report {}

impl Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&*self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(self.label.clone())))
    }
}
