//! A scene drawn with characters.

use anstyle::{AnsiColor, Style};

use super::canvas::{ASCII_MARKERS, Canvas, MARKERS};
use super::value_ticks::ValueAxis;
use super::{STYLES, Scene, time_ticks};
use crate::render::grid::{DIM, push_styled};
use crate::visible;

/// How large the drawing is, and what it may use.
#[derive(Clone, Copy, Debug)]
pub struct Paper {
    /// Columns of the whole drawing, axis included.
    pub columns: usize,
    /// Lines of the canvas; the time axis takes two more.
    pub rows: usize,
    /// Whether escape sequences for colours are wanted.
    pub color: bool,
    /// Whether characters beyond ASCII can be drawn.
    pub unicode: bool,
}

/// Narrower than this nothing can be seen.
const NARROWEST_CANVAS: usize = 10;

/// So many columns lie between two markers of a line.
const MARKER_DISTANCE: usize = 16;

/// The colours of lines, from the palette that the terminal's owner chose.
const COLORS: [AnsiColor; STYLES] = [
    AnsiColor::Cyan,
    AnsiColor::Yellow,
    AnsiColor::Magenta,
    AnsiColor::Green,
    AnsiColor::Red,
    AnsiColor::Blue,
    AnsiColor::BrightWhite,
    AnsiColor::BrightGreen,
];

/// The style of a line's dots, marker and legend.
pub fn line_style(number: usize) -> Style {
    COLORS[number % STYLES].on_default()
}

/// The marker of a line.
pub fn marker(number: usize, unicode: bool) -> char {
    if unicode { MARKERS[number % STYLES] } else { ASCII_MARKERS[number % STYLES] }
}

/// Draws the canvas with its axes; no legend. None when there is no finite value to draw.
pub fn draw(scene: &Scene, paper: &Paper) -> Option<String> {
    let axis = scene.value_axis((paper.rows / 3).max(2))?;
    let gutter = axis.ticks.iter().map(|(_, l)| visible::width(l)).max().unwrap_or(0) + 1;
    let columns = canvas_columns(paper, gutter);
    let canvas = plot(scene, &axis, columns, paper);
    let mut out = String::new();
    let mut labels = vec![None; paper.rows];
    for (value, label) in &axis.ticks {
        let (_, dot) = canvas.dot(0.0, axis.up(*value));
        let row = dot as usize * paper.rows / canvas.height().max(1);
        if let Some(slot) = labels.get_mut(row) {
            *slot = Some(label);
        }
    }
    let [tick, rail, corner] = if paper.unicode { ["┤", "│", "└"] } else { ["+", "|", "+"] };
    for (row, label) in labels.into_iter().enumerate() {
        let edge = match label {
            Some(label) => format!("{label:>width$}{tick}", width = gutter),
            None => format!("{:>width$}{rail}", "", width = gutter),
        };
        push_styled(&mut out, &edge, DIM, paper.color);
        push_row(&mut out, &canvas, row, columns, paper.color);
        out.push('\n');
    }
    let (rule, labels) = time_axis(scene, columns, paper.unicode);
    let edge = format!("{:>width$}{corner}{rule}", "", width = gutter);
    push_styled(&mut out, &edge, DIM, paper.color);
    out.push('\n');
    let labels = format!("{:>width$}{labels}", "", width = gutter + 1);
    push_styled(&mut out, labels.trim_end(), DIM, paper.color);
    out.push('\n');
    Some(out)
}

/// The columns that are left beside labels of this width and the axis.
pub(super) fn canvas_columns(paper: &Paper, gutter: usize) -> usize {
    paper.columns.saturating_sub(gutter + 1).max(NARROWEST_CANVAS)
}

fn plot(scene: &Scene, axis: &ValueAxis, columns: usize, paper: &Paper) -> Canvas {
    let mut canvas = Canvas::new(columns, paper.rows, paper.unicode);
    let dots = |canvas: &Canvas, points: &[(i64, f64)]| -> Vec<(i64, i64)> {
        points.iter().map(|(t, v)| canvas.dot(scene.across(*t), axis.up(*v))).collect()
    };
    for (number, line) in scene.lines.iter().enumerate() {
        for segment in line.segments(scene.gap) {
            let dots = dots(&canvas, segment);
            if let [only] = dots[..] {
                canvas.line(only, only, number);
            }
            for pair in dots.windows(2) {
                canvas.line(pair[0], pair[1], number);
            }
        }
    }
    if scene.lines.len() > 1 {
        let distance = MARKER_DISTANCE * (canvas.width() / columns.max(1)).max(1);
        for (number, line) in scene.lines.iter().enumerate() {
            // Lines that run together get their markers side by side.
            let mut next = (number * distance / scene.lines.len().min(STYLES)) as i64;
            for segment in line.segments(scene.gap) {
                for dot in dots(&canvas, segment) {
                    if dot.0 >= next {
                        canvas.mark(dot, number);
                        next = dot.0 + distance as i64;
                    }
                }
            }
        }
    }
    canvas
}

/// A row of the canvas, without blanks at its end.
fn push_row(out: &mut String, canvas: &Canvas, row: usize, columns: usize, color: bool) {
    let mut blanks = 0;
    let mut run = String::new();
    let mut run_style = None;
    for column in 0..columns {
        let Some(glyph) = canvas.glyph(column, row) else {
            blanks += 1;
            continue;
        };
        if run_style != Some(glyph.style) || blanks > 0 {
            push_styled(out, &run, line_style(run_style.unwrap_or(0)), color);
            run.clear();
            run_style = Some(glyph.style);
        }
        out.extend(std::iter::repeat_n(' ', std::mem::take(&mut blanks)));
        run.push(glyph.char);
    }
    push_styled(out, &run, line_style(run_style.unwrap_or(0)), color);
}

/// The rule under the canvas, with its ticks, and the labels below it.
pub(super) fn time_axis(scene: &Scene, columns: usize, unicode: bool) -> (String, String) {
    let (line, tick) = if unicode { ('─', '┬') } else { ('-', '+') };
    let mut rule = vec![line; columns];
    let mut labels = vec![' '; columns];
    let mut free = 0;
    for (time, label) in time_ticks::ticks(scene.start, scene.end, &scene.zone, columns) {
        let column = (scene.across(time) * (columns as f64 - 1.0)).round() as usize;
        if let Some(place) = rule.get_mut(column) {
            *place = tick;
        }
        let width = label.chars().count();
        let start = column.saturating_sub(width / 2).min(columns.saturating_sub(width));
        if start < free || start + width > columns {
            continue;
        }
        for (place, c) in labels[start..].iter_mut().zip(label.chars()) {
            *place = c;
        }
        free = start + width + 1;
    }
    (rule.into_iter().collect(), labels.into_iter().collect())
}
