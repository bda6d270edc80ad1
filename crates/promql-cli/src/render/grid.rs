//! Columns of text, aligned.

use anstyle::Style;

use crate::visible;

/// Dim, for what is not data.
pub const DIM: Style = Style::new().dimmed();
/// Bold, for headings.
pub const BOLD: Style = Style::new().bold();

/// Where the text of a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// A cell: text that is safe to show, and how it looks.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A cell with text from outside: it is escaped and clipped.
    pub fn new(text: &str) -> Cell {
        Cell { text: visible::value(text), style: Style::new() }
    }

    /// The same in another style.
    pub fn styled(mut self, style: Style) -> Cell {
        self.style = style;
        self
    }
}

/// A table of cells under headings.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    headings: Vec<(String, Align)>,
    rows: Vec<Vec<Cell>>,
}

/// The columns between two columns of a grid.
const GAP: usize = 2;

/// A column of text may be narrowed to this before a grid is given up as too wide.
const NARROWEST: usize = 24;

impl Grid {
    /// A grid without rows.
    pub fn new<'a>(headings: impl IntoIterator<Item = (&'a str, Align)>) -> Grid {
        let headings = headings.into_iter().map(|(h, align)| (visible::value(h), align));
        Grid { headings: headings.collect(), rows: Vec::new() }
    }

    /// Adds a row. Cells beyond the headings are dropped, missing ones are blank.
    pub fn push(&mut self, mut row: Vec<Cell>) {
        row.resize(self.headings.len(), Cell::default());
        self.rows.push(row);
    }

    /// The text, at most `width` columns wide, with the middle rows left out when there are more
    /// than `max_rows`; `what` names a row in the line that says so. None when the columns don't
    /// fit into the width even when they are narrowed.
    pub fn render(
        &self,
        width: Option<usize>,
        max_rows: Option<usize>,
        color: bool,
        what: &str,
    ) -> Option<String> {
        let elision = Elision::new(self.rows.len(), max_rows);
        let (head, tail) = (&self.rows[..elision.head], &self.rows[elision.tail..]);
        let mut widths: Vec<usize> = self.headings.iter().map(|(h, _)| visible::width(h)).collect();
        for row in head.iter().chain(tail) {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(visible::width(&cell.text));
            }
        }
        if let Some(width) = width {
            self.narrow(&mut widths, width)?;
        }
        let mut out = String::new();
        let bold = Cell { style: BOLD, ..Cell::default() };
        let headings = self.headings.iter().map(|(h, _)| Cell { text: h.clone(), ..bold.clone() });
        self.line(&mut out, &headings.collect::<Vec<_>>(), &widths, color);
        let rules = widths.iter().map(|w| Cell { text: "-".repeat(*w), style: DIM });
        self.line(&mut out, &rules.collect::<Vec<_>>(), &widths, color);
        for row in head {
            self.line(&mut out, row, &widths, color);
        }
        if elision.is_needed() {
            out.push_str(&elision.line(what, color));
        }
        for row in tail {
            self.line(&mut out, row, &widths, color);
        }
        Some(out)
    }

    /// Takes from the widest columns of text until all fit.
    fn narrow(&self, widths: &mut [usize], available: usize) -> Option<()> {
        let gaps = GAP * widths.len().saturating_sub(1);
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(available);
        while excess > 0 {
            let (column, _) = (widths.iter().enumerate())
                .filter(|(i, w)| self.headings[*i].1 == Align::Left && **w > NARROWEST)
                .max_by_key(|(_, w)| **w)?;
            widths[column] -= 1;
            excess -= 1;
        }
        Some(())
    }

    fn line(&self, out: &mut String, cells: &[Cell], widths: &[usize], color: bool) {
        let start = out.len();
        for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
            if at > 0 {
                out.extend(std::iter::repeat_n(' ', GAP));
            }
            let text = visible::clip(&cell.text, *width);
            let blanks = std::iter::repeat_n(' ', width.saturating_sub(visible::width(&text)));
            if self.headings[at].1 == Align::Right {
                out.extend(blanks);
                push_styled(out, &text, cell.style, color);
            } else {
                push_styled(out, &text, cell.style, color);
                out.extend(blanks);
            }
        }
        out.truncate(start + out[start..].trim_end_matches(' ').len());
        out.push('\n');
    }
}

/// Appends text in a style.
pub fn push_styled(out: &mut String, text: &str, style: Style, color: bool) {
    if color && style != Style::new() && !text.is_empty() {
        out.push_str(&format!("{style}{text}{style:#}"));
    } else {
        out.push_str(text);
    }
}

/// Which rows are shown when there are too many.
#[derive(Clone, Copy, Debug)]
pub struct Elision {
    /// So many from the start.
    pub head: usize,
    /// And those from here on.
    pub tail: usize,
}

impl Elision {
    /// Of `rows` rows at most `max_rows` are shown: the first half and the last half.
    pub fn new(rows: usize, max_rows: Option<usize>) -> Elision {
        match max_rows {
            Some(max) if rows > max => Elision { head: max.div_ceil(2), tail: rows - max / 2 },
            _ => Elision { head: rows, tail: rows },
        }
    }

    /// Whether any row is left out.
    pub fn is_needed(&self) -> bool {
        self.tail > self.head
    }

    /// The line that stands for the rows left out. Its end says how to see them.
    pub fn line(&self, what: &str, color: bool) -> String {
        let count = self.tail - self.head;
        let mut out = String::new();
        let text = format!("… {count} more {what} (--max-rows 0 shows all)");
        push_styled(&mut out, &text, DIM, color);
        out.push('\n');
        out
    }
}
