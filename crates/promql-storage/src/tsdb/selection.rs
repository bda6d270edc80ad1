//! The series that a query selected, and reading them.
//!
//! Where the samples of a series lie is known when it is selected: chunks of blocks, and the head.
//! They are decoded into the reader's buffer, or found among the [hot columns](super::hot), and those
//! that are in order are lent as they are.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use promql_engine::{SampleBuffer, Samples, SelectedSeries, StorageError};
use promql_model::Labels;

use super::TsdbError;
use super::block::{ChunkEntry, SeriesCursor};
use super::hot::{Counted, HotColumns, Known, MOST_SAMPLES, RUN, Run, RunId};
use super::storage::TsdbStorage;
use crate::columns::{append, forget_hints, goes_on, sort};

/// As many samples a run of a block has that spans two hours, which most do whose series are queried.
const SAMPLES_OF_A_RUN: usize = 480;

/// The series that were selected, with where their samples are.
pub(super) struct Selection<'a> {
    storage: &'a TsdbStorage,
    labels: Vec<Labels>,
    series: Vec<Parts>,
    /// Of all series, one after the other.
    chunks: Vec<PlacedChunk>,
    head: Option<Box<dyn SelectedSeries + 'a>>,
    /// Of each series, if columns are kept: what is hot of it, once somebody asked, or nothing if it
    /// has to be decoded each time.
    hot: Vec<OnceLock<Option<Hot>>>,
    /// The timestamps of several runs behind each other, by their addresses. Series of one target
    /// have the same.
    joined: Mutex<HashMap<Vec<usize>, Joined>>,
}

/// The runs of a series.
struct Hot {
    runs: Vec<Arc<Run>>,
    /// If there are several, all their timestamps.
    times: Option<Arc<[i64]>>,
}

/// Timestamps of several runs.
struct Joined {
    /// Held here so that no others can have their addresses.
    _parts: Vec<Arc<Counted<i64>>>,
    all: Arc<[i64]>,
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
    pub(super) fn new(storage: &'a TsdbStorage) -> Self {
        let (labels, series, chunks) = (Vec::new(), Vec::new(), Vec::new());
        let (hot, joined) = (Vec::new(), Mutex::default());
        Selection { storage, labels, series, chunks, head: None, hot, joined }
    }

    /// Adds a series that some blocks have.
    pub(super) fn add<'c>(
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
            let ages = self.storage.ages();
            chunks.sort_by_key(|chunk| ages[chunk.block as usize]);
        }
        self.labels.push(labels);
        self.series.push(Parts { chunks: start..self.chunks.len(), head: None });
    }

    /// Adds the series of the head.
    pub(super) fn add_head(&mut self, head: Box<dyn SelectedSeries + 'a>) {
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

    /// All series are there.
    pub(super) fn finish(&mut self) {
        if self.storage.hot().is_some() {
            self.hot.resize_with(self.series.len(), OnceLock::new);
        }
    }

    /// The number of series so far.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The runs of a series among the hot columns, if it is made of such.
    fn hot(&self, index: usize, parts: &Parts, buffer: &mut SampleBuffer) -> Option<&Hot> {
        let (slot, kept) = (self.hot.get(index)?, self.storage.hot()?);
        if slot.get().is_none() {
            let found = self.find_hot(kept, parts, buffer);
            let _ = slot.set(found);
        }
        slot.get()?.as_ref()
    }

    /// Looks for the runs of a series, and decodes those that are not there.
    fn find_hot(&self, kept: &HotColumns, parts: &Parts, buffer: &mut SampleBuffer) -> Option<Hot> {
        let mut runs: Vec<Arc<Run>> = Vec::new();
        let (mut before, mut last) = (None, None);
        for chunk in &self.chunks[parts.chunks.clone()] {
            let run = chunk.entry.number / RUN;
            let id = RunId { block: chunk.block, series: chunk.series, run };
            if before.replace(id) == Some(id) {
                continue;
            }
            let run = match kept.get(id) {
                Known::Run(run) => run,
                Known::Unfit => return None,
                Known::Nothing => self.decode_run(kept, id, buffer)?,
            };
            // Where blocks overlap, samples have to be put in order.
            if run.times.first().copied() <= last {
                return None;
            }
            last = run.times.last().copied();
            runs.push(run);
        }
        let times = match &runs[..] {
            [] => return None,
            [_] => None,
            runs => Some(self.join(runs)),
        };
        Some(Hot { runs, times })
    }

    /// Decodes a run and keeps it, if there is room and it is one that can be kept.
    fn decode_run(
        &self,
        kept: &HotColumns,
        id: RunId,
        buffer: &mut SampleBuffer,
    ) -> Option<Arc<Run>> {
        if !kept.make_room(id, SAMPLES_OF_A_RUN) {
            return None;
        }
        let block = self.storage.block(id.block as usize)?;
        let first = id.run * RUN;
        // What is damaged is told when it is decoded because a query needs it.
        let chunks = block.chunks(id.series, first..first.saturating_add(RUN)).ok()?;
        buffer.clear();
        let decode = |chunk| block.decode(id.series, chunk, buffer);
        let decoded = chunks.into_iter().map(decode).sum::<Result<usize, TsdbError>>();
        self.storage.looked_at(*decoded.as_ref().unwrap_or(&0));
        let (times, values) = (&buffer.timestamps, &buffer.values);
        let fit = decoded.is_ok()
            && buffer.histogram_timestamps.is_empty()
            && buffer.start_timestamps.is_empty()
            && (1..=MOST_SAMPLES).contains(&times.len())
            && times.is_sorted_by(|a, b| a < b);
        if !fit {
            kept.insert_unfit(id);
            return None;
        }
        kept.make_room(id, values.len()).then(|| kept.insert(id, times, values))
    }

    fn join(&self, runs: &[Arc<Run>]) -> Arc<[i64]> {
        let key = runs.iter().map(|run| Arc::as_ptr(&run.times).addr()).collect();
        let mut joined = self.joined.lock().unwrap_or_else(PoisonError::into_inner);
        let joined = joined.entry(key).or_insert_with(|| {
            let times: Vec<&[i64]> = runs.iter().map(|run| &**run.times).collect();
            let parts = runs.iter().map(|run| Arc::clone(&run.times)).collect();
            Joined { _parts: parts, all: times.concat().into() }
        });
        Arc::clone(&joined.all)
    }

    /// Decodes the chunks of a series. Says whether its samples are in order.
    fn decode(&self, parts: &Parts, buffer: &mut SampleBuffer) -> Result<bool, TsdbError> {
        let mut before: Option<&PlacedChunk> = None;
        let mut in_order = true;
        let mut bytes = 0;
        for chunk in &self.chunks[parts.chunks.clone()] {
            let (float, first) = (buffer.timestamps.len(), buffer.histograms.len());
            let Some(block) = self.storage.block(chunk.block as usize) else { continue };
            bytes += block.decode(chunk.series, chunk.entry, buffer)?;
            // What a chunk says about its first histogram is about the chunk that was written
            // before it.
            if before.is_none_or(|before| before.block != chunk.block) {
                forget_hints(&mut buffer.histograms[first..], 1);
            }
            in_order &= goes_on(buffer, float, first);
            before = Some(chunk);
        }
        self.storage.looked_at(bytes);
        Ok(in_order)
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
        if let (true, Some((head, number))) = (parts.chunks.is_empty(), head) {
            return head.read(number, buffer);
        }
        let hot = self.hot(index, parts, buffer);
        if let (Some(Hot { runs, times: None }), None) = (hot, head)
            && let [run] = &runs[..]
        {
            return Ok(Samples::floats(&run.times, &run.values));
        }
        buffer.clear();
        let mut in_order = true;
        match hot {
            Some(hot) => {
                hot.runs.iter().for_each(|run| buffer.values.extend_from_slice(&run.values));
                match (&hot.times, head) {
                    (Some(times), None) => return Ok(Samples::floats(times, &buffer.values)),
                    _ => {
                        hot.runs.iter().for_each(|r| buffer.timestamps.extend_from_slice(&r.times))
                    }
                }
            }
            None => in_order = self.decode(parts, buffer)?,
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
