//! The functions that need the samples of a window sorted.
//!
//! The window is kept sorted while it slides: a sample enters and leaves by binary search and a
//! move of memory, which for a window of thousands of samples is still but a fraction of a
//! microsecond.

use std::ops::Range;

use super::Windowed;
use crate::arithmetic::{order, quantile_of_sorted};
use crate::column::{Column, ScalarColumn};

/// The samples of a window in the order in which quantiles sort them.
#[derive(Debug, Default)]
struct SortedWindow {
    sorted: Vec<f64>,
    held: Range<usize>,
}

impl SortedWindow {
    /// The sorted samples of a window, neither end of which may be before that of the last call.
    fn over(&mut self, window: Range<usize>, values: &[f64]) -> &[f64] {
        let entered = window.end - self.held.end.min(window.end);
        if window.start >= self.held.end || entered > window.len() / 4 {
            self.sorted.clear();
            self.sorted.extend_from_slice(&values[window.clone()]);
            self.sorted.sort_unstable_by(order);
        } else {
            for left in &values[self.held.start..window.start] {
                let at = self.sorted.partition_point(|v| order(v, left).is_lt());
                self.sorted.remove(at);
            }
            for new in &values[self.held.end..window.end] {
                let at = self.sorted.partition_point(|v| order(v, new).is_lt());
                self.sorted.insert(at, *new);
            }
        }
        self.held = window;
        &self.sorted
    }
}

pub(super) fn quantile_over_time(
    windowed: &Windowed<'_>,
    quantile: &ScalarColumn,
    out: &mut Column,
) {
    let mut sorted = SortedWindow::default();
    windowed.each(out, |step, window| {
        let sorted = sorted.over(window, windowed.samples.values);
        Some(quantile_of_sorted(quantile.at(step), sorted))
    });
}

/// The median distance from the median. The distances have to be sorted again at each step, since
/// all of them change when the median does.
pub(super) fn mad_over_time(windowed: &Windowed<'_>, out: &mut Column) {
    let mut sorted = SortedWindow::default();
    let mut distances = Vec::new();
    windowed.each(out, |_, window| {
        let sorted = sorted.over(window, windowed.samples.values);
        if sorted[0].is_nan() {
            return Some(f64::NAN);
        }
        let median = quantile_of_sorted(0.5, sorted);
        distances.clear();
        distances.extend(sorted.iter().map(|v| (v - median).abs()));
        distances.sort_unstable_by(order);
        Some(quantile_of_sorted(0.5, &distances))
    });
}
