//! What was deleted: intervals of time of series, left out when samples are read.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use promql_engine::TimeRange;

use crate::tsdb::TsdbError;
use crate::tsdb::bytes::{Bytes, verify};
use crate::tsdb::damage::Damage;

const MAGIC: u32 = 0x0130_ba30;
const VERSION: u8 = 1;

/// For series, by their number, the intervals that are deleted. Both ends belong to them.
#[derive(Debug, Default)]
pub(super) struct Tombstones {
    intervals: HashMap<u64, Vec<TimeRange>>,
}

impl Tombstones {
    /// Reads those of a block. Without a file there are none.
    pub(super) fn open(folder: &Path) -> Result<Tombstones, TsdbError> {
        let path = folder.join("tombstones");
        match std::fs::read(&path) {
            Ok(bytes) => parse(&bytes).map_err(|error| match error {
                Wrong::Version(found) => {
                    let (path, found) = (path.clone(), u64::from(found));
                    TsdbError::Version { path, found, known: "version 1" }
                }
                Wrong::Damaged(damage) => TsdbError::damaged(&path, 0, damage),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Tombstones::default()),
            Err(error) => Err(TsdbError::unreadable(&path, &error)),
        }
    }

    /// The intervals of a series.
    pub(super) fn of(&self, series: u32) -> &[TimeRange] {
        self.intervals.get(&u64::from(series)).map_or(&[], Vec::as_slice)
    }
}

enum Wrong {
    Version(u8),
    Damaged(Damage),
}

impl From<Damage> for Wrong {
    fn from(damage: Damage) -> Self {
        Wrong::Damaged(damage)
    }
}

fn parse(file: &[u8]) -> Result<Tombstones, Wrong> {
    let mut bytes = Bytes::new(file);
    if bytes.u32()? != MAGIC {
        return Err(Damage::new("this is no file of tombstones", 0).into());
    }
    match bytes.u8()? {
        VERSION => {}
        other => return Err(Wrong::Version(other)),
    }
    let start = bytes.position();
    let length = bytes.rest().len().checked_sub(4).ok_or_else(|| Damage::end(file.len()))?;
    let content = bytes.take(length)?;
    verify(content, bytes.u32()?, start)?;
    let mut bytes = Bytes::new(content);
    let mut tombstones = Tombstones::default();
    while !bytes.is_empty() {
        let mut read = || Ok((bytes.uvarint()?, bytes.varint()?, bytes.varint()?));
        let (series, first, last) = read().map_err(|damage: Damage| damage.behind(start))?;
        let interval = TimeRange { start: first, end: last };
        tombstones.intervals.entry(series).or_default().push(interval);
    }
    Ok(tombstones)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stones() {
        let bytes = [
            0x01, 0x30, 0xba, 0x30, 0x01, 0x07, 0xa0, 0xbc, 0xac, 0xfe, 0xf9, 0x62, 0xb0, 0x8a,
            0xad, 0xfe, 0xf9, 0x62, 0x09, 0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62, 0xb0, 0x8a, 0xad,
            0xfe, 0xf9, 0x62, 0x42, 0xe3, 0xcc, 0x2c,
        ];
        let Ok(tombstones) = parse(&bytes) else { panic!() };
        let of =
            |series| tombstones.of(series).iter().map(|i| (i.start, i.end)).collect::<Vec<_>>();
        assert_eq!(of(7), [(1_700_000_010_000, 1_700_000_015_000)]);
        assert_eq!(of(9), [(1_700_000_000_000, 1_700_000_015_000)]);
        assert_eq!(of(8), []);
        assert!(parse(&[0x01, 0x30, 0xba, 0x30, 0x01, 0, 0, 0, 0]).is_ok());
        for length in 0..bytes.len() {
            assert!(parse(&bytes[..length]).is_err(), "{length}");
        }
    }
}
