//! Which series have a value of a label: the table of lists, and the lists.
//!
//! The table is sorted by name and value. Its entries have no fixed size, so one of every
//! [`KEPT`] is remembered, and the others are found by walking from there.

use std::cmp::Ordering;

use super::symbols::section;
use crate::tsdb::bytes::Bytes;
use crate::tsdb::damage::Damage;

/// Of how many entries of the table one is remembered.
const KEPT: usize = 32;

/// Where the lists are.
#[derive(Debug)]
pub(super) struct PostingsTable {
    /// Sorted by name.
    names: Vec<NameEntries>,
    /// Where the list of all series is.
    all: usize,
}

/// The entries of one label.
#[derive(Debug)]
struct NameEntries {
    name: Box<str>,
    /// Where every [`KEPT`]th entry begins, from the first on, in bytes from the start of the file.
    kept: Vec<usize>,
    /// Behind the last entry.
    end: usize,
    count: usize,
}

/// An entry of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    name: &'a str,
    pub(super) value: &'a str,
    /// Where the list is.
    pub(super) list: usize,
}

fn entry<'a>(bytes: &mut Bytes<'a>) -> Result<Entry<'a>, Damage> {
    let start = bytes.position();
    if bytes.uvarint()? != 2 {
        return Err(Damage::new("an entry of the table of lists is no pair", start));
    }
    let name = bytes.text()?;
    let value = bytes.text()?;
    let list = bytes.length()?;
    Ok(Entry { name, value, list })
}

impl PostingsTable {
    /// Reads the section at an offset of the index.
    pub(super) fn read(index: &[u8], offset: usize) -> Result<PostingsTable, Damage> {
        let length = section(index, offset)?.len();
        // Positions count from the start of the file.
        let file = index.get(..offset + 4 + length).unwrap_or(index);
        let mut bytes = Bytes::from(file, offset + 4);
        let count = bytes.u32()?;
        let mut names: Vec<NameEntries> = Vec::new();
        let mut all = None;
        let mut last = None;
        for _ in 0..count {
            let start = bytes.position();
            let Entry { name, value, list } = entry(&mut bytes)?;
            if last.is_some_and(|last| last >= (name, value)) {
                return Err(Damage::new("the table of lists is not sorted", start));
            }
            last = Some((name, value));
            if name.is_empty() {
                all = Some(list);
                continue;
            }
            if names.last().is_none_or(|entries| *entries.name != *name) {
                names.push(NameEntries { name: name.into(), kept: Vec::new(), end: 0, count: 0 });
            }
            if let Some(entries) = names.last_mut() {
                if entries.count % KEPT == 0 {
                    entries.kept.push(start);
                }
                entries.count += 1;
                entries.end = bytes.position();
            }
        }
        match all {
            Some(all) => Ok(PostingsTable { names, all }),
            // Without any entry there are no series.
            None if names.is_empty() => Ok(PostingsTable { names, all: 0 }),
            None => Err(Damage::new("the list of all series is missing", offset)),
        }
    }

    /// The names of all labels, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|entries| &*entries.name)
    }

    /// How many values a label has.
    pub(super) fn value_count(&self, name: &str) -> usize {
        self.entries(name).map_or(0, |entries| entries.count)
    }

    fn entries(&self, name: &str) -> Option<&NameEntries> {
        let at = self.names.binary_search_by(|entries| (*entries.name).cmp(name)).ok()?;
        self.names.get(at)
    }

    /// The entries of a label from the first value on that is not less than a given one.
    pub(super) fn values_from<'a>(
        &self,
        index: &'a [u8],
        name: &str,
        value: &str,
    ) -> Result<Values<'a>, Damage> {
        let Some(entries) = self.entries(name) else {
            return Ok(Values { bytes: Bytes::new(&[]) });
        };
        let file = index.get(..entries.end).unwrap_or(index);
        // The last one that is remembered and not behind the value.
        let mut damage = None;
        let behind = |start: &usize| match entry(&mut Bytes::from(file, *start)) {
            Ok(entry) => entry.value.cmp(value) == Ordering::Greater,
            Err(found) => {
                damage = Some(found);
                true
            }
        };
        let mut behind = behind;
        let at = entries.kept.partition_point(|start| !behind(start));
        if let Some(damage) = damage {
            return Err(damage);
        }
        let start = entries.kept.get(at.saturating_sub(1)).copied().unwrap_or(entries.end);
        let mut bytes = Bytes::from(file, start);
        loop {
            let before = bytes;
            if bytes.is_empty() || entry(&mut bytes)?.value >= value {
                return Ok(Values { bytes: before });
            }
        }
    }

    /// Where the list of a value is.
    pub(super) fn list(
        &self,
        index: &[u8],
        name: &str,
        value: &str,
    ) -> Result<Option<usize>, Damage> {
        let first = self.values_from(index, name, value)?.next().transpose()?;
        Ok(first.filter(|entry| entry.value == value).map(|entry| entry.list))
    }

    /// Where the list of all series is, if there are any.
    pub(super) fn all(&self) -> Option<usize> {
        (self.all != 0).then_some(self.all)
    }
}

/// Entries of one label, by value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    bytes: Bytes<'a>,
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<Entry<'a>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        let entry = entry(&mut self.bytes);
        if entry.is_err() {
            self.bytes = Bytes::new(&[]);
        }
        Some(entry)
    }
}

/// The list at an offset of the index: numbers of series, ascending.
pub(super) fn list(index: &[u8], offset: usize) -> Result<Vec<u32>, Damage> {
    let content = section(index, offset)?;
    let mut bytes = Bytes::new(content);
    let count = bytes.u32().map_err(|damage| damage.behind(offset + 4))? as usize;
    let (numbers, rest) = bytes.rest().as_chunks::<4>();
    if numbers.len() != count || !rest.is_empty() {
        let what = format!("a list of {count} series takes {} bytes", bytes.rest().len());
        return Err(Damage::new(what, offset + 4));
    }
    let numbers: Vec<u32> = numbers.iter().map(|number| u32::from_be_bytes(*number)).collect();
    match numbers.is_sorted_by(|a, b| a < b) {
        true => Ok(numbers),
        false => Err(Damage::new("a list of series is not sorted", offset + 8)),
    }
}
