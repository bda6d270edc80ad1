//! Small tables of the session's own: lists of metrics, differences, what a watch shows.

use unicode_width::UnicodeWidthStr;

use crate::plain::plain;

/// Rows below headings.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    headings: Vec<(&'static str, bool)>,
    rows: Vec<Vec<String>>,
}

/// The widest that a cell is shown.
const WIDEST: usize = 60;

impl Grid {
    /// Headings, each with whether its column is of numbers.
    pub(crate) fn new(headings: impl IntoIterator<Item = (&'static str, bool)>) -> Grid {
        Grid { headings: headings.into_iter().collect(), rows: Vec::new() }
    }

    /// A row. Texts are made safe and clipped.
    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = String>) {
        let clipped = |text: String| {
            let text = plain(&text).into_owned();
            if text.width() <= WIDEST {
                return text;
            }
            let mut out = String::new();
            for c in text.chars() {
                if out.width() + 2 > WIDEST {
                    break;
                }
                out.push(c);
            }
            out + "…"
        };
        self.rows.push(row.into_iter().map(clipped).collect());
    }

    /// The table, each line at most as wide as the screen.
    pub(crate) fn render(&self, columns: Option<usize>) -> String {
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width());
            cells.chain([self.headings[at].0.width()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.headings.len()).map(width).collect();
        let headings: Vec<String> =
            self.headings.iter().map(|(text, _)| (*text).to_owned()).collect();
        let mut out = String::new();
        let all = std::iter::once(&headings).chain(&self.rows);
        for row in all.filter(|row| row.iter().any(|cell| !cell.is_empty())) {
            let mut line = String::new();
            for (at, cell) in row.iter().enumerate() {
                let room = " ".repeat(widths[at].saturating_sub(cell.width()));
                if at > 0 {
                    line.push_str("  ");
                }
                match self.headings[at].1 {
                    true => line.push_str(&(room + cell)),
                    false => line.push_str(&(cell.clone() + &room)),
                }
            }
            let line = line.trim_end();
            match columns {
                Some(columns) if line.width() > columns => {
                    let mut cut = String::new();
                    for c in line.chars() {
                        if cut.width() + 2 > columns {
                            break;
                        }
                        cut.push(c);
                    }
                    out.push_str(&cut);
                    out.push('…');
                }
                _ => out.push_str(line),
            }
            out.push('\n');
        }
        out
    }
}
