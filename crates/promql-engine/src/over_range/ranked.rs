//! The samples of a window by rank, where windows overlap much.
//!
//! All samples of the series are sorted once. A window then is a set of ranks, kept as bits: a sample
//! enters and leaves by setting and clearing one, and a value is found by counting bits, first of many
//! words together, then of one after the other.

use std::ops::Range;

/// So many words of bits are counted together.
const GROUP: usize = 16;

/// The samples of a series in the order in which quantiles sort them.
#[derive(Debug)]
pub(super) struct Ranks {
    sorted: Vec<f64>,
    /// For each sample its position among the sorted ones.
    ranks: Vec<u32>,
}

impl Ranks {
    /// Sorts samples, of which there are fewer than 2^32.
    pub(super) fn of(values: &[f64]) -> Ranks {
        let mut order: Vec<(u64, u32)> = values.iter().map(|value| key(*value)).zip(0..).collect();
        order.sort_unstable();
        let mut ranks = vec![0; values.len()];
        for ((_, at), rank) in order.iter().zip(0..) {
            ranks[*at as usize] = rank;
        }
        Ranks { sorted: order.iter().map(|(_, at)| values[*at as usize]).collect(), ranks }
    }

    /// A window without samples.
    pub(super) fn window(&self) -> RankedWindow<'_> {
        let words = self.ranks.len().div_ceil(64);
        let counts = vec![0; words.div_ceil(GROUP)];
        RankedWindow { samples: self, held: 0..0, words: vec![0; words], counts }
    }
}

/// A number that has the order of [`crate::arithmetic::order`]: NaN before all else.
fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    match (value.is_nan(), value.is_sign_negative()) {
        (true, _) => 0,
        (false, true) => !bits,
        (false, false) => bits | 1 << 63,
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct RankedWindow<'a> {
    samples: &'a Ranks,
    held: Range<usize>,
    /// The ranks in the window.
    words: Vec<u64>,
    /// How many there are in each [`GROUP`] of words.
    counts: Vec<u32>,
}

impl RankedWindow<'_> {
    /// Moves to a window, neither end of which may be before that of the last call.
    pub(super) fn slide(&mut self, window: Range<usize>) {
        let ranks = &self.samples.ranks;
        for rank in &ranks[self.held.start..self.held.end.min(window.start)] {
            let word = *rank as usize / 64;
            self.words[word] &= !(1 << (rank % 64));
            self.counts[word / GROUP] -= 1;
        }
        for rank in &ranks[self.held.end.max(window.start)..window.end] {
            let word = *rank as usize / 64;
            self.words[word] |= 1 << (rank % 64);
            self.counts[word / GROUP] += 1;
        }
        self.held = window;
    }

    /// The value with a rank within the window, counted from 0 and below its length.
    pub(super) fn at(&self, rank: usize) -> f64 {
        let mut left = rank as u32;
        let mut group = 0;
        while let Some(count) = self.counts.get(group).filter(|count| **count <= left) {
            left -= count;
            group += 1;
        }
        let words = self.words.iter().enumerate().skip(group * GROUP);
        for (at, &word) in words {
            let count = word.count_ones();
            if left < count {
                let bit = (0..left).fold(word, |word, _| word & (word - 1)).trailing_zeros();
                return self.samples.sorted[at * 64 + bit as usize];
            }
            left -= count;
        }
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::order;

    #[test]
    fn ranks_are_those_of_the_window() {
        let odd = [f64::NAN, f64::INFINITY, -0.0, 0.0, f64::NEG_INFINITY, -1.5];
        let value = |k: usize| match k % 50 {
            0 => odd[k / 50 % odd.len()],
            _ => ((k * 7919 % 1009) as f64 - 400.0) / 8.0 * ((k % 3) as f64),
        };
        let values: Vec<f64> = (0..5000).map(value).collect();
        let ranks = Ranks::of(&values);
        let mut window = ranks.window();
        // Slides, stands still, grows, shrinks, is empty and jumps.
        for held in
            [0..1500, 10..1510, 10..1510, 20..2300, 1400..2310, 2309..2310, 2310..2310, 2500..4999]
        {
            window.slide(held.clone());
            let mut expected = values[held.clone()].to_vec();
            expected.sort_by(order);
            for (rank, expected) in expected.iter().enumerate() {
                let found = window.at(rank);
                let same = found.to_bits() == expected.to_bits();
                assert!(same || found.is_nan() && expected.is_nan(), "{rank} of {held:?}");
            }
        }
    }
}
