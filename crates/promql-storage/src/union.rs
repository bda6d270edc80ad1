//! Several storages as one.

use std::collections::{BTreeMap, BTreeSet};

use promql_engine::{
    KeptColumns, LabelQuery, MetricMetadata, SampleBuffer, Samples, SelectRequest, SelectedSeries,
    Storage, StorageError,
};
use promql_model::Labels;

use crate::columns::{append, sort};

/// Several storages as one. A series that several of them have is one series with the samples of
/// all; where two have a sample at one time the storage that was named first counts.
///
/// ```
/// use promql_engine::{LabelQuery, Storage, TimeRange};
/// use promql_storage::{MemoryBuilder, UnionStorage};
///
/// let one: Box<dyn Storage> = Box::new(MemoryBuilder::default().build());
/// let other: Box<dyn Storage> = Box::new(MemoryBuilder::default().build());
/// let both = UnionStorage::new([one, other]);
/// let everything = LabelQuery { selectors: &[], range: TimeRange::ALL };
/// assert!(both.label_names(&everything)?.is_empty());
/// # Ok::<(), promql_engine::StorageError>(())
/// ```
pub struct UnionStorage<'s> {
    storages: Vec<Box<dyn Storage + 's>>,
}

impl<'s> UnionStorage<'s> {
    /// Puts storages together, the most trusted first.
    pub fn new(storages: impl IntoIterator<Item = Box<dyn Storage + 's>>) -> Self {
        UnionStorage { storages: storages.into_iter().collect() }
    }
}

impl Storage for UnionStorage<'_> {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        let parts: Vec<_> =
            self.storages.iter().map(|s| s.select(request)).collect::<Result<_, _>>()?;
        let mut places: BTreeMap<&Labels, Vec<(usize, usize)>> = BTreeMap::new();
        for (part, selected) in parts.iter().enumerate() {
            for (index, labels) in selected.labels().iter().enumerate() {
                places.entry(labels).or_default().push((part, index));
            }
        }
        let (labels, places) = places.into_iter().map(|(l, p)| (l.clone(), p)).unzip();
        Ok(Box::new(Selected { parts, labels, places }))
    }

    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        self.merged(|storage| storage.label_names(query))
    }

    fn label_values(
        &self,
        name: &str,
        query: &LabelQuery<'_>,
    ) -> Result<Vec<String>, StorageError> {
        self.merged(|storage| storage.label_values(name, query))
    }

    fn kept_columns(&self) -> Option<KeptColumns> {
        let kept = self.storages.iter().filter_map(|storage| storage.kept_columns());
        kept.reduce(|a, b| KeptColumns {
            budget: a.budget + b.budget,
            bytes: a.bytes + b.bytes,
            found: a.found + b.found,
            decoded: a.decoded + b.decoded,
        })
    }

    fn metadata(
        &self,
        metric: Option<&str>,
    ) -> Result<BTreeMap<String, Vec<MetricMetadata>>, StorageError> {
        let mut all: BTreeMap<String, Vec<MetricMetadata>> = BTreeMap::new();
        for storage in &self.storages {
            for (family, entries) in storage.metadata(metric)? {
                let known = all.entry(family).or_default();
                for entry in entries {
                    if !known.contains(&entry) {
                        known.push(entry);
                    }
                }
            }
        }
        Ok(all)
    }
}

impl UnionStorage<'_> {
    fn merged(
        &self,
        list: impl Fn(&dyn Storage) -> Result<Vec<String>, StorageError>,
    ) -> Result<Vec<String>, StorageError> {
        let mut all = BTreeSet::new();
        for storage in &self.storages {
            all.extend(list(storage.as_ref())?);
        }
        Ok(all.into_iter().collect())
    }
}

struct Selected<'a> {
    parts: Vec<Box<dyn SelectedSeries + 'a>>,
    labels: Vec<Labels>,
    /// For each series the parts that have it, with its index there.
    places: Vec<Vec<(usize, usize)>>,
}

impl SelectedSeries for Selected<'_> {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read<'b>(
        &'b self,
        index: usize,
        buffer: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError> {
        match &self.places[index][..] {
            // Lent where it lies.
            [(part, index)] => self.parts[*part].read(*index, buffer),
            places => {
                buffer.clear();
                let mut own = SampleBuffer::default();
                for (part, index) in places {
                    let samples = self.parts[*part].read(*index, &mut own)?;
                    append(buffer, &samples);
                }
                sort(buffer);
                Ok(buffer.samples())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Columns, MemoryBuilder};
    use promql_engine::{Cancellation, SelectHints, TimeRange};
    use promql_model::{MatchOp, Matcher};

    fn storage(series: &[(&str, &[(i64, f64)])]) -> Box<dyn Storage> {
        let mut builder = MemoryBuilder::default();
        for (job, samples) in series {
            let labels = Labels::from_pairs([("__name__", "up"), ("job", job)]);
            let (timestamps, values) = samples.iter().copied().unzip();
            builder.insert(labels, Columns { timestamps, values, ..Columns::default() });
        }
        Box::new(builder.build())
    }

    #[test]
    fn series_are_put_together() {
        let union = UnionStorage::new([
            storage(&[("a", &[(10, 1.0), (30, 3.0)]), ("b", &[(10, 7.0)])]),
            storage(&[("a", &[(20, 2.0), (30, 9.0)]), ("c", &[(10, 8.0)])]),
        ]);
        let matchers = [Matcher::new("__name__", MatchOp::Equal, "up").unwrap()];
        let request = SelectRequest {
            matchers: &matchers,
            range: TimeRange::ALL,
            hints: SelectHints::default(),
            cancellation: &Cancellation::default(),
        };
        let selected = union.select(&request).unwrap();
        let mut text = String::new();
        for (index, labels) in selected.labels().iter().enumerate() {
            let mut buffer = SampleBuffer::default();
            let samples = selected.read(index, &mut buffer).unwrap();
            let pairs: Vec<_> = samples.timestamps.iter().zip(samples.values).collect();
            text.push_str(&format!("{} {pairs:?}\n", labels.get("job").unwrap()));
        }
        assert_eq!(text, "a [(10, 1.0), (20, 2.0), (30, 3.0)]\nb [(10, 7.0)]\nc [(10, 8.0)]\n");
        let everything = LabelQuery { selectors: &[], range: TimeRange::ALL };
        assert_eq!(union.label_values("job", &everything).unwrap(), ["a", "b", "c"]);
    }
}
