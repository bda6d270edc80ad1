//! What the value of a label can be.
//!
//! The empty text stands for a label that is absent, exactly as in the data model. It is kept apart
//! from the other values: the question asked most often is whether a label is there.

use promql_model::MatchOp;
use promql_rules::format::UNKNOWN;

use super::Text;
use super::pattern::{Pattern, text_of};

/// More values than this are not told apart.
pub const MAX_TEXTS: usize = 64;
/// More regular expressions than this on one label are not looked at.
pub const MAX_PATTERNS: usize = 4;

type Texts = Vec<Text>;

/// Whether a text has something in it that stands for a variable of a dashboard.
pub(super) fn is_unknown(text: &[u8]) -> bool {
    u8::try_from(UNKNOWN).is_ok_and(|unknown| text.contains(&unknown))
}

/// A set of label values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueSet {
    /// Whether the label can be absent.
    absent: bool,
    values: Values,
}

/// The values that are not the empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Values {
    /// One of these, sorted.
    In(Texts),
    /// Any but these, sorted, that the patterns allow.
    NotIn(Texts, Vec<Pattern>),
}

/// [`ValueSet::ANY`], to refer to.
pub(super) static ANY: ValueSet = ValueSet::ANY;
/// [`ValueSet::ABSENT`], to refer to.
pub(super) static ABSENT: ValueSet = ValueSet::ABSENT;

const ALL: Values = Values::NotIn(Vec::new(), Vec::new());

impl ValueSet {
    /// Anything, also absent.
    pub const ANY: ValueSet = ValueSet { absent: true, values: ALL };
    /// Absent.
    pub const ABSENT: ValueSet = ValueSet { absent: true, values: Values::In(Vec::new()) };
    /// Anything but absent.
    pub const CERTAIN: ValueSet = ValueSet { absent: false, values: ALL };
    /// Nothing: a contradiction.
    pub const NEVER: ValueSet = ValueSet { absent: false, values: Values::In(Vec::new()) };

    /// One value.
    pub fn one(value: Text) -> ValueSet {
        if value.is_empty() {
            return ValueSet::ABSENT;
        }
        ValueSet { absent: false, values: Values::In(vec![value]) }
    }

    /// One of several values, among which the empty text stands for absent.
    pub fn of(values: impl IntoIterator<Item = Text>) -> ValueSet {
        let mut texts: Texts = values.into_iter().collect();
        texts.sort_unstable();
        texts.dedup();
        let absent = texts.first().is_some_and(|text| text.is_empty());
        if absent {
            texts.remove(0);
        }
        if texts.len() > MAX_TEXTS {
            return ValueSet { absent, values: ALL };
        }
        ValueSet { absent, values: Values::In(texts) }
    }

    /// The values that a matcher lets through. A regular expression that is none lets all through, and so does
    /// a text that isn't known.
    pub fn matching(op: MatchOp, value: &[u8]) -> ValueSet {
        if is_unknown(value) {
            return ValueSet::ANY;
        }
        match op {
            // No label's value is anything else than UTF-8.
            MatchOp::Equal if str::from_utf8(value).is_err() => ValueSet::NEVER,
            MatchOp::Equal => ValueSet::one(text_of(value)),
            MatchOp::NotEqual if value.is_empty() => ValueSet::CERTAIN,
            MatchOp::NotEqual if str::from_utf8(value).is_err() => ValueSet::ANY,
            MatchOp::NotEqual => {
                let excluded = vec![text_of(value)];
                ValueSet { absent: true, values: Values::NotIn(excluded, Vec::new()) }
            }
            MatchOp::Matches | MatchOp::NotMatches => {
                Self::by_pattern(op, value).unwrap_or(ValueSet::ANY)
            }
        }
    }

    /// The values that `=~` or `!~` lets through; nothing if that is no regular expression.
    pub(super) fn by_pattern(op: MatchOp, source: &[u8]) -> Option<ValueSet> {
        match (op, source) {
            (MatchOp::Matches, b".*") => return Some(ValueSet::ANY),
            (MatchOp::Matches, b".+") => return Some(ValueSet::CERTAIN),
            (MatchOp::NotMatches, b".*") => return Some(ValueSet::NEVER),
            (MatchOp::NotMatches, b".+") => return Some(ValueSet::ABSENT),
            _ if is_unknown(source) => return Some(ValueSet::ANY),
            _ => {}
        }
        let pattern = Pattern::new(op, source)?;
        let absent = pattern.allows_absent();
        if let Some(texts) = pattern.texts(MAX_TEXTS) {
            let texts = texts.iter().filter(|text| !text.is_empty());
            let mut texts: Texts = texts.map(|text| Text::from(&**text)).collect();
            texts.sort_unstable();
            texts.dedup();
            let values = match op {
                MatchOp::Matches => Values::In(texts),
                _ => Values::NotIn(texts, Vec::new()),
            };
            return Some(ValueSet { absent, values });
        }
        Some(ValueSet { absent, values: Values::NotIn(Vec::new(), vec![pattern]) })
    }

    /// Whether a value is in the set; give `""` for an absent label.
    pub fn contains(&self, value: &str) -> bool {
        match &self.values {
            _ if value.is_empty() => self.absent,
            Values::In(texts) => texts.iter().any(|text| &**text == value),
            Values::NotIn(excluded, patterns) => {
                !excluded.iter().any(|text| &**text == value)
                    && patterns.iter().all(|pattern| pattern.allows(value))
            }
        }
    }

    /// Whether the label can be absent.
    pub fn can_be_absent(&self) -> bool {
        self.absent
    }

    /// Whether the label can be there.
    pub fn can_be_present(&self) -> bool {
        !matches!(&self.values, Values::In(texts) if texts.is_empty())
    }

    /// Whether the label is surely absent.
    pub fn is_absent(&self) -> bool {
        self.absent && !self.can_be_present()
    }

    /// Whether the label is surely there.
    pub fn is_certain(&self) -> bool {
        !self.absent && self.can_be_present()
    }

    /// Whether no value is in the set.
    pub fn is_never(&self) -> bool {
        !self.absent && !self.can_be_present()
    }

    /// Whether nothing is known.
    pub fn is_any(&self) -> bool {
        *self == ValueSet::ANY
    }

    /// How many values there are, absent among them, if they are finitely many.
    pub fn count(&self) -> Option<usize> {
        match &self.values {
            Values::In(texts) => Some(texts.len() + usize::from(self.absent)),
            Values::NotIn(..) => None,
        }
    }

    /// The only value, `""` for an absent label.
    pub fn constant(&self) -> Option<&str> {
        match &self.values {
            Values::In(texts) => match (&**texts, self.absent) {
                ([], true) => Some(""),
                ([text], false) => Some(text),
                _ => None,
            },
            Values::NotIn(..) => None,
        }
    }

    /// All values but absent, if they are finitely many.
    pub fn finite(&self) -> Option<&[Text]> {
        match &self.values {
            Values::In(texts) => Some(texts),
            Values::NotIn(..) => None,
        }
    }

    /// What is excluded and what the values must match, if they are not finitely many.
    pub fn cofinite(&self) -> Option<(&[Text], &[Pattern])> {
        match &self.values {
            Values::In(_) => None,
            Values::NotIn(excluded, patterns) => Some((excluded, patterns)),
        }
    }

    /// The same values, and absent.
    pub fn or_absent(mut self) -> ValueSet {
        self.absent = true;
        self
    }

    /// The same values without absent.
    pub fn present(mut self) -> ValueSet {
        self.absent = false;
        self
    }

    /// The values in both sets.
    pub fn meet(&self, other: &ValueSet) -> ValueSet {
        let absent = self.absent && other.absent;
        let values = match (&self.values, &other.values) {
            (Values::In(texts), _) => {
                Values::In(texts.iter().filter(|text| other.contains(text)).cloned().collect())
            }
            (_, Values::In(texts)) => {
                Values::In(texts.iter().filter(|text| self.contains(text)).cloned().collect())
            }
            (Values::NotIn(a, a_patterns), Values::NotIn(b, b_patterns)) => {
                let mut patterns = a_patterns.clone();
                let more = b_patterns.iter().filter(|pattern| !a_patterns.contains(pattern));
                patterns.extend(more.take(MAX_PATTERNS.saturating_sub(a_patterns.len())).cloned());
                let is_contradiction = |a: &Pattern| b_patterns.iter().any(|b| a.is_disjoint(b));
                if a_patterns.iter().any(is_contradiction) {
                    Values::In(Vec::new())
                } else {
                    let mut excluded = merged(a, b);
                    excluded.truncate(MAX_TEXTS);
                    Values::NotIn(excluded, patterns)
                }
            }
        };
        ValueSet { absent, values }
    }

    /// The values in either set, or more.
    pub fn join(&self, other: &ValueSet) -> ValueSet {
        if self == other {
            return self.clone();
        }
        let absent = self.absent || other.absent;
        let values = match (&self.values, &other.values) {
            (Values::In(a), Values::In(b)) => match merged(a, b) {
                texts if texts.len() > MAX_TEXTS => ALL,
                texts => Values::In(texts),
            },
            (Values::In(texts), Values::NotIn(excluded, patterns))
            | (Values::NotIn(excluded, patterns), Values::In(texts)) => {
                let excluded = excluded.iter().filter(|text| !texts.contains(text));
                let patterns =
                    patterns.iter().filter(|pattern| texts.iter().all(|text| pattern.allows(text)));
                Values::NotIn(excluded.cloned().collect(), patterns.cloned().collect())
            }
            (Values::NotIn(a, a_patterns), Values::NotIn(b, b_patterns)) => {
                let excluded = a.iter().filter(|text| !other.contains(text));
                let more = b.iter().filter(|text| !self.contains(text));
                let mut excluded: Texts = excluded.chain(more).cloned().collect();
                excluded.sort_unstable();
                excluded.dedup();
                let patterns = a_patterns.iter().filter(|pattern| b_patterns.contains(pattern));
                Values::NotIn(excluded, patterns.cloned().collect())
            }
        };
        ValueSet { absent, values }
    }

    /// Whether no value is in both sets, as far as that can be found out.
    pub fn is_disjoint(&self, other: &ValueSet) -> bool {
        if self.absent && other.absent {
            return false;
        }
        match (&self.values, &other.values) {
            (Values::In(texts), _) => !texts.iter().any(|text| other.contains(text)),
            (_, Values::In(texts)) => !texts.iter().any(|text| self.contains(text)),
            (Values::NotIn(_, a), Values::NotIn(_, b)) => {
                a.iter().any(|a| b.iter().any(|b| a.is_disjoint(b)))
            }
        }
    }

    /// Whether all values are surely in another set.
    pub fn is_subset(&self, other: &ValueSet) -> bool {
        if self.absent && !other.absent {
            return false;
        }
        match (&self.values, &other.values) {
            (Values::In(texts), _) => texts.iter().all(|text| other.contains(text)),
            (Values::NotIn(..), Values::In(_)) => false,
            (Values::NotIn(_, a), Values::NotIn(excluded, b)) => {
                excluded.iter().all(|text| !self.contains(text))
                    && b.iter().all(|pattern| pattern.allows_all() || a.contains(pattern))
            }
        }
    }
}

fn merged(a: &Texts, b: &Texts) -> Texts {
    let mut all = a.clone();
    all.extend(b.iter().filter(|text| !a.contains(text)).cloned());
    all.sort_unstable();
    all
}
