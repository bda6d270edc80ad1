//! Whole numbers of varying width, as chunks of native histograms have them.

use super::bits::{BitReader, signed};

/// The width of the number behind a prefix of so many ones; the prefixes up to seven end with a
/// zero.
const WIDTHS: [u32; 9] = [0, 3, 6, 9, 12, 18, 25, 56, 64];

impl BitReader<'_> {
    /// A number that is never negative.
    #[inline]
    pub(super) fn varbit_uint(&mut self) -> u64 {
        self.varbit().0
    }

    /// A signed number.
    #[inline]
    pub(super) fn varbit_int(&mut self) -> i64 {
        match self.varbit() {
            (number, 0 | 64) => number as i64,
            (number, width) => signed(number, width),
        }
    }

    /// The bits of a number, and how many these are.
    #[inline]
    fn varbit(&mut self) -> (u64, u32) {
        let ones = (!self.peek()).leading_zeros().min(8);
        self.skip(ones + u32::from(ones < 8));
        let width = WIDTHS[ones as usize];
        (self.bits(width), width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number that a text of zeros and ones stands for, and how many of them it takes.
    fn number(text: &str) -> (i64, u64) {
        let digits: String = text.chars().filter(|c| *c != ' ').collect();
        let bytes: Vec<u8> = digits
            .as_bytes()
            .chunks(8)
            .map(|byte| {
                let shift = |(at, digit): (usize, &u8)| (digit - b'0') << (7 - at);
                byte.iter().enumerate().map(shift).sum()
            })
            .collect();
        (BitReader::new(&bytes[..]).varbit_int(), BitReader::new(&bytes[..]).varbit_uint())
    }

    #[test]
    fn edges() {
        assert_eq!(number("0"), (0, 0));
        assert_eq!(number("10 100"), (4, 4));
        assert_eq!(number("10 111"), (-1, 7));
        assert_eq!(number("110 111100").0, -4);
        assert_eq!(number("1110 100000000"), (256, 256));
        assert_eq!(number("11110 111100000000").0, -256);
        let min = format!("11111111 1{}", "0".repeat(63));
        assert_eq!(number(&min), (i64::MIN, 1 << 63));
        let wide = format!("11111110 1{}", "0".repeat(55));
        assert_eq!(number(&wide), (1 << 55, 1 << 55));
    }
}
