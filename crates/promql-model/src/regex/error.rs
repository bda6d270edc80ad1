//! What can be wrong with a regular expression.

use std::fmt;
use std::ops::Range;

/// What is wrong with a regular expression: the error codes of Go's `regexp/syntax`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RegexErrorKind {
    /// `[b-a]`, `\p{NoSuchName}`, `[[:nosuchname:]]`
    InvalidCharRange,
    /// `\q`, `\8`, `\C`, `\x{110000}`
    InvalidEscape,
    /// `(?P<>a)`, `(?P<a b>c)`
    InvalidNamedCapture,
    /// `(?=a)`, `(?i`
    InvalidPerlOp,
    /// `a**`
    InvalidRepeatOp,
    /// `a{1001}`, `a{2,1}`
    InvalidRepeatSize,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// `[a`
    MissingBracket,
    /// `(a`
    MissingParen,
    /// `*`
    MissingRepeatArgument,
    /// A backslash at the end.
    TrailingBackslash,
    /// `a)`
    UnexpectedParen,
    /// More than a thousand levels.
    NestingDepth,
    /// Repetitions that multiply to an automaton of an absurd size.
    Large,
}

impl RegexErrorKind {
    /// The description in Go's words.
    pub const fn description(self) -> &'static str {
        match self {
            Self::InvalidCharRange => "invalid character class range",
            Self::InvalidEscape => "invalid escape sequence",
            Self::InvalidNamedCapture => "invalid named capture",
            Self::InvalidPerlOp => "invalid or unsupported Perl syntax",
            Self::InvalidRepeatOp => "invalid nested repetition operator",
            Self::InvalidRepeatSize => "invalid repeat count",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::MissingBracket => "missing closing ]",
            Self::MissingParen => "missing closing )",
            Self::MissingRepeatArgument => "missing argument to repetition operator",
            Self::TrailingBackslash => "trailing backslash at end of expression",
            Self::UnexpectedParen => "unexpected )",
            Self::NestingDepth => "expression nests too deeply",
            Self::Large => "expression too large",
        }
    }
}

/// A regular expression that cannot be used. Displayed in Go's form:
/// ``error parsing regexp: missing closing ]: `[a` ``.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RegexError {
    kind: RegexErrorKind,
    range: Range<usize>,
    text: Box<[u8]>,
}

impl RegexError {
    pub(super) fn new(pattern: &[u8], problem: Problem) -> Self {
        let range = problem.start..problem.end;
        let text = pattern.get(range.clone()).unwrap_or_default().into();
        Self { kind: problem.kind, range, text }
    }

    /// What is wrong.
    pub fn kind(&self) -> RegexErrorKind {
        self.kind
    }

    /// The bytes of the pattern that are wrong.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }
}

impl fmt::Display for RegexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.text);
        write!(f, "error parsing regexp: {}: `{text}`", self.kind.description())
    }
}

/// An error while parsing: small, so that results of the parser's functions are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem {
    pub(super) kind: RegexErrorKind,
    pub(super) start: usize,
    pub(super) end: usize,
}
