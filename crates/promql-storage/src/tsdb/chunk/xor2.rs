//! Chunks of floats that may have start timestamps, encoding 4.
//!
//! They differ from encoding 1 in more than the start timestamps: one prefix says how both time and
//! value change, and a staleness marker has a code of its own, which leaves alone the value that the
//! next one is compared with.

use super::Clock;
use super::bits::{BitReader, Tail, twos_complement};
use super::start_time::StartTimes;
use super::value::XorValue;
use crate::columns::push_start;
use crate::tsdb::bytes::Bytes;
use crate::tsdb::damage::Damage;
use promql_engine::SampleBuffer;
use promql_model::{is_stale_nan, stale_nan};

/// Decodes the samples behind the count, and adds them to the columns.
pub(super) fn decode(
    count: usize,
    data: Tail<'_>,
    buffer: &mut SampleBuffer,
) -> Result<(), Damage> {
    let header = Bytes::new(data.bytes()).u8()?;
    let mut reader = BitReader::new(data.behind(1));
    samples(count, header, &mut reader, buffer).map_err(|damage| damage.behind(1))
}

fn samples(
    count: usize,
    header: u8,
    reader: &mut BitReader<'_>,
    buffer: &mut SampleBuffer,
) -> Result<(), Damage> {
    buffer.timestamps.reserve(count);
    buffer.values.reserve(count);
    let mut starts = StartTimes::new(header);
    let mut clock = Clock::new(0);
    let mut value = XorValue::new(0.0);
    for index in 0..count {
        let before = clock.time;
        let sample = match index {
            0 => {
                clock = Clock::new(reader.varint()?);
                let first = reader.f64();
                if !is_stale_nan(first) {
                    value = XorValue::new(first);
                }
                first
            }
            1 => {
                let delta = reader.uvarint()? as i64;
                clock.advance(delta, reader)?;
                value_or_marker(reader, &mut value)?
            }
            _ => later(reader, &mut clock, &mut value)?,
        };
        let start = starts.next(index, before, clock.time, reader)?;
        reader.check()?;
        push_start(&mut buffer.start_timestamps, start, buffer.timestamps.len());
        buffer.timestamps.push(clock.time);
        buffer.values.push(sample);
    }
    Ok(())
}

/// A sample behind the second.
#[inline]
fn later(
    reader: &mut BitReader<'_>,
    clock: &mut Clock,
    value: &mut XorValue,
) -> Result<f64, Damage> {
    let word = reader.peek();
    let change = match (!word).leading_zeros() {
        0 => {
            reader.skip(1);
            clock.advance(0, reader)?;
            return Ok(value.last());
        }
        1 => {
            clock.advance(0, reader)?;
            let new_window = word << 2 >> 63 == 1;
            value.difference(reader, word << 3, 3, new_window)?;
            return Ok(value.last());
        }
        2 => {
            reader.skip(3);
            twos_complement(reader.bits(13), 13)
        }
        3 => {
            reader.skip(4);
            twos_complement(reader.bits(20), 20)
        }
        4 => {
            reader.skip(5);
            reader.bits(64) as i64
        }
        _ => {
            reader.skip(5);
            clock.advance(0, reader)?;
            return Ok(stale_nan());
        }
    };
    clock.advance(change, reader)?;
    value_or_marker(reader, value)
}

/// A value with a prefix of its own.
#[inline]
fn value_or_marker(reader: &mut BitReader<'_>, value: &mut XorValue) -> Result<f64, Damage> {
    let word = reader.peek();
    match (!word).leading_zeros() {
        0 => reader.skip(1),
        1 => value.difference(reader, word << 2, 2, false)?,
        2 => value.difference(reader, word << 3, 3, true)?,
        _ => {
            reader.skip(3);
            return Ok(stale_nan());
        }
    }
    Ok(value.last())
}
