//! The index of a block: which series there are, where their chunks lie, and who has which label.
//!
//! The table of contents at the end of the file says where the sections are. Only two of them are
//! looked at when an index is opened, the texts and the table of lists; a series is read when a
//! query needs it.

use std::borrow::Cow;
use std::path::Path;

use promql_model::Matcher;

use super::postings::{self, PostingsTable};
use super::symbols::Symbols;
use crate::inverted::InvertedIndex;
use crate::tsdb::TsdbError;
use crate::tsdb::bytes::{Bytes, verify};
use crate::tsdb::damage::Damage;
use crate::tsdb::file::MappedFile;

const MAGIC: u32 = 0xbaaa_d700;
/// Six offsets and a checksum.
const CONTENTS: usize = 6 * 8 + 4;
/// Series begin at multiples of this, and are numbered so.
const ALIGNMENT: usize = 16;

/// An open index.
#[derive(Debug)]
pub(super) struct Index {
    file: MappedFile,
    symbols: Symbols,
    postings: PostingsTable,
}

/// A chunk of a series, as the index describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tsdb) struct ChunkEntry {
    /// The first and the last sample, in milliseconds since the epoch.
    pub(in crate::tsdb) start: i64,
    pub(in crate::tsdb) end: i64,
    /// The file of chunks in the upper half, the byte in it in the lower one.
    pub(in crate::tsdb) reference: u64,
    /// How many chunks of the series in this block come before.
    pub(in crate::tsdb) number: u32,
}

impl Index {
    pub(super) fn open(folder: &Path) -> Result<Index, TsdbError> {
        let file = MappedFile::open(folder.join("index"))?;
        let version = match file.first_chunk::<5>() {
            Some([a, b, c, d, version]) if u32::from_be_bytes([*a, *b, *c, *d]) == MAGIC => version,
            _ => return Err(file.damaged(0, Damage::new("this is no index", 0))),
        };
        // Version 3 has the layout of version 2.
        if !matches!(version, 2 | 3) {
            let (path, found) = (file.path().to_owned(), u64::from(*version));
            return Err(TsdbError::Version { path, found, known: "versions 2 and 3" });
        }
        match Self::sections(&file) {
            Ok((symbols, postings)) => Ok(Index { file, symbols, postings }),
            Err(damage) => Err(file.damaged(0, damage)),
        }
    }

    fn sections(index: &[u8]) -> Result<(Symbols, PostingsTable), Damage> {
        let start = index.len().checked_sub(CONTENTS).ok_or_else(|| Damage::end(index.len()))?;
        let mut bytes = Bytes::from(index, start);
        let offsets = bytes.take(CONTENTS - 4)?;
        verify(offsets, bytes.u32()?, start)?;
        let mut bytes = Bytes::new(offsets);
        let mut offset = || {
            let offset = bytes.u64()?;
            usize::try_from(offset).map_err(|_| Damage::end(start))
        };
        let symbols = offset()?;
        let (_series, _label_index, _label_table, _postings) =
            (offset()?, offset()?, offset()?, offset()?);
        let postings = offset()?;
        Ok((Symbols::read(index, symbols)?, PostingsTable::read(index, postings)?))
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// The size of the file.
    pub(super) fn bytes(&self) -> usize {
        self.file.len()
    }

    /// The names of all labels, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.postings.names()
    }

    /// The values of a label, sorted.
    pub(super) fn values(&self, name: &str) -> Result<Vec<&str>, TsdbError> {
        let values = self.postings.values_from(&self.file, name, "").and_then(|values| {
            values.map(|entry| entry.map(|entry| entry.value)).collect::<Result<_, _>>()
        });
        self.located(values)
    }

    /// Reads a series: gives each label to `label`, in order of names, and each chunk to `chunk`,
    /// in order of time.
    pub(super) fn series<'a>(
        &'a self,
        number: u32,
        label: &mut dyn FnMut(&'a str, &'a str),
        chunk: &mut dyn FnMut(ChunkEntry),
    ) -> Result<(), TsdbError> {
        self.located(self.read_series(number, label, Some(chunk)))
    }

    /// Reads the chunks of a series alone.
    pub(super) fn chunks(
        &self,
        number: u32,
        chunk: &mut dyn FnMut(ChunkEntry),
    ) -> Result<(), TsdbError> {
        self.located(self.read_chunks(number, chunk))
    }

    fn read_chunks(&self, number: u32, chunk: &mut dyn FnMut(ChunkEntry)) -> Result<(), Damage> {
        let (start, mut bytes) = self.entry(number)?;
        let mut read = || {
            for _ in 0..bytes.uvarint()? {
                bytes.uvarint()?;
                bytes.uvarint()?;
            }
            chunks(&mut bytes, chunk)
        };
        read().map_err(|damage: Damage| damage.behind(start))
    }

    /// What is said about a series, and where that begins.
    fn entry(&self, number: u32) -> Result<(usize, Bytes<'_>), Damage> {
        let start = number as usize * ALIGNMENT;
        let mut bytes = Bytes::from(&self.file, start);
        let length = bytes.length()?;
        let start = bytes.position();
        let content = bytes.take(length)?;
        verify(content, bytes.u32()?, start)?;
        Ok((start, Bytes::new(content)))
    }

    fn read_series<'a>(
        &'a self,
        number: u32,
        label: &mut dyn FnMut(&'a str, &'a str),
        chunk: Option<&mut dyn FnMut(ChunkEntry)>,
    ) -> Result<(), Damage> {
        let (start, mut bytes) = self.entry(number)?;
        let read = || {
            for _ in 0..bytes.uvarint()? {
                let at = start + bytes.position();
                let name = self.symbols.get(&self.file, bytes.uvarint()?, at)?;
                let value = self.symbols.get(&self.file, bytes.uvarint()?, at)?;
                label(name, value);
            }
            match chunk {
                Some(chunk) => chunks(&mut bytes, chunk),
                None => Ok(()),
            }
        };
        read().map_err(|damage: Damage| damage.behind(start))
    }

    fn list(&self, offset: Option<usize>) -> Result<Vec<u32>, Damage> {
        offset.map_or(Ok(Vec::new()), |offset| postings::list(&self.file, offset))
    }

    fn located<T>(&self, result: Result<T, Damage>) -> Result<T, TsdbError> {
        result.map_err(|damage| self.file.damaged(0, damage))
    }
}

/// Reads the chunks of a series. Those that begin before the end of the one before wrap around.
fn chunks(bytes: &mut Bytes<'_>, take: &mut dyn FnMut(ChunkEntry)) -> Result<(), Damage> {
    let (mut end, mut reference) = (0_i64, 0_u64);
    for index in 0..bytes.uvarint()? {
        let start = match index {
            0 => bytes.varint()?,
            _ => end.wrapping_add_unsigned(bytes.uvarint()?),
        };
        end = start.wrapping_add_unsigned(bytes.uvarint()?);
        reference = match index {
            0 => bytes.uvarint()?,
            _ => reference.wrapping_add_signed(bytes.varint()?),
        };
        // More chunks than that don't fit into a file.
        take(ChunkEntry { start, end, reference, number: index as u32 });
    }
    Ok(())
}

impl InvertedIndex for Index {
    type Error = TsdbError;

    fn bound(&self) -> usize {
        self.file.len().div_ceil(ALIGNMENT)
    }

    fn all(&self) -> Result<Vec<u32>, TsdbError> {
        self.located(self.list(self.postings.all()))
    }

    fn series_with(&self, name: &str, value: &str) -> Result<Cow<'_, [u32]>, TsdbError> {
        let list = self.postings.list(&self.file, name, value).and_then(|list| self.list(list));
        self.located(list.map(Cow::Owned))
    }

    fn value_count(&self, name: &str) -> usize {
        self.postings.value_count(name)
    }

    fn visit_values(
        &self,
        name: &str,
        prefix: &str,
        wanted: &mut dyn FnMut(&str) -> bool,
        take: &mut dyn FnMut(&[u32]),
    ) -> Result<(), TsdbError> {
        let mut visit = || {
            for entry in self.postings.values_from(&self.file, name, prefix)? {
                let entry = entry?;
                if !entry.value.starts_with(prefix) {
                    break;
                }
                if wanted(entry.value) {
                    take(&self.list(Some(entry.list))?);
                }
            }
            Ok(())
        };
        self.located(visit())
    }

    fn accepts(&self, series: u32, matcher: &Matcher) -> Result<bool, TsdbError> {
        let mut found = "";
        let mut look = |name: &'_ str, value| {
            if name == matcher.name() {
                found = value;
            }
        };
        self.located(self.read_series(series, &mut look, None))?;
        Ok(matcher.matches(found))
    }
}
