//! Two answers side by side.

use std::collections::BTreeMap;

use promql_model::{Labels, METRIC_NAME, QueryValue, SampleValue};

use crate::grid::Grid;
use crate::host::Host;

/// The values of an answer by their labels without the metric's name; of a matrix the last ones.
pub(crate) fn values(value: &QueryValue) -> BTreeMap<Labels, f64> {
    let number = |value: &SampleValue| match value {
        SampleValue::Float(value) => *value,
        SampleValue::Histogram(histogram) => histogram.count,
    };
    let bare = |labels: &Labels| labels.filtered(|name| name != METRIC_NAME);
    match value {
        QueryValue::Vector(elements) => {
            elements.iter().map(|e| (bare(&e.labels), number(&e.value))).collect()
        }
        QueryValue::Matrix(series) => {
            let last = |s: &promql_model::SeriesSamples| s.floats.last().map(|(_, value)| *value);
            series.iter().filter_map(|s| Some((bare(&s.labels), last(s)?))).collect()
        }
        QueryValue::Scalar { value, .. } => BTreeMap::from([(Labels::empty(), *value)]),
        QueryValue::String { .. } => BTreeMap::new(),
    }
}

/// A table of what differs: the largest relative difference first, what is on one side only at the end.
pub(crate) fn table(
    (left, right): (&QueryValue, &QueryValue),
    (left_name, right_name): (&'static str, &'static str),
    host: &dyn Host,
) -> String {
    let (left, right) = (values(left), values(right));
    let mut keys: Vec<&Labels> = left.keys().chain(right.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut rows: Vec<(f64, &Labels, Option<f64>, Option<f64>)> = keys
        .into_iter()
        .map(|labels| {
            let (a, b) = (left.get(labels).copied(), right.get(labels).copied());
            let size = match (a, b) {
                (Some(a), Some(b)) if a == b => 0.0,
                (Some(a), Some(b)) => ((b - a) / a.abs().max(b.abs())).abs(),
                _ => f64::NEG_INFINITY,
            };
            (size, labels, a, b)
        })
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let equal = rows.iter().filter(|row| row.0 == 0.0).count();
    let mut grid = Grid::new([
        ("series", false),
        (left_name, true),
        (right_name, true),
        ("difference", true),
        ("relative", true),
    ]);
    let total = rows.len();
    for (_, labels, a, b) in rows.into_iter().filter(|row| row.0 != 0.0) {
        let text = |value: Option<f64>| value.map_or("-".to_owned(), |value| host.number(value));
        let (difference, relative) = match (a, b) {
            (Some(a), Some(b)) => {
                let sign = if b > a { "+" } else { "" };
                let percent = (b - a) / a.abs() * 100.0;
                let percent = match percent.is_finite() {
                    true => format!("{percent:+.1}%"),
                    false => "-".to_owned(),
                };
                (format!("{sign}{}", host.number(b - a)), percent)
            }
            (Some(_), None) => (format!("only {left_name}"), String::new()),
            _ => (format!("only {right_name}"), String::new()),
        };
        let name = labels.selector().to_string();
        let name = if name.is_empty() { "{}".to_owned() } else { name };
        grid.push([name, text(a), text(b), difference, relative]);
    }
    let same = match (total, equal) {
        (0, _) => "no series on either side\n".to_owned(),
        (total, equal) if total == equal => format!("no difference in {total} series\n"),
        (_, 0) => String::new(),
        (_, equal) => format!("{equal} more without a difference\n"),
    };
    let table = if total == equal { String::new() } else { grid.render(None) };
    table + &same
}
