//! What can be wrong with a text, and how it is told.

mod help;
mod kind;
mod report;

use std::fmt;

pub use kind::{Bound, ErrorKind, TypedPlace};
pub use report::Report;

use crate::span::Span;

/// One thing that is wrong with a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where.
    pub span: Span,
}

/// Everything that is wrong with a text, with the text. There is at least one error.
///
/// Displays as upstream does: the first error with its line and column. [`Errors::reports`] shows
/// all of them in the text, each with what to do about it.
///
/// ```
/// use promql_syntax::{Features, compile};
/// let errors = compile("rate(http_requests_total)", &Features::default()).unwrap_err();
/// assert_eq!(
///     errors.to_string(),
///     r#"1:6: parse error: expected type range vector in call to function "rate", got instant vector"#,
/// );
/// assert_eq!(errors.first().kind.code(), "promql::wrong-type");
/// ```
#[derive(Clone, PartialEq)]
pub struct Errors {
    source: Box<[u8]>,
    errors: Vec<Error>,
    /// How many of the errors upstream reports too. Those behind were found by going on after a
    /// syntax error.
    upstream: usize,
}

impl Errors {
    pub(crate) fn new(source: &[u8], errors: Vec<Error>, upstream: usize) -> Self {
        debug_assert!(!errors.is_empty());
        Errors { source: source.into(), errors, upstream }
    }

    /// The text.
    pub fn source_text(&self) -> &[u8] {
        &self.source
    }

    /// The errors in the order in which upstream finds them; then those that were only found
    /// because the parser went on after a syntax error.
    pub fn all(&self) -> &[Error] {
        &self.errors
    }

    /// The errors that upstream finds too.
    pub fn upstream(&self) -> &[Error] {
        &self.errors[..self.upstream]
    }

    /// The error that upstream shows.
    pub fn first(&self) -> &Error {
        &self.errors[0]
    }

    /// An error in upstream's form: `line:column: parse error: message`.
    pub fn upstream_text(&self, error: &Error) -> String {
        match line_and_column(&self.source, error.span.start as usize) {
            _ if self.source.is_empty() => format!("unknown position: parse error: {}", error.kind),
            None => format!("invalid position: parse error: {}", error.kind),
            Some((line, column)) => format!("{line}:{column}: parse error: {}", error.kind),
        }
    }
}

/// The line and the column of an offset, both counted from 1; columns count bytes.
pub fn line_and_column(source: &[u8], offset: usize) -> Option<(usize, usize)> {
    let before = source.get(..offset)?;
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    Some((line, offset - line_start + 1))
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.upstream_text(self.first()))
    }
}

impl fmt::Debug for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.errors.iter().map(|error| self.upstream_text(error))).finish()
    }
}

impl std::error::Error for Errors {}
