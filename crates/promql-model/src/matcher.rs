//! Label matchers.

use std::fmt;
use std::sync::OnceLock;

use crate::quote::Quoted;
use crate::regex::{Regex, RegexError, check_cost};

/// How a matcher compares a label's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Matches,
    /// `!~`
    NotMatches,
}

impl MatchOp {
    /// The spelling in a selector.
    pub const fn symbol(self) -> &'static str {
        match self {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Matches => "=~",
            MatchOp::NotMatches => "!~",
        }
    }

    /// Whether the value of such a matcher is a regular expression.
    pub const fn is_regex(self) -> bool {
        matches!(self, MatchOp::Matches | MatchOp::NotMatches)
    }

    /// Whether such a matcher takes what its comparison rules out.
    pub const fn is_negative(self) -> bool {
        matches!(self, MatchOp::NotEqual | MatchOp::NotMatches)
    }
}

/// A condition on the value of one label.
///
/// A label that a series doesn't have counts as one with an empty value. The value to compare with
/// is a byte string, because strings in PromQL are; one that isn't UTF-8 equals no label's value.
///
/// ```
/// use promql_model::{MatchOp, Matcher};
/// let matcher = Matcher::new("code", MatchOp::Matches, "5..|4..")?;
/// assert!(matcher.matches("503"));
/// assert!(!matcher.matches_empty());
/// assert_eq!(matcher.to_string(), r#"code=~"5..|4..""#);
/// # Ok::<(), promql_model::RegexError>(())
/// ```
#[derive(Clone)]
pub struct Matcher {
    name: Box<str>,
    op: MatchOp,
    value: Box<[u8]>,
    /// Made when it is first needed.
    regex: OnceLock<Option<Regex>>,
}

impl Matcher {
    /// Makes a matcher. A regular expression is checked now and compiled when it is first used.
    ///
    /// # Errors
    /// When the operator takes a regular expression and the value isn't one, or is one that would
    /// take more than 128 MiB to compile.
    pub fn new(
        name: impl Into<Box<str>>,
        op: MatchOp,
        value: impl AsRef<[u8]>,
    ) -> Result<Self, RegexError> {
        let value = value.as_ref();
        let regex = OnceLock::new();
        // A pattern that multiplies to a large automaton is compiled now, so that compiling cannot
        // fail later, where nobody could be told.
        if op.is_regex() && check_cost(value)?.is_high() {
            let _ = regex.set(Some(Regex::new(value)?));
        }
        Ok(Self { name: name.into(), op, value: value.into(), regex })
    }

    /// The label that is looked at.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its value is compared.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// What its value is compared with: a text or a pattern.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// Whether a label value satisfies the matcher; give `""` for an absent label.
    #[inline]
    pub fn matches(&self, value: &str) -> bool {
        match self.op {
            MatchOp::Equal => *self.value == *value.as_bytes(),
            MatchOp::NotEqual => *self.value != *value.as_bytes(),
            MatchOp::Matches => self.regex_matches(value),
            MatchOp::NotMatches => !self.regex_matches(value),
        }
    }

    /// Whether series without the label satisfy the matcher.
    pub fn matches_empty(&self) -> bool {
        self.matches("")
    }

    /// The regular expression, compiled, if the matcher has one.
    pub fn regex(&self) -> Option<&Regex> {
        if !self.op.is_regex() {
            return None;
        }
        self.regex.get_or_init(|| Regex::new(&self.value).ok()).as_ref()
    }

    fn regex_matches(&self, value: &str) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(value))
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl Eq for Matcher {}

impl std::hash::Hash for Matcher {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.name, self.op, &self.value).hash(state);
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// In the form of a selector: `job=~"api.*"`, with the name quoted where it must be.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let symbol = self.op.symbol();
        if is_label_name(&self.name) {
            write!(f, "{}{symbol}{}", self.name, Quoted(&self.value))
        } else {
            write!(f, "{}{symbol}{}", Quoted(self.name.as_bytes()), Quoted(&self.value))
        }
    }
}

/// Whether a label's name can stand in a selector without quotes: letters, digits and underscores,
/// with no digit in front.
pub fn is_label_name(name: &str) -> bool {
    let is_word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    name.bytes().all(is_word) && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_by_operator() {
        use MatchOp::*;
        for (op, pattern, value, expected) in [
            (Equal, "a", "a", true),
            (Equal, "a", "ab", false),
            (NotEqual, "a", "", true),
            (Matches, "a|b", "b", true),
            (Matches, "a|b", "ab", false),
            (NotMatches, "a|b", "ab", true),
            (NotMatches, ".+", "", true),
        ] {
            let matcher = Matcher::new("x", op, pattern).unwrap();
            assert_eq!(matcher.matches(value), expected, "{matcher} for {value:?}");
        }
    }

    #[test]
    fn knows_whether_absent_labels_match() {
        for (pattern, empty) in [(".*", true), (".+", false), ("", true), ("a|", true)] {
            let matcher = Matcher::new("x", MatchOp::Matches, pattern).unwrap();
            assert_eq!(matcher.matches_empty(), empty, "{matcher}");
        }
    }

    #[test]
    fn takes_bytes_that_are_no_text() {
        let matcher = Matcher::new("x", MatchOp::Equal, b"\xff").unwrap();
        assert!(!matcher.matches("\u{fffd}"));
        assert_eq!(matcher.to_string(), r#"x="\xff""#);
        // Plain alternatives aren't given to the regular expression parser upstream.
        let matcher = Matcher::new("x", MatchOp::Matches, b"\xff|a").unwrap();
        assert!(matcher.matches("a"));
        assert!(Matcher::new("x", MatchOp::Matches, b"\xff.").is_err());
    }

    #[test]
    fn prints_as_in_a_selector() {
        let matcher = Matcher::new("a.b", MatchOp::NotMatches, "\"\n").unwrap();
        assert_eq!(matcher.to_string(), r#""a.b"!~"\"\n""#);
    }
}
