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
            self.remove_empty();
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

    /// Removes empty buckets, in place: this is done to each rate and each sum.
    fn remove_empty(&mut self) {
        let Some(first) = self.counts.iter().position(|count| count.is_zero()) else { return };
        let mut kept = first;
        let mut at = 0;
        let mut sides = [Vec::new(), Vec::new()];
        for (side, runs) in [&self.layout.positive, &self.layout.negative].into_iter().enumerate() {
            for run in runs {
                for index in run.start..run.end() {
                    let Some(&count) = self.counts.get(at) else { break };
                    at += 1;
                    if count.is_zero() {
                        continue;
                    }
                    if at > first {
                        self.counts[kept] = count;
                        kept += 1;
                    }
                    let runs: &mut Vec<Run> = &mut sides[side];
                    match runs.last_mut() {
                        Some(last) if last.end() == index => last.length += 1,
                        _ => runs.push(Run { start: index, length: 1 }),
                    }
                }
            }
        }
        self.counts.truncate(kept);
        let [positive, negative] = sides;
        let bounds = self.layout.custom_values.clone();
        self.layout = Arc::new(Layout::new(positive, negative, bounds));
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
