//! Regular expressions that look for matches inside of a text, as Go's `regexp` does without
//! anchors: what templates of alerts have.

use regex_automata::meta::{self, Regex as Automaton};
use regex_automata::nfa::thompson::WhichCaptures;

use super::hir::HirTree;
use super::program::{AUTOMATON_LIMIT, too_large};
use super::rewrite::{Piece, expand_into, pieces};
use super::{RegexError, parse};

/// A regular expression in RE2 syntax that finds matches anywhere in a text. Other than in matchers
/// a dot doesn't match a line feed.
///
/// ```
/// use promql_model::Search;
/// let ports = Search::new(b":([0-9]+)")?;
/// assert!(ports.is_match("http://a:80/"));
/// assert_eq!(ports.replace_all("a:80 b:443", "/$1"), "a/80 b/443");
/// # Ok::<(), promql_model::RegexError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Search {
    automaton: Automaton,
    names: Vec<Box<str>>,
}

impl Search {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is no regular expression, or would take more than 128 MiB to compile.
    pub fn new(pattern: &[u8]) -> Result<Self, RegexError> {
        parse::parse(pattern, &mut ()).map_err(|problem| RegexError::new(pattern, problem))?;
        // The parser begins in the mode of matchers, in which a dot matches all.
        let pattern_of_text = [b"(?-s:", pattern, b")"].concat();
        let mut tree = HirTree::new(true);
        parse::parse(&pattern_of_text, &mut tree)
            .map_err(|problem| RegexError::new(&pattern_of_text, problem))?;
        let (hir, names) = tree.finish();
        let config = meta::Config::new()
            .nfa_size_limit(Some(AUTOMATON_LIMIT))
            .which_captures(WhichCaptures::All);
        let automaton = meta::Builder::new().configure(config).build_from_hir(&hir);
        Ok(Self { automaton: automaton.map_err(|_| too_large(pattern))?, names })
    }

    /// Whether there is a match somewhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.automaton.is_match(text)
    }

    /// The text with each match replaced by a template, in which `$1`, `${1}` and `$name` stand for
    /// groups as in [`Rewrite`](crate::Rewrite).
    pub fn replace_all(&self, text: &str, template: &str) -> String {
        let template: Vec<Piece> = pieces(template, &self.names);
        let mut replaced = String::with_capacity(text.len());
        let mut end = 0;
        for captures in self.automaton.captures_iter(text) {
            let Some(whole) = captures.get_match() else { continue };
            replaced.push_str(&text[end..whole.start()]);
            expand_into(&template, text, &captures, &mut replaced);
            end = whole.end();
        }
        replaced.push_str(&text[end..]);
        replaced
    }
}
