//! Chunks of floats, encoding 1.
//!
//! Times are differences of differences, values differences of bits. A sample of a target that is
//! scraped regularly and whose value stays takes two bits.
//!
//! Most of what a query over blocks takes is this, so it is written twice. [`quickly`] has nothing in
//! its loop but what the samples are made of: what is wrong is only remembered, and each value is read
//! by a load of its own, since whether its bits were in the word before can't be predicted, and a load
//! costs less than a branch that goes the wrong way. That takes two thirds of the time of [`carefully`],
//! which is asked where something is wrong, and tells what and where.

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
    let (times, places) = (&mut timestamps[before..], &mut values[before..]);
    if quickly(times, places, BitReader::new(data)) {
        return Ok(());
    }
    let decoded = carefully(times.iter_mut().zip(places), BitReader::new(data));
    if decoded.is_err() {
        timestamps.truncate(before);
        values.truncate(before);
    }
    decoded
}

/// Decodes samples into as many places as there are. Says whether all was as it should be.
fn quickly(times: &mut [i64], values: &mut [f64], mut reader: BitReader<'_>) -> bool {
    let ([first_time, times @ ..], [first_value, values @ ..]) = (times, values) else {
        return true;
    };
    let Ok(mut time) = reader.varint() else { return false };
    let mut bits = reader.f64().to_bits();
    (*first_time, *first_value) = (time, f64::from_bits(bits));
    if times.is_empty() {
        return reader.check().is_ok();
    }
    let Ok(delta) = reader.uvarint() else { return false };
    let mut delta = delta as i64;
    // Where the bits that differed were last time: how many, and how many there are behind them.
    let (mut significant, mut trailing) = (0, 0);
    let mut wrong = false;
    for (at, (place, value)) in times.iter_mut().zip(values).enumerate() {
        let mut word = reader.peek();
        if at > 0 {
            let mut used = 1;
            if word >> 63 == 1 {
                let (prefix, width) = match (!word).leading_zeros() {
                    1 => (2, 14),
                    2 => (3, 17),
                    3 => (4, 20),
                    _ => (4, 64),
                };
                used = prefix + width;
                if width < 64 {
                    delta = delta.wrapping_add(signed(word << prefix >> (64 - width), width));
                } else {
                    reader.skip(prefix);
                    delta = delta.wrapping_add(reader.bits(64) as i64);
                    word = reader.peek();
                    used = 0;
                }
            }
            reader.skip(used);
            word <<= used;
        }
        let next = time.wrapping_add(delta);
        wrong |= next <= time;
        time = next;
        *place = time;
        if word >> 63 == 0 {
            reader.skip(1);
        } else {
            reader.skip(2);
            if word >> 62 == 0b11 {
                let leading = (word >> 57 & 0x1f) as u32;
                significant = match (word >> 51 & 0x3f) as u32 {
                    0 => 64,
                    width => width,
                };
                wrong |= leading + significant > 64;
                trailing = 64_u32.saturating_sub(leading + significant);
                reader.skip(11);
            }
            wrong |= significant == 0;
            bits ^= reader.some_bits(significant) << trailing;
        }
        *value = f64::from_bits(bits);
    }
    !wrong && reader.check().is_ok()
}

/// Decodes samples into as many places as there are, or tells what is wrong. Whether the data was long
/// enough is asked once, at the end.
fn carefully<'b>(
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the bits are: what one way decodes, the other decodes as well.
    fn both(count: usize, bytes: &[u8]) {
        let (mut times, mut values) = (vec![0; count], vec![0.0; count]);
        let (mut careful_times, mut careful_values) = (vec![0; count], vec![0.0; count]);
        let quick = quickly(&mut times, &mut values, BitReader::new(bytes));
        let places = careful_times.iter_mut().zip(&mut careful_values);
        let careful = carefully(places, BitReader::new(bytes));
        assert_eq!(quick, careful.is_ok());
        if quick {
            assert_eq!(times, careful_times);
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&values), bits(&careful_values));
        }
    }

    proptest::proptest! {
        #[test]
        fn both_ways_give_the_same(
            start: u32,
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
            count in 0_usize..40,
        ) {
            both(count, &bytes);
            // With a beginning that is in order, and few bits set, as they mostly are.
            let mut chunk = vec![0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62];
            chunk.extend(f64::from(start).to_be_bytes());
            chunk.extend([0x98, 0x75]);
            chunk.extend(bytes.iter().map(|byte| if byte % 3 == 0 { *byte } else { 0 }));
            both(count, &chunk);
            chunk.resize(200, 0);
            both(count, &chunk);
        }
    }
}
