//! Blocks: what a server wrote of some hours or weeks, never to be changed again.

mod index;
mod meta;
mod postings;
mod segments;
mod symbols;
mod table;
mod tombstones;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use promql_engine::{SampleBuffer, TimeRange};
use promql_model::{Labels, Matcher};

use super::TsdbError;
use super::delete::delete;
use crate::inverted::{self, InvertedIndex};
use index::Index;
use segments::Segments;
use tombstones::Tombstones;

pub(super) use index::ChunkEntry;
pub(super) use meta::Meta;
pub(super) use table::{RUN, SeriesTable};

/// A block. Its files are opened when they are first needed, since most queries are about the last
/// hours and most blocks are older.
#[derive(Debug)]
pub(super) struct Block {
    folder: PathBuf,
    meta: Meta,
    content: OnceLock<Result<Content, TsdbError>>,
    /// How many series queries read from the index.
    read: AtomicUsize,
    /// All series in memory, or nothing if they can't be there.
    table: OnceLock<Option<SeriesTable>>,
}

/// The open files of a block.
#[derive(Debug)]
struct Content {
    index: Index,
    segments: Segments,
    tombstones: Tombstones,
}

impl Content {
    fn open(folder: &Path) -> Result<Content, TsdbError> {
        Ok(Content {
            index: Index::open(folder)?,
            segments: Segments::open(folder)?,
            tombstones: Tombstones::open(folder)?,
        })
    }
}

impl Block {
    pub(super) fn new(folder: PathBuf, meta: Meta) -> Block {
        let (content, read, table) = (OnceLock::new(), AtomicUsize::new(0), OnceLock::new());
        Block { folder, meta, content, read, table }
    }

    pub(super) fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Whether the block was not opened and is not there any more.
    pub(super) fn is_gone(&self) -> bool {
        !matches!(self.content.get(), Some(Ok(_))) && !self.folder.exists()
    }

    fn content(&self) -> Result<&Content, TsdbError> {
        let content = self.content.get_or_init(|| Content::open(&self.folder));
        content.as_ref().map_err(Clone::clone)
    }

    /// The names of all labels, sorted.
    pub(super) fn label_names(&self) -> Result<impl Iterator<Item = &str>, TsdbError> {
        Ok(self.content()?.index.names())
    }

    /// The values of a label, sorted.
    pub(super) fn label_values(&self, name: &str) -> Result<Vec<&str>, TsdbError> {
        self.content()?.index.values(name)
    }

    /// All series in memory, once queries have read as many, or `at_once`. Nothing if they can't be
    /// there, or there is no room for about so many bytes, which `fits` is asked for.
    pub(super) fn table(
        &self,
        at_once: bool,
        fits: impl FnOnce(usize) -> bool,
        intern: &mut dyn FnMut(Labels) -> Labels,
    ) -> Option<&SeriesTable> {
        if let Some(table) = self.table.get() {
            return table.as_ref();
        }
        let series = self.meta.series().unwrap_or(usize::MAX);
        if !at_once && self.read.load(Ordering::Relaxed) < series {
            return None;
        }
        let content = self.content().ok()?;
        let read = || {
            let about = content.index.bytes();
            let table = || SeriesTable::read(&content.index, self.meta.range().start, intern);
            // What is damaged is told to those who need it.
            fits(about).then(table)?.ok()?
        };
        self.table.get_or_init(read).as_ref()
    }

    /// The positions of the series in its table that all matchers accept and that have chunks in a
    /// range.
    pub(super) fn positions(
        &self,
        table: &SeriesTable,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<u32>, TsdbError> {
        let numbers = inverted::select(&self.content()?.index, matchers)?;
        Ok(table.positions(&numbers, range))
    }

    /// The series that all matchers accept and that have chunks in a range.
    pub(super) fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<SeriesCursor<'_>, TsdbError> {
        let content = self.content()?;
        let numbers = inverted::select(&content.index, matchers)?;
        self.read.fetch_add(numbers.len(), Ordering::Relaxed);
        Ok(SeriesCursor {
            index: &content.index,
            range,
            numbers: numbers.into_iter(),
            current: Series::default(),
        })
    }

    /// The last sample of the block, in milliseconds since the epoch.
    pub(super) fn last_time(&self) -> Result<Option<i64>, TsdbError> {
        let index = &self.content()?.index;
        let (mut last, said) = (None, self.meta.range().end);
        for number in index.all()? {
            index.chunks(number, &mut |chunk| last = last.max(Some(chunk.end)))?;
            // Mostly some sample is as late as the block says that one may be.
            if last >= Some(said) {
                break;
            }
        }
        Ok(last)
    }

    /// Lets go of the memory that the chunks take that were looked at.
    pub(super) fn release(&self) {
        if let Some(Ok(content)) = self.content.get() {
            content.segments.release();
        }
    }

    /// Decodes a chunk of a series and adds its samples to those that are in the buffer. Gives how
    /// many bytes the chunk has.
    pub(super) fn decode(
        &self,
        series: u32,
        chunk: ChunkEntry,
        buffer: &mut SampleBuffer,
    ) -> Result<usize, TsdbError> {
        let content = self.content()?;
        let before = (buffer.timestamps.len(), buffer.histogram_timestamps.len());
        let length = content.segments.decode(chunk, content.index.path(), buffer)?;
        delete(content.tombstones.of(series), buffer, before);
        Ok(length)
    }
}

/// Goes through the selected series of a block, in the order of their labels.
pub(super) struct SeriesCursor<'a> {
    index: &'a Index,
    range: TimeRange,
    numbers: std::vec::IntoIter<u32>,
    current: Series<'a>,
}

/// A series of a block.
#[derive(Debug, Default)]
pub(super) struct Series<'a> {
    /// Its number in the block.
    pub(super) number: u32,
    /// Names and values, sorted by name.
    pub(super) labels: Vec<(&'a str, &'a str)>,
    /// Those that reach into the range.
    pub(super) chunks: Vec<ChunkEntry>,
}

impl<'a> SeriesCursor<'a> {
    /// Goes to the next series. Says whether there is one.
    pub(super) fn advance(&mut self) -> Result<bool, TsdbError> {
        for number in self.numbers.by_ref() {
            let Series { labels, chunks, .. } = &mut self.current;
            labels.clear();
            chunks.clear();
            self.index.series(
                number,
                &mut |name, value| labels.push((name, value)),
                &mut |chunk| {
                    if self.range.overlaps(TimeRange { start: chunk.start, end: chunk.end }) {
                        chunks.push(chunk);
                    }
                },
            )?;
            if !chunks.is_empty() {
                self.current.number = number;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The series it is at.
    pub(super) fn current(&self) -> &Series<'a> {
        &self.current
    }
}
