//! Chunks of floats, encoding 1.
//!
//! Times are differences of differences, values differences of bits. A sample of a target that is
//! scraped regularly and whose value stays takes two bits.

use super::Clock;
use super::bits::{BitReader, Tail, signed};
use super::value::XorValue;
use crate::tsdb::damage::Damage;

/// Decodes the samples behind the count, and adds them to the columns.
pub(super) fn decode(
    count: usize,
    data: Tail<'_>,
    timestamps: &mut Vec<i64>,
    values: &mut Vec<f64>,
) -> Result<(), Damage> {
    let before = timestamps.len();
    timestamps.resize(before + count, 0);
    values.resize(before + count, 0.0);
    let times = timestamps[before..].iter_mut();
    let decoded = samples(times.zip(&mut values[before..]), BitReader::new(data));
    if decoded.is_err() {
        timestamps.truncate(before);
        values.truncate(before);
    }
    decoded
}

/// Decodes samples into as many places as there are. Whether the data was long enough is asked once,
/// at the end.
fn samples<'b>(
    mut places: impl Iterator<Item = (&'b mut i64, &'b mut f64)>,
    mut reader: BitReader<'_>,
) -> Result<(), Damage> {
    let Some((time, value)) = places.next() else { return Ok(()) };
    let mut clock = Clock::new(reader.varint()?);
    let mut xor = XorValue::new(reader.f64());
    (*time, *value) = (clock.time, xor.last());
    if let Some((time, value)) = places.next() {
        let delta = reader.uvarint()?;
        clock.advance(delta as i64, &reader)?;
        (*time, *value) = (clock.time, xor.next(&mut reader)?);
    }
    for (time, value) in places {
        // A change of the distance by nothing or little, and often the value as well, are within
        // one word.
        let word = reader.peek();
        let (change, used) = match (!word).leading_zeros() {
            0 => (0, 1),
            1 => (signed(word << 2 >> 50, 14), 16),
            2 => (signed(word << 3 >> 47, 17), 20),
            3 => (signed(word << 4 >> 44, 20), 24),
            _ => {
                reader.skip(4);
                (reader.bits(64) as i64, 0)
            }
        };
        clock.advance(change, &reader)?;
        let word = if used == 0 { reader.peek() } else { word << used };
        (*time, *value) = (clock.time, xor.next_from(&mut reader, word, used)?);
    }
    reader.check()
}
