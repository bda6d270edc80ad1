//! Regular expressions as Prometheus takes them: RE2 syntax in the dialect of Go's `regexp/syntax`
//! (Perl mode, dot matches newline), always anchored at both ends.
//!
//! Whether a pattern is well formed is asked for each query, whether it matches is asked for few of
//! them. So the two are apart: [`check_regex`] walks over the text once, without allocating, and
//! says what Go would say; [`Regex`] is what a pattern becomes when it is first used. Both go through
//! the one parser of this folder, so they cannot disagree about what a pattern means.
//!
//! ```text
//!  pattern ──parse──┬─► (nothing)                   check_regex
//!                   └─► tree ──┬─► strategy         literals and wildcards, compared directly
//!                              └─► automaton        everything else
//! ```

mod class;
mod error;
mod escape;
mod hir;
mod limits;
mod names;
mod parse;
mod product;
mod program;
mod rewrite;
mod search;
mod strategy;
#[cfg(test)]
mod tests;
mod tree;

pub use error::{RegexError, RegexErrorKind};
pub use product::regexes_are_disjoint;
pub use program::Regex;
pub use rewrite::Rewrite;
pub use search::Search;

use error::Problem;

/// Checks the syntax of a regular expression: the pattern of `=~`, `!~` and `label_replace`.
///
/// Nothing is compiled, and nothing is allocated unless there is an error or groups nest deeper than
/// a handful of levels. A pattern that passes can still be refused by [`Regex::new`] when it is far
/// beyond reasonable in size.
///
/// # Errors
/// What Go's `regexp/syntax` reports for the first problem, in its words.
///
/// ```
/// use promql_model::check_regex;
/// assert!(check_regex(b"5..|4..").is_ok());
/// let error = check_regex(b"[").unwrap_err();
/// assert_eq!(error.to_string(), "error parsing regexp: missing closing ]: `[`");
/// ```
pub fn check_regex(pattern: &[u8]) -> Result<(), RegexError> {
    check_cost(pattern).map(drop)
}

/// How much it takes to compile a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cost(u64);

impl Cost {
    /// Whether compiling may run into limits. A character of the pattern can stand for a class of
    /// some thousand states of an automaton, a few hundred of them never take too much.
    pub(crate) fn is_high(self) -> bool {
        self.0 > 500
    }
}

/// [`check_regex`] that says what the pattern will take.
pub(crate) fn check_cost(pattern: &[u8]) -> Result<Cost, RegexError> {
    match parse::parse(pattern, &mut ()) {
        Ok(size) => Ok(Cost(size)),
        Err(problem) => settle(pattern, problem).map(|()| Cost(0)),
    }
}

/// Turns a problem into an error, unless it is one that Prometheus doesn't notice: alternatives of
/// plain text are never given to its regular expression parser, and so may hold any bytes.
fn settle(pattern: &[u8], problem: Problem) -> Result<(), RegexError> {
    if problem.kind == RegexErrorKind::InvalidUtf8 && is_plain_alternation(pattern) {
        return Ok(());
    }
    Err(RegexError::new(pattern, problem))
}

/// Whether a pattern is one literal or several joined by `|`.
fn is_plain_alternation(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| br"\.+*?()[]{}^$".contains(byte))
}
