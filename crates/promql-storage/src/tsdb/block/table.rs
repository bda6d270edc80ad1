//! The series of a block in memory.
//!
//! Reading a series from the index means checking its checksum, looking up each of its texts and
//! putting them together, about a microsecond that is the same for each query. Once queries have read
//! as many series as a block has, what they found is kept: labels, which blocks share, and where the
//! chunks lie, in half the memory that the index describes them with. Selecting then takes some tens
//! of nanoseconds a series.

use promql_engine::TimeRange;
use promql_model::{Labels, LabelsBuilder};

use super::index::{ChunkEntry, Index};
use crate::inverted::InvertedIndex;
use crate::tsdb::TsdbError;

/// How many successive chunks of a series make a *run*, which is decoded and kept as a whole: four
/// hours at the usual interval of 15 seconds and 120 samples a chunk.
pub(in crate::tsdb) const RUN: usize = 8;

/// All series of a block. They are known here by their positions.
#[derive(Debug)]
pub(in crate::tsdb) struct SeriesTable {
    /// The numbers that the index gives them, ascending.
    numbers: Vec<u32>,
    labels: Vec<Labels>,
    /// The first chunk of each series, and behind the last of all.
    first_chunks: Vec<u32>,
    /// The first run of each series, and behind the last of all.
    first_runs: Vec<u32>,
    /// Of all series, one after the other. Those of one series don't overlap.
    chunks: Vec<Chunk>,
    /// What the times of chunks count from.
    origin: i64,
}

/// A chunk in half the space of a [`ChunkEntry`].
#[derive(Clone, Copy, Debug)]
struct Chunk {
    /// In milliseconds behind the origin.
    start: u32,
    /// From the first sample to the last.
    length: u32,
    reference: u64,
}

impl SeriesTable {
    /// Reads all series of an index. `origin` is no later than any chunk, and `intern` gives labels
    /// that others may have, too. Nothing comes of a block that doesn't fit: one that reaches over
    /// more than 49 days, or has chunks that overlap or series that are not in order.
    pub(super) fn read(
        index: &Index,
        origin: i64,
        intern: &mut dyn FnMut(Labels) -> Labels,
    ) -> Result<Option<SeriesTable>, TsdbError> {
        let numbers = index.all()?;
        let mut table = SeriesTable {
            labels: Vec::with_capacity(numbers.len()),
            first_chunks: Vec::with_capacity(numbers.len() + 1),
            first_runs: Vec::with_capacity(numbers.len() + 1),
            numbers,
            chunks: Vec::new(),
            origin,
        };
        let mut builder = LabelsBuilder::default();
        let mut runs = 0;
        for number in &table.numbers {
            let first = table.chunks.len();
            let mut fits = true;
            let mut before = None;
            builder.reset(&Labels::empty());
            index.series(
                *number,
                &mut |name, value| {
                    builder.set(name, value);
                },
                &mut |chunk| {
                    fits &= before < Some(chunk.start) && chunk.start <= chunk.end;
                    before = Some(chunk.end);
                    match Chunk::new(chunk, origin) {
                        Some(chunk) => table.chunks.push(chunk),
                        None => fits = false,
                    }
                },
            )?;
            let labels = builder.build();
            fits &= table.labels.last().is_none_or(|last| *last < labels);
            let Some(first) = u32::try_from(first).ok().filter(|_| fits) else { return Ok(None) };
            table.first_chunks.push(first);
            table.first_runs.push(runs);
            runs += (table.chunks.len() - first as usize).div_ceil(RUN) as u32;
            table.labels.push(intern(labels));
        }
        let Ok(end) = u32::try_from(table.chunks.len()) else { return Ok(None) };
        table.first_chunks.push(end);
        table.first_runs.push(runs);
        table.chunks.shrink_to_fit();
        Ok(Some(table))
    }

    /// The positions of the series with these numbers, ascending, that have chunks in a range.
    pub(super) fn positions(&self, numbers: &[u32], range: TimeRange) -> Vec<u32> {
        let mut positions = Vec::with_capacity(numbers.len());
        let mut at = 0;
        for number in numbers {
            // What is selected mostly lies together.
            let rest = &self.numbers[at..];
            let mut reach = 1;
            while reach < rest.len() && rest[reach - 1] < *number {
                reach *= 2;
            }
            let low = reach / 2;
            let high = reach.min(rest.len());
            at += low + rest[low..high].partition_point(|other| other < number);
            if self.numbers.get(at) != Some(number) {
                continue;
            }
            if self.chunks(at as u32, range).next().is_some() {
                positions.push(at as u32);
            }
            at += 1;
        }
        positions
    }

    /// The number that the index gives a series.
    pub(in crate::tsdb) fn number(&self, position: u32) -> u32 {
        self.numbers.get(position as usize).copied().unwrap_or_default()
    }

    pub(in crate::tsdb) fn labels(&self, position: u32) -> &Labels {
        &self.labels[position as usize]
    }

    /// The chunks of a series that reach into a range.
    pub(in crate::tsdb) fn chunks(
        &self,
        position: u32,
        range: TimeRange,
    ) -> impl Iterator<Item = ChunkEntry> + '_ {
        let bounds = bounds(&self.first_chunks, position);
        let chunks = self.chunks.get(bounds).unwrap_or_default();
        let origin = self.origin;
        (0..)
            .zip(chunks)
            .map(move |(number, chunk)| chunk.entry(origin, number))
            .filter(move |chunk| range.overlaps(TimeRange { start: chunk.start, end: chunk.end }))
    }

    /// How many runs all series have.
    pub(in crate::tsdb) fn run_count(&self) -> usize {
        self.first_runs.last().map_or(0, |count| *count as usize)
    }

    /// The first run of a series among those of all.
    pub(in crate::tsdb) fn first_run(&self, position: u32) -> usize {
        bounds(&self.first_runs, position).start
    }
}

/// From an entry of a list of starts to the next one.
fn bounds(starts: &[u32], position: u32) -> std::ops::Range<usize> {
    let at = |position: usize| starts.get(position).map_or(0, |start| *start as usize);
    at(position as usize)..at(position as usize + 1)
}

impl Chunk {
    fn new(chunk: ChunkEntry, origin: i64) -> Option<Chunk> {
        let start = u32::try_from(chunk.start.checked_sub(origin)?).ok()?;
        let length = u32::try_from(chunk.end.checked_sub(chunk.start)?).ok()?;
        Some(Chunk { start, length, reference: chunk.reference })
    }

    fn entry(self, origin: i64, number: u32) -> ChunkEntry {
        let start = origin + i64::from(self.start);
        ChunkEntry { start, end: start + i64::from(self.length), reference: self.reference, number }
    }
}
