//! `deriv` and `predict_linear`: the straight line that fits the samples of a window best.
//!
//! The moments of two neighbouring parts of a window can be joined to those of both if they are
//! taken about the means, which is also what keeps them precise, so the window slides on two stacks.

use super::sliding::{Summary, TwoStacks};
use super::{Windowed, seconds};
use crate::column::{Column, ScalarColumn};

/// The means of some points and their second moments about them.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    count: f64,
    mean_x: f64,
    mean_y: f64,
    xx: f64,
    xy: f64,
}

impl Summary for Moments {
    /// Seconds and value.
    type Item = (f64, f64);

    fn push(&mut self, (x, y): (f64, f64)) {
        self.count += 1.0;
        let (dx, dy) = (x - self.mean_x, y - self.mean_y);
        self.mean_x += dx / self.count;
        self.mean_y += dy / self.count;
        self.xx += dx * (x - self.mean_x);
        self.xy += dx * (y - self.mean_y);
    }

    fn join(&self, later: &Self) -> Self {
        if self.count == 0.0 {
            return *later;
        }
        let count = self.count + later.count;
        let (dx, dy) = (later.mean_x - self.mean_x, later.mean_y - self.mean_y);
        let share = later.count / count;
        let weight = self.count * share;
        Moments {
            count,
            mean_x: self.mean_x + dx * share,
            mean_y: self.mean_y + dy * share,
            xx: self.xx + later.xx + dx * dx * weight,
            xy: self.xy + later.xy + dx * dy * weight,
        }
    }
}

/// A line by its slope and a point.
struct Line {
    slope: f64,
    /// Seconds after the first sample of the series.
    x: f64,
    y: f64,
}

/// Gives the line of each window with at least two samples to `value`.
fn each_line(windowed: &Windowed<'_>, out: &mut Column, value: impl Fn(usize, &Line) -> f64) {
    let samples = &windowed.samples;
    let Some(&origin) = samples.timestamps.first() else { return };
    let mut stacks = TwoStacks::<Moments>::default();
    // How many samples up to each one are equal to the ones before.
    let mut equal_since = Vec::with_capacity(samples.values.len());
    for (k, value) in samples.values.iter().enumerate() {
        let since = match k {
            0 => 0,
            _ if *value == samples.values[k - 1] => equal_since[k - 1],
            _ => k,
        };
        equal_since.push(since);
    }
    windowed.each(out, |step, window| {
        let point = |k: usize| (seconds(samples.timestamps[k] - origin), samples.values[k]);
        let moments = stacks.over(window.clone(), point);
        if window.len() < 2 {
            return None;
        }
        let first = samples.values[window.start];
        let line = if equal_since[window.end - 1] <= window.start {
            match first.is_infinite() {
                true => Line { slope: f64::NAN, x: f64::NAN, y: f64::NAN },
                false => Line { slope: 0.0, x: 0.0, y: first },
            }
        } else {
            Line { slope: moments.xy / moments.xx, x: moments.mean_x, y: moments.mean_y }
        };
        Some(value(step, &line))
    });
}

/// The slope of the line, a second.
pub(super) fn deriv(windowed: &Windowed<'_>, out: &mut Column) {
    each_line(windowed, out, |_, line| line.slope);
}

/// Where the line is some seconds after the evaluation time, whatever the offset of the samples.
pub(super) fn predict_linear(windowed: &Windowed<'_>, ahead: &ScalarColumn, out: &mut Column) {
    let origin = windowed.samples.timestamps.first().copied().unwrap_or(0);
    each_line(windowed, out, |step, line| {
        let now = seconds(windowed.grid.at(step).saturating_sub(origin));
        // The value at the evaluation time first: then an infinite slope or distance counts once.
        line.slope * ahead.at(step) + (line.y + line.slope * (now - line.x))
    });
}
