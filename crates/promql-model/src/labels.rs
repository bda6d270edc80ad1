//! Label sets.
//!
//! A query touches many of them: they are hashed to group series, compared to sort results, and
//! copied from storage to results. So a set is one piece of shared memory that is hashed and compared
//! for equality as a whole. Looking up a name walks over the labels, which for as many as a series has
//! takes less time than a search would.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::matcher::is_label_name;
use crate::quote::Quoted;

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";

/// A label set: names with values, sorted by name, each name once. An empty value is the same as
/// no label, so none is kept. Cloning is cheap.
///
/// Sets are ordered as Prometheus orders series: by the first name, then its value, then the next
/// name, and so on, byte by byte.
///
/// ```
/// use promql_model::Labels;
/// let labels = Labels::from_pairs([("job", "api"), ("__name__", "up"), ("zone", "")]);
/// assert_eq!(labels.get("job"), Some("api"));
/// assert_eq!(labels.metric_name(), Some("up"));
/// assert_eq!(labels.len(), 2);
/// assert_eq!(labels.to_string(), r#"{__name__="up", job="api"}"#);
/// assert_eq!(labels.selector().to_string(), r#"up{job="api"}"#);
/// ```
#[derive(Clone, Default)]
pub struct Labels {
    /// Name, value, name, value, and so on, each with its length in front.
    text: Arc<str>,
}

impl Labels {
    /// The empty set.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Makes a set of pairs in any order. Of pairs with the same name the last one counts.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut builder = LabelsBuilder::default();
        for (name, value) in pairs {
            builder.set(name, value);
        }
        builder.build()
    }

    /// The value of a label.
    pub fn get(&self, name: &str) -> Option<&str> {
        // The names are sorted, so that one which isn't there is noticed on the way.
        let (found, value) = self.iter().find(|(found, _)| *found >= name)?;
        (found == name).then_some(value)
    }

    /// The metric's name.
    pub fn metric_name(&self) -> Option<&str> {
        self.get(METRIC_NAME)
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> LabelsIter<'_> {
        LabelsIter { rest: &self.text }
    }

    /// The number of labels.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// How much memory the set takes, which its clones share.
    pub fn bytes(&self) -> usize {
        // Two counters stand in front of shared memory.
        self.text.len() + 2 * size_of::<usize>()
    }

    /// Whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The labels whose names satisfy a condition.
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        // As long as the labels that are kept are in one piece, which is mostly so, that piece is the
        // new set.
        let mut piece = 0..0;
        let mut pieces = String::new();
        let mut rest = self.iter();
        loop {
            let start = self.text.len() - rest.rest.len();
            let Some((name, _)) = rest.next() else { break };
            if !keep(name) {
                continue;
            }
            if piece.end != start {
                if !piece.is_empty() {
                    if pieces.is_empty() {
                        pieces.reserve(self.text.len());
                    }
                    pieces.push_str(self.text.get(piece).unwrap_or_default());
                }
                piece = start..start;
            }
            piece.end = self.text.len() - rest.rest.len();
        }
        if piece.len() == self.text.len() {
            return self.clone();
        }
        let last = self.text.get(piece).unwrap_or_default();
        if pieces.is_empty() {
            return Self { text: last.into() };
        }
        pieces.push_str(last);
        Self { text: pieces.into() }
    }

    /// The set with another value of one label. An empty value removes it.
    ///
    /// ```
    /// # use promql_model::Labels;
    /// let labels = Labels::from_pairs([("job", "api"), ("zone", "a")]);
    /// assert_eq!(labels.with("path", "/").to_string(), r#"{job="api", path="/", zone="a"}"#);
    /// assert_eq!(labels.with("zone", "").to_string(), r#"{job="api"}"#);
    /// ```
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        if value.is_empty() {
            return self.filtered(|known| known != name);
        }
        // Where the label is, or where it belongs.
        let mut place = self.text.len()..self.text.len();
        let mut rest = self.iter();
        loop {
            let start = self.text.len() - rest.rest.len();
            let Some((known, _)) = rest.next() else { break };
            if known >= name {
                let end = self.text.len() - rest.rest.len();
                place = start..if known == name { end } else { start };
                break;
            }
        }
        let (before, behind) = (self.text.get(..place.start), self.text.get(place.end..));
        let mut text = String::with_capacity(self.text.len() + name.len() + value.len() + 14);
        text.push_str(before.unwrap_or_default());
        encode(&mut text, name);
        encode(&mut text, value);
        text.push_str(behind.unwrap_or_default());
        Self { text: text.into() }
    }

    /// A builder that starts from this set.
    pub fn to_builder(&self) -> LabelsBuilder {
        let mut builder = LabelsBuilder::default();
        builder.reset(self);
        builder
    }

    /// Displays the set as a selector that finds it, and as series notation: `up{job="api"}`.
    pub fn selector(&self) -> LabelsSelector<'_> {
        LabelsSelector(self)
    }
}

/// Names and values of a label set, sorted by name.
#[derive(Clone, Debug)]
pub struct LabelsIter<'a> {
    rest: &'a str,
}

impl<'a> Iterator for LabelsIter<'a> {
    type Item = (&'a str, &'a str);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = decode(self.rest)?;
        let (value, rest) = decode(rest)?;
        self.rest = rest;
        Some((name, value))
    }
}

/// Lengths up to this one take one byte; a longer one takes a byte of all ones and then six more,
/// seven bits each. All are ASCII, so that the whole stays text.
const SHORT: usize = 0x7e;

fn encode(text: &mut String, part: &str) {
    let length = part.len();
    if length <= SHORT {
        text.push(ascii(length));
    } else {
        text.push('\x7f');
        for group in 0..6 {
            text.push(ascii(length >> (7 * group) & 0x7f));
        }
    }
    text.push_str(part);
}

fn ascii(number: usize) -> char {
    u8::try_from(number).map_or('\x7f', char::from)
}

#[inline]
fn decode(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let first = usize::from(*bytes.first()?);
    if first <= SHORT {
        return text.get(1..)?.split_at_checked(first);
    }
    let groups = bytes.get(1..7)?.iter().rev();
    let length = groups.fold(0, |length, group| length << 7 | usize::from(*group));
    text.get(7..)?.split_at_checked(length)
}

impl PartialEq for Labels {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.text, &other.text) || self.text == other.text
    }
}

impl Eq for Labels {}

impl Hash for Labels {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.text, &other.text) {
            return Ordering::Equal;
        }
        self.iter().cmp(other.iter())
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// As in error texts: `{__name__="up", job="api"}`.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        write_pairs(f, self.iter(), "")?;
        f.write_str("}")
    }
}

/// Writes `a="b", c="d"`, with `before` in front unless there are no pairs.
fn write_pairs<'a>(
    f: &mut fmt::Formatter<'_>,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
    before: &str,
) -> fmt::Result {
    let mut separator = before;
    for (name, value) in pairs {
        f.write_str(separator)?;
        separator = ", ";
        if is_label_name(name) {
            f.write_str(name)?;
        } else {
            write!(f, "{}", Quoted(name.as_bytes()))?;
        }
        write!(f, "={}", Quoted(value.as_bytes()))?;
    }
    Ok(())
}

/// Displays a label set as a selector: [`Labels::selector`].
#[derive(Clone, Copy, Debug)]
pub struct LabelsSelector<'a>(&'a Labels);

impl fmt::Display for LabelsSelector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = || self.0.iter().filter(|(name, _)| *name != METRIC_NAME);
        match self.0.metric_name() {
            Some(name) if is_plain_metric(name) => {
                f.write_str(name)?;
                if others().next().is_none() {
                    return Ok(());
                }
                f.write_str("{")?;
                write_pairs(f, others(), "")?;
            }
            // A name that isn't a word stands in braces.
            Some(name) => {
                write!(f, "{{{}", Quoted(name.as_bytes()))?;
                write_pairs(f, others(), ", ")?;
            }
            None => {
                f.write_str("{")?;
                write_pairs(f, others(), "")?;
            }
        }
        f.write_str("}")
    }
}

/// Words that the language doesn't take as a metric's name, in any case.
const NO_METRICS: [&str; 8] =
    ["atan2", "bool", "on", "ignoring", "group_left", "group_right", "inf", "nan"];

/// Whether a metric's name can stand in front of braces.
fn is_plain_metric(name: &str) -> bool {
    let is_word = |byte: u8| matches!(byte, b'_' | b':') || byte.is_ascii_alphanumeric();
    name.bytes().all(is_word)
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
        && !NO_METRICS.iter().any(|word| word.eq_ignore_ascii_case(name))
}

/// Makes a label set step by step. It can be used again for the next set, and then takes no new
/// memory.
///
/// ```
/// use promql_model::Labels;
/// let mut builder = Labels::from_pairs([("a", "1"), ("b", "2")]).to_builder();
/// let labels = builder.remove("a").set("c", "3").build();
/// assert_eq!(labels, Labels::from_pairs([("b", "2"), ("c", "3")]));
/// ```
#[derive(Clone, Debug, Default)]
pub struct LabelsBuilder {
    /// All names and values that were set, also those that were replaced.
    texts: String,
    /// Where the ones that count are, sorted by name.
    labels: Vec<Place>,
}

/// A label in the builder's text: the value follows the name.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    name_end: usize,
    end: usize,
}

impl Place {
    fn name(self, texts: &str) -> &str {
        texts.get(self.start..self.name_end).unwrap_or_default()
    }

    fn value(self, texts: &str) -> &str {
        texts.get(self.name_end..self.end).unwrap_or_default()
    }
}

impl LabelsBuilder {
    /// Sets a label. An empty value removes it.
    pub fn set(&mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> &mut Self {
        let (name, value) = (name.as_ref(), value.as_ref());
        if value.is_empty() {
            return self.remove(name);
        }
        let start = self.texts.len();
        self.texts.push_str(name);
        self.texts.push_str(value);
        let place = Place { start, name_end: start + name.len(), end: self.texts.len() };
        match self.find(name) {
            Ok(at) => {
                if let Some(label) = self.labels.get_mut(at) {
                    *label = place;
                }
            }
            Err(at) => self.labels.insert(at, place),
        }
        self
    }

    /// Removes a label.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        if let Ok(at) = self.find(name) {
            self.labels.remove(at);
        }
        self
    }

    /// The value that a label has so far.
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.find(name).ok()?;
        Some(self.labels.get(at)?.value(&self.texts))
    }

    /// Forgets all labels and starts from a set.
    pub fn reset(&mut self, labels: &Labels) -> &mut Self {
        self.texts.clear();
        self.labels.clear();
        for (name, value) in labels.iter() {
            let start = self.texts.len();
            self.texts.push_str(name);
            self.texts.push_str(value);
            let place = Place { start, name_end: start + name.len(), end: self.texts.len() };
            self.labels.push(place);
        }
        self
    }

    /// The set of the labels so far.
    pub fn build(&self) -> Labels {
        let length: usize = self.labels.iter().map(|label| label.end - label.start + 2).sum();
        let mut text = String::with_capacity(length);
        for label in &self.labels {
            encode(&mut text, label.name(&self.texts));
            encode(&mut text, label.value(&self.texts));
        }
        Labels { text: text.into() }
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        // Labels mostly come sorted.
        match self.labels.last() {
            Some(last) if last.name(&self.texts) < name => Err(self.labels.len()),
            _ => self.labels.binary_search_by(|label| label.name(&self.texts).cmp(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_of_each_name_and_no_empty_value() {
        let labels =
            Labels::from_pairs([("b", "1"), ("a", "2"), ("b", "3"), ("c", "4"), ("c", "")]);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "2"), ("b", "3")]);
        assert_eq!((labels.get("a"), labels.get("c"), labels.get("")), (Some("2"), None, None));
    }

    #[test]
    fn one_label_changes_as_a_builder_changes_it() {
        let long = "x".repeat(200);
        let labels = Labels::from_pairs([("b", "1"), ("d", &*long), ("f", "é")]);
        for name in ["a", "b", "c", "d", "e", "f", "g", &long] {
            for value in ["", "1", "other", &long] {
                let expected = labels.to_builder().set(name, value).build();
                assert_eq!(labels.with(name, value), expected, "{name}={value}");
                assert_eq!(Labels::empty().with(name, value), Labels::from_pairs([(name, value)]));
            }
        }
    }

    #[test]
    fn takes_texts_of_any_length() {
        for length in [0x7d, 0x7e, 0x7f, 0x80, 0x3fff, 0x4000, 300_000] {
            let long = "é".repeat(length / 2) + &"x".repeat(length % 2);
            let labels = Labels::from_pairs([("a", &*long), (&long, "b")]);
            assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", &*long), (&*long, "b")]);
            assert_eq!(labels.get(&long), Some("b"));
        }
    }

    #[test]
    fn orders_as_prometheus_does() {
        let sorted = [
            &[][..],
            &[("a", "1")],
            &[("a", "1"), ("b", "1")],
            &[("a", "10")],
            &[("a", "2")],
            &[("aa", "1")],
            &[("b", "0")],
        ];
        let sets = sorted.map(|pairs| Labels::from_pairs(pairs.iter().copied()));
        assert!(sets.is_sorted_by(|a, b| a < b), "{sets:?}");
    }

    #[test]
    fn prints_both_forms() {
        for (pairs, text, selector) in [
            (&[][..], "{}", "{}"),
            (&[("__name__", "up")], r#"{__name__="up"}"#, "up"),
            (&[("a", "\n")], r#"{a="\n"}"#, r#"{a="\n"}"#),
            (
                &[("__name__", "a.b"), ("c d", "\"")],
                r#"{__name__="a.b", "c d"="\""}"#,
                r#"{"a.b", "c d"="\""}"#,
            ),
            (&[("__name__", "a:b"), ("c", "d")], r#"{__name__="a:b", c="d"}"#, r#"a:b{c="d"}"#),
            (&[("__name__", "NaN")], r#"{__name__="NaN"}"#, r#"{"NaN"}"#),
        ] {
            let labels = Labels::from_pairs(pairs.iter().copied());
            assert_eq!((&*labels.to_string(), &*labels.selector().to_string()), (text, selector));
        }
    }

    #[test]
    fn filters_by_name() {
        let labels = Labels::from_pairs([("a", "1"), ("b", "2"), ("c", "3")]);
        assert_eq!(labels.filtered(|n| n != "b"), Labels::from_pairs([("a", "1"), ("c", "3")]));
        assert_eq!(labels.filtered(|_| true), labels);
        assert!(labels.filtered(|_| false).is_empty());
    }
}
