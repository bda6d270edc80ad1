//! The series that a query selected, and reading them.
//!
//! Where the samples of a series lie is known when it is selected: in some blocks, and in the head.
//! They are decoded into the reader's buffer, or copied there from the [hot columns](super::hot), or lent
//! from there if they are all in one of those.

use std::ops::Range;
use std::sync::Arc;

use promql_engine::{LentColumns, SampleBuffer, Samples, SelectedSeries, StorageError, TimeRange};
use promql_model::Labels;

use super::TsdbError;
use super::block::{Block, ChunkEntry, RUN, SeriesCursor, SeriesTable};
use super::hot::{Found, MOST_SAMPLES, Reader, RunId};
use super::joined::{Joined, Runs};
use super::run::Run;
use super::storage::TsdbStorage;
use crate::columns::{append, forget_hints, goes_on, sort};

/// The series that were selected, with where their samples are.
pub(super) struct Selection<'a> {
    storage: &'a TsdbStorage,
    /// The samples that are needed.
    range: TimeRange,
    labels: Vec<Labels>,
    series: Vec<Parts>,
    /// Of all series, one after the other.
    places: Vec<Place>,
    /// The chunks of the places that have no table.
    chunks: Vec<ChunkEntry>,
    /// The tables of the blocks, as far as they are used.
    tables: Vec<Option<&'a SeriesTable>>,
    head: Option<Box<dyn SelectedSeries + 'a>>,
    /// Reads what is hot, if columns are kept.
    hot: Option<Reader<'a>>,
    joined: Joined,
}

/// Where the samples of a series are.
struct Parts {
    places: Range<u32>,
    /// Its number among the series of the head.
    head: Option<u32>,
}

/// A series in a block.
struct Place {
    block: u32,
    chunks: Chunks,
}

/// Where it is said which chunks there are.
enum Chunks {
    /// At this position of the block's table.
    Table(u32),
    /// At these places of [`Selection::chunks`]. The number is that of the series in its block.
    Own(u32, Range<u32>),
}

/// What was read last.
#[derive(Default)]
struct Progress {
    block: Option<u32>,
    out_of_order: bool,
    /// How many bytes of chunks were looked at.
    bytes: usize,
    /// What was read as long as that is nothing but runs that are kept, and whether it is.
    runs: Runs,
    joins: bool,
}

impl Progress {
    /// Something else follows than runs that are kept.
    fn settle(&mut self, buffer: &mut SampleBuffer) {
        self.joins = false;
        self.runs.settle(buffer);
    }
}

/// The most series and chunks that a selection can have.
fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl<'a> Selection<'a> {
    pub(super) fn new(storage: &'a TsdbStorage, range: TimeRange) -> Self {
        Selection {
            storage,
            range,
            labels: Vec::new(),
            series: Vec::new(),
            places: Vec::new(),
            chunks: Vec::new(),
            tables: Vec::new(),
            head: None,
            hot: None,
            joined: Joined::default(),
        }
    }

    /// Adds the series at these positions of the tables of blocks. The blocks are in order of time;
    /// `disjoint` if none overlaps another.
    pub(super) fn add_of_tables(
        &mut self,
        blocks: Vec<(usize, &'a SeriesTable, Vec<u32>)>,
        disjoint: bool,
    ) {
        for (number, table, _) in &blocks {
            self.tables.resize(self.tables.len().max(number + 1), None);
            self.tables[*number] = Some(*table);
        }
        self.hot = self.storage.hot().map(|hot| {
            blocks.iter().for_each(|(block, table, _)| hot.make_places(*block, table.run_count()));
            hot.reader()
        });
        let most = blocks.iter().map(|(_, _, positions)| positions.len()).max().unwrap_or(0);
        self.labels.reserve(most);
        self.series.reserve(most);
        self.places.reserve(blocks.iter().map(|(_, _, positions)| positions.len()).sum());
        // How far each block is.
        let mut next = vec![0; blocks.len()];
        loop {
            let mut least: Option<&Labels> = None;
            let start = self.places.len();
            for ((block, table, positions), next) in blocks.iter().zip(&next) {
                let Some(position) = positions.get(*next) else { continue };
                let labels = table.labels(*position);
                // Blocks share labels, so those of one series are the same memory.
                let order = least.map_or(std::cmp::Ordering::Less, |least| labels.cmp(least));
                if order.is_lt() {
                    self.places.truncate(start);
                    least = Some(labels);
                }
                if order.is_le() {
                    let chunks = Chunks::Table(*position);
                    self.places.push(Place { block: *block as u32, chunks });
                }
            }
            let Some(labels) = least else { break };
            self.labels.push(labels.clone());
            let mut places = self.places[start..].iter().peekable();
            for ((block, _, _), next) in blocks.iter().zip(&mut next) {
                *next += usize::from(places.next_if(|p| p.block == *block as u32).is_some());
            }
            self.end_series(start, disjoint);
        }
    }

    /// Adds a series that some blocks have.
    pub(super) fn add<'c>(
        &mut self,
        labels: Labels,
        cursors: impl Iterator<Item = &'c (usize, SeriesCursor<'a>)>,
    ) where
        'a: 'c,
    {
        let start = self.places.len();
        for (block, cursor) in cursors {
            let series = cursor.current();
            let first = self.chunks.len();
            self.chunks.extend(&series.chunks);
            self.chunks[first..].sort_by_key(|chunk| chunk.start);
            let chunks = Chunks::Own(series.number, index(first)..index(self.chunks.len()));
            self.places.push(Place { block: *block as u32, chunks });
        }
        self.labels.push(labels);
        self.end_series(start, false);
    }

    /// The last series has the places from `start` on. Puts them in the order in which they are read.
    fn end_series(&mut self, start: usize, disjoint: bool) {
        let end = self.places.len();
        if !disjoint && end - start > 1 {
            let mut places = self.places.split_off(start);
            places.sort_by_cached_key(|place| self.extent(place));
            let extents: Vec<(i64, i64)> = places.iter().map(|p| self.extent(p)).collect();
            if extents.windows(2).any(|pair| pair[1].0 <= pair[0].1) {
                // What is read first counts.
                let ages = self.storage.ages();
                places.sort_by_key(|place| ages[place.block as usize]);
            }
            self.places.append(&mut places);
        }
        self.series.push(Parts { places: index(start)..index(end), head: None });
    }

    /// The first sample of a series in a block, and the last.
    fn extent(&self, place: &Place) -> (i64, i64) {
        let all = self.chunks_of(place);
        all.fold((i64::MAX, i64::MIN), |(s, e), chunk| (s.min(chunk.start), e.max(chunk.end)))
    }

    fn chunks_of(&self, place: &Place) -> impl Iterator<Item = ChunkEntry> + '_ {
        let (table, own) = match &place.chunks {
            Chunks::Table(position) => {
                let table = self.table(place).map(|table| table.chunks(*position, self.range));
                (table, &[][..])
            }
            Chunks::Own(_, range) => {
                let own = self.chunks.get(range.start as usize..range.end as usize);
                (None, own.unwrap_or_default())
            }
        };
        table.into_iter().flatten().chain(own.iter().copied())
    }

    fn table(&self, place: &Place) -> Option<&'a SeriesTable> {
        self.tables.get(place.block as usize).copied().flatten()
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
            let places = match blocks.next_if(|(other, _)| other == labels) {
                Some((_, parts)) => parts.places,
                None => 0..0,
            };
            self.labels.push(labels.clone());
            self.series.push(Parts { places, head: Some(index(number)) });
        }
        for (labels, parts) in blocks {
            self.labels.push(labels);
            self.series.push(parts);
        }
        self.head = Some(head);
    }

    /// The number of series so far.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Reads the samples of a series in a block behind those that are in the buffer.
    fn read_place(
        &self,
        place: &Place,
        progress: &mut Progress,
        buffer: &mut SampleBuffer,
    ) -> Result<(), TsdbError> {
        let Some(block) = self.storage.block(place.block as usize) else { return Ok(()) };
        let (table, position, series) = match (&place.chunks, self.table(place)) {
            (Chunks::Table(position), Some(table)) => (table, *position, table.number(*position)),
            (Chunks::Own(series, _), _) => {
                return self.chunks_of(place).try_for_each(|chunk| {
                    self.decode(block, *series, place, chunk, progress, buffer)
                });
            }
            (Chunks::Table(_), None) => return Ok(()),
        };
        let mut chunks = table.chunks(position, self.range);
        let Some(hot) = &self.hot else {
            return chunks
                .try_for_each(|chunk| self.decode(block, series, place, chunk, progress, buffer));
        };
        let mut before = None;
        for chunk in chunks {
            let run = chunk.number as usize / RUN;
            if before.replace(run) == Some(run) {
                continue;
            }
            let id = RunId { block: place.block as usize, run: table.first_run(position) + run };
            match hot.get(id) {
                Found::Run(run) => {
                    self.take_run(run, place, progress, buffer);
                    continue;
                }
                Found::Nothing if hot.make_room(id, SAMPLES_OF_A_RUN) => {
                    let numbers = run * RUN..(run + 1) * RUN;
                    let all = table.chunks(position, TimeRange::ALL);
                    let all = all.filter(|chunk| numbers.contains(&(chunk.number as usize)));
                    if let Some(decoded) = decode_run(block, series, all, progress) {
                        let (times, values) = (&decoded.timestamps, &decoded.values);
                        if hot.make_room(id, values.len()) {
                            hot.insert(id, times, values);
                        }
                        progress.settle(buffer);
                        self.take(times, values, place, progress, buffer);
                        continue;
                    }
                    hot.insert_unfit(id);
                }
                Found::Nothing | Found::Unfit => {}
            }
            // Those of the run, as they are needed.
            self.decode(block, series, place, chunk, progress, buffer)?;
            let rest = table.chunks(position, self.range);
            let rest = rest.filter(|other| other.number > chunk.number);
            let same = rest.take_while(|other| other.number as usize / RUN == run);
            for chunk in same {
                self.decode(block, series, place, chunk, progress, buffer)?;
            }
        }
        Ok(())
    }

    /// Adds what is needed of a run.
    fn take(
        &self,
        times: &[i64],
        values: &[f64],
        place: &Place,
        progress: &mut Progress,
        buffer: &mut SampleBuffer,
    ) {
        let needed = self.needed(times);
        let floats = buffer.timestamps.len();
        append(buffer, &Samples::floats(&times[needed.clone()], &values[needed]));
        progress.out_of_order |= !goes_on(buffer, floats, buffer.histograms.len());
        progress.block = Some(place.block);
    }

    /// Adds what is needed of a run that is kept. As long as there is nothing but such runs, one behind
    /// the other, their timestamps are left to be [joined](super::joined).
    fn take_run(
        &self,
        run: Arc<Run>,
        place: &Place,
        progress: &mut Progress,
        buffer: &mut SampleBuffer,
    ) {
        let needed = self.needed(run.timestamps());
        if needed.is_empty() {
            return;
        }
        if progress.joins && progress.runs.add(&run, &needed, buffer) {
            progress.block = Some(place.block);
            return;
        }
        progress.settle(buffer);
        let mut values = Vec::with_capacity(needed.len());
        run.copy_values(needed.clone(), &mut values);
        self.take(&run.timestamps()[needed], &values, place, progress, buffer);
    }

    /// Which of some samples are needed.
    fn needed(&self, times: &[i64]) -> Range<usize> {
        let TimeRange { start, end } = self.range;
        // Mostly a run is needed from its start on, or up to its end.
        let start = match times.first() {
            Some(first) if *first < start => first_from(times, start),
            _ => 0,
        };
        let end = match times.last() {
            Some(last) if *last > end => first_from(times, end.saturating_add(1)),
            _ => times.len(),
        };
        start..end.max(start)
    }

    /// What follows a series is mostly read next, and has mostly as many runs of which the same is needed.
    /// Where a run lies is known from the one before, so that is looked at one series earlier.
    fn expect<'r>(&self, index: usize, needed: impl Iterator<Item = &'r Range<usize>>) {
        let Some(hot) = &self.hot else { return };
        let places = |index: usize| {
            let parts = self.series.get(index)?;
            self.places.get(parts.places.start as usize..parts.places.end as usize)
        };
        let run = |place: &Place| {
            let Chunks::Table(position) = &place.chunks else { return None };
            let run = self.table(place)?.first_run(*position);
            Some(RunId { block: place.block as usize, run })
        };
        for (place, needed) in places(index + 1).into_iter().flatten().zip(needed) {
            if let Some(run) = run(place) {
                hot.expect(run, Some(needed.clone()));
            }
        }
        for run in places(index + 2).into_iter().flatten().filter_map(run) {
            hot.expect(run, None);
        }
    }

    /// The one run that has all the samples of a series that are needed, if it is kept.
    fn run_of(&self, parts: &Parts) -> Option<Arc<Run>> {
        let (hot, None) = (self.hot.as_ref()?, parts.head) else { return None };
        let places = self.places.get(parts.places.start as usize..parts.places.end as usize)?;
        let [place @ Place { chunks: Chunks::Table(position), .. }] = places else { return None };
        let table = self.table(place)?;
        let mut chunks = table.chunks(*position, self.range);
        let run_of = |chunk: ChunkEntry| chunk.number as usize / RUN;
        let run = run_of(chunks.next()?);
        if chunks.any(|chunk| run_of(chunk) != run) {
            return None;
        }
        let id = RunId { block: place.block as usize, run: table.first_run(*position) + run };
        match hot.get(id) {
            Found::Run(run) => Some(run),
            Found::Unfit | Found::Nothing => None,
        }
    }

    fn decode(
        &self,
        block: &Block,
        series: u32,
        place: &Place,
        chunk: ChunkEntry,
        progress: &mut Progress,
        buffer: &mut SampleBuffer,
    ) -> Result<(), TsdbError> {
        progress.settle(buffer);
        let (floats, first) = (buffer.timestamps.len(), buffer.histograms.len());
        progress.bytes += block.decode(series, chunk, buffer)?;
        // What a chunk says about its first histogram is about the chunk that was written before it.
        if progress.block != Some(place.block) {
            forget_hints(&mut buffer.histograms[first..], 1);
        }
        progress.out_of_order |= !goes_on(buffer, floats, first);
        progress.block = Some(place.block);
        Ok(())
    }
}

/// The position of the first time that is not before a bound, which lies between the first and the last
/// of them. Scrapes are regular, so it is mostly where it would be if they all were.
fn first_from(times: &[i64], bound: i64) -> usize {
    let whole = || times.partition_point(|time| *time < bound);
    let ([first, ..], [.., last]) = (times, times) else { return 0 };
    let (Ok(span), Ok(before)) =
        (u64::try_from(last.saturating_sub(*first)), u64::try_from(bound.saturating_sub(*first)))
    else {
        return whole();
    };
    // Both are small unless a run spans centuries.
    let Some(guess) = before.checked_mul(times.len() as u64 - 1).and_then(|p| p.checked_div(span))
    else {
        return whole();
    };
    let low = (guess as usize).saturating_sub(NEAR_THE_GUESS).min(times.len());
    let high = (guess as usize).saturating_add(NEAR_THE_GUESS).min(times.len());
    let is_within = low.checked_sub(1).is_none_or(|before| times[before] < bound)
        && times.get(high).is_none_or(|behind| *behind >= bound);
    match is_within {
        true => low + times[low..high].partition_point(|time| *time < bound),
        false => whole(),
    }
}

/// How far from a guess it pays to look before all is searched.
const NEAR_THE_GUESS: usize = 3;

/// As many samples a run of a block has that spans two hours, which most do whose series are queried.
const SAMPLES_OF_A_RUN: usize = 480;

/// Decodes a run, if it is one that can be kept. What is damaged is told when it is decoded because
/// a query needs it.
fn decode_run(
    block: &Block,
    series: u32,
    chunks: impl Iterator<Item = ChunkEntry>,
    progress: &mut Progress,
) -> Option<SampleBuffer> {
    let mut buffer = SampleBuffer::default();
    for chunk in chunks {
        progress.bytes += block.decode(series, chunk, &mut buffer).ok()?;
    }
    let times = &buffer.timestamps;
    let fit = buffer.histogram_timestamps.is_empty()
        && buffer.start_timestamps.is_empty()
        && (1..=MOST_SAMPLES).contains(&times.len())
        && times.is_sorted_by(|a, b| a < b);
    fit.then_some(buffer)
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
        if let (true, Some((head, number))) = (parts.places.is_empty(), head) {
            return head.read(number as usize, buffer);
        }
        buffer.clear();
        if let Some(run) = self.run_of(parts) {
            let needed = self.needed(run.timestamps());
            self.expect(index, std::iter::once(&needed));
            if run.can_be_lent() {
                return Ok(buffer.lend(run, needed));
            }
            buffer.has_no_nan = run.has_no_nan();
            run.copy_values(needed.clone(), &mut buffer.values);
            buffer.lent_timestamps = Some((run, needed.start));
            return Ok(buffer.samples());
        }
        let mut progress = Progress { joins: self.hot.is_some(), ..Progress::default() };
        let places = self.places.get(parts.places.start as usize..parts.places.end as usize);
        let done = places
            .unwrap_or_default()
            .iter()
            .try_for_each(|place| self.read_place(place, &mut progress, buffer));
        self.storage.looked_at(progress.bytes);
        done?;
        if head.is_none() && !progress.runs.is_empty() && self.joined.lend(&progress.runs, buffer) {
            self.expect(index, progress.runs.needed());
            return Ok(buffer.samples());
        }
        progress.settle(buffer);
        if let Some((head, number)) = head {
            let (float, first) = (buffer.timestamps.len(), buffer.histograms.len());
            append(buffer, &head.read(number as usize, &mut SampleBuffer::default())?);
            forget_hints(&mut buffer.histograms[first..], 1);
            progress.out_of_order |= !goes_on(buffer, float, first);
        }
        if progress.out_of_order {
            forget_hints(&mut buffer.histograms, usize::MAX);
            sort(buffer);
        }
        Ok(buffer.samples())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_find_what_a_search_finds() {
        let regular: Vec<i64> = (0..480).map(|n| 7 + n * 15_000).collect();
        let jittered: Vec<i64> = (0..480).map(|n| n * 15_000 + n * 7919 % 3000).collect();
        let with_gap: Vec<i64> =
            regular.iter().copied().filter(|t| !(1_000_000..3_000_000).contains(t)).collect();
        let far = vec![i64::MIN, -5, 0, 5, i64::MAX];
        for times in [regular, jittered, with_gap, far, vec![3], vec![]] {
            let near = times.iter().flat_map(|t| [t.saturating_sub(1), *t, t.saturating_add(1)]);
            for bound in near {
                let expected = times.partition_point(|time| *time < bound);
                assert_eq!(first_from(&times, bound), expected, "{bound}");
            }
        }
    }
}
