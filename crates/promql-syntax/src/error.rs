//! What can be wrong with a text.

use crate::span::Span;

/// One thing that is wrong with a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where.
    pub span: Span,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is empty.
    NoExpression,
}

/// Everything that is wrong with a text, with the text. There is at least one error. Displays as
/// upstream's message of the first error and reports to miette as all of them.
#[derive(Clone, Debug)]
pub struct Errors {
    /// The text.
    pub source: Box<[u8]>,
    /// The errors; the first is the one that upstream reports.
    pub errors: Vec<Error>,
}
