//! Walking over buckets.

use super::{Count, Histogram, Run, bucket_bound};

/// The buckets of one side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SideBuckets<'a, C> {
    runs: &'a [Run],
    counts: &'a [C],
}

impl<'a, C: Count> SideBuckets<'a, C> {
    pub(super) fn new(runs: &'a [Run], counts: &'a [C]) -> Self {
        Self { runs, counts }
    }

    /// Rows of consecutive buckets, ascending, with gaps between them.
    pub fn runs(&self) -> &'a [Run] {
        self.runs
    }

    /// The populations, by ascending index.
    pub fn counts(&self) -> &'a [C] {
        self.counts
    }

    /// The number of buckets.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there are no buckets.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Index and population of each bucket, by ascending index.
    pub fn iter(&self) -> IndexedBuckets<'a, C> {
        IndexedBuckets { runs: self.runs, counts: self.counts, taken_front: 0, taken_back: 0 }
    }
}

/// Indices and populations of the buckets of one side.
#[derive(Clone, Debug)]
pub struct IndexedBuckets<'a, C> {
    runs: &'a [Run],
    counts: &'a [C],
    /// How many buckets of the first run are taken.
    taken_front: usize,
    /// How many buckets of the last run are taken.
    taken_back: usize,
}

impl<C: Count> Iterator for IndexedBuckets<'_, C> {
    type Item = (i64, C);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (&count, counts) = self.counts.split_first()?;
        let (run, runs) = self.runs.split_first()?;
        let index = run.start + self.taken_front as i64;
        self.counts = counts;
        self.taken_front += 1;
        if self.taken_front == run.length {
            self.runs = runs;
            self.taken_front = 0;
        }
        Some((index, count))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.counts.len(), Some(self.counts.len()))
    }
}

impl<C: Count> DoubleEndedIterator for IndexedBuckets<'_, C> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let (&count, counts) = self.counts.split_last()?;
        let (run, runs) = self.runs.split_last()?;
        let index = run.end() - 1 - self.taken_back as i64;
        self.counts = counts;
        self.taken_back += 1;
        if self.taken_back == run.length {
            self.runs = runs;
            self.taken_back = 0;
        }
        Some((index, count))
    }
}

impl<C: Count> ExactSizeIterator for IndexedBuckets<'_, C> {}

/// A range of values with the number of observations in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The lower bound.
    pub lower: f64,
    /// The upper bound.
    pub upper: f64,
    /// Whether the lower bound belongs to the bucket.
    pub lower_inclusive: bool,
    /// Whether the upper bound belongs to the bucket.
    pub upper_inclusive: bool,
    /// The number of observations.
    pub count: f64,
    /// The index; 0 for the zero bucket.
    pub index: i64,
}

impl<C: Count> Histogram<C> {
    /// The bounds of a positive bucket, or a custom one, lower and upper.
    pub fn positive_bounds(&self, index: i64) -> (f64, f64) {
        if !self.has_custom_buckets() {
            return (bucket_bound(self.schema, index - 1), bucket_bound(self.schema, index));
        }
        let bounds = self.custom_values();
        let bound = |index: i64| usize::try_from(index).ok().and_then(|at| bounds.get(at)).copied();
        let lower =
            if index <= 0 { f64::NEG_INFINITY } else { bound(index - 1).unwrap_or(f64::INFINITY) };
        (lower, bound(index).unwrap_or(f64::INFINITY))
    }

    /// The bounds of a negative bucket, lower and upper.
    pub fn negative_bounds(&self, index: i64) -> (f64, f64) {
        (-bucket_bound(self.schema, index), -bucket_bound(self.schema, index - 1))
    }

    /// The positive buckets, or the custom ones, with bounds, by ascending value.
    pub fn positive_buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> + Clone {
        self.positive()
            .iter()
            .map(|(index, count)| self.bucket(self.positive_bounds(index), count, index))
    }

    /// The negative buckets with bounds, by ascending index, which is by descending value.
    pub fn negative_buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> + Clone {
        self.negative()
            .iter()
            .map(|(index, count)| self.bucket(self.negative_bounds(index), count, index))
    }

    /// The zero bucket.
    pub fn zero_bucket(&self) -> Bucket {
        Bucket {
            lower: -self.zero_threshold,
            upper: self.zero_threshold,
            lower_inclusive: true,
            upper_inclusive: true,
            count: self.zero_count.value(),
            index: 0,
        }
    }

    /// All buckets by ascending value, also those without observations; the zero bucket only if it
    /// has a positive population. Buckets that begin inside of the zero bucket begin at its end
    /// instead, where Prometheus does so. [`Iterator::rev`] goes down.
    pub fn buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> + Clone {
        let threshold = self.zero_threshold;
        let negative = self.negative_buckets().rev().map(move |mut bucket| {
            if bucket.upper > -threshold && bucket.upper < 0.0 {
                bucket.upper = -threshold;
            }
            bucket
        });
        let zero = Some(self.zero_bucket()).filter(|bucket| bucket.count > 0.0);
        let positive = self.positive_buckets().map(move |mut bucket| {
            if bucket.lower > 0.0 && bucket.lower < threshold {
                bucket.lower = threshold;
            }
            bucket
        });
        negative.chain(zero).chain(positive)
    }

    /// The positive buckets, or the custom ones, each with all observations in it and below down to
    /// the first one. Those that are left out between others are filled in.
    pub fn cumulative_buckets(&self) -> impl Iterator<Item = Bucket> {
        let mut total = 0.0;
        let mut next = None;
        let filled = self.positive().iter().flat_map(move |(index, count)| {
            let from = next.replace(index + 1).unwrap_or(index);
            let before = total;
            total += count.value();
            (from..index).map(move |missing| (missing, before)).chain([(index, total)])
        });
        filled.map(|(index, count)| Bucket {
            lower: f64::NEG_INFINITY,
            upper: self.positive_bounds(index).1,
            lower_inclusive: true,
            upper_inclusive: true,
            count,
            index,
        })
    }

    fn bucket(&self, (lower, upper): (f64, f64), count: C, index: i64) -> Bucket {
        let custom = self.has_custom_buckets();
        Bucket {
            lower,
            upper,
            lower_inclusive: if custom { index == 0 } else { lower < 0.0 },
            upper_inclusive: custom || upper > 0.0,
            count: count.value(),
            index,
        }
    }
}
