//! Graphs of values over time.
//!
//! A [`Scene`] says what is to be seen: lines, two axes with their ticks, and where lines are broken
//! because samples are missing. [`text`] draws it with characters for a terminal, [`svg`] as an
//! image; both draw the same scene, so they can't disagree about it.
//!
//! A native histogram over time is a [heat map](heat) on the same axis of time.
//!
//! All series share one canvas. Lines differ by colour and by marker, so that they can be told
//! apart without colours too.

pub mod canvas;
pub mod heat;
pub mod spark;
pub mod svg;
pub mod text;
pub mod time_ticks;
pub mod value_ticks;

use jiff::tz::TimeZone;

use value_ticks::ValueAxis;

/// What is to be seen.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The lines, in the order of the legend.
    pub lines: Vec<Line>,
    /// The time at the left edge, in milliseconds since the epoch.
    pub start: i64,
    /// The time at the right edge; not before the start.
    pub end: i64,
    /// Two samples that are further apart than this, in milliseconds, are not joined.
    pub gap: i64,
    /// Whether values count bytes, so that ticks are round in powers of two.
    pub binary: bool,
    /// The zone of the time axis.
    pub zone: TimeZone,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// What the legend calls it: text that is safe to show.
    pub name: String,
    /// Times in milliseconds since the epoch with values, in order of time. What is not finite is
    /// not drawn, and breaks the line.
    pub points: Vec<(i64, f64)>,
}

/// How many lines can be told apart by colour and marker; then they repeat.
pub const STYLES: usize = 8;

impl Scene {
    /// The finite values' smallest and largest. None if there are none.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        let values = self.lines.iter().flat_map(|l| &l.points).map(|(_, v)| *v);
        values.filter(|v| v.is_finite()).fold(None, |bounds, v| match bounds {
            None => Some((v, v)),
            Some((low, high)) => Some((v.min(low), v.max(high))),
        })
    }

    /// The value axis with about so many ticks. None if there is nothing to draw.
    pub fn value_axis(&self, about: usize) -> Option<ValueAxis> {
        let (low, high) = self.bounds()?;
        Some(ValueAxis::new(low, high, about, self.binary))
    }

    /// Where a time lies between the left edge (0) and the right edge (1). A scene of one moment has
    /// it in the middle.
    pub fn across(&self, time: i64) -> f64 {
        if self.end <= self.start {
            return 0.5;
        }
        (time as f64 - self.start as f64) / (self.end as f64 - self.start as f64)
    }
}

impl Line {
    /// The parts of the line that are drawn without lifting the pen: neighbours that are finite and
    /// not further apart than `gap`.
    pub fn segments(&self, gap: i64) -> Vec<&[(i64, f64)]> {
        let mut segments = Vec::new();
        let mut start = 0;
        let end_segment = |from: usize, to: usize, segments: &mut Vec<_>| {
            if to > from {
                segments.push(&self.points[from..to]);
            }
        };
        for (at, (time, value)) in self.points.iter().enumerate() {
            if !value.is_finite() {
                end_segment(start, at, &mut segments);
                start = at + 1;
            } else if at > start && time.saturating_sub(self.points[at - 1].0) > gap {
                end_segment(start, at, &mut segments);
                start = at;
            }
        }
        end_segment(start, self.points.len(), &mut segments);
        segments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_gaps_and_at_what_is_not_finite() {
        let values = [(0, 1.0), (10, 2.0), (30, 3.0), (40, f64::NAN), (50, 5.0)];
        let line = Line { name: String::new(), points: values.to_vec() };
        assert_eq!(line.segments(15), [&values[0..2], &values[2..3], &values[4..5]]);
        let nothing = Line { name: String::new(), points: vec![(0, f64::INFINITY)] };
        assert!(nothing.segments(15).is_empty());
    }
}
