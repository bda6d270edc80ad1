//! Several storages as one.

mod replicas;

use std::collections::{BTreeMap, BTreeSet};

use promql_engine::{
    KeptColumns, LabelQuery, MetricMetadata, SampleBuffer, Samples, SelectRequest, SelectedSeries,
    Storage, StorageError,
};
use promql_model::{Annotation, Labels, LabelsBuilder, MatchOp, Matcher, Severity};

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
///
/// By [`UnionOptions`] replicas can be made one, and parts that fail can be left out. All parts are
/// asked at the same time.
pub struct UnionStorage<'s> {
    parts: Vec<UnionPart<'s>>,
    options: UnionOptions,
}

/// One of several storages.
pub struct UnionPart<'s> {
    /// Its series.
    pub storage: Box<dyn Storage + 's>,
    /// What messages call it.
    pub name: String,
    /// Labels that its series get, unless they have them.
    pub labels: Labels,
}

/// How storages are put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnionOptions {
    /// Labels that tell replicas apart, as `replica`. Series that differ in nothing else are
    /// replicas of one, which is without these labels: one replica is followed, and another where
    /// the first has a gap, so that nothing is counted twice and counters don't jump.
    pub replica_labels: Vec<String>,
    /// Leave out a storage that fails, with a warning. Without it the whole question fails.
    pub leave_out_failing: bool,
}

/// What parts answer, with their numbers, and the warnings about those that do not.
type Answers<T> = (Vec<(usize, T)>, Vec<Annotation>);

impl<'s> UnionStorage<'s> {
    /// Puts storages together, the most trusted first.
    pub fn new(storages: impl IntoIterator<Item = Box<dyn Storage + 's>>) -> Self {
        let part = |storage| UnionPart { storage, name: String::new(), labels: Labels::empty() };
        UnionStorage {
            parts: storages.into_iter().map(part).collect(),
            options: UnionOptions::default(),
        }
    }

    /// Puts storages together, the most trusted first, with labels for each.
    pub fn of_parts(parts: Vec<UnionPart<'s>>, options: UnionOptions) -> Self {
        UnionStorage { parts, options }
    }

    /// Asks all parts at the same time. Gives the answers with the parts' numbers, and a warning
    /// for each that failed and may be left out.
    fn ask<'a, T: Send>(
        &'a self,
        ask: impl Fn(&'a UnionPart<'s>) -> Result<T, StorageError> + Sync,
    ) -> Result<Answers<T>, StorageError> {
        let answers: Vec<Result<T, StorageError>> = match &self.parts[..] {
            [only] => vec![ask(only)],
            parts => std::thread::scope(|scope| {
                let ask = &ask;
                let asked: Vec<_> =
                    parts.iter().map(|part| scope.spawn(move || ask(part))).collect();
                let lost = || Err(StorageError::new("a thread that read a source panicked"));
                asked.into_iter().map(|thread| thread.join().unwrap_or_else(|_| lost())).collect()
            }),
        };
        let mut found = Vec::new();
        let mut warnings = Vec::new();
        let mut first = None;
        for (number, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(answer) => found.push((number, answer)),
                Err(error) if self.options.leave_out_failing => {
                    let name = &self.parts[number].name;
                    let message = format!("`{name}` is left out, as it gives no answer: {error}");
                    let severity = Severity::Warning;
                    warnings.push(Annotation { severity, message, span: None });
                    first = first.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        match first {
            // Where nothing is left there is no answer.
            Some(error) if found.is_empty() => Err(error),
            _ => Ok((found, warnings)),
        }
    }

    fn merged(
        &self,
        list: impl Fn(&UnionPart<'s>) -> Result<Vec<String>, StorageError> + Sync,
    ) -> Result<Vec<String>, StorageError> {
        let (lists, _) = self.ask(list)?;
        let all: BTreeSet<String> = lists.into_iter().flat_map(|(_, list)| list).collect();
        Ok(all.into_iter().collect())
    }

    /// Labels without those that tell replicas apart, and those.
    fn split(&self, labels: &Labels) -> (Labels, Labels) {
        let is_replica = |name: &str| self.options.replica_labels.iter().any(|known| known == name);
        match self.options.replica_labels.is_empty() {
            true => (labels.clone(), Labels::empty()),
            false => (labels.filtered(|name| !is_replica(name)), labels.filtered(is_replica)),
        }
    }
}

impl UnionPart<'_> {
    /// Labels with those of the part.
    fn with_own(&self, labels: &Labels, builder: &mut LabelsBuilder) -> Labels {
        if self.labels.is_empty() {
            return labels.clone();
        }
        builder.reset(labels);
        for (name, value) in self.labels.iter() {
            if labels.get(name).is_none() {
                builder.set(name, value);
            }
        }
        builder.build()
    }

    /// What the storage itself is asked for: a matcher on a label that the part adds says nothing
    /// about the series as they are there.
    fn matchers(&self, matchers: &[Matcher]) -> Vec<Matcher> {
        let is_own = |matcher: &&Matcher| self.labels.get(matcher.name()).is_none();
        let mut own: Vec<Matcher> = matchers.iter().filter(is_own).cloned().collect();
        if own.is_empty() {
            // Servers want one that does not accept everything.
            own.extend(Matcher::new("__name__", MatchOp::NotEqual, ""));
        }
        own
    }

    /// A question about labels as the storage can answer it, or nothing if its series can't be
    /// meant.
    fn query<'q>(
        &self,
        query: &LabelQuery<'q>,
        own: &'q mut Vec<Vec<Matcher>>,
    ) -> Option<LabelQuery<'q>> {
        if self.labels.is_empty() || query.selectors.is_empty() {
            return Some(*query);
        }
        let fits = |matcher: &Matcher| match self.labels.get(matcher.name()) {
            Some(value) => matcher.matches(value),
            None => true,
        };
        let selectors = query.selectors.iter().filter(|selector| selector.iter().all(fits));
        *own = selectors.map(|selector| self.matchers(selector)).collect();
        let range = query.range;
        (!own.is_empty()).then_some(LabelQuery { selectors: own, range })
    }
}

impl Storage for UnionStorage<'_> {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        let (found, mut annotations) = self.ask(|part| match part.labels.is_empty() {
            true => part.storage.select(request),
            false => {
                let matchers = part.matchers(request.matchers);
                part.storage.select(&SelectRequest { matchers: &matchers, ..*request })
            }
        })?;
        let mut builder = LabelsBuilder::default();
        let mut places: BTreeMap<Labels, BTreeMap<Labels, Vec<(usize, usize)>>> = BTreeMap::new();
        let mut parts = Vec::new();
        for (number, selected) in found {
            let part = &self.parts[number];
            annotations.extend_from_slice(selected.annotations());
            for (index, labels) in selected.labels().iter().enumerate() {
                let labels = part.with_own(labels, &mut builder);
                if !part.labels.is_empty() && !request.matches(&labels) {
                    continue;
                }
                let (labels, replica) = self.split(&labels);
                let replicas = places.entry(labels).or_default();
                replicas.entry(replica).or_default().push((parts.len(), index));
            }
            parts.push(selected);
        }
        let (labels, places) = places
            .into_iter()
            .map(|(labels, replicas)| (labels, replicas.into_values().collect()))
            .unzip();
        Ok(Box::new(Selected { parts, labels, places, annotations }))
    }

    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        let mut names = self.merged(|part| {
            let mut own = Vec::new();
            let Some(query) = part.query(query, &mut own) else { return Ok(Vec::new()) };
            let mut names = part.storage.label_names(&query)?;
            if !names.is_empty() {
                names.extend(part.labels.iter().map(|(name, _)| name.to_owned()));
            }
            Ok(names)
        })?;
        names.retain(|name| !self.options.replica_labels.contains(name));
        Ok(names)
    }

    fn label_values(
        &self,
        name: &str,
        query: &LabelQuery<'_>,
    ) -> Result<Vec<String>, StorageError> {
        if self.options.replica_labels.iter().any(|known| known == name) {
            return Ok(Vec::new());
        }
        self.merged(|part| {
            let mut own = Vec::new();
            let Some(query) = part.query(query, &mut own) else { return Ok(Vec::new()) };
            let mut values = part.storage.label_values(name, &query)?;
            if let Some(value) = part.labels.get(name)
                && !part.storage.label_names(&query)?.is_empty()
            {
                values.push(value.to_owned());
            }
            Ok(values)
        })
    }

    fn kept_columns(&self) -> Option<KeptColumns> {
        let kept = self.parts.iter().filter_map(|part| part.storage.kept_columns());
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
        let (found, _) = self.ask(|part| part.storage.metadata(metric))?;
        let mut all: BTreeMap<String, Vec<MetricMetadata>> = BTreeMap::new();
        for (family, entries) in found.into_iter().flat_map(|(_, families)| families) {
            let known = all.entry(family).or_default();
            for entry in entries {
                if !known.contains(&entry) {
                    known.push(entry);
                }
            }
        }
        Ok(all)
    }
}

struct Selected<'a> {
    parts: Vec<Box<dyn SelectedSeries + 'a>>,
    labels: Vec<Labels>,
    /// For each series its replicas, and for each of them the parts that have it, with its index
    /// there.
    places: Vec<Vec<Vec<(usize, usize)>>>,
    annotations: Vec<Annotation>,
}

impl Selected<'_> {
    /// The samples of one replica.
    fn read_replica<'b>(
        &'b self,
        places: &[(usize, usize)],
        buffer: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError> {
        if let [(part, index)] = places {
            // Lent where it lies.
            return self.parts[*part].read(*index, buffer);
        }
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

impl SelectedSeries for Selected<'_> {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read<'b>(
        &'b self,
        index: usize,
        buffer: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError> {
        let Some(places) = self.places.get(index) else {
            return Err(StorageError::new(format!("there is no selected series {index}")));
        };
        if let [only] = &places[..] {
            return self.read_replica(only, buffer);
        }
        let mut replicas = Vec::new();
        for places in places {
            let mut own = SampleBuffer::default();
            let mut whole = SampleBuffer::default();
            append(&mut whole, &self.read_replica(places, &mut own)?);
            replicas.push(whole);
        }
        let name = self.labels[index].metric_name().unwrap_or_default();
        replicas::merge(&replicas, is_counter(name), buffer);
        Ok(buffer.samples())
    }

    fn annotations(&self) -> &[Annotation] {
        &self.annotations
    }
}

/// Whether a metric is a counter by its name, as the engine has it in its remarks.
fn is_counter(name: &str) -> bool {
    ["_total", "_count", "_sum", "_bucket"].iter().any(|suffix| name.ends_with(suffix))
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

    /// Series with their samples, or the error; then what is remarked.
    fn shown(union: &UnionStorage<'_>, matcher: (&str, &str)) -> String {
        let matchers = [Matcher::new(matcher.0, MatchOp::Equal, matcher.1).unwrap()];
        let request = SelectRequest {
            matchers: &matchers,
            range: TimeRange::ALL,
            hints: SelectHints::default(),
            cancellation: &Cancellation::default(),
        };
        let selected = match union.select(&request) {
            Ok(selected) => selected,
            Err(error) => return error.to_string(),
        };
        let mut text = String::new();
        for (index, labels) in selected.labels().iter().enumerate() {
            let mut buffer = SampleBuffer::default();
            let samples = selected.read(index, &mut buffer).unwrap();
            text.push_str(&format!("{labels} {:?}\n", samples.values));
        }
        for annotation in selected.annotations() {
            text.push_str(&format!("{}\n", annotation.message));
        }
        text
    }

    fn part(name: &str, labels: &[(&str, &str)], storage: Box<dyn Storage>) -> UnionPart<'static> {
        UnionPart { storage, name: name.to_owned(), labels: Labels::from_pairs(labels.to_vec()) }
    }

    /// Fails always.
    struct Down;

    impl Storage for Down {
        fn select<'a>(
            &'a self,
            _: &SelectRequest<'_>,
        ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
            Err(StorageError::new("it is down"))
        }
        fn label_names(&self, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
            Err(StorageError::new("it is down"))
        }
        fn label_values(&self, _: &str, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
            Err(StorageError::new("it is down"))
        }
    }

    #[test]
    fn parts_have_labels_of_their_own() {
        let one = || storage(&[("a", &[(10, 1.0)])]);
        let other = || storage(&[("a", &[(10, 2.0)]), ("b", &[(10, 3.0)])]);
        let parts = || {
            vec![part("x", &[("dc", "x")], one()), part("y", &[("dc", "y"), ("job", "-")], other())]
        };
        let union = UnionStorage::of_parts(parts(), UnionOptions::default());
        assert_eq!(
            shown(&union, ("__name__", "up")),
            "{__name__=\"up\", dc=\"x\", job=\"a\"} [1.0]\n{__name__=\"up\", dc=\"y\", job=\"a\"} [2.0]\n\
             {__name__=\"up\", dc=\"y\", job=\"b\"} [3.0]\n"
        );
        assert_eq!(shown(&union, ("dc", "x")), "{__name__=\"up\", dc=\"x\", job=\"a\"} [1.0]\n");
        assert_eq!(shown(&union, ("job", "b")), "{__name__=\"up\", dc=\"y\", job=\"b\"} [3.0]\n");
        let everything = LabelQuery { selectors: &[], range: TimeRange::ALL };
        assert_eq!(union.label_values("dc", &everything).unwrap(), ["x", "y"]);
        assert_eq!(union.label_names(&everything).unwrap(), ["__name__", "dc", "job"]);
        let of_x = [vec![Matcher::new("dc", MatchOp::Equal, "x").unwrap()]];
        let of_x = LabelQuery { selectors: &of_x, range: TimeRange::ALL };
        assert_eq!(union.label_values("job", &of_x).unwrap(), ["a"]);
        // Replicas are one, and their label is gone.
        let options =
            UnionOptions { replica_labels: vec!["dc".to_owned()], ..UnionOptions::default() };
        let union = UnionStorage::of_parts(parts(), options);
        let expected = "{__name__=\"up\", job=\"a\"} [1.0]\n{__name__=\"up\", job=\"b\"} [3.0]\n";
        assert_eq!(shown(&union, ("__name__", "up")), expected);
        assert_eq!(union.label_names(&everything).unwrap(), ["__name__", "job"]);
    }

    #[test]
    fn a_part_that_fails_is_left_out_when_asked_so() {
        let parts = || {
            vec![
                part("http://a", &[], Box::new(Down)),
                part("b", &[], storage(&[("a", &[(10, 1.0)])])),
            ]
        };
        let union = UnionStorage::of_parts(parts(), UnionOptions::default());
        assert_eq!(shown(&union, ("__name__", "up")), "it is down");
        let options = UnionOptions { leave_out_failing: true, ..UnionOptions::default() };
        let union = UnionStorage::of_parts(parts(), options.clone());
        assert_eq!(
            shown(&union, ("__name__", "up")),
            "{__name__=\"up\", job=\"a\"} [1.0]\n`http://a` is left out, as it gives no answer: it is down\n"
        );
        let everything = LabelQuery { selectors: &[], range: TimeRange::ALL };
        assert_eq!(union.label_values("job", &everything).unwrap(), ["a"]);
        let all = vec![part("a", &[], Box::new(Down)), part("b", &[], Box::new(Down))];
        let union = UnionStorage::of_parts(all, options);
        assert_eq!(shown(&union, ("__name__", "up")), "it is down");
    }
}
