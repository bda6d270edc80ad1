//! Sparklines: the shape of a series in the height of a line of text.

use super::{Line, Scene};

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 5] = ['_', '.', '-', '=', '#'];

/// The line's values over the scene's time in so many columns, each the mean of its values, from
/// the line's own smallest to its largest. A column without finite value is blank.
pub fn spark(scene: &Scene, line: &Line, columns: usize, unicode: bool) -> String {
    let mut sums = vec![(0.0f64, 0u32); columns];
    for (time, value) in line.points.iter().filter(|(_, v)| v.is_finite()) {
        let column = (scene.across(*time) * columns as f64) as usize;
        if let Some((mean, count)) = sums.get_mut(column.min(columns.saturating_sub(1))) {
            *count += 1;
            *mean += (value - *mean) / f64::from(*count);
        }
    }
    let means = || sums.iter().filter(|(_, count)| *count > 0).map(|(mean, _)| *mean);
    let low = means().fold(f64::INFINITY, f64::min);
    let high = means().fold(f64::NEG_INFINITY, f64::max);
    let levels: &[char] = if unicode { &BLOCKS } else { &ASCII };
    let level = |value: f64| {
        let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
        // All values equal: the share is no number, and the lowest level is as good as any.
        levels[((share * levels.len() as f64) as usize).min(levels.len() - 1)]
    };
    sums.iter().map(|(mean, count)| if *count == 0 { ' ' } else { level(*mean) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn show(values: &[f64], columns: usize, unicode: bool) -> String {
        let points = values.iter().enumerate().map(|(i, v)| (i as i64, *v)).collect();
        let line = Line { name: String::new(), points };
        let end = values.len() as i64 - 1;
        let zone = TimeZone::UTC;
        let scene = Scene { lines: vec![], start: 0, end, gap: 1, binary: false, zone };
        spark(&scene, &line, columns, unicode)
    }

    #[test]
    fn shapes() {
        assert_eq!(show(&[0., 1., 2., 3., 4., 5., 6., 7.], 8, true), "▁▂▃▄▅▆▇█");
        assert_eq!(show(&[0., 1., 2., 3., 4.], 5, false), "_.-=#");
        assert_eq!(show(&[5., 5., f64::NAN, 5.], 4, true), "▁▁ ▁");
        assert_eq!(show(&[f64::NAN, f64::INFINITY], 3, true), "   ");
        assert_eq!(show(&[1.0, 2.0], 0, true), "");
        assert_eq!(show(&[f64::MIN, f64::MAX], 2, true), "▁█");
    }
}
