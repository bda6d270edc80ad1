//! Which buckets a histogram has.

use std::sync::{Arc, LazyLock};

use super::{Count, HistogramError, SideBuckets};

/// A row of consecutive buckets as storage and wire formats write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// The gap to the span before it, or the index of the first bucket in the first span.
    pub offset: i32,
    /// The number of buckets.
    pub length: u32,
}

/// A row of consecutive buckets. The index is wider than that of a [`Span`], so that no sum of
/// offsets is too large for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Run {
    /// The index of the first bucket.
    pub start: i64,
    /// The number of buckets, never 0.
    pub length: usize,
}

impl Run {
    /// The row of so many buckets, if there are any.
    pub(super) fn one(start: i64, length: usize) -> Vec<Run> {
        if length == 0 { Vec::new() } else { vec![Run { start, length }] }
    }

    /// The index after the last bucket.
    pub(super) fn end(&self) -> i64 {
        self.start.saturating_add_unsigned(self.length as u64)
    }
}

/// Which buckets there are, and where custom ones end. Runs are ascending and don't touch, so that
/// the same buckets are always the same runs.
#[derive(Debug, PartialEq, Default)]
pub(super) struct Layout {
    pub(super) positive: Box<[Run]>,
    pub(super) negative: Box<[Run]>,
    /// The number of positive buckets.
    pub(super) positive_length: usize,
    pub(super) custom_values: Box<[f64]>,
}

impl Layout {
    pub(super) fn new(
        positive: Vec<Run>,
        negative: Vec<Run>,
        custom_values: impl Into<Box<[f64]>>,
    ) -> Self {
        Self {
            positive_length: positive.iter().map(|run| run.length).sum(),
            positive: positive.into(),
            negative: negative.into(),
            custom_values: custom_values.into(),
        }
    }

    /// Whether there are the same buckets as in another layout, whatever their bounds. Most often it
    /// is the same one.
    pub(super) fn has_buckets_of(&self, other: &Layout) -> bool {
        std::ptr::eq(self, other)
            || self.positive == other.positive && self.negative == other.negative
    }

    /// Whether custom buckets have the same bounds.
    pub(super) fn has_bounds_of(&self, other: &Layout) -> bool {
        std::ptr::eq(self, other) || self.custom_values == other.custom_values
    }

    /// The layout without buckets, which takes no memory of its own.
    pub(super) fn empty() -> Arc<Self> {
        static EMPTY: LazyLock<Arc<Layout>> = LazyLock::new(Arc::default);
        Arc::clone(&EMPTY)
    }
}

/// Turns spans into runs: spans without buckets vanish, and spans without gap become one.
pub(super) fn runs_of_spans(spans: &[Span], have: usize) -> Result<Vec<Run>, HistogramError> {
    let mut runs: Vec<Run> = Vec::with_capacity(spans.len());
    let mut next = 0i64;
    let mut need = 0usize;
    for (at, span) in spans.iter().enumerate() {
        if at > 0 && span.offset < 0 {
            let number = at + 1;
            return Err(HistogramError::NegativeSpanOffset { number, offset: span.offset });
        }
        next = next.saturating_add(span.offset.into());
        let length = span.length as usize;
        need = need.saturating_add(length);
        if need > have {
            return Err(HistogramError::TooFewBuckets { have });
        }
        match runs.last_mut() {
            _ if length == 0 => {}
            Some(last) if last.end() == next => last.length += length,
            _ => runs.push(Run { start: next, length }),
        }
        next = next.saturating_add(span.length.into());
    }
    if need < have {
        return Err(HistogramError::TooManyBuckets { need, have });
    }
    Ok(runs)
}

/// The spans that say the same as some runs; offsets that are too large for a span are cut.
pub(super) fn spans_of_runs(runs: &[Run]) -> Vec<Span> {
    let mut end = 0;
    let spans = runs.iter().map(|run| {
        let offset = (run.start - end).clamp(i32::MIN.into(), i32::MAX.into());
        end = run.end();
        Span {
            offset: i32::try_from(offset).unwrap_or_default(),
            length: u32::try_from(run.length).unwrap_or(u32::MAX),
        }
    });
    spans.collect()
}

/// Takes buckets by ascending index.
pub(super) struct SideBuilder<C> {
    pub(super) runs: Vec<Run>,
    pub(super) counts: Vec<C>,
}

impl<C: Count> SideBuilder<C> {
    pub(super) fn with_capacity(buckets: usize) -> Self {
        Self { runs: Vec::new(), counts: Vec::with_capacity(buckets) }
    }

    /// Adds a bucket after all others, or to the last one if it is the same.
    #[inline]
    pub(super) fn push(&mut self, index: i64, count: C) {
        match self.runs.last_mut() {
            Some(last) if last.end() == index => last.length += 1,
            Some(last) if last.end() - 1 == index => {
                if let Some(last) = self.counts.last_mut() {
                    last.merge(count);
                }
                return;
            }
            _ => self.runs.push(Run { start: index, length: 1 }),
        }
        self.counts.push(count);
    }

    /// Adds all buckets of a side.
    pub(super) fn extend(&mut self, side: impl IntoIterator<Item = (i64, C)>) {
        for (index, count) in side {
            self.push(index, count);
        }
    }
}

/// The rows of the buckets that are in either list of rows.
pub(super) fn union_of_runs(left: &[Run], right: &[Run]) -> Vec<Run> {
    let mut all: Vec<Run> = left.iter().chain(right).copied().collect();
    all.sort_unstable_by_key(|run| run.start);
    let mut united: Vec<Run> = Vec::with_capacity(all.len());
    for run in all {
        match united.last_mut() {
            Some(last) if last.end() >= run.start => {
                let more = run.end().saturating_sub(last.end()).max(0);
                last.length += usize::try_from(more).unwrap_or(0);
            }
            _ => united.push(run),
        }
    }
    united
}

/// The buckets that either side has.
pub(super) fn union<C: Count>(
    left: SideBuckets<'_, C>,
    right: impl Iterator<Item = (i64, f64)>,
) -> SideBuilder<C> {
    let mut built = SideBuilder::with_capacity(left.len() + right.size_hint().0);
    let mut left = left.iter().peekable();
    for (index, count) in right {
        while let Some(before) = left.next_if(|&(other, _)| other < index) {
            built.push(before.0, before.1);
        }
        let mut sum = left.next_if(|&(other, _)| other == index).map_or(C::default(), |(_, c)| c);
        sum.add(count);
        built.push(index, sum);
    }
    built.extend(left);
    built
}
