//! Blocks: what a server wrote of some hours or weeks, never to be changed again.

mod index;
mod meta;
mod postings;
mod segments;
mod symbols;
mod tombstones;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use promql_engine::{SampleBuffer, TimeRange};
use promql_model::Matcher;

use super::TsdbError;
use super::delete::delete;
use crate::inverted;
use index::Index;
use segments::Segments;
use tombstones::Tombstones;

pub(super) use index::ChunkEntry;
pub(super) use meta::Meta;

/// A block. Its files are opened when they are first needed, since most queries are about the last
/// hours and most blocks are older.
#[derive(Debug)]
pub(super) struct Block {
    folder: PathBuf,
    meta: Meta,
    content: OnceLock<Result<Content, TsdbError>>,
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
        Block { folder, meta, content: OnceLock::new() }
    }

    pub(super) fn meta(&self) -> &Meta {
        &self.meta
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

    /// The series that all matchers accept and that have chunks in a range.
    pub(super) fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<SeriesCursor<'_>, TsdbError> {
        let content = self.content()?;
        let numbers = inverted::select(&content.index, matchers)?;
        Ok(SeriesCursor {
            index: &content.index,
            range,
            numbers: numbers.into_iter(),
            current: Series::default(),
        })
    }

    /// The last sample of the block, in milliseconds since the epoch.
    pub(super) fn last_time(&self) -> Result<Option<i64>, TsdbError> {
        let mut cursor = self.select(&[], TimeRange::ALL)?;
        let mut last = None;
        while cursor.advance()? {
            last = last.max(cursor.current().chunks.iter().map(|chunk| chunk.end).max());
        }
        Ok(last)
    }

    /// The chunks of a series from one number to before another.
    pub(super) fn chunks(
        &self,
        series: u32,
        numbers: Range<u32>,
    ) -> Result<Vec<ChunkEntry>, TsdbError> {
        let mut chunks = Vec::new();
        let mut take = |chunk: ChunkEntry| {
            if numbers.contains(&chunk.number) {
                chunks.push(chunk);
            }
        };
        self.content()?.index.series(series, &mut |_, _| (), &mut take)?;
        Ok(chunks)
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
