//! A heat map: time across, the values of observations up, and how many there are as shades.
//!
//! Its rows are the buckets of the histograms, or neighbouring ones together, so the value axis is as
//! even or uneven as the buckets are, and each line says where its row ends. With colours a line of
//! text can hold two rows.

use anstyle::{Ansi256Color, Style};
use promql_model::{Bucket, FloatHistogram, fraction_below};

use super::Scene;
use super::text::{self, Paper};
use crate::render::grid::{DIM, push_styled};
use crate::render::number;
use crate::visible;

/// The shades from few observations to many.
const SHADES: [char; 4] = ['░', '▒', '▓', '█'];
/// The same in ASCII.
const ASCII_SHADES: [char; 4] = ['.', ':', '+', '#'];
/// The same in colours of the usual palette of 256: from dark to light, so that more is brighter for
/// the colour-blind, too.
const COLORS: [u8; 8] = [18, 54, 90, 126, 161, 202, 214, 227];

/// How many observations there are in each row at each column.
#[derive(Clone, Debug)]
pub struct HeatMap {
    /// Where rows end, from the lower end of the lowest one to the upper end of the highest one.
    edges: Vec<f64>,
    /// For each column the rows from the lowest to the highest. A column without samples has none.
    columns: Vec<Vec<f64>>,
    largest: f64,
}

impl HeatMap {
    /// The map of histograms at their times, in order, over the times of a scene. None if no bucket
    /// has any observations.
    pub fn new(
        samples: &[(i64, FloatHistogram)],
        scene: &Scene,
        columns: usize,
        most_rows: usize,
    ) -> Option<HeatMap> {
        let edges = edges(samples.iter().map(|(_, histogram)| histogram), most_rows.max(1))?;
        let rows: Vec<Vec<f64>> = samples.iter().map(|(_, h)| rows(h, &edges)).collect();
        let mut shown = vec![Vec::new(); columns];
        for (at, (time, _)) in samples.iter().enumerate() {
            let column = (scene.across(*time) * (columns as f64 - 1.0)).round() as usize;
            if let Some(shown) = shown.get_mut(column) {
                shown.push(at);
            }
        }
        let columns = shown.into_iter().enumerate().map(|(column, mut shown)| {
            if shown.is_empty() {
                shown.extend(nearest(samples, scene, column, columns));
            }
            mean(&shown.iter().filter_map(|&at| rows.get(at)).collect::<Vec<_>>())
        });
        let columns: Vec<Vec<f64>> = columns.collect();
        let finite = columns.iter().flatten().copied().filter(|count| count.is_finite());
        let largest = finite.fold(0.0, f64::max);
        (largest > 0.0).then_some(HeatMap { edges, columns, largest })
    }

    /// The number of rows.
    fn rows(&self) -> usize {
        self.edges.len() - 1
    }

    /// Which of so many shades a cell has, from 0 on; none without observations.
    fn shade(&self, row: usize, column: usize, shades: usize) -> Option<usize> {
        let count = self.columns.get(column)?.get(row).copied().filter(|count| *count > 0.0)?;
        // Few observations are told apart better than many.
        let part = (count / self.largest).sqrt() * shades as f64;
        Some((part.ceil() as usize).clamp(1, shades) - 1)
    }

    /// How many observations a cell of a shade has at most.
    fn most(&self, shade: usize, shades: usize) -> f64 {
        self.largest * ((shade + 1) as f64 / shades as f64).powi(2)
    }
}

/// The sample whose time a column stands for, if it is near enough.
fn nearest(
    samples: &[(i64, FloatHistogram)],
    scene: &Scene,
    column: usize,
    columns: usize,
) -> Option<usize> {
    let part = column as f64 / (columns as f64 - 1.0).max(1.0);
    let time = scene.start + (part * (scene.end as f64 - scene.start as f64)).round() as i64;
    let after = samples.partition_point(|(at, _)| *at < time);
    let candidates = [after.checked_sub(1), Some(after)].into_iter().flatten();
    let distances = candidates.filter_map(|at| Some((samples.get(at)?.0.abs_diff(time), at)));
    distances.min().filter(|(distance, _)| *distance <= scene.gap.unsigned_abs() / 2).map(|n| n.1)
}

/// The mean of some columns.
fn mean(columns: &[&Vec<f64>]) -> Vec<f64> {
    let Some((first, others)) = columns.split_first() else { return Vec::new() };
    let mut sums = (*first).clone();
    for column in others {
        sums.iter_mut().zip(*column).for_each(|(sum, count)| *sum += count);
    }
    sums.iter_mut().for_each(|sum| *sum /= columns.len() as f64);
    sums
}

/// Where rows end: where populated buckets begin and end, or some of that if it is too much.
fn edges<'a>(
    histograms: impl Iterator<Item = &'a FloatHistogram>,
    most_rows: usize,
) -> Option<Vec<f64>> {
    let populated =
        histograms.flat_map(FloatHistogram::buckets).filter(|bucket| bucket.count > 0.0);
    let mut edges: Vec<f64> = populated.flat_map(|bucket| [bucket.lower, bucket.upper]).collect();
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    let together = edges.len().saturating_sub(1).div_ceil(most_rows).max(1);
    let last = *edges.last()?;
    let mut kept: Vec<f64> = edges.into_iter().step_by(together).collect();
    if kept.last() != Some(&last) {
        kept.push(last);
    }
    (kept.len() > 1).then_some(kept)
}

/// How many observations of a histogram lie in each row. A bucket that reaches over several is divided
/// as quantiles divide it.
fn rows(histogram: &FloatHistogram, edges: &[f64]) -> Vec<f64> {
    let mut rows = vec![0.0; edges.len() - 1];
    for Bucket { lower, upper, count, .. } in histogram.buckets() {
        let linear = histogram.has_custom_buckets() || (lower <= 0.0 && upper >= 0.0);
        let below = |value: f64| match value {
            value if value <= lower => 0.0,
            value if value >= upper => 1.0,
            value => fraction_below(lower, upper, value, linear),
        };
        let first = edges.partition_point(|edge| *edge <= lower).saturating_sub(1);
        for (row, ends) in rows.iter_mut().zip(edges.windows(2)).skip(first) {
            if ends[0] >= upper {
                break;
            }
            *row += count * (below(ends[1]) - below(ends[0]));
        }
    }
    rows
}

/// Draws the map with its axes and what its shades mean. None when there is nothing to draw.
pub fn draw(samples: &[(i64, FloatHistogram)], scene: &Scene, paper: &Paper) -> Option<String> {
    let every = edges(samples.iter().map(|(_, histogram)| histogram), usize::MAX)?;
    let coloured = paper.color && paper.unicode;
    // Two rows in a line where one isn't enough for all buckets.
    let in_line = if coloured && every.len() - 1 > paper.rows { 2 } else { 1 };
    let edges = edges(samples.iter().map(|(_, histogram)| histogram), paper.rows * in_line)?;
    let bounds: Vec<String> = edges.iter().map(|edge| number::short(*edge, 3, false)).collect();
    let gutter = bounds.iter().map(|label| visible::width(label)).max().unwrap_or(0) + 1;
    let columns = text::canvas_columns(paper, gutter);
    let map = HeatMap::new(samples, scene, columns, paper.rows * in_line)?;
    let [tick, corner] = if paper.unicode { ["┤", "└"] } else { ["+", "+"] };
    let mut out = String::new();
    let lines = map.rows().div_ceil(in_line);
    for line in (0..lines).rev() {
        let low = line * in_line;
        let end = (low + in_line).min(map.rows());
        let label = bounds.get(end).map_or("", String::as_str);
        let padding = " ".repeat(gutter - visible::width(label));
        push_styled(&mut out, &format!("{padding}{label}{tick}"), DIM, paper.color);
        let cells = (0..columns).map(|column| match in_line {
            2 => two_cells(&map, low, column),
            _ => one_cell(&map, low, column, paper),
        });
        push_cells(&mut out, cells, paper.color);
        out.push('\n');
    }
    let lowest = bounds.first().map_or("", String::as_str);
    let padding = " ".repeat(gutter - visible::width(lowest));
    let (rule, labels) = text::time_axis(scene, columns, paper.unicode);
    push_styled(&mut out, &format!("{padding}{lowest}{corner}{rule}"), DIM, paper.color);
    out.push('\n');
    let labels = format!("{:>width$}{labels}", "", width = gutter + 1);
    push_styled(&mut out, labels.trim_end(), DIM, paper.color);
    out.push('\n');
    out.push_str(&legend(&map, paper));
    Some(out)
}

/// A character and how it looks.
type Glyph = (char, Style);

const BLANK: Glyph = (' ', Style::new());

fn one_cell(map: &HeatMap, row: usize, column: usize, paper: &Paper) -> Glyph {
    shade(map.shade(row, column, shades(paper)), paper)
}

/// How many shades can be told apart.
fn shades(paper: &Paper) -> usize {
    if paper.color && paper.unicode { COLORS.len() } else { SHADES.len() }
}

fn shade(shade: Option<usize>, paper: &Paper) -> Glyph {
    let Some(shade) = shade else { return BLANK };
    match (paper.unicode, paper.color) {
        (true, true) => ('█', color(shade)),
        (true, false) => (SHADES[shade], Style::new()),
        (false, _) => (ASCII_SHADES[shade], Style::new()),
    }
}

fn color(shade: usize) -> Style {
    Ansi256Color(COLORS[shade]).on_default()
}

/// Two rows in one line: the upper half of the character and what is behind it.
fn two_cells(map: &HeatMap, low: usize, column: usize) -> Glyph {
    let of = |row: usize| map.shade(row, column, COLORS.len());
    match (of(low + 1), of(low)) {
        (None, None) => BLANK,
        (Some(upper), None) => ('▀', color(upper)),
        (None, Some(lower)) => ('▄', color(lower)),
        (Some(upper), Some(lower)) if upper == lower => ('█', color(upper)),
        (Some(upper), Some(lower)) => {
            ('▀', Ansi256Color(COLORS[upper]).on(Ansi256Color(COLORS[lower])))
        }
    }
}

/// Cells of a line, without blanks at its end, in runs of one style.
fn push_cells(out: &mut String, cells: impl Iterator<Item = Glyph>, color: bool) {
    let mut cells: Vec<Glyph> = cells.collect();
    cells.truncate(cells.iter().rposition(|cell| cell.0 != ' ').map_or(0, |at| at + 1));
    for run in cells.chunk_by(|a, b| a.1 == b.1) {
        let text: String = run.iter().map(|cell| cell.0).collect();
        push_styled(out, &text, run[0].1, color);
    }
}

/// Up to how many observations each shade stands for, in as many lines as the width takes.
fn legend(map: &HeatMap, paper: &Paper) -> String {
    let shades = shades(paper);
    let mut out = String::new();
    let mut width = 0;
    let start = "in a cell up to";
    push_styled(&mut out, start, DIM, paper.color);
    width += visible::width(start);
    for at in 0..shades {
        let (glyph, style) = shade(Some(at), paper);
        let most = number::short(map.most(at, shades), 3, false);
        let taken = 2 + 2 + 1 + visible::width(&most);
        if width + taken > paper.columns {
            out.push('\n');
            width = 0;
        }
        out.push_str("  ");
        push_styled(&mut out, &glyph.to_string().repeat(2), style, paper.color);
        out.push(' ');
        out.push_str(&most);
        width += taken;
    }
    out.push('\n');
    out
}
