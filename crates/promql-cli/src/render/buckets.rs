//! A native histogram as a drawing: a bar for each bucket, from the lowest values down to the highest,
//! and the buckets in which the median and the high quantiles lie.

use promql_model::{Bucket, FloatHistogram};

use super::grid::{DIM, push_styled};
use super::{Screen, number};
use crate::visible;

/// More buckets than these are put together with their neighbours.
const MOST_ROWS: usize = 24;

/// The longest bar where there is no terminal whose width would say more.
const BAR: usize = 40;

/// A bar shorter than this says nothing.
const SHORTEST_BAR: usize = 8;

/// The eighths of a character.
const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// The quantiles whose buckets are marked.
const MARKED: [(f64, &str); 3] = [(0.5, "p50"), (0.9, "p90"), (0.99, "p99")];

/// A line of the drawing: a bucket, some neighbouring ones, or a gap between populated buckets.
#[derive(Clone, Copy, Debug)]
struct Row {
    lower: f64,
    upper: f64,
    count: f64,
}

/// Draws the buckets, a line for each. Nothing comes of a histogram without populated buckets.
pub fn draw(histogram: &FloatHistogram, screen: &Screen) -> String {
    let rows = rows(histogram);
    let largest = rows.iter().fold(0.0, |most: f64, row| most.max(row.count.abs()));
    let text = |value: f64| number::short(value, 3, false);
    let column = |text: &dyn Fn(&Row) -> String| -> Vec<String> {
        let texts: Vec<String> = rows.iter().map(text).collect();
        let widest = texts.iter().map(|text| visible::width(text)).max().unwrap_or(0);
        let padded = |text: String| " ".repeat(widest - visible::width(&text)) + &text;
        texts.into_iter().map(padded).collect()
    };
    let lower = column(&|row| text(row.lower));
    let upper = column(&|row| text(row.upper));
    let counts = column(&|row| number::legible(row.count, false));
    let marks = marks(histogram, &rows);
    let dash = if screen.unicode { '…' } else { '~' };
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        let bounds = format!("  {} {dash} {}", lower[at], upper[at]);
        push_styled(&mut out, &bounds, DIM, screen.color);
        out.push_str(&format!("  {}  ", counts[at]));
        let taken = visible::width(&bounds) + visible::width(&counts[at]) + 4 + LONGEST_MARK;
        let longest = screen.width.map_or(BAR, |width| width.saturating_sub(taken).min(2 * BAR));
        let longest = longest.max(SHORTEST_BAR);
        out.push_str(&bar(row.count.abs() / largest, longest, screen.unicode));
        if !marks[at].is_empty() {
            push_styled(&mut out, &format!(" {}", marks[at]), DIM, screen.color);
        }
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
    }
    out
}

/// How wide marks are at most: all quantiles in one bucket.
const LONGEST_MARK: usize = " p50 p90 p99".len();

/// From the lowest populated bucket to the highest, gaps in between as rows of their own.
fn rows(histogram: &FloatHistogram) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for Bucket { lower, upper, count, .. } in histogram.buckets() {
        if count == 0.0 && rows.is_empty() {
            continue;
        }
        if let Some(last) = rows.last()
            && last.upper < lower
        {
            let gap = Row { lower: last.upper, upper: lower, count: 0.0 };
            rows.push(gap);
        }
        rows.push(Row { lower, upper, count });
    }
    let populated = rows.iter().rposition(|row| row.count != 0.0).map_or(0, |at| at + 1);
    rows.truncate(populated);
    let together = rows.len().div_ceil(MOST_ROWS).max(1);
    let joined = rows.chunks(together).map(|rows| Row {
        lower: rows[0].lower,
        upper: rows[rows.len() - 1].upper,
        count: rows.iter().map(|row| row.count).sum(),
    });
    joined.collect()
}

/// For each row the names of the quantiles that lie in it.
fn marks(histogram: &FloatHistogram, rows: &[Row]) -> Vec<String> {
    let mut marks = vec![String::new(); rows.len()];
    for (quantile, name) in MARKED {
        let value = histogram.quantile(quantile).value;
        let inside = |row: &Row| row.count > 0.0 && row.lower <= value && value <= row.upper;
        if let Some(mark) = rows.iter().position(inside).and_then(|at| marks.get_mut(at)) {
            if !mark.is_empty() {
                mark.push(' ');
            }
            mark.push_str(name);
        }
    }
    marks
}

/// A bar that takes a part of so many characters, in eighths of one. What is not nothing is seen.
fn bar(part: f64, longest: usize, unicode: bool) -> String {
    if part.is_nan() || part <= 0.0 {
        return String::new();
    }
    if !unicode {
        return "#".repeat(((part * longest as f64).round() as usize).clamp(1, longest));
    }
    let eighths = ((part * longest as f64 * 8.0).round() as usize).clamp(1, longest * 8);
    let mut bar = "█".repeat(eighths / 8);
    bar.extend((eighths % 8).checked_sub(1).and_then(|at| EIGHTHS.get(at)));
    bar
}

#[cfg(test)]
mod tests {
    use super::super::fixture::histogram;
    use super::*;
    use insta::assert_snapshot;
    use promql_model::DenseHistogram;

    #[test]
    fn buckets_are_bars() {
        assert_snapshot!("buckets", draw(&histogram(), &Screen::PLAIN));
        let narrow = Screen { width: Some(50), unicode: false, ..Screen::PLAIN };
        assert_snapshot!("buckets_in_ascii", draw(&histogram(), &narrow));
        assert_eq!(draw(&FloatHistogram::default(), &Screen::PLAIN), "");
    }

    #[test]
    fn many_buckets_are_put_together() {
        let buckets: Vec<f64> = (0..90).map(|at| f64::from((at - 45_i32).abs())).collect();
        let many = FloatHistogram::from(DenseHistogram {
            schema: 3,
            count: buckets.iter().sum(),
            offset: -40,
            buckets,
            ..DenseHistogram::default()
        });
        assert_snapshot!("many_buckets", draw(&many, &Screen::PLAIN));
    }
}
