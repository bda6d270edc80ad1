//! The inverted index: for each value of each label the series that have it.

use std::collections::HashMap;

use promql_model::{Labels, MatchOp, Matcher};

/// A value of a label with the numbers of its series, ascending.
type Posting = (Box<str>, Vec<u32>);

/// For each label its values, sorted.
#[derive(Debug, Default)]
pub(super) struct Index {
    labels: HashMap<Box<str>, Vec<Posting>>,
    series: u32,
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
        Index { labels: labels.collect(), series: series.len() as u32 }
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

    /// The values of a label with their series.
    fn postings(&self, name: &str) -> &[Posting] {
        self.labels.get(name).map_or(&[], Vec::as_slice)
    }

    /// The series with a value of a label.
    fn series_with(&self, name: &str, value: &[u8]) -> &[u32] {
        let postings = self.postings(name);
        match postings.binary_search_by(|(known, _)| known.as_bytes().cmp(value)) {
            Ok(at) => &postings[at].1,
            Err(_) => &[],
        }
    }

    /// The numbers of the series that all matchers accept, ascending.
    ///
    /// Equality with a value that is not empty is answered by the postings, the shortest list
    /// first. The other matchers filter what is left: by looking at each remaining series, or,
    /// where a label has fewer values than there are series left, at each value once.
    pub(super) fn select(&self, matchers: &[Matcher], labels: &[Labels]) -> Vec<u32> {
        let (exact, others): (Vec<&Matcher>, Vec<&Matcher>) =
            matchers.iter().partition(|m| m.op() == MatchOp::Equal && !m.value().is_empty());
        let mut lists: Vec<&[u32]> =
            exact.iter().map(|m| self.series_with(m.name(), m.value())).collect();
        lists.sort_unstable_by_key(|list| list.len());
        let mut found: Vec<u32> = match lists.first() {
            Some(shortest) => shortest.to_vec(),
            None => (0..self.series).collect(),
        };
        for list in lists.iter().skip(1) {
            keep_common(&mut found, list);
        }
        for matcher in others {
            let postings = self.postings(matcher.name());
            if postings.len() < found.len() {
                let accepted = self.accepted(matcher, postings);
                found.retain(|number| accepted[*number as usize]);
            } else {
                let value = |number: &u32| labels[*number as usize].get(matcher.name());
                found.retain(|number| matcher.matches(value(number).unwrap_or_default()));
            }
        }
        found
    }

    /// For each series whether a matcher accepts it, at the cost of one comparison a value.
    fn accepted(&self, matcher: &Matcher, postings: &[Posting]) -> Vec<bool> {
        let absent = matcher.matches("");
        let mut accepted = vec![absent; self.series as usize];
        for (value, numbers) in postings {
            if matcher.matches(value) != absent {
                for number in numbers {
                    accepted[*number as usize] = !absent;
                }
            }
        }
        accepted
    }
}

/// Keeps of one ascending list what is in another, longer one. The longer list is searched in
/// leaps that double, so that two lists of very different lengths cost little more than the
/// shorter one.
fn keep_common(short: &mut Vec<u32>, mut long: &[u32]) {
    short.retain(|number| {
        let mut leap = 1;
        while leap < long.len() && long[leap] < *number {
            leap *= 2;
        }
        let window = &long[leap / 2..long.len().min(leap + 1)];
        let at = leap / 2 + window.partition_point(|candidate| candidate < number);
        long = &long[at..];
        long.first() == Some(number)
    });
}
