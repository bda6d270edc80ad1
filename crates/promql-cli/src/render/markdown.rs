//! Markdown tables, for issues, chats and reports.

use promql_model::{Labels, QueryValue};

use super::labels::{Shared, selector};
use super::{View, table};
use crate::visible;

/// Writes any result.
pub fn render(value: &QueryValue, view: &View) -> String {
    match value {
        QueryValue::Scalar { .. } | QueryValue::String { .. } => {
            format!("{}\n", text(table::render(value, view).trim_end()))
        }
        QueryValue::Vector(elements) if elements.is_empty() => "no series\n".to_string(),
        QueryValue::Matrix(series) if series.is_empty() => "no series\n".to_string(),
        QueryValue::Vector(elements) => {
            let shared = Shared::of(elements.iter().map(|e| &e.labels));
            let rows = table::in_order(elements, view).into_iter().map(|element| {
                let mut row = cells(&shared, &element.labels);
                row.push(view.value(&element.value));
                row
            });
            write(&shared, &["value"], rows)
        }
        QueryValue::Matrix(series) => {
            let shared = Shared::of(series.iter().map(|s| &s.labels));
            let times = table::Times::of(series, view);
            let rows = series.iter().flat_map(|one| {
                let (shared, times) = (&shared, &times);
                table::samples(one, view).into_iter().map(move |(time, value)| {
                    let mut row = cells(shared, &one.labels);
                    row.extend([times.text(time), value]);
                    row
                })
            });
            write(&shared, &[&times.heading, "value"], rows)
        }
    }
}

fn cells(shared: &Shared, labels: &Labels) -> Vec<String> {
    shared.varying.iter().map(|name| text(labels.get(name).unwrap_or_default())).collect()
}

fn write(shared: &Shared, last: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut out = String::new();
    if !shared.common.is_empty() {
        out.push_str(&format!("Common: {}\n\n", code(&selector(&shared.common))));
    }
    let names = shared.varying.iter().map(|name| text(name));
    let headings: Vec<String> = names.chain(last.iter().map(|h| h.to_string())).collect();
    let rules = (0..headings.len()).map(|at| match at + 1 == headings.len() {
        true => "---:".to_string(),
        false => "---".to_string(),
    });
    line(&mut out, &headings);
    line(&mut out, &rules.collect::<Vec<_>>());
    for row in rows {
        line(&mut out, &row);
    }
    out
}

fn line(out: &mut String, cells: &[String]) {
    out.push_str("| ");
    out.push_str(&cells.join(" | "));
    out.push_str(" |\n");
}

/// Text with everything escaped that Markdown would read as markup.
fn text(text: &str) -> String {
    let mut out = String::new();
    for c in visible::value(text).chars() {
        match c {
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' | '~' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

/// A code span; its fence is longer than any run of backticks inside.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    match longest {
        0 => format!("{fence}{text}{fence}"),
        _ => format!("{fence} {text} {fence}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn markdown() {
        assert_snapshot!("instant", render(&http_requests(), &view()));
        let value = matrix(&[
            (&[("job", "a|b"), ("zone", "e`u")], &[1.0, f64::NAN, 0.5]),
            (&[("job", "*c*"), ("zone", "e`u")], &[2.0]),
        ]);
        assert_snapshot!("over_time", render(&value, &range_view(3)));
    }
}
