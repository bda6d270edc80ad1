//! Blocks and the head as one storage.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::path::Path;

use promql_engine::{
    Cancellation, LabelQuery, MetricMetadata, SampleBuffer, Samples, SelectHints, SelectRequest,
    SelectedSeries, Storage, StorageError, TimeRange,
};
use promql_model::{CounterResetHint, FloatHistogram, Labels, LabelsBuilder};

use super::block::{Block, ChunkEntry, SeriesCursor};
use super::{TsdbError, TsdbWarning, folder, wal};
use crate::MemoryStorage;
use crate::columns::{append, sort};

/// The data of a server, read where it lies. Nothing is written, and no lock is taken.
///
/// A series may be in several blocks and in the head. It is one series with the samples of all;
/// where two blocks have a sample at one time, that of the newer block counts.
///
/// ```no_run
/// use promql_engine::{LabelQuery, Storage, TimeRange};
/// use promql_storage::tsdb::TsdbStorage;
///
/// let (storage, warnings) = TsdbStorage::open("/var/lib/prometheus".as_ref())?;
/// for warning in warnings {
///     eprintln!("{warning}");
/// }
/// let everything = LabelQuery { selectors: &[], range: TimeRange::ALL };
/// println!("{:?}", storage.label_values("job", &everything)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TsdbStorage {
    /// By time.
    blocks: Vec<Block>,
    /// For each block how many are newer: of two samples at one time the one with less counts.
    ages: Vec<usize>,
    /// What is not in blocks yet.
    head: Option<MemoryStorage>,
}

impl fmt::Debug for TsdbStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TsdbStorage").field("blocks", &self.blocks.len()).finish_non_exhaustive()
    }
}

impl From<TsdbError> for StorageError {
    fn from(error: TsdbError) -> Self {
        StorageError::caused_by("cannot read the data of a server", error)
    }
}

impl TsdbStorage {
    /// Looks what there is in a folder: a data folder of a server, a snapshot, or one block.
    /// Blocks that do not describe themselves are left out; what is wrong with the files of the
    /// others is said when they are read.
    ///
    /// # Errors
    /// When there is nothing in the folder.
    pub fn open(path: &Path) -> Result<(TsdbStorage, Vec<TsdbWarning>), TsdbError> {
        let (blocks, mut warnings) = folder::blocks(path)?;
        // What came late is in blocks of its own, which may be newer than what is still in the log.
        let in_order = blocks.iter().filter(|block| !block.meta().is_out_of_order());
        let end = in_order.map(|block| block.meta().range().end).max();
        let from = end.map_or(i64::MIN, |end| end.saturating_add(1));
        let head = wal::replay(path, from)?.map(|replayed| {
            warnings.extend(replayed.warnings.into_iter().map(TsdbWarning::Log));
            replayed.head
        });
        if blocks.is_empty() && head.is_none() {
            return Err(match warnings.into_iter().next() {
                Some(TsdbWarning::SkippedBlock { error, .. }) => error,
                _ => TsdbError::Empty { path: path.to_owned() },
            });
        }
        let mut newest: Vec<usize> = (0..blocks.len()).collect();
        // The name of a block begins with the time when it was made.
        newest.sort_by(|a, b| blocks[*b].meta().ulid.cmp(&blocks[*a].meta().ulid));
        let mut ages = vec![0; blocks.len()];
        for (age, block) in newest.into_iter().enumerate() {
            ages[block] = age;
        }
        Ok((TsdbStorage { blocks, ages, head }, warnings))
    }

    /// The last sample there is, in milliseconds since the epoch.
    ///
    /// # Errors
    /// When the blocks in question cannot be read.
    pub fn last_time(&self) -> Result<Option<i64>, TsdbError> {
        let mut last =
            self.head.as_ref().and_then(MemoryStorage::time_range).map(|range| range.end);
        let mut blocks: Vec<&Block> = self.blocks.iter().collect();
        // A block says until when it may have samples, and that is often later than the last.
        blocks.sort_by_key(|block| std::cmp::Reverse(block.meta().range().end));
        for block in blocks {
            if last.is_some_and(|last| last >= block.meta().range().end) {
                break;
            }
            last = last.max(block.last_time()?);
        }
        Ok(last)
    }

    fn blocks_in(&self, range: TimeRange) -> impl Iterator<Item = (usize, &Block)> {
        let blocks = self.blocks.iter().enumerate();
        blocks.filter(move |(_, block)| block.meta().range().overlaps(range))
    }

    /// The series that all matchers accept and that have samples in a range, or nothing when that
    /// was cancelled.
    fn selected(&self, request: &SelectRequest<'_>) -> Result<Option<Selection<'_>>, StorageError> {
        let mut cursors = Vec::new();
        for (number, block) in self.blocks_in(request.range) {
            let mut cursor = block.select(request.matchers, request.range)?;
            if cursor.advance()? {
                cursors.push((number, cursor));
            }
        }
        let mut selection = Selection::new(self);
        let mut builder = LabelsBuilder::default();
        let mut same = Vec::new();
        while let Some((number, (_, least))) =
            cursors.iter().enumerate().min_by(|(_, (_, a)), (_, (_, b))| by_labels(a, b))
        {
            if selection.labels.len().is_multiple_of(1024) && request.cancellation.is_cancelled() {
                return Ok(None);
            }
            same.clear();
            let equal = |(at, (_, cursor)): &(usize, &(usize, SeriesCursor<'_>))| {
                *at == number || by_labels(cursor, least).is_eq()
            };
            same.extend(cursors.iter().enumerate().filter(equal).map(|(at, _)| at));
            builder.reset(&Labels::empty());
            for (name, value) in &least.current().labels {
                builder.set(name, value);
            }
            selection.add(builder.build(), same.iter().map(|at| &cursors[*at]));
            // From the end, so that what is removed does not move those that come.
            for at in same.iter().rev() {
                if !cursors[*at].1.advance()? {
                    cursors.remove(*at);
                }
            }
        }
        if let Some(head) = &self.head {
            selection.add_head(head.select(request)?);
        }
        Ok(Some(selection))
    }

    /// The texts that `list` gives of the blocks in a range and of the head, or, where there are
    /// selectors, those that `of` gives of the labels of the selected series.
    fn texts(
        &self,
        query: &LabelQuery<'_>,
        block: impl Fn(&Block) -> Result<Vec<&str>, TsdbError>,
        head: impl Fn(&MemoryStorage) -> Result<Vec<String>, StorageError>,
        of: impl Fn(&Labels) -> Vec<&str>,
    ) -> Result<Vec<String>, StorageError> {
        let mut texts: BTreeSet<String> = BTreeSet::new();
        let mut add = |more: Vec<&str>| {
            for text in more {
                if !texts.contains(text) {
                    texts.insert(text.to_owned());
                }
            }
        };
        for selector in query.selectors {
            let request = SelectRequest {
                matchers: selector,
                range: query.range,
                hints: SelectHints::default(),
                cancellation: &Cancellation::default(),
            };
            for labels in self.select(&request)?.labels() {
                add(of(labels));
            }
        }
        if query.selectors.is_empty() {
            for (_, part) in self.blocks_in(query.range) {
                add(block(part)?);
            }
            if let Some(part) = &self.head {
                texts.extend(head(part)?);
            }
        }
        Ok(texts.into_iter().collect())
    }
}

/// Compares the series at which two cursors are.
fn by_labels(a: &SeriesCursor<'_>, b: &SeriesCursor<'_>) -> Ordering {
    a.current().labels.cmp(&b.current().labels)
}

impl Storage for TsdbStorage {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        match self.selected(request)? {
            Some(selection) => Ok(Box::new(selection)),
            None => Err(StorageError::new("selecting series was cancelled")),
        }
    }

    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        self.texts(
            query,
            |block| Ok(block.label_names()?.collect()),
            |head| head.label_names(query),
            |labels| labels.iter().map(|(name, _)| name).collect(),
        )
    }

    fn label_values(
        &self,
        name: &str,
        query: &LabelQuery<'_>,
    ) -> Result<Vec<String>, StorageError> {
        self.texts(
            query,
            |block| block.label_values(name),
            |head| head.label_values(name, query),
            |labels| labels.get(name).into_iter().collect(),
        )
    }

    fn metadata(
        &self,
        metric: Option<&str>,
    ) -> Result<BTreeMap<String, Vec<MetricMetadata>>, StorageError> {
        self.head.as_ref().map_or_else(|| Ok(BTreeMap::new()), |head| head.metadata(metric))
    }
}

/// The series that were selected, with where their samples are.
struct Selection<'a> {
    storage: &'a TsdbStorage,
    labels: Vec<Labels>,
    series: Vec<Parts>,
    /// Of all series, one after the other.
    chunks: Vec<PlacedChunk>,
    head: Option<Box<dyn SelectedSeries + 'a>>,
}

/// Where the samples of a series are.
struct Parts {
    chunks: Range<usize>,
    /// Its number among the series of the head.
    head: Option<usize>,
}

/// A chunk of a block.
#[derive(Clone, Copy)]
struct PlacedChunk {
    block: u32,
    /// The number of the series in the block.
    series: u32,
    entry: ChunkEntry,
}

impl<'a> Selection<'a> {
    fn new(storage: &'a TsdbStorage) -> Self {
        let (labels, series, chunks) = (Vec::new(), Vec::new(), Vec::new());
        Selection { storage, labels, series, chunks, head: None }
    }

    /// Adds a series that some blocks have.
    fn add<'c>(
        &mut self,
        labels: Labels,
        cursors: impl Iterator<Item = &'c (usize, SeriesCursor<'a>)>,
    ) where
        'a: 'c,
    {
        let start = self.chunks.len();
        for (block, cursor) in cursors {
            let series = cursor.current();
            let placed = |entry| PlacedChunk { block: *block as u32, series: series.number, entry };
            self.chunks.extend(series.chunks.iter().copied().map(placed));
        }
        let chunks = &mut self.chunks[start..];
        chunks.sort_by_key(|chunk| chunk.entry.start);
        if chunks.windows(2).any(|pair| pair[1].entry.start <= pair[0].entry.end) {
            // What is read first counts.
            let ages = &self.storage.ages;
            chunks.sort_by_key(|chunk| ages[chunk.block as usize]);
        }
        self.labels.push(labels);
        self.series.push(Parts { chunks: start..self.chunks.len(), head: None });
    }

    /// Adds the series of the head.
    fn add_head(&mut self, head: Box<dyn SelectedSeries + 'a>) {
        let blocks =
            std::mem::take(&mut self.labels).into_iter().zip(std::mem::take(&mut self.series));
        let mut blocks = blocks.peekable();
        for (number, labels) in head.labels().iter().enumerate() {
            while let Some((before, parts)) = blocks.next_if(|(other, _)| other < labels) {
                self.labels.push(before);
                self.series.push(parts);
            }
            let chunks = match blocks.next_if(|(other, _)| other == labels) {
                Some((_, parts)) => parts.chunks,
                None => 0..0,
            };
            self.labels.push(labels.clone());
            self.series.push(Parts { chunks, head: Some(number) });
        }
        for (labels, parts) in blocks {
            self.labels.push(labels);
            self.series.push(parts);
        }
        self.head = Some(head);
    }
}

impl SelectedSeries for Selection<'_> {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read<'b>(
        &'b self,
        index: usize,
        buffer: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError> {
        let Some(parts) = self.series.get(index) else {
            return Err(StorageError::new(format!("there is no selected series {index}")));
        };
        let head = self.head.as_ref().zip(parts.head);
        let chunks = &self.chunks[parts.chunks.clone()];
        if let ([], Some((head, number))) = (chunks, head) {
            return head.read(number, buffer);
        }
        buffer.clear();
        let mut before: Option<&PlacedChunk> = None;
        let mut in_order = true;
        for chunk in chunks {
            let (float, first) = (buffer.timestamps.len(), buffer.histograms.len());
            let block = &self.storage.blocks[chunk.block as usize];
            block.decode(chunk.series, chunk.entry, buffer)?;
            // What a chunk says about its first histogram is about the chunk that was written
            // before it.
            if before.is_none_or(|before| before.block != chunk.block) {
                forget_hints(&mut buffer.histograms[first..], 1);
            }
            in_order &= goes_on(buffer, float, first);
            before = Some(chunk);
        }
        if let Some((head, number)) = head {
            let (float, first) = (buffer.timestamps.len(), buffer.histograms.len());
            append(buffer, &head.read(number, &mut SampleBuffer::default())?);
            forget_hints(&mut buffer.histograms[first..], 1);
            in_order &= goes_on(buffer, float, first);
        }
        if !in_order {
            forget_hints(&mut buffer.histograms, usize::MAX);
            sort(buffer);
        }
        Ok(buffer.samples())
    }
}

/// Whether the samples that were added, from given lengths on, are behind all that were there. What
/// was added is in order.
fn goes_on(buffer: &SampleBuffer, floats: usize, histograms: usize) -> bool {
    let last = |times: &[i64], before: usize| times[..before].last().copied();
    let last = last(&buffer.timestamps, floats).max(last(&buffer.histogram_timestamps, histograms));
    let first = [(&buffer.timestamps, floats), (&buffer.histogram_timestamps, histograms)];
    first.into_iter().all(|(times, at)| times.get(at).is_none_or(|time| Some(*time) > last))
}

/// Forgets what is known about the first counters.
fn forget_hints(histograms: &mut [FloatHistogram], count: usize) {
    for histogram in histograms.iter_mut().take(count) {
        if histogram.hint != CounterResetHint::Gauge {
            histogram.hint = CounterResetHint::Unknown;
        }
    }
}
