//! `deriv` and `predict_linear`: the straight line that fits the samples of a window best.
//!
//! The moments of two neighbouring parts of a window can be joined to those of both if they are
//! taken about the means, so the window slides on two stacks. Moments about the means are also what
//! keeps the slope precise: upstream subtracts products of sums, which leaves few digits of a slope
//! that is small next to the values, or of a window that lies far from the evaluation time.

use super::Windowed;
use std::ops::Range;

use super::sliding::{CompensatedSum, Summary, TwoStacks};
use crate::column::{Column, ScalarColumn};

/// The means of some points and their second moments about them.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    count: f64,
    mean_x: CompensatedSum,
    mean_y: CompensatedSum,
    xx: CompensatedSum,
    xy: CompensatedSum,
}

impl Summary for Moments {
    /// Milliseconds, which are whole numbers and so exact, and value.
    type Item = (f64, f64);

    fn push(&mut self, (x, y): (f64, f64)) {
        self.count += 1.0;
        let (dx, dy) = (self.mean_x.distance_of(x), self.mean_y.distance_of(y));
        self.mean_x.push(dx / self.count);
        self.mean_y.push(dy / self.count);
        self.xx.push(dx * self.mean_x.distance_of(x));
        self.xy.push(dx * self.mean_y.distance_of(y));
    }

    fn join(&self, later: &Self) -> Self {
        if self.count == 0.0 {
            return *later;
        }
        let count = self.count + later.count;
        let (dx, dy) =
            (self.mean_x.distance_to(&later.mean_x), self.mean_y.distance_to(&later.mean_y));
        let share = later.count / count;
        let weight = self.count * share;
        let mut joined = Moments {
            count,
            mean_x: self.mean_x,
            mean_y: self.mean_y,
            xx: self.xx.join(&later.xx),
            xy: self.xy.join(&later.xy),
        };
        joined.mean_x.push(dx * share);
        joined.mean_y.push(dy * share);
        joined.xx.push(dx * dx * weight);
        joined.xy.push(dx * dy * weight);
        joined
    }
}

/// A line by its slope a second and a point.
struct Line {
    slope: f64,
    /// Milliseconds after the first sample of the series.
    x: CompensatedSum,
    y: f64,
    /// All samples have the same value.
    is_constant: bool,
}

/// Gives the line of each window with at least two samples to `value`.
fn each_line(
    windowed: &Windowed<'_>,
    out: &mut Column,
    value: impl Fn(usize, &Range<usize>, &Line) -> f64,
) {
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
        let point = |k: usize| ((samples.timestamps[k] - origin) as f64, samples.values[k]);
        let moments = stacks.over(window.clone(), point);
        if window.len() < 2 {
            return None;
        }
        let first = samples.values[window.start];
        let line = if equal_since[window.end - 1] <= window.start {
            let (slope, y) = if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) };
            Line { slope, x: moments.mean_x, y, is_constant: true }
        } else {
            let slope = moments.xy.value() / (moments.xx.value() / 1000.0);
            Line { slope, x: moments.mean_x, y: moments.mean_y.value(), is_constant: false }
        };
        Some(value(step, &window, &line))
    });
}

/// The slope of the line, a second.
pub(super) fn deriv(windowed: &Windowed<'_>, out: &mut Column) {
    each_line(windowed, out, |_, _, line| line.slope);
}

/// Where the line is some seconds after the evaluation time, whatever the offset of the samples.
pub(super) fn predict_linear(windowed: &Windowed<'_>, ahead: &ScalarColumn, out: &mut Column) {
    let samples = &windowed.samples;
    let origin = samples.timestamps.first().copied().unwrap_or(0);
    each_line(windowed, out, |step, window, line| {
        let now = windowed.grid.at(step);
        if !line.slope.is_finite() && !line.is_constant {
            let since = |time: &i64| (time - now) as f64 / 1000.0;
            let points = samples.timestamps[window.clone()].iter().map(since);
            return unbounded(points.zip(&samples.values[window.clone()]), ahead.at(step));
        }
        let since = line.x.distance_of(now.saturating_sub(origin) as f64) / 1000.0;
        // The value at the evaluation time first: then an infinite distance counts once.
        line.slope * ahead.at(step) + (line.y + line.slope * since)
    });
}

/// With an infinity among the samples there is no line. What upstream's formula makes of them is
/// infinite where all its sums happen to have one sign, so those have to be formed, over all of the
/// window. `points` are seconds after the evaluation time and values.
fn unbounded<'a>(points: impl Iterator<Item = (f64, &'a f64)>, ahead: f64) -> f64 {
    let mut count = 0.0;
    let mut sums = [CompensatedSum::default(); 4];
    for (x, &y) in points {
        count += 1.0;
        sums.iter_mut().zip([x, y, x * y, x * x]).for_each(|(sum, item)| sum.push(item));
    }
    let [x, y, xy, xx] = sums.map(|sum| sum.value());
    let slope = (xy - x * y / count) / (xx - x * x / count);
    slope * ahead + (y / count - slope * x / count)
}
