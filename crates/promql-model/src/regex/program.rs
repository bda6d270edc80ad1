//! Regular expressions that are ready to match.

use std::fmt;

use regex_automata::meta::{self, Regex as Automaton};
use regex_automata::nfa::thompson::WhichCaptures;
use regex_syntax::hir::{Hir, Look};

use super::error::{Problem, RegexError, RegexErrorKind};
use super::hir::HirTree;
use super::strategy::{Shortcut, shortcut};
use super::{parse, settle};

/// How much memory one automaton may take to build, in bytes: the limit of Go's `regexp`.
pub(super) const AUTOMATON_LIMIT: usize = 128 << 20;

/// A regular expression, ready to match whole label values.
///
/// Most patterns in selectors are lists of literals or literals around wildcards; these are compared
/// directly, the rest goes through an automaton.
///
/// ```
/// use promql_model::Regex;
/// let regex = Regex::new(b"5..|4..")?;
/// assert!(regex.is_match("503"));
/// assert!(!regex.is_match("5033"));
/// # Ok::<(), promql_model::RegexError>(())
/// ```
#[derive(Clone)]
pub struct Regex {
    program: Program,
}

#[derive(Clone)]
enum Program {
    Shortcut(Shortcut),
    Automaton { automaton: Box<Automaton>, prefix: Box<str> },
}

impl Regex {
    /// Makes a regular expression of a pattern in RE2 syntax.
    ///
    /// # Errors
    /// When [`check_regex`](crate::check_regex) refuses the pattern, or when it would take more than
    /// 128 MiB to compile.
    pub fn new(pattern: &[u8]) -> Result<Self, RegexError> {
        let mut tree = HirTree::new(false);
        let hir = match parse::parse(pattern, &mut tree) {
            Ok(_) => tree.finish().0,
            Err(problem) => {
                settle(pattern, problem)?;
                return Ok(Self { program: Program::Shortcut(Shortcut::of_plain(pattern)) });
            }
        };
        let program = match shortcut(&hir) {
            Some(shortcut) => Program::Shortcut(shortcut),
            None => Program::Automaton {
                prefix: super::strategy::prefix(&hir),
                automaton: Box::new(
                    compile(hir, WhichCaptures::None).ok_or_else(|| too_large(pattern))?,
                ),
            },
        };
        Ok(Self { program })
    }

    /// Whether the whole of `value` matches.
    #[inline]
    pub fn is_match(&self, value: &str) -> bool {
        match &self.program {
            Program::Shortcut(shortcut) => shortcut.is_match(value),
            Program::Automaton { automaton, .. } => automaton.is_match(value),
        }
    }

    /// The values that match, sorted, if they are finitely and not too many. An index looks these up
    /// and need not try all values.
    pub fn texts(&self) -> Option<&[Box<str>]> {
        match &self.program {
            Program::Shortcut(shortcut) => shortcut.texts(),
            Program::Automaton { .. } => None,
        }
    }

    /// What all matching values begin with; often empty.
    pub fn prefix(&self) -> &str {
        match &self.program {
            Program::Shortcut(shortcut) => shortcut.prefix(),
            Program::Automaton { prefix, .. } => prefix,
        }
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.program {
            Program::Shortcut(shortcut) => shortcut.fmt(f),
            Program::Automaton { automaton, .. } => automaton.fmt(f),
        }
    }
}

pub(super) fn too_large(pattern: &[u8]) -> RegexError {
    let problem = Problem { kind: RegexErrorKind::Large, start: 0, end: pattern.len() };
    RegexError::new(pattern, problem)
}

/// The automaton that matches whole texts. `None`: it would be too large.
pub(super) fn compile(hir: Hir, captures: WhichCaptures) -> Option<Automaton> {
    let config = meta::Config::new().nfa_size_limit(Some(AUTOMATON_LIMIT)).which_captures(captures);
    let whole = Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]);
    meta::Builder::new().configure(config).build_from_hir(&whole).ok()
}
