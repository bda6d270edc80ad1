//! Reading bits: the most significant of each byte first.
//!
//! A reader looks at one word of eight bytes at a time and takes from it what it needs, so that a
//! sample costs one or two loads. Behind the end there is anything; whoever reads asks now and then
//! whether the end was passed, which is cheaper than to ask for each bit.

use crate::tsdb::bytes::zigzag;
use crate::tsdb::damage::Damage;

/// How many bits of [`BitReader::peek`] are always good.
const GOOD: u32 = 57;

pub(super) struct BitReader<'a> {
    bytes: Tail<'a>,
    /// In bits.
    position: usize,
}

/// Bytes of which the first so many matter. What is behind them may be read and is not used, so
/// that a word at a time can be read up to the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail<'a> {
    all: &'a [u8],
    length: usize,
}

impl<'a> Tail<'a> {
    /// The first `length` of some bytes, or all if there are less.
    pub(in crate::tsdb) fn new(all: &'a [u8], length: usize) -> Tail<'a> {
        Tail { all, length: length.min(all.len()) }
    }

    /// Without the first bytes.
    pub(super) fn behind(self, count: usize) -> Tail<'a> {
        let count = count.min(self.length);
        Tail { all: &self.all[count..], length: self.length - count }
    }

    /// Those that matter.
    pub(super) fn bytes(self) -> &'a [u8] {
        &self.all[..self.length]
    }
}

impl<'a> From<&'a [u8]> for Tail<'a> {
    fn from(all: &'a [u8]) -> Self {
        Tail { all, length: all.len() }
    }
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: impl Into<Tail<'a>>) -> Self {
        BitReader { bytes: bytes.into(), position: 0 }
    }

    /// The next 57 bits or more, at the high end of a word.
    #[inline]
    pub(super) fn peek(&self) -> u64 {
        let first = self.position / 8;
        let word = match self.bytes.all.get(first..).and_then(<[u8]>::first_chunk) {
            Some(word) => u64::from_be_bytes(*word),
            None => self.last_word(first),
        };
        word << (self.position % 8)
    }

    /// The last bytes, with zeros behind them.
    #[cold]
    fn last_word(&self, first: usize) -> u64 {
        let mut word = [0; 8];
        let rest = self.bytes.all.get(first..).unwrap_or_default();
        word[..rest.len()].copy_from_slice(rest);
        u64::from_be_bytes(word)
    }

    #[inline]
    pub(super) fn skip(&mut self, bits: u32) {
        self.position += bits as usize;
    }

    /// The next bits, up to 64, as a number.
    #[inline]
    pub(super) fn bits(&mut self, count: u32) -> u64 {
        if count <= GOOD {
            let bits = if count == 0 { 0 } else { self.peek() >> (64 - count) };
            self.skip(count);
            return bits;
        }
        let high = self.bits(32);
        high << (count - 32) | self.bits(count - 32)
    }

    /// The same for one bit or more; for none it gives anything.
    #[inline]
    pub(super) fn some_bits(&mut self, count: u32) -> u64 {
        if count <= GOOD {
            let bits = self.peek() >> ((64 - count) & 63);
            self.skip(count);
            return bits;
        }
        self.bits(count)
    }

    /// A 64-bit float, with its very bits.
    pub(super) fn f64(&mut self) -> f64 {
        f64::from_bits(self.bits(64))
    }

    /// Groups of seven bits, the lowest first, as in [`Bytes`](crate::tsdb::bytes::Bytes).
    pub(super) fn uvarint(&mut self) -> Result<u64, Damage> {
        let mut number = 0;
        for group in 0..10 {
            let byte = self.bits(8);
            if group == 9 && byte > 1 {
                break;
            }
            number |= (byte & 0x7f) << (7 * group);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.damage("a number takes more than 64 bits"))
    }

    pub(super) fn varint(&mut self) -> Result<i64, Damage> {
        self.uvarint().map(zigzag)
    }

    /// How many bits are left.
    pub(super) fn left(&self) -> usize {
        (self.bytes.length * 8).saturating_sub(self.position)
    }

    /// Whether all that was read was there.
    #[inline]
    pub(super) fn check(&self) -> Result<(), Damage> {
        if self.position > self.bytes.length * 8 {
            return Err(Damage::end(self.bytes.length));
        }
        Ok(())
    }

    /// Something that is wrong with what was read last.
    pub(super) fn damage(&self, what: &'static str) -> Damage {
        Damage::new(what, (self.position / 8).min(self.bytes.length))
    }
}

/// The signed number of so many bits: an unsigned one up to `2^(bits-1)` is itself, and one above is
/// negative. That is two's complement but for one number, which here is positive.
#[inline]
pub(super) fn signed(number: u64, bits: u32) -> i64 {
    let number = number as i64;
    if number > 1 << (bits - 1) { number - (1 << bits) } else { number }
}

/// Ordinary two's complement of so many bits.
#[inline]
pub(super) fn twos_complement(number: u64, bits: u32) -> i64 {
    (number << (64 - bits)) as i64 >> (64 - bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_across_words() {
        let bytes: Vec<u8> = (1..=20).collect();
        let mut reader = BitReader::new(&bytes[..]);
        assert_eq!(reader.bits(4), 0);
        assert_eq!(reader.bits(8), 0x10);
        assert_eq!(reader.bits(64), 0x2030_4050_6070_8090);
        assert_eq!(reader.bits(60), 0xa0b_0c0d_0e0f_1011);
        assert_eq!(reader.bits(24), 0x12_1314);
        assert_eq!(reader.check(), Ok(()));
        assert_eq!(reader.bits(1), 0);
        assert_eq!(reader.check(), Err(Damage::end(20)));
    }

    #[test]
    fn the_number_that_is_positive_here() {
        assert_eq!(signed(8192, 14), 8192);
        assert_eq!(signed(8193, 14), -8191);
        assert_eq!(signed(0x3fff, 14), -1);
        assert_eq!(twos_complement(4096, 13), -4096);
        assert_eq!(twos_complement(4095, 13), 4095);
    }
}
