//! Since when counters count: the start timestamps of encodings 4 to 6.

use super::bits::BitReader;
use crate::tsdb::damage::Damage;

/// Reads the start timestamps of a chunk.
///
/// What is stored is how far a start lies before the sample that precedes its own. That grows by the
/// scrape interval as long as the start stays, so differences of it are small.
#[derive(Debug)]
pub(super) struct StartTimes {
    /// Whether the first sample has one.
    first: bool,
    /// The first other sample that has one, 0 if none has.
    from: usize,
    /// The start of the last sample, 0 if unknown.
    start: i64,
    /// How far it lay before the sample that precedes its own.
    distance: i64,
}

impl StartTimes {
    /// From the byte of the chunk's header.
    pub(super) fn new(header: u8) -> Self {
        let from = usize::from(header & 0x7f);
        StartTimes { first: header & 0x80 != 0, from, start: 0, distance: 0 }
    }

    /// Reads what follows a sample: the start of that sample, 0 if it is unknown.
    #[inline]
    pub(super) fn next(
        &mut self,
        index: usize,
        before: i64,
        time: i64,
        reader: &mut BitReader<'_>,
    ) -> Result<i64, Damage> {
        if index == 0 {
            if self.first {
                self.start = time.wrapping_sub(reader.varint()?);
            }
        } else if self.from != 0 && index >= self.from {
            let change = reader.varbit_int();
            self.distance = match index == self.from {
                true => change,
                false => self.distance.wrapping_add(change),
            };
            self.start = before.wrapping_sub(self.distance);
        }
        Ok(self.start)
    }
}
