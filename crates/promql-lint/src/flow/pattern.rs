//! Regular expressions that the value of a label must match, or must not.

use std::sync::Arc;

use promql_model::{MatchOp, Matcher, regexes_are_disjoint};

use super::Text;

/// How many states of the product of two automata are looked at.
const MAX_PRODUCT_STATES: usize = 4096;

/// A regular expression, anchored at both ends, and whether a value must match it. Clones share the
/// automaton, which is made when it is first needed.
#[derive(Clone, Debug)]
pub struct Pattern {
    matcher: Arc<Matcher>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.matcher, &other.matcher) || self.matcher == other.matcher
    }
}

impl Eq for Pattern {}

impl Pattern {
    /// The pattern of `=~` or `!~`. `None` when it is no regular expression.
    pub(super) fn new(op: MatchOp, source: &[u8]) -> Option<Pattern> {
        let matcher = Matcher::new("", op, source).ok()?;
        Some(Pattern { matcher: Arc::new(matcher) })
    }

    /// The regular expression as it was written.
    pub fn source(&self) -> &[u8] {
        self.matcher.value()
    }

    /// Whether values must not match it.
    pub fn is_negated(&self) -> bool {
        self.matcher.op().is_negative()
    }

    /// Whether a value may be there.
    pub fn allows(&self, value: &str) -> bool {
        self.matcher.matches(value)
    }

    /// Whether labels without a value may be there. Most patterns begin with a letter that any value
    /// must have, which is told without making an automaton.
    pub(super) fn allows_absent(&self) -> bool {
        match literal_prefix(self.source()) {
            [] => self.matcher.matches_empty(),
            _ => self.is_negated(),
        }
    }

    /// The values that match, if they are finitely many, no more than `limit`.
    pub(super) fn texts(&self, limit: usize) -> Option<&[Box<str>]> {
        if has_wildcard(self.source()) {
            return None;
        }
        self.matcher.regex()?.texts().filter(|texts| texts.len() <= limit)
    }

    /// Whether this allows any value that is not absent.
    pub(super) fn allows_all(&self) -> bool {
        !self.is_negated() && matches!(self.source(), b".*" | b".+")
    }

    /// Whether no value that is there can be allowed by both.
    pub(super) fn is_disjoint(&self, other: &Pattern) -> bool {
        match (self.is_negated(), other.is_negated()) {
            (true, true) => false,
            (false, true) | (true, false) => self.source() == other.source(),
            (false, false) => {
                let (a, b) = (literal_prefix(self.source()), literal_prefix(other.source()));
                let apart = a.iter().zip(b).any(|(a, b)| a != b);
                apart
                    || regexes_are_disjoint(self.source(), other.source(), MAX_PRODUCT_STATES)
                        == Some(true)
            }
        }
    }
}

/// As in a selector, without the label: `=~"a.*"`.
impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let source = String::from_utf8_lossy(self.source());
        write!(f, "{}{source:?}", self.matcher.op().symbol())
    }
}

/// The letters that all matching values begin with, as far as a glance tells.
fn literal_prefix(source: &[u8]) -> &[u8] {
    if source.contains(&b'|') {
        return &[];
    }
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-/ :@".contains(byte);
    let end = source.iter().position(|byte| !is_plain(byte)).unwrap_or(source.len());
    // What follows may say how often the last letter is there.
    let end = match source.get(end) {
        Some(b'*' | b'?' | b'{' | b'+') => end.saturating_sub(1),
        _ => end,
    };
    &source[..end]
}

/// Whether there is an operator that makes the matching values infinitely many.
fn has_wildcard(source: &[u8]) -> bool {
    let mut bytes = source.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'.' | b'*' | b'+' => return true,
            _ => {}
        }
    }
    false
}

/// The text of a label value that may hold any bytes.
pub(super) fn text_of(bytes: &[u8]) -> Text {
    String::from_utf8_lossy(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(source: &str) -> Pattern {
        Pattern::new(MatchOp::Matches, source.as_bytes()).unwrap()
    }

    #[test]
    fn tells_whether_absent_labels_match() {
        for (source, allows) in
            [("", true), (".*", true), (".+", false), ("a", false), ("a*", true), ("a|", true)]
        {
            assert_eq!(pattern(source).allows_absent(), allows, "{source}");
        }
    }

    #[test]
    fn finds_patterns_that_have_no_value_in_common() {
        for (a, b, disjoint) in [
            ("a.*", "b.*", true),
            ("a.*", "ab.*", false),
            (".*a", ".*b", true),
            ("a?.*", "b.*", false),
            ("[0-9]+", "[a-z]+", true),
            ("(?i)ab.*", "AB.*", false),
            ("[^a].*", "a.*", true),
        ] {
            assert_eq!(pattern(a).is_disjoint(&pattern(b)), disjoint, "{a} {b}");
        }
    }
}
