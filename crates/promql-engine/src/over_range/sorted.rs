//! The functions that need the samples of a window sorted.
//!
//! The window is kept sorted while it slides, in blocks of a bounded size: a sample enters and leaves
//! by binary search and a move within its block, and a value is found by its rank over the sizes of
//! the blocks. The blocks of a day of samples are few. Where each sample is in several windows, which is
//! so unless a query takes one look only, it takes less to sort [all of them](super::ranked) once.

use std::ops::Range;

use super::Windowed;
use super::ranked::Ranks;
use crate::arithmetic::{order, quantile_of_ranked};
use crate::column::{Column, ScalarColumn};

/// Blocks are cut in two before they have more values.
const BLOCK: usize = 256;

/// The samples of a window in the order in which quantiles sort them.
#[derive(Debug, Default)]
struct SortedWindow {
    /// None of them is empty.
    blocks: Vec<Vec<f64>>,
    held: Range<usize>,
}

impl SortedWindow {
    /// Moves to a window, neither end of which may be before that of the last call.
    fn slide(&mut self, window: Range<usize>, values: &[f64]) {
        let entered = window.end - self.held.end.min(window.end);
        if window.start >= self.held.end || entered > window.len() / 4 {
            let mut sorted = values[window.clone()].to_vec();
            sorted.sort_unstable_by(order);
            self.blocks.clear();
            self.blocks.extend(sorted.chunks(BLOCK / 2).map(<[f64]>::to_vec));
        } else {
            values[self.held.start..window.start].iter().for_each(|left| self.remove(left));
            values[self.held.end..window.end].iter().for_each(|new| self.insert(*new));
        }
        self.held = window;
    }

    fn len(&self) -> usize {
        self.held.len()
    }

    /// The block that has the first value that is not before this one; else the last block.
    fn block_of(&self, value: &f64) -> usize {
        let ends_before = |block: &Vec<f64>| block.last().is_some_and(|v| order(v, value).is_lt());
        self.blocks.partition_point(ends_before).min(self.blocks.len().saturating_sub(1))
    }

    fn insert(&mut self, value: f64) {
        let at = self.block_of(&value);
        let Some(block) = self.blocks.get_mut(at) else {
            self.blocks.push(vec![value]);
            return;
        };
        let position = block.partition_point(|v| order(v, &value).is_lt());
        block.insert(position, value);
        if block.len() >= BLOCK {
            let upper = block.split_off(BLOCK / 2);
            self.blocks.insert(at + 1, upper);
        }
    }

    fn remove(&mut self, value: &f64) {
        let at = self.block_of(value);
        let Some(block) = self.blocks.get_mut(at) else { return };
        let position = block.partition_point(|v| order(v, value).is_lt());
        block.remove(position);
        if block.is_empty() {
            self.blocks.remove(at);
        }
    }

    /// The value with a rank, counted from 0 and below the length.
    fn at(&self, mut rank: usize) -> f64 {
        for block in &self.blocks {
            match block.get(rank) {
                Some(value) => return *value,
                None => rank -= block.len(),
            }
        }
        f64::NAN
    }

    /// How many values are below a number.
    fn rank_of(&self, number: f64) -> usize {
        let at = self.block_of(&number);
        let before: usize = self.blocks[..at].iter().map(Vec::len).sum();
        let within = self.blocks.get(at).map_or(0, |block| block.partition_point(|v| *v < number));
        before + within
    }

    /// The distance from a center with a rank among those of all values. The values below the center
    /// and the others are two lists that are sorted by distance already, of which those with the
    /// smallest `rank + 1` are found by bisection. All values and the center are finite, or the
    /// values are infinite.
    fn distance(&self, center: f64, rank: usize) -> f64 {
        let below = self.rank_of(center);
        let above = self.len() - below;
        let distance_below = |k: usize| (self.at(below - 1 - k) - center).abs();
        let distance_above = |k: usize| (self.at(below + k) - center).abs();
        // How many of them are below.
        let (mut low, mut high) = ((rank + 1).saturating_sub(above), (rank + 1).min(below));
        while low < high {
            let middle = (low + high) / 2;
            match distance_below(middle) < distance_above(rank - middle) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        let last_below = low.checked_sub(1).map(distance_below);
        let last_above = rank.checked_sub(low).map(distance_above);
        last_below.unwrap_or(0.0).max(last_above.unwrap_or(0.0))
    }
}

/// If samples are in so many windows on average, all of them are sorted.
const OFTEN: usize = 4;

pub(super) fn quantile_over_time(
    windowed: &Windowed<'_>,
    quantile: &ScalarColumn,
    out: &mut Column,
) {
    let values = windowed.samples.values;
    if windowed.table.samples_in_windows() >= values.len().saturating_mul(OFTEN) {
        let ranks = Ranks::of(values);
        let mut ranked = ranks.window();
        windowed.each(out, |step, window| {
            let len = window.len();
            ranked.slide(window);
            Some(quantile_of_ranked(quantile.at(step), len, |rank| ranked.at(rank)))
        });
        return;
    }
    let mut sorted = SortedWindow::default();
    windowed.each(out, |step, window| {
        sorted.slide(window, values);
        Some(quantile_of_ranked(quantile.at(step), sorted.len(), |rank| sorted.at(rank)))
    });
}

/// The median distance from the median.
pub(super) fn mad_over_time(windowed: &Windowed<'_>, out: &mut Column) {
    let mut sorted = SortedWindow::default();
    windowed.each(out, |_, window| {
        sorted.slide(window, windowed.samples.values);
        // NaN comes first.
        if sorted.at(0).is_nan() {
            return Some(f64::NAN);
        }
        let median = quantile_of_ranked(0.5, sorted.len(), |rank| sorted.at(rank));
        if !median.is_finite() {
            return Some(mad_of_infinities(&sorted, median));
        }
        Some(quantile_of_ranked(0.5, sorted.len(), |rank| sorted.distance(median, rank)))
    });
}

/// With a median that is infinite, or none, some distances are NaN, which come first: they have to
/// be sorted again. That takes a window at least half of which is infinite.
fn mad_of_infinities(sorted: &SortedWindow, median: f64) -> f64 {
    let mut distances: Vec<f64> =
        sorted.blocks.iter().flatten().map(|v| (v - median).abs()).collect();
    distances.sort_unstable_by(order);
    quantile_of_ranked(0.5, distances.len(), |rank| distances[rank])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that repeat, of either sign, in no order.
    fn values(len: usize) -> Vec<f64> {
        (0..len).map(|k| ((k * 7919 % 1009) as f64 - 400.0) / 8.0 * ((k % 3) as f64)).collect()
    }

    #[test]
    fn ranks_and_distances_are_those_of_the_window() {
        let values = values(5000);
        let mut window = SortedWindow::default();
        // Slides, stands still, grows, shrinks and jumps.
        for held in [0..1500, 10..1510, 10..1510, 20..2300, 1400..2310, 2305..2311, 2311..4999] {
            window.slide(held.clone(), &values);
            let mut expected = values[held].to_vec();
            expected.sort_unstable_by(order);
            let ranked: Vec<f64> = (0..window.len()).map(|rank| window.at(rank)).collect();
            assert_eq!(ranked, expected);
            for center in [-50.0, 0.0, 3.25, 1000.0] {
                let mut distances: Vec<f64> = expected.iter().map(|v| (v - center).abs()).collect();
                distances.sort_unstable_by(order);
                let found: Vec<f64> =
                    (0..window.len()).map(|rank| window.distance(center, rank)).collect();
                assert_eq!(found, distances, "{center}");
            }
        }
    }
}
