//! A list below the line, one entry of which is chosen: what Tab opened, and what a search has found.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::plain::plain;

/// How many entries are shown at most.
const MOST_ROWS: usize = 8;

/// How many rows of the screen are left for the prompt and what is written.
const ROWS_OF_THE_LINE: usize = 4;

/// A detail of which less than this can be seen is left out.
const LEAST_OF_A_DETAIL: usize = 6;

/// So many entries, each a label with a few words about it.
pub(crate) struct List<'a> {
    pub(crate) count: usize,
    /// Which one is chosen.
    pub(crate) chosen: usize,
    pub(crate) entry: &'a dyn Fn(usize) -> (String, String),
}

impl List<'_> {
    /// The page that has the chosen entry, on a screen of so many columns and rows. A mark is in front of that
    /// entry. The details stand one below the other, but for those whose labels take more than half of a row.
    pub(crate) fn drawn(&self, (columns, rows): (usize, usize), mark: char) -> String {
        let columns = columns.saturating_sub(1);
        let page = self.page(rows.saturating_sub(ROWS_OF_THE_LINE).clamp(1, MOST_ROWS));
        let is_whole = page.len() == self.count;
        let entries: Vec<(usize, String, String)> = page
            .map(|at| {
                let (label, detail) = (self.entry)(at);
                (at, plain(&label).into_owned(), plain(&detail).into_owned())
            })
            .collect();
        let widths = entries.iter().map(|(_, label, _)| label.width());
        let widest = widths.filter(|width| *width <= columns / 2).max().unwrap_or(0);
        let row = |(at, label, detail): &(usize, String, String)| {
            let mark = if *at == self.chosen { mark } else { ' ' };
            let gap = " ".repeat(widest.saturating_sub(label.width()));
            let front = format!("{mark} {label}{gap}  ");
            let left = columns.saturating_sub(front.width());
            let is_seen = detail.width() <= left || left >= LEAST_OF_A_DETAIL;
            let detail = if is_seen { &**detail } else { "" };
            clipped(format!("{front}{detail}").trim_end(), columns)
        };
        let mut lines: Vec<String> = entries.iter().map(row).collect();
        if !is_whole {
            lines.push(clipped(&format!("  {} of {}", self.chosen + 1, self.count), columns));
        }
        lines.join("\n")
    }

    fn page(&self, rows: usize) -> Range<usize> {
        let first = self.chosen / rows * rows;
        first..self.count.min(first + rows)
    }
}

/// A text in so many columns; where it is longer an ellipsis ends it.
pub(crate) fn clipped(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used < columns
    };
    text.chars().take_while(fits).collect::<String>() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(entries: &[(&str, &str)], chosen: usize, screen: (usize, usize)) -> String {
        let entry = |at: usize| {
            let (label, detail) = entries[at];
            (label.to_owned(), detail.to_owned())
        };
        List { count: entries.len(), chosen, entry: &entry }.drawn(screen, '>')
    }

    #[test]
    fn long_lists_have_pages_that_fit_the_screen() {
        let names: Vec<String> = (0..20).map(|n| format!("name_{n}")).collect();
        let entries: Vec<(&str, &str)> =
            names.iter().map(|n| (&**n, "counter of things")).collect();
        let expected = "> name_9   counter…\n  name_10  counter…\n  name_11  counter…\n  10 of 20";
        assert_eq!(drawn(&entries, 9, (20, 7)), expected);
        assert_eq!(drawn(&entries, 19, (8, 0)), "> name…\n  20 o…");
        assert_eq!(drawn(&entries, 0, (80, 24)).lines().count(), 9);
        assert_eq!(drawn(&entries[..8], 0, (80, 24)).lines().count(), 8);
    }

    #[test]
    fn long_labels_push_their_details_and_no_others() {
        let entries = [("up", "gauge"), ("http_requests_total", "counter"), ("go", "")];
        let expected = "  up  gauge\n> http_requests_total  counter\n  go";
        assert_eq!(drawn(&entries, 1, (32, 24)), expected);
        // What can't be seen is not begun.
        assert_eq!(drawn(&entries, 0, (28, 24)), "> up  gauge\n  http_requests_total\n  go");
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_shown() {
        let shown = drawn(&[("a\u{1b}[2J", "x\ny"), ("b", "")], 1, (80, 24));
        assert!(!shown.contains('\u{1b}') && shown.lines().count() == 2, "{shown}");
    }
}
