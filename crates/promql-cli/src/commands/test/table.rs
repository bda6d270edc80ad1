//! What was expected and what came, side by side.

use anstyle::{AnsiColor, Style};
use promql_model::{CounterResetHint, SampleValue};
use promql_rules::script::{Row, RowVerdict};
use promql_storage::fixture::write_histogram;

use crate::render::grid::{self, Align, Cell, Grid, push_styled};
use crate::render::{labels, number};
use crate::time::range;
use crate::visible;

const EXPECTED: Style = AnsiColor::Green.on_default();
const GOT: Style = AnsiColor::Red.on_default();

/// Up to so many samples are all shown; of more only those that differ.
const SHOW_ALL: usize = 12;

/// How the screen is used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) width: Option<usize>,
    pub(super) max_rows: Option<usize>,
    pub(super) color: bool,
    pub(super) unicode: bool,
}

/// What differs is marked by a line below only if it is not longer than this.
const LONGEST_MARK: usize = 40;

/// How much everything below the line of a failure is moved in.
pub(super) const INDENT: &str = "  ";

impl Look {
    /// What stands in front of a sample.
    fn mark(&self, verdict: RowVerdict) -> &'static str {
        match (verdict, self.unicode) {
            (RowVerdict::Same, _) => "",
            (RowVerdict::Different, true) => "≠",
            (RowVerdict::Different, false) => "!",
            (RowVerdict::Missing, _) => "-",
            (RowVerdict::Unexpected, _) => "+",
            (RowVerdict::Misplaced { .. }, true) => "↕",
            (RowVerdict::Misplaced { .. }, false) => "^",
        }
    }
}

/// Samples side by side.
pub(super) fn rows(rows: &[Row], look: &Look) -> String {
    let differ = |row: &&Row| row.verdict != RowVerdict::Same;
    let shown: Vec<&Row> = match rows.len() > SHOW_ALL {
        true => rows.iter().filter(differ).collect(),
        false => rows.iter().collect(),
    };
    let is_histogram =
        |value: &Option<SampleValue>| matches!(value, Some(SampleValue::Histogram(_)));
    let has_histograms =
        shown.iter().any(|row| is_histogram(&row.expected) || is_histogram(&row.got));
    let table = (!has_histograms).then(|| table(&shown, look)).flatten();
    let mut out = table.unwrap_or_else(|| list(&shown, look));
    let left_out = rows.len() - shown.len();
    if left_out > 0 {
        let plural = if left_out == 1 { "" } else { "s" };
        out.push_str(INDENT);
        let text = format!("({left_out} more sample{plural} as expected)");
        push_styled(&mut out, &text, grid::DIM, look.color);
        out.push('\n');
    }
    out
}

/// A row for each sample; nothing if they don't fit into the width.
fn table(rows: &[&Row], look: &Look) -> Option<String> {
    let has_times = rows.iter().any(|row| row.timestamp.is_some());
    let mut headings = vec![("", Align::Left), ("series", Align::Left)];
    if has_times {
        headings.push(("at", Align::Right));
    }
    headings.extend([("expected", Align::Right), ("got", Align::Right)]);
    let mut grid = Grid::new(headings);
    let mut before = None;
    for row in rows {
        let is_same = row.verdict == RowVerdict::Same;
        let style = |style: Style| if is_same { grid::DIM } else { style };
        // The labels of a series stand in its first row.
        let series = match before == Some(&row.labels) {
            true => String::new(),
            false => labels::selector(&row.labels),
        };
        before = Some(&row.labels);
        let (expected, got) = values(row);
        let mut cells = vec![
            Cell::new(look.mark(row.verdict)).styled(GOT),
            Cell::new(&series).styled(style(Style::new())),
        ];
        if has_times {
            let time = row.timestamp.map_or_else(String::new, range::moment);
            cells.push(Cell::new(&time).styled(style(Style::new())));
        }
        cells.push(Cell::new(&expected).styled(style(EXPECTED)));
        cells.push(Cell::new(&got).styled(style(GOT)));
        grid.push(cells);
    }
    let width = look.width.map(|width| width.saturating_sub(INDENT.len()));
    let text = grid.render(width, look.max_rows, look.color, "samples")?;
    Some(text.lines().map(|line| format!("{INDENT}{line}\n")).collect())
}

/// What was expected of a sample, and what came; empty if nothing.
fn values(row: &Row) -> (String, String) {
    let value = |value: &Option<SampleValue>| match value {
        None => String::new(),
        Some(SampleValue::Float(value)) => number::readable(*value),
        Some(SampleValue::Histogram(histogram)) => write_histogram(histogram),
    };
    let expected = value(&row.expected);
    let got = match (&row.expected, &row.got) {
        // A hint that nobody asked for makes no difference.
        (Some(SampleValue::Histogram(expected)), Some(SampleValue::Histogram(got)))
            if expected.hint == CounterResetHint::Unknown =>
        {
            let mut got = got.clone();
            got.hint = CounterResetHint::Unknown;
            write_histogram(&got)
        }
        _ => value(&row.got),
    };
    match row.verdict {
        RowVerdict::Misplaced { expected: e, got: g } => {
            (format!("{expected} (place {e})"), format!("{got} (place {g})"))
        }
        // Texts that look the same say nothing.
        RowVerdict::Different if expected == got => {
            let exact = |value: &Option<SampleValue>| match value {
                Some(SampleValue::Float(value)) => number::sample(*value),
                // With the hint, which is all that can differ.
                Some(SampleValue::Histogram(histogram)) => histogram.notation().to_string(),
                None => String::new(),
            };
            (exact(&row.expected), exact(&row.got))
        }
        _ => (expected, got),
    }
}

/// Lines for each sample that differs.
fn list(rows: &[&Row], look: &Look) -> String {
    let rows: Vec<&&Row> = rows.iter().filter(|row| row.verdict != RowVerdict::Same).collect();
    let elision = grid::Elision::new(rows.len(), look.max_rows);
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        if (elision.head..elision.tail).contains(&at) {
            if at == elision.head {
                out.push_str(INDENT);
                out.push_str(&elision.line("samples", look.color));
            }
            continue;
        }
        out.push_str(INDENT);
        push_styled(&mut out, look.mark(row.verdict), GOT, look.color);
        let time =
            row.timestamp.map_or_else(String::new, |at| format!(" at {}", range::moment(at)));
        out.push_str(&format!(" {}{time}\n", visible::value(&labels::selector(&row.labels))));
        let (expected, got) = values(row);
        let or_none = |text: String| if text.is_empty() { "nothing".to_string() } else { text };
        let (expected, got) = (or_none(expected), or_none(got));
        out.push_str(&pair(("expected", &expected), ("got", &got), "    ", look));
    }
    out
}

/// Two texts below each other, with what differs marked: by colours, or by a line below.
pub(super) fn pair(
    (expected_name, expected): (&str, &str),
    (got_name, got): (&str, &str),
    indent: &str,
    look: &Look,
) -> String {
    let (expected, got) = (visible::escape(expected), visible::escape(got));
    let column = visible::width(expected_name).max(visible::width(got_name)) + 2;
    let (front, back) = common(&expected, &got);
    let mut out = String::new();
    for (name, text, style) in [(expected_name, &*expected, EXPECTED), (got_name, &*got, GOT)] {
        out.push_str(&format!("{indent}{name:column$}"));
        out.push_str(&text[..front]);
        push_styled(&mut out, &text[front..text.len() - back], style, look.color);
        out.push_str(&text[text.len() - back..]);
        out.push('\n');
    }
    let before = visible::width(indent) + column + visible::width(&got[..front]);
    let differing = visible::width(&got[front..got.len() - back]).max(1);
    let fits =
        differing <= LONGEST_MARK && look.width.is_none_or(|width| before + differing <= width);
    // Under texts that have nothing in common a line says nothing.
    if !look.color && fits && front + back > 0 {
        out.push_str(&format!("{}{}\n", " ".repeat(before), "^".repeat(differing)));
    }
    out
}

/// The bytes that two texts have in common at their fronts and at their backs. Words and numbers are
/// not cut.
fn common(a: &str, b: &str) -> (usize, usize) {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '-');
    let same = |(x, y): &(char, char)| x == y;
    let front: usize = {
        let pairs: Vec<char> = a.chars().zip(b.chars()).take_while(same).map(|(c, _)| c).collect();
        let whole = |at: usize| {
            let next = |text: &str| text.chars().nth(at).is_some_and(is_word);
            at == 0 || !is_word(pairs[at - 1]) || !(next(a) || next(b))
        };
        let end = (0..=pairs.len()).rev().find(|at| whole(*at)).unwrap_or(0);
        pairs[..end].iter().map(|c| c.len_utf8()).sum()
    };
    let (rest_a, rest_b) = (&a[front..], &b[front..]);
    let pairs: Vec<char> =
        rest_a.chars().rev().zip(rest_b.chars().rev()).take_while(same).map(|(c, _)| c).collect();
    let whole = |at: usize| {
        let next = |text: &str| text.chars().rev().nth(at).is_some_and(is_word);
        at == 0 || !is_word(pairs[at - 1]) || !(next(rest_a) || next(rest_b))
    };
    let end = (0..=pairs.len()).rev().find(|at| whole(*at)).unwrap_or(0);
    (front, pairs[..end].iter().map(|c| c.len_utf8()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> Look {
        Look { width: Some(80), max_rows: None, color: false, unicode: true }
    }

    #[test]
    fn what_differs_is_marked() {
        let text =
            pair(("expected", "{{sum:12 count:3}}"), ("got", "{{sum:13 count:3}}"), "", &look());
        let lines =
            "expected  {{sum:12 count:3}}\ngot       {{sum:13 count:3}}\n                ^^\n";
        assert_eq!(text, lines);
        assert_eq!(common("ab", "ab"), (2, 0));
        assert_eq!(common("abc", "abd"), (0, 0));
        assert_eq!(common("a x c", "a c"), (2, 1));
        assert_eq!(common("", "x"), (0, 0));
        assert_eq!(common("grün b", "grün c"), (6, 0));
    }
}
