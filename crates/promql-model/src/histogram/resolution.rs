//! Coarser buckets, and fewer of them.

use std::sync::Arc;

use super::layout::{Layout, SideBuilder};
use super::{Count, Histogram, HistogramError, Run, SideBuckets};

impl<C: Count> Histogram<C> {
    /// Merges buckets down to a lower schema; the zero bucket, count and sum stay. A histogram that
    /// has this schema stays as it is.
    ///
    /// # Errors
    /// When the schema is higher than the present one, or one of the two is of custom buckets.
    pub fn reduce_resolution(&mut self, schema: i32) -> Result<(), HistogramError> {
        if schema == self.schema {
            return Ok(());
        }
        if schema > self.schema || self.has_custom_buckets() || schema < super::MIN_SCHEMA {
            return Err(HistogramError::CannotReduce { from: self.schema, to: schema });
        }
        self.merge_buckets_to(schema);
        Ok(())
    }

    /// The same histogram at a lower schema.
    ///
    /// # Errors
    /// As [`Histogram::reduce_resolution`].
    pub fn at_schema(&self, schema: i32) -> Result<Self, HistogramError> {
        let mut copy = self.clone();
        copy.reduce_resolution(schema)?;
        Ok(copy)
    }

    /// Merges buckets; the schema must be lower than the present one.
    pub(super) fn merge_buckets_to(&mut self, schema: i32) {
        let steps = self.schema.abs_diff(schema).min(62);
        let positive = coarser(self.positive(), steps);
        let negative = coarser(self.negative(), steps);
        self.schema = schema;
        self.set_sides(positive, negative);
    }

    /// Removes empty buckets at the ends of each side and rows of more than `max_empty` between
    /// others, and makes gaps of up to so many into empty buckets.
    pub fn compact(&mut self, max_empty: usize) {
        if max_empty == 0 {
            Compactor::default().compact(self);
            return;
        }
        let positive = compacted(self.positive(), max_empty);
        let negative = compacted(self.negative(), max_empty);
        if positive.is_none() && negative.is_none() {
            return;
        }
        let positive = positive.unwrap_or_else(|| copied(self.positive()));
        let negative = negative.unwrap_or_else(|| copied(self.negative()));
        self.set_sides(positive, negative);
    }

    /// Replaces all buckets. Custom bounds stay.
    pub(super) fn set_sides(&mut self, positive: SideBuilder<C>, negative: SideBuilder<C>) {
        let mut counts = positive.counts;
        counts.extend(negative.counts);
        self.counts = counts;
        let same =
            *self.layout.positive == *positive.runs && *self.layout.negative == *negative.runs;
        if !same {
            let bounds = self.layout.custom_values.clone();
            self.layout = Arc::new(Layout::new(positive.runs, negative.runs, bounds));
        }
    }
}

/// Removes empty buckets of one histogram after the other. What is left are often the buckets that
/// were left of the histogram before, so both get the same layout, and nothing is allocated.
///
/// ```
/// use promql_model::{Compactor, DenseHistogram, FloatHistogram};
/// let mut compactor = Compactor::default();
/// for count in [2.0, 5.0] {
///     let buckets = vec![0.0, count, 0.0];
///     let mut histogram =
///         FloatHistogram::from(DenseHistogram { count, buckets, ..DenseHistogram::default() });
///     compactor.compact(&mut histogram);
///     assert_eq!(histogram.positive().iter().collect::<Vec<_>>(), [(1, count)]);
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Compactor {
    /// The buckets that are left of the present histogram, positive and negative.
    runs: [Vec<Run>; 2],
    /// The layout of the histogram before.
    last: Option<Arc<Layout>>,
}

impl Compactor {
    /// Removes the empty buckets of a histogram.
    pub fn compact<C: Count>(&mut self, histogram: &mut Histogram<C>) {
        let counts = &mut histogram.counts;
        let Some(first) = counts.iter().position(|count| count.is_zero()) else { return };
        let mut kept = first;
        let mut at = 0;
        let sides = [&histogram.layout.positive, &histogram.layout.negative];
        for (side, left) in sides.into_iter().zip(&mut self.runs) {
            left.clear();
            for run in side {
                for index in run.start..run.end() {
                    let Some(&count) = counts.get(at) else { break };
                    at += 1;
                    if count.is_zero() {
                        continue;
                    }
                    if at > first {
                        counts[kept] = count;
                        kept += 1;
                    }
                    match left.last_mut() {
                        Some(last) if last.end() == index => last.length += 1,
                        _ => left.push(Run { start: index, length: 1 }),
                    }
                }
            }
        }
        counts.truncate(kept);
        let [positive, negative] = &self.runs;
        let same = |last: &&Arc<Layout>| {
            *last.positive == **positive
                && *last.negative == **negative
                && last.has_bounds_of(&histogram.layout)
        };
        histogram.layout = match self.last.as_ref().filter(same) {
            Some(last) => Arc::clone(last),
            None => {
                let bounds = histogram.layout.custom_values.clone();
                let layout = Arc::new(Layout::new(positive.clone(), negative.clone(), bounds));
                Arc::clone(self.last.insert(layout))
            }
        };
    }
}

/// The buckets of a side when each schema step merges two of them into one.
fn coarser<C: Count>(side: SideBuckets<'_, C>, steps: u32) -> SideBuilder<C> {
    let mut built = SideBuilder::with_capacity(side.len());
    built.extend(side.iter().map(|(index, count)| (((index - 1) >> steps) + 1, count)));
    built
}

pub(super) fn copied<C: Count>(side: SideBuckets<'_, C>) -> SideBuilder<C> {
    SideBuilder { runs: side.runs().to_vec(), counts: side.counts().to_vec() }
}

/// `None`: nothing is to be done.
fn compacted<C: Count>(side: SideBuckets<'_, C>, max_empty: usize) -> Option<SideBuilder<C>> {
    let few = |gap: i64| usize::try_from(gap).is_ok_and(|gap| gap <= max_empty);
    let gaps = || side.runs().windows(2).filter_map(|pair| Some((pair.first()?, pair.last()?)));
    let has_small_gap = max_empty > 0 && gaps().any(|(a, b)| few(b.start - a.end()));
    if !has_small_gap && !side.counts().iter().any(|count| count.is_zero()) {
        return None;
    }
    let mut built = SideBuilder::with_capacity(side.len());
    let mut end = None;
    for (index, count) in side.iter().filter(|(_, count)| !count.is_zero()) {
        if let Some(end) = end.filter(|&end| few(index - end)) {
            built.extend((end..index).map(|index| (index, C::default())));
        }
        built.push(index, count);
        end = Some(index + 1);
    }
    Some(built)
}
