//! Which samples of a series each step of a grid looks at.
//!
//! A selector looks at the samples of a window for each step: `(t - range, t]`, shifted by its
//! offset or pinned by `@`. Where those windows begin and end in a column of timestamps is worked
//! out once for all steps, and once for all the series that have the same timestamps: the series of
//! one target are scraped together, so the table of one of them serves all. Comparing two columns of
//! timestamps costs a small part of what searching them does.

use crate::grid::Grid;
use crate::shared_timestamps::KnownTimestamps;
use crate::storage::TimeRange;

/// The windows of a selector or subquery over the steps of a grid. Times in milliseconds. Each
/// window excludes its start and includes its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Windows {
    /// The end of the first step's window.
    pub(crate) first_end: i64,
    /// What lies between the ends of two windows: the step, or nothing under `@`.
    pub(crate) stride: i64,
    /// How far each window reaches back.
    pub(crate) range: i64,
    /// The number of steps.
    pub(crate) len: usize,
}

impl Windows {
    /// The windows for a grid: `range` long, pinned to `at` if that is given, shifted to the past
    /// by `offset`.
    pub(crate) fn new(grid: &Grid, range: i64, at: Option<i64>, offset: i64) -> Windows {
        let (end, stride) = match at {
            Some(at) => (at, 0),
            None => (grid.start, grid.step),
        };
        Windows { first_end: end.saturating_sub(offset), stride, range, len: grid.len }
    }

    /// The end of a step's window.
    pub(crate) fn end(&self, step: usize) -> i64 {
        self.first_end.saturating_add(self.stride.saturating_mul(step as i64))
    }

    /// What a step's window excludes: its start and all before.
    pub(crate) fn start(&self, step: usize) -> i64 {
        self.end(step).saturating_sub(self.range)
    }

    /// The times in any of the windows.
    pub(crate) fn time_range(&self) -> TimeRange {
        TimeRange {
            start: self.start(0).saturating_add(1),
            end: self.end(self.len.saturating_sub(1)),
        }
    }
}

/// The windows as positions in a column of timestamps.
#[derive(Debug, Default)]
pub(crate) struct WindowTable {
    windows: Option<Windows>,
    /// What they are over: how many timestamps, which ones, or a copy of them if that isn't known.
    len: usize,
    known: Option<KnownTimestamps>,
    timestamps: Vec<i64>,
    /// Changes when the table does, so that what was derived from it can be kept as long.
    pub(crate) version: u64,
    /// For each step the position of its first sample.
    pub(crate) first: Vec<u32>,
    /// For each step the position behind its last sample.
    pub(crate) end: Vec<u32>,
    /// The steps in pieces, so that in the regular ones each step's window is the same number of
    /// samples further than that of the step before: kernels then run over slices.
    pub(crate) pieces: Vec<Piece>,
    /// The number of samples in the longest window.
    pub(crate) longest: usize,
}

/// Some successive steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// By how many samples, one or more, both ends of the window move with each step. Each window
    /// then has two samples or more. Nothing if the steps are not regular.
    pub(crate) stride: Option<usize>,
}

/// Shorter regular pieces are not worth it.
const SHORTEST_REGULAR: usize = 8;

impl WindowTable {
    /// Makes the table for these windows over these timestamps, unless it is that already. The
    /// timestamps ascend, and there are fewer than 2^32.
    pub(crate) fn update(
        &mut self,
        windows: &Windows,
        timestamps: &[i64],
        known: Option<KnownTimestamps>,
    ) {
        let is_over = || match known {
            Some(_) => self.known == known && self.len == timestamps.len(),
            None => self.known.is_none() && self.timestamps == timestamps,
        };
        if self.windows == Some(*windows) && is_over() {
            return;
        }
        self.windows = Some(*windows);
        (self.known, self.len) = (known, timestamps.len());
        self.timestamps.clear();
        if known.is_none() {
            self.timestamps.extend_from_slice(timestamps);
        }
        self.version += 1;
        self.search(windows, timestamps);
        self.find_pieces();
    }

    /// How many samples all windows have, those in several windows counted for each.
    pub(crate) fn samples_in_windows(&self) -> usize {
        self.first.iter().zip(&self.end).map(|(first, end)| (end - first) as usize).sum()
    }

    /// How much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.timestamps.capacity() * 8
            + (self.first.capacity() + self.end.capacity()) * 4
            + self.pieces.capacity() * size_of::<Piece>()
    }

    /// The positions of a step's samples.
    pub(crate) fn at(&self, step: usize) -> std::ops::Range<usize> {
        self.first[step] as usize..self.end[step] as usize
    }

    fn search(&mut self, windows: &Windows, timestamps: &[i64]) {
        for positions in [&mut self.first, &mut self.end] {
            positions.clear();
            positions.reserve_exact(windows.len);
        }
        self.longest = 0;
        let (mut first, mut end) = (0, 0);
        let (mut first_stride, mut end_stride) = (0, 0);
        for step in 0..windows.len {
            let before = (first, end);
            first = first_after(timestamps, first, first_stride, windows.start(step));
            end = first_after(timestamps, end.max(first), end_stride, windows.end(step));
            (first_stride, end_stride) = (first - before.0, end - before.1);
            self.first.push(first as u32);
            self.end.push(end as u32);
            self.longest = self.longest.max(end - first);
        }
    }

    fn find_pieces(&mut self) {
        self.pieces.clear();
        let len = self.first.len();
        let moves = |step: usize| {
            let first = self.first[step] - self.first[step - 1];
            let end = self.end[step] - self.end[step - 1];
            (first == end && first > 0).then_some(first as usize)
        };
        let mut irregular_from = 0;
        let mut step = 0;
        while step < len {
            let from = step;
            step += 1;
            if self.end[from] - self.first[from] < 2 || step == len {
                continue;
            }
            let stride = moves(step);
            while stride.is_some() && step < len && moves(step) == stride {
                step += 1;
            }
            if step - from >= SHORTEST_REGULAR {
                if irregular_from < from {
                    self.pieces.push(Piece { from: irregular_from, to: from, stride: None });
                }
                self.pieces.push(Piece { from, to: step, stride });
                irregular_from = step;
            } else if step > from + 1 {
                // The last of these steps may begin a piece of its own.
                step -= 1;
            }
        }
        if irregular_from < len {
            self.pieces.push(Piece { from: irregular_from, to: len, stride: None });
        }
    }
}

/// The position of the first timestamp after `bound`, not before position `from`. Looks `guess` further,
/// which is how far it was last time, then nearby: successive windows are usually close to each other.
fn first_after(timestamps: &[i64], from: usize, guess: usize, bound: i64) -> usize {
    let rest = &timestamps[from..];
    if rest.get(guess).is_some_and(|&t| t > bound) && (guess == 0 || rest[guess - 1] <= bound) {
        return from + guess;
    }
    let mut reach = 1;
    while reach <= rest.len() && rest[reach - 1] <= bound {
        reach *= 2;
    }
    let low = reach / 2;
    let high = reach.min(rest.len());
    from + low + rest[low..high].partition_point(|&t| t <= bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KnownFloats, SharedTimestamps};

    fn table(timestamps: &[i64], grid: Grid, range: i64) -> WindowTable {
        let mut table = WindowTable::default();
        table.update(&Windows::new(&grid, range, None, 0), timestamps, None);
        table
    }

    /// A table of timestamps that have a number is made again for others, and only for others.
    #[test]
    fn timestamps_are_known_by_their_number() {
        let shared =
            [SharedTimestamps::new([0, 10, 20, 30]), SharedTimestamps::new([5, 15, 25, 35])];
        let windows = Windows::new(&Grid { start: 0, step: 10, len: 4 }, 20, None, 0);
        let mut kept = WindowTable::default();
        let mut versions = Vec::new();
        let cases = [(0, 0..4), (0, 0..4), (0, 1..4), (0, 1..3), (1, 1..3), (1, 1..3), (0, 0..4)];
        for (number, range) in cases {
            let known = KnownFloats::of(&shared[number], true).behind(range.start).timestamps;
            let timestamps = &shared[number][range];
            kept.update(&windows, timestamps, known);
            versions.push(kept.version);
            let mut fresh = WindowTable::default();
            fresh.update(&windows, timestamps, None);
            assert_eq!((&kept.first, &kept.end), (&fresh.first, &fresh.end));
            assert_eq!(kept.longest, fresh.longest);
        }
        assert_eq!(versions, [1, 1, 2, 3, 4, 4, 5]);
        // What has no number is compared, with one that has none.
        for (version, timestamps) in [(6, [0, 10]), (6, [0, 10]), (7, [0, 11])] {
            kept.update(&windows, &timestamps, None);
            assert_eq!(kept.version, version);
        }
    }

    #[test]
    fn windows_exclude_their_start_and_include_their_end() {
        let timestamps: Vec<i64> = (0..50).map(|k| k * 10 + k % 3).collect();
        let grid = Grid { start: -20, step: 7, len: 90 };
        for range in [1, 10, 35, 400] {
            let table = table(&timestamps, grid, range);
            for step in 0..grid.len {
                let end = grid.at(step);
                let inside: Vec<usize> = (0..timestamps.len())
                    .filter(|&k| end - range < timestamps[k] && timestamps[k] <= end)
                    .collect();
                assert_eq!(table.at(step).collect::<Vec<_>>(), inside, "{range} at {end}");
            }
        }
    }

    #[test]
    fn regular_pieces_move_by_the_same_number_of_samples_a_step() {
        let mut timestamps: Vec<i64> = (0..100).map(|k| k * 10 + 3).collect();
        timestamps.remove(50);
        let table = table(&timestamps, Grid { start: 0, step: 10, len: 100 }, 40);
        let regular: Vec<(usize, usize, usize)> =
            table.pieces.iter().filter_map(|p| Some((p.from, p.to, p.stride?))).collect();
        assert_eq!(regular, [(4, 51, 1), (55, 100, 1)]);
        assert!(table.pieces.windows(2).all(|p| p[0].to == p[1].from));
        assert_eq!(table.pieces.last().map(|p| p.to), Some(100));

        let coarse = Grid { start: 100, step: 30, len: 25 };
        let table = self::table(&timestamps, coarse, 100);
        let strides: Vec<_> = table.pieces.iter().map(|p| (p.from, p.to, p.stride)).collect();
        assert_eq!(strides, [(0, 14, Some(3)), (14, 17, None), (17, 25, Some(3))]);
    }
}
