//! Answering matchers with an inverted index: for each value of each label the series that have it.
//!
//! Series are numbers that ascend in the order of their labels. Where the lists of numbers lie, in
//! memory or in the index of a block, is up to the one who has them.

use std::borrow::Cow;

use promql_model::{MatchOp, Matcher};

/// For each value of each label the series that have it.
pub(crate) trait InvertedIndex {
    /// What can go wrong with a lookup.
    type Error;

    /// A number that is larger than those of all series.
    fn bound(&self) -> usize;

    /// The numbers of all series, ascending.
    fn all(&self) -> Result<Vec<u32>, Self::Error>;

    /// The numbers of the series with a value of a label, ascending.
    fn series_with(&self, name: &str, value: &str) -> Result<Cow<'_, [u32]>, Self::Error>;

    /// How many values a label has, more or less.
    fn value_count(&self, name: &str) -> usize;

    /// Looks at the values of a label that begin with a text, and gives the lists of those that
    /// are wanted to `take`.
    fn visit_values(
        &self,
        name: &str,
        prefix: &str,
        wanted: &mut dyn FnMut(&str) -> bool,
        take: &mut dyn FnMut(&[u32]),
    ) -> Result<(), Self::Error>;

    /// Whether a matcher accepts a series.
    fn accepts(&self, series: u32, matcher: &Matcher) -> Result<bool, Self::Error>;
}

/// The numbers of the series that all matchers accept, ascending.
///
/// Equality with a value that is not empty is answered by the lists, the shortest first. The other
/// matchers filter what is left: by looking at each remaining series where there are fewer of them
/// than the label has values, else by collecting the lists of values. A matcher that accepts the
/// empty value accepts the series without the label as well, so the lists of the values that it
/// refuses are taken away.
pub(crate) fn select<I: InvertedIndex>(
    index: &I,
    matchers: &[Matcher],
) -> Result<Vec<u32>, I::Error> {
    let (exact, others): (Vec<&Matcher>, Vec<&Matcher>) =
        matchers.iter().partition(|m| m.op() == MatchOp::Equal && !m.value().is_empty());
    let mut lists = Vec::with_capacity(exact.len());
    for matcher in exact {
        // What is not UTF-8 equals no value.
        let Ok(value) = std::str::from_utf8(matcher.value()) else { return Ok(Vec::new()) };
        lists.push(index.series_with(matcher.name(), value)?);
    }
    lists.sort_unstable_by_key(|list| list.len());
    let mut lists = lists.into_iter();
    // Nothing yet means all series.
    let mut found: Option<Vec<u32>> = lists.next().map(Cow::into_owned);
    for list in lists {
        if let Some(found) = &mut found {
            keep_common(found, &list);
        }
    }
    for matcher in others {
        found = Some(filter(index, matcher, found)?);
    }
    found.map_or_else(|| index.all(), Ok)
}

/// The series among those found, or among all, that a matcher accepts.
fn filter<I: InvertedIndex>(
    index: &I,
    matcher: &Matcher,
    found: Option<Vec<u32>>,
) -> Result<Vec<u32>, I::Error> {
    if let Some(found) = &found
        && found.len() < index.value_count(matcher.name())
    {
        let mut kept = Vec::with_capacity(found.len());
        for series in found {
            if index.accepts(*series, matcher)? {
                kept.push(*series);
            }
        }
        return Ok(kept);
    }
    let accepts_absent = matcher.matches_empty();
    let mut listed = Bitmap::new(index.bound());
    let texts = matcher.regex().and_then(|regex| regex.texts());
    match texts.filter(|_| matcher.op() == MatchOp::Matches && !accepts_absent) {
        // A list of texts is looked up.
        Some(texts) => {
            for text in texts {
                listed.insert(&index.series_with(matcher.name(), text)?);
            }
        }
        None => {
            let prefix = match matcher.op() {
                MatchOp::Matches if !accepts_absent => matcher.regex().map(|regex| regex.prefix()),
                _ => None,
            };
            index.visit_values(
                matcher.name(),
                prefix.unwrap_or_default(),
                &mut |value| matcher.matches(value) != accepts_absent,
                &mut |list| listed.insert(list),
            )?;
        }
    }
    let mut kept = match found {
        Some(found) => found,
        None if !accepts_absent => return Ok(listed.numbers()),
        None => index.all()?,
    };
    kept.retain(|series| listed.contains(*series) != accepts_absent);
    Ok(kept)
}

/// Numbers, a bit for each.
struct Bitmap {
    words: Vec<u64>,
}

impl Bitmap {
    fn new(bound: usize) -> Self {
        Bitmap { words: vec![0; bound.div_ceil(64)] }
    }

    fn insert(&mut self, numbers: &[u32]) {
        for number in numbers {
            if let Some(word) = self.words.get_mut(*number as usize / 64) {
                *word |= 1 << (number % 64);
            }
        }
    }

    fn contains(&self, number: u32) -> bool {
        self.words.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// All of them, ascending.
    fn numbers(&self) -> Vec<u32> {
        let mut numbers = Vec::new();
        for (at, word) in (0_u32..).step_by(64).zip(&self.words) {
            let mut word = *word;
            while word != 0 {
                numbers.push(at + word.trailing_zeros());
                word &= word - 1;
            }
        }
        numbers
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
