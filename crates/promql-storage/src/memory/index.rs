//! The inverted index of series in memory.

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;

use promql_model::{Labels, Matcher};

use crate::inverted::{self, InvertedIndex};

/// A value of a label with the numbers of its series, ascending.
type Posting = (Box<str>, Vec<u32>);

/// For each label its values, sorted.
#[derive(Debug, Default)]
pub(super) struct Index {
    labels: HashMap<Box<str>, Vec<Posting>>,
}

impl Index {
    /// Indexes series by their position.
    pub(super) fn new(series: &[Labels]) -> Index {
        let mut by_value: HashMap<&str, HashMap<&str, Vec<u32>>> = HashMap::new();
        for (number, labels) in (0_u32..).zip(series) {
            for (name, value) in labels.iter() {
                by_value.entry(name).or_default().entry(value).or_default().push(number);
            }
        }
        let labels = by_value.into_iter().map(|(name, values)| {
            let mut values: Vec<Posting> =
                values.into_iter().map(|(value, numbers)| (value.into(), numbers)).collect();
            values.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            (name.into(), values)
        });
        Index { labels: labels.collect() }
    }

    /// The names of all labels, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.labels.keys().map(|name| name.to_string()).collect();
        names.sort_unstable();
        names
    }

    /// The values of a label, sorted.
    pub(super) fn values(&self, name: &str) -> Vec<String> {
        self.postings(name).iter().map(|(value, _)| value.to_string()).collect()
    }

    /// The numbers of the series that all matchers accept, ascending. `labels` are those that were
    /// indexed.
    pub(super) fn select(&self, matchers: &[Matcher], labels: &[Labels]) -> Vec<u32> {
        let Ok(found) = inverted::select(&Indexed { index: self, labels }, matchers);
        found
    }

    /// The values of a label with their series.
    fn postings(&self, name: &str) -> &[Posting] {
        self.labels.get(name).map_or(&[], Vec::as_slice)
    }
}

/// An index with the series that it is about.
struct Indexed<'a> {
    index: &'a Index,
    labels: &'a [Labels],
}

impl InvertedIndex for Indexed<'_> {
    type Error = Infallible;

    fn bound(&self) -> usize {
        self.labels.len()
    }

    fn all(&self) -> Result<Vec<u32>, Infallible> {
        Ok((0..self.labels.len() as u32).collect())
    }

    fn series_with(&self, name: &str, value: &str) -> Result<Cow<'_, [u32]>, Infallible> {
        let postings = self.index.postings(name);
        Ok(match postings.binary_search_by(|(known, _)| (**known).cmp(value)) {
            Ok(at) => Cow::Borrowed(&postings[at].1),
            Err(_) => Cow::Borrowed(&[]),
        })
    }

    fn value_count(&self, name: &str) -> usize {
        self.index.postings(name).len()
    }

    fn visit_values(
        &self,
        name: &str,
        prefix: &str,
        wanted: &mut dyn FnMut(&str) -> bool,
        take: &mut dyn FnMut(&[u32]),
    ) -> Result<(), Infallible> {
        let postings = self.index.postings(name);
        let start = postings.partition_point(|(value, _)| **value < *prefix);
        for (value, numbers) in &postings[start..] {
            if !value.starts_with(prefix) {
                break;
            }
            if wanted(value) {
                take(numbers);
            }
        }
        Ok(())
    }

    fn accepts(&self, series: u32, matcher: &Matcher) -> Result<bool, Infallible> {
        let value = self.labels[series as usize].get(matcher.name());
        Ok(matcher.matches(value.unwrap_or_default()))
    }
}
