//! Chunks: up to some hundred samples of one series, packed.
//!
//! A chunk says how many samples it has and holds them as a stream of bits. One byte before it says
//! how: floats by [`xor`] or [`xor2`], native histograms by [`histogram`].

mod bits;
mod histogram;
mod start_time;
mod value;
mod varbit;
mod xor;
mod xor2;

use bits::BitReader;
pub(crate) use bits::Tail;
use promql_engine::SampleBuffer;

use super::bytes::Bytes;
use super::damage::Damage;

/// How the samples of a chunk are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Xor,
    Histogram { float: bool, start_times: bool },
    Xor2,
}

impl Encoding {
    /// What the byte before a chunk means.
    pub(crate) fn of(byte: u8) -> Option<Encoding> {
        Some(match byte {
            1 => Encoding::Xor,
            2 => Encoding::Histogram { float: false, start_times: false },
            3 => Encoding::Histogram { float: true, start_times: false },
            4 => Encoding::Xor2,
            5 => Encoding::Histogram { float: false, start_times: true },
            6 => Encoding::Histogram { float: true, start_times: true },
            _ => return None,
        })
    }
}

/// Decodes a chunk and adds its samples to those that are in the buffer.
///
/// Damage that the checksum did not tell is told: data that ends too early, and times that don't
/// ascend.
pub(crate) fn decode(
    encoding: Encoding,
    data: Tail<'_>,
    buffer: &mut SampleBuffer,
) -> Result<(), Damage> {
    let header = Bytes::new(data.bytes()).u16()?;
    let data = data.behind(2);
    let decoded = match encoding {
        Encoding::Xor => {
            let SampleBuffer { timestamps, values, start_timestamps, .. } = buffer;
            let decoded = xor::decode(header.into(), data, timestamps, values);
            if !start_timestamps.is_empty() {
                start_timestamps.resize(timestamps.len(), 0);
            }
            decoded
        }
        Encoding::Xor2 => xor2::decode(header.into(), data, buffer),
        Encoding::Histogram { float, start_times } => {
            histogram::decode(header, float, start_times, data.bytes(), buffer)
        }
    };
    decoded.map_err(|damage| damage.behind(2))
}

/// The time of a sample and the distance to the one before.
#[derive(Clone, Copy, Debug)]
struct Clock {
    time: i64,
    delta: i64,
}

impl Clock {
    fn new(time: i64) -> Self {
        Clock { time, delta: 0 }
    }

    /// Goes to the next sample; its distance differs by so much from the last.
    #[inline]
    fn advance(&mut self, change: i64, reader: &BitReader<'_>) -> Result<(), Damage> {
        self.delta = self.delta.wrapping_add(change);
        let next = self.time.wrapping_add(self.delta);
        if next <= self.time {
            return Err(reader.damage("the times of the samples don't ascend"));
        }
        self.time = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
