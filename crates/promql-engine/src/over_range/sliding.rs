//! Sums over a window that slides, in constant time a step and without ever subtracting.
//!
//! Subtracting what left the window from a running sum, or one prefix sum from another, loses
//! precision for good once a large value has passed, and an infinity or NaN never leaves. Two
//! stacks only add: the window is cut in two, the back part grows by one summary as samples enter,
//! and for the front part there is a summary from each of its positions to the cut. When the front
//! part has left the window, the back part becomes the front. Each sample is thus summed twice.

use std::collections::VecDeque;
use std::ops::Range;

use crate::arithmetic::compensated_add;

/// What is known about some successive samples.
pub(super) trait Summary: Copy + Default {
    /// What is summarised.
    type Item;

    /// Adds one sample behind the others.
    fn push(&mut self, item: Self::Item);

    /// Adds one sample before the others. Where the order doesn't matter that is the same.
    fn push_front(&mut self, item: Self::Item) {
        self.push(item);
    }

    /// The summary of these samples and the later ones behind them.
    fn join(&self, later: &Self) -> Self;
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct TwoStacks<S> {
    /// The summaries of the positions from `front_end - 1 - k` to `front_end`.
    front: Vec<S>,
    front_end: usize,
    /// The summary of the positions from `front_end` to `back_end`.
    back: S,
    back_end: usize,
}

impl<S: Summary> TwoStacks<S> {
    /// The summary of a window, neither end of which may be before that of the last call. A first
    /// window is summed in order of time, so that an instant query adds as upstream does.
    pub(super) fn over(&mut self, window: Range<usize>, item: impl Fn(usize) -> S::Item) -> S {
        if window.start >= self.back_end {
            self.front.clear();
            self.front_end = window.start;
            self.back = S::default();
            self.back_end = window.start;
        }
        for position in self.back_end..window.end {
            self.back.push(item(position));
        }
        self.back_end = window.end;
        if window.start > self.front_end {
            self.front.clear();
            self.front_end = window.end;
            self.back = S::default();
            let mut summary = S::default();
            for position in window.clone().rev() {
                summary.push_front(item(position));
                self.front.push(summary);
            }
        }
        match self.front_end.checked_sub(window.start + 1) {
            Some(at) if self.front_end == self.back_end => self.front[at],
            Some(at) => self.front[at].join(&self.back),
            None => self.back,
        }
    }
}

/// A compensated sum.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CompensatedSum {
    pub(super) sum: f64,
    pub(super) compensation: f64,
}

impl CompensatedSum {
    /// The value: an infinite sum counts as it is.
    pub(super) fn value(&self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.sum + self.compensation }
    }

    /// How far a number is above the value. What the sum lost counts, too: next to a large value
    /// the difference may be smaller than what the value would be rounded by.
    pub(super) fn distance_of(&self, item: f64) -> f64 {
        (item - self.sum) - self.compensation
    }

    /// How far another value is above this one.
    pub(super) fn distance_to(&self, other: &Self) -> f64 {
        (other.sum - self.sum) + (other.compensation - self.compensation)
    }
}

impl Summary for CompensatedSum {
    type Item = f64;

    #[inline]
    fn push(&mut self, item: f64) {
        (self.sum, self.compensation) = compensated_add(self.sum, self.compensation, item);
    }

    #[inline]
    fn join(&self, later: &Self) -> Self {
        let (sum, compensation) =
            compensated_add(self.sum, self.compensation + later.compensation, later.sum);
        CompensatedSum { sum, compensation }
    }
}

/// The number, the mean and the sum of squared distances from the mean.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spread {
    count: f64,
    mean: CompensatedSum,
    squares: CompensatedSum,
}

impl Spread {
    /// The population variance.
    pub(super) fn variance(&self) -> f64 {
        (self.squares.sum + self.squares.compensation) / self.count
    }
}

impl Summary for Spread {
    type Item = f64;

    /// Welford's update, with compensated sums as upstream has them. Upstream rounds the mean
    /// before it takes distances from it, which leaves nothing of the variance of samples that
    /// differ in their last digits; here the distances are exact.
    fn push(&mut self, item: f64) {
        self.count += 1.0;
        let distance = self.mean.distance_of(item);
        self.mean.push(distance / self.count);
        self.squares.push(distance * self.mean.distance_of(item));
    }

    /// The combination of two such states that Chan, Golub and LeVeque give.
    fn join(&self, later: &Self) -> Self {
        if self.count == 0.0 {
            return *later;
        }
        let count = self.count + later.count;
        let distance = self.mean.distance_to(&later.mean);
        let mut mean = self.mean;
        mean.push(distance * (later.count / count));
        let mut squares = self.squares.join(&later.squares);
        squares.push(distance * distance * (self.count * later.count / count));
        Spread { count, mean, squares }
    }
}

/// The largest of some samples, or the smallest: of equal ones the first, and NaN never. Where there is
/// nothing else, it is [`Outermost::NOTHING`]. On two stacks that is some more comparisons than with an
/// [`Extreme`], but none that has to be guessed, which takes longer where values go up and down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outermost<const LARGEST: bool>(pub(super) f64);

impl<const LARGEST: bool> Outermost<LARGEST> {
    /// Any number is as good as this.
    pub(super) const NOTHING: f64 = if LARGEST { f64::NEG_INFINITY } else { f64::INFINITY };
}

impl<const LARGEST: bool> Default for Outermost<LARGEST> {
    fn default() -> Self {
        Outermost(Self::NOTHING)
    }
}

impl<const LARGEST: bool> Summary for Outermost<LARGEST> {
    type Item = f64;

    #[inline]
    fn push(&mut self, item: f64) {
        let is_better = if LARGEST { item > self.0 } else { item < self.0 };
        self.0 = if is_better { item } else { self.0 };
    }

    #[inline]
    fn push_front(&mut self, item: f64) {
        let is_as_good = if LARGEST { item >= self.0 } else { item <= self.0 };
        self.0 = if is_as_good { item } else { self.0 };
    }

    #[inline]
    fn join(&self, later: &Self) -> Self {
        let mut both = *self;
        both.push(later.0);
        both
    }
}

/// The position of the extreme sample of a window that slides: a queue of the samples that may yet
/// become the extreme, each better than those behind it. NaN never is.
#[derive(Debug, Default)]
pub(super) struct Extreme {
    queue: VecDeque<u32>,
    end: usize,
}

impl Extreme {
    /// The position of the extreme of a window, neither end of which may be before that of the last
    /// call. `replaces(new, old)` says whether a later sample makes an earlier one irrelevant.
    /// Nothing if all samples are NaN.
    pub(super) fn over(
        &mut self,
        window: Range<usize>,
        values: &[f64],
        replaces: impl Fn(f64, f64) -> bool,
    ) -> Option<usize> {
        while self.queue.front().is_some_and(|&k| (k as usize) < window.start) {
            self.queue.pop_front();
        }
        for position in self.end.max(window.start)..window.end {
            let new = values[position];
            if new.is_nan() {
                continue;
            }
            while self.queue.back().is_some_and(|&k| replaces(new, values[k as usize])) {
                self.queue.pop_back();
            }
            self.queue.push_back(position as u32);
        }
        self.end = window.end;
        self.queue.front().map(|&k| k as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows that slide, stand still, jump and shrink.
    const WINDOWS: [Range<usize>; 9] =
        [0..4, 0..4, 1..6, 3..6, 4..9, 9..12, 14..20, 19..20, 19..30];

    fn values() -> Vec<f64> {
        let wild = [1e100, -3.0, f64::INFINITY, 0.1, f64::NAN, -1e100, 7.0, 1e-9, 2.0, -0.0, 5.0];
        (0..30).map(|k| wild[k * 7 % wild.len()]).collect()
    }

    #[test]
    fn two_stacks_sum_what_is_in_the_window() {
        let values = values();
        let mut stacks = TwoStacks::<CompensatedSum>::default();
        for window in WINDOWS {
            let mut all = CompensatedSum::default();
            values[window.clone()].iter().for_each(|&v| all.push(v));
            let (slid, expected) = (stacks.over(window, |k| values[k]).value(), all.value());
            assert!(
                slid == expected
                    || (slid.is_nan() && expected.is_nan())
                    || (slid - expected).abs() <= 1e-15 * expected.abs(),
                "{slid} {expected}"
            );
        }
    }

    #[test]
    fn extremes_are_those_of_the_window() {
        let values = values();
        let mut extreme = Extreme::default();
        let mut largest = TwoStacks::<Outermost<true>>::default();
        let mut smallest = TwoStacks::<Outermost<false>>::default();
        for window in WINDOWS {
            let expected = values[window.clone()].iter().copied().fold(f64::NAN, f64::max);
            let found =
                extreme.over(window.clone(), &values, |new, old| new > old).map(|k| values[k]);
            assert_eq!(found.unwrap_or(f64::NAN).to_bits(), expected.to_bits());
            assert_eq!(largest.over(window.clone(), |k| values[k]).0.to_bits(), expected.to_bits());
            let expected = values[window.clone()].iter().copied().fold(f64::NAN, f64::min);
            assert_eq!(smallest.over(window, |k| values[k]).0.to_bits(), expected.to_bits());
        }
    }
}
