//! Rewriting a text by a regular expression and a template, as `label_replace` does.

use regex_automata::meta::Regex as Automaton;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::captures::Captures;

use super::hir::HirTree;
use super::program::{compile, too_large};
use super::{RegexError, parse};

/// A regular expression with a template for what it matches, ready to rewrite whole texts.
///
/// In the template `$1` and `${1}` stand for what a group matched, `$name` and `${name}` for a named
/// one; without braces a name is as long as it can be, so `$1x` is the group `1x`. What no group is
/// called, or no match of a group is, is nothing. `$$` is a dollar sign; one that begins no
/// reference stays as it is. These are the rules of Go's `Regexp.Expand`.
///
/// ```
/// use promql_model::Rewrite;
/// let rewrite = Rewrite::new(b"(.*)-(?P<zone>[a-z])", "${zone}:$1")?;
/// assert_eq!(rewrite.apply("eu-west-b").as_deref(), Some("b:eu-west"));
/// assert_eq!(rewrite.apply("eu"), None);
/// # Ok::<(), promql_model::RegexError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rewrite {
    automaton: Automaton,
    template: Vec<Piece>,
}

#[derive(Clone, Debug)]
pub(super) enum Piece {
    Text(Box<str>),
    Group(usize),
}

impl Rewrite {
    /// Makes a rewriting of a pattern in RE2 syntax and a template.
    ///
    /// # Errors
    /// When the pattern between the anchors `^(?s:` and `)$` is no regular expression, or would take
    /// more than 128 MiB to compile.
    pub fn new(pattern: &[u8], template: &str) -> Result<Self, RegexError> {
        // Prometheus puts the pattern between anchors as text, which can be told by patterns such as
        // `a)(b`, which are well formed only then.
        let anchored = [b"^(?s:", pattern, b")$"].concat();
        let mut tree = HirTree::new(true);
        parse::parse(&anchored, &mut tree)
            .map_err(|problem| RegexError::new(&anchored, problem))?;
        let (hir, names) = tree.finish();
        let automaton = compile(hir, WhichCaptures::All).ok_or_else(|| too_large(pattern))?;
        Ok(Self { automaton, template: pieces(template, &names) })
    }

    /// The template with what the groups matched, if the whole of `text` matches.
    pub fn apply(&self, text: &str) -> Option<String> {
        let mut captures = self.automaton.create_captures();
        self.automaton.captures(text, &mut captures);
        captures.is_match().then(|| {
            let mut expanded = String::new();
            expand_into(&self.template, text, &captures, &mut expanded);
            expanded
        })
    }
}

/// Appends a template with what the groups matched.
pub(super) fn expand_into(
    template: &[Piece],
    text: &str,
    captures: &Captures,
    expanded: &mut String,
) {
    for piece in template {
        match piece {
            Piece::Text(literal) => expanded.push_str(literal),
            Piece::Group(index) => {
                let range = captures.get_group(*index).map(|span| span.range());
                expanded.push_str(range.and_then(|range| text.get(range)).unwrap_or_default());
            }
        }
    }
}

/// The parts of a template. References to groups that there are not are left out.
pub(super) fn pieces(template: &str, names: &[Box<str>]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        literal.push_str(before);
        if let Some(after_dollar) = after.strip_prefix('$') {
            literal.push('$');
            rest = after_dollar;
            continue;
        }
        let Some((name, after_name)) = reference(after) else {
            literal.push('$');
            rest = after;
            continue;
        };
        if let Some(group) = group_of(name, names) {
            pieces.push(Piece::Text(std::mem::take(&mut literal).into()));
            pieces.push(Piece::Group(group));
        }
        rest = after_name;
    }
    literal.push_str(rest);
    pieces.push(Piece::Text(literal.into()));
    pieces
}

/// The name that a dollar sign is followed by, and what comes after the reference.
fn reference(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let inner = braced.unwrap_or(text);
    let is_name = |c: char| c == '_' || c.is_alphanumeric();
    let end = inner.find(|c| !is_name(c)).unwrap_or(inner.len());
    let (name, after) = inner.split_at(end);
    if name.is_empty() {
        return None;
    }
    match braced {
        Some(_) => Some((name, after.strip_prefix('}')?)),
        None => Some((name, after)),
    }
}

/// The number of a group: written as one, or that of the first group with this name.
fn group_of(name: &str, names: &[Box<str>]) -> Option<usize> {
    if name.bytes().all(|b| b.is_ascii_digit()) {
        return name.parse().ok().filter(|&group| group <= names.len());
    }
    names.iter().position(|known| **known == *name).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, template: &str, text: &str, rewritten: Option<&str>) {
        let rewrite = Rewrite::new(pattern.as_bytes(), template).unwrap();
        assert_eq!(rewrite.apply(text).as_deref(), rewritten);
    }

    #[test]
    fn templates_expand_as_in_go() {
        check("(.*):.*", "$1", "a:b", Some("a"));
        check("(a)(b)?", "[$2]", "a", Some("[]"));
        check("(a)", "$1x-${1}x-$$1-$9-$-${-${1", "a", Some("-ax-$1--$-${-${1"));
        check("(?P<first>a).*", "$first$0", "ab", Some("aab"));
        check("a", "b", "ab", None);
        check("(?s:.*)", "x", "a\nb", Some("x"));
        check(".*", "x", "a\nb", Some("x"));
        check("", "$0", "", Some(""));
        check("a)(b", "$1", "ab", Some("b"));
    }
}
