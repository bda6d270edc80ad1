//! One label to a line: for terminals that are too narrow for a table, and for labels that are too
//! long for one.

use promql_model::{Labels, QueryValue, SeriesSamples, VectorElement};

use super::grid::{BOLD, DIM, Elision, push_styled};
use super::{View, histogram, table};
use crate::visible;

/// Writes any result.
pub fn render(value: &QueryValue, view: &View) -> String {
    match value {
        QueryValue::Scalar { .. } | QueryValue::String { .. } => table::render(value, view),
        QueryValue::Vector(elements) if elements.is_empty() => table::no_series(view),
        QueryValue::Matrix(series) if series.is_empty() => table::no_series(view),
        QueryValue::Vector(elements) => instant(elements, view),
        QueryValue::Matrix(series) => over_time(series, view),
    }
}

/// Writes an instant vector: a block for each series, its value last.
pub fn instant(elements: &[VectorElement], view: &View) -> String {
    let order = table::in_order(elements, view);
    blocks(order.len(), view, |out, at| {
        let last = [("value".to_string(), view.value(&order[at].value))];
        block(out, &order[at].labels, &last, view);
        out.push_str(&histogram::drawing(&order[at].value, &view.screen));
    })
}

/// Writes a matrix: a block for each series, its samples last.
pub fn over_time(series: &[SeriesSamples], view: &View) -> String {
    let times = table::Times::of(series, view);
    blocks(series.len(), view, |out, at| {
        let samples = table::samples(&series[at], view);
        let samples: Vec<_> = samples.into_iter().map(|(t, v)| (times.text(t), v)).collect();
        block(out, &series[at].labels, &samples, view);
    })
}

fn blocks(count: usize, view: &View, one: impl Fn(&mut String, usize)) -> String {
    let mut out = String::new();
    let elision = Elision::new(count, view.screen.max_rows);
    for at in (0..elision.head).chain(elision.tail..count) {
        if at == elision.tail && elision.is_needed() {
            out.push_str(&elision.line("series", view.screen.color));
        }
        push_styled(&mut out, &format!("series {} of {count}", at + 1), BOLD, view.screen.color);
        out.push('\n');
        one(&mut out, at);
    }
    if elision.is_needed() && elision.tail == count {
        out.push_str(&elision.line("series", view.screen.color));
    }
    out
}

fn block(out: &mut String, labels: &Labels, values: &[(String, String)], view: &View) {
    let labels = labels.iter().map(|(n, v)| (visible::value(n), visible::value(v)));
    let lines: Vec<(String, String)> = labels.chain(values.iter().cloned()).collect();
    let widest = lines.iter().map(|(name, _)| visible::width(name)).max().unwrap_or(0);
    for (name, value) in lines {
        push_styled(out, &name, DIM, view.screen.color);
        out.extend(std::iter::repeat_n(' ', widest - visible::width(&name) + 2));
        out.push_str(&value);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn one_label_to_a_line() {
        assert_snapshot!("instant", render(&http_requests(), &view()));
        let value = matrix(&[(&[("__name__", "up"), ("job", "a")], &[1.0, 0.0])]);
        assert_snapshot!("over_time", render(&value, &range_view(2)));
    }
}
