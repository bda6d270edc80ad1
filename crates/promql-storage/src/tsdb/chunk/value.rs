//! Floats as differences to the one before: the bits in which they differ.

use super::bits::BitReader;
use crate::tsdb::damage::Damage;

/// Reads one float after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct XorValue {
    /// The bits of the last float.
    bits: u64,
    /// Where the bits that differed were last time: how many, 0 before the first difference, and
    /// how many there are behind them.
    significant: u32,
    trailing: u32,
}

impl XorValue {
    pub(super) fn new(first: f64) -> Self {
        XorValue { bits: first.to_bits(), significant: 0, trailing: 0 }
    }

    /// The next float.
    ///
    /// `0` is the same float again, `10` differs in the same bits as last time, and `11` is
    /// followed by the number of leading zeros and the width of the difference.
    #[inline]
    pub(super) fn next(&mut self, reader: &mut BitReader<'_>) -> Result<f64, Damage> {
        let word = reader.peek();
        self.next_from(reader, word, 0)
    }

    /// The next float. So many bits were used already of the word that was read last, and `word`
    /// holds what follows them.
    #[inline]
    pub(super) fn next_from(
        &mut self,
        reader: &mut BitReader<'_>,
        word: u64,
        used: u32,
    ) -> Result<f64, Damage> {
        if word >> 63 == 0 {
            reader.skip(used + 1);
        } else {
            let new_window = word >> 62 == 0b11;
            self.difference(reader, word << 2, used + 2, new_window)?;
        }
        Ok(f64::from_bits(self.bits))
    }

    /// Reads a difference. `word` holds what follows a prefix of so many bits.
    #[inline]
    pub(super) fn difference(
        &mut self,
        reader: &mut BitReader<'_>,
        word: u64,
        prefix: u32,
        new_window: bool,
    ) -> Result<(), Damage> {
        let (word, prefix) = if new_window {
            let leading = (word >> 59) as u32;
            let significant = match (word >> 53 & 0x3f) as u32 {
                0 => 64,
                width => width,
            };
            if leading + significant > 64 {
                return Err(reader.damage("a value has more than 64 bits"));
            }
            self.significant = significant;
            self.trailing = 64 - leading - significant;
            (word << 11, prefix + 11)
        } else {
            if self.significant == 0 {
                return Err(reader.damage("a value repeats the window of none"));
            }
            (word, prefix)
        };
        // The bits are mostly few enough to be in the word already.
        let bits = if prefix + self.significant <= 57 {
            reader.skip(prefix + self.significant);
            word >> (64 - self.significant)
        } else {
            reader.skip(prefix);
            reader.bits(self.significant)
        };
        self.bits ^= bits << self.trailing;
        Ok(())
    }

    /// The last float.
    #[inline]
    pub(super) fn last(&self) -> f64 {
        f64::from_bits(self.bits)
    }
}
