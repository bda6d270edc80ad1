//! Chunks of floats, encoding 1.
//!
//! Times are differences of differences, values differences of bits. A sample of a target that is
//! scraped regularly and whose value stays takes two bits.

use super::Clock;
use super::bits::{BitReader, signed};
use super::value::XorValue;
use crate::tsdb::damage::Damage;

/// Decodes the samples behind the count, and adds them to the columns.
pub(super) fn decode(
    count: usize,
    data: &[u8],
    timestamps: &mut Vec<i64>,
    values: &mut Vec<f64>,
) -> Result<(), Damage> {
    timestamps.reserve(count);
    values.reserve(count);
    let mut reader = BitReader::new(data);
    if count == 0 {
        return Ok(());
    }
    let mut clock = Clock::new(reader.varint()?);
    let mut value = XorValue::new(reader.f64());
    reader.check()?;
    timestamps.push(clock.time);
    values.push(value.last());
    if count == 1 {
        return Ok(());
    }
    let delta = reader.uvarint()?;
    clock.advance(delta as i64, &reader)?;
    timestamps.push(clock.time);
    values.push(value.next(&mut reader)?);
    reader.check()?;
    for _ in 2..count {
        let change = delta_of_delta(&mut reader);
        clock.advance(change, &reader)?;
        let value = value.next(&mut reader)?;
        reader.check()?;
        timestamps.push(clock.time);
        values.push(value);
    }
    Ok(())
}

/// By how much the time since the last sample differs from the one before it.
#[inline]
fn delta_of_delta(reader: &mut BitReader<'_>) -> i64 {
    let word = reader.peek();
    if word >> 63 == 0 {
        reader.skip(1);
        return 0;
    }
    let (prefix, width) = match (!word).leading_zeros() {
        1 => (2, 14),
        2 => (3, 17),
        3 => (4, 20),
        _ => {
            reader.skip(4);
            return reader.bits(64) as i64;
        }
    };
    reader.skip(prefix + width);
    signed(word << prefix >> (64 - width), width)
}
