//! Two answers side by side, joined by their labels.

use std::collections::BTreeMap;

use promql_model::{Labels, METRIC_NAME, QueryValue, SampleValue};

use crate::grid::Grid;

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

/// A series on both sides, or on one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The labels without the metric's name.
    pub labels: Labels,
    /// The value of the first answer.
    pub left: Option<f64>,
    /// The value of the second answer.
    pub right: Option<f64>,
}

impl Row {
    /// The difference as a part of the larger value: 0 where both are equal, NaN where one is missing.
    pub fn relative(&self) -> f64 {
        match (self.left, self.right) {
            (Some(a), Some(b)) if a == b || a.is_nan() && b.is_nan() => 0.0,
            (Some(a), Some(b)) => ((b - a) / a.abs().max(b.abs())).abs(),
            _ => f64::NAN,
        }
    }

    /// Whether the sides differ by more than a part of the larger value; a series that is missing
    /// on one side differs.
    pub fn differs(&self, tolerance: f64) -> bool {
        let size = self.relative();
        size.is_nan() || size > tolerance
    }
}

/// Joins two answers: the largest relative difference first, what is on one side only at the end.
pub fn compare(left: &QueryValue, right: &QueryValue) -> Vec<Row> {
    let (left, right) = (values(left), values(right));
    let mut keys: Vec<&Labels> = left.keys().chain(right.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let row = |labels: &Labels| Row {
        labels: labels.clone(),
        left: left.get(labels).copied(),
        right: right.get(labels).copied(),
    };
    let mut rows: Vec<Row> = keys.into_iter().map(row).collect();
    let size = |row: &Row| match row.relative() {
        size if row.left.is_none() || row.right.is_none() => (1, 0.0 * size),
        size if size.is_nan() => (0, f64::NEG_INFINITY),
        size => (0, -size),
    };
    rows.sort_by(|a, b| {
        let (a_size, b_size) = (size(a), size(b));
        (a_size.0.cmp(&b_size.0))
            .then_with(|| a_size.1.total_cmp(&b_size.1))
            .then_with(|| a.labels.cmp(&b.labels))
    });
    rows
}

/// A table of the rows that differ by more than a tolerance. `names` are the headings of the sides, and
/// `number` writes values.
pub fn table(
    rows: &[Row],
    (left_name, right_name): (&'static str, &'static str),
    tolerance: f64,
    number: &dyn Fn(f64) -> String,
) -> String {
    let mut grid = Grid::new([
        ("series", false),
        (left_name, true),
        (right_name, true),
        ("difference", true),
        ("relative", true),
    ]);
    let differing: Vec<&Row> = rows.iter().filter(|row| row.differs(tolerance)).collect();
    for row in &differing {
        let text = |value: Option<f64>| value.map_or("-".to_owned(), number);
        let (difference, relative) = match (row.left, row.right) {
            (Some(a), Some(b)) => {
                let sign = if b > a { "+" } else { "" };
                let percent = (b - a) / a.abs() * 100.0;
                let percent = match percent.is_finite() {
                    true => format!("{percent:+.1}%"),
                    false => "-".to_owned(),
                };
                (format!("{sign}{}", number(b - a)), percent)
            }
            (Some(_), None) => (format!("only {left_name}"), String::new()),
            _ => (format!("only {right_name}"), String::new()),
        };
        let name = named(&row.labels);
        grid.push([name, text(row.left), text(row.right), difference, relative]);
    }
    let (total, equal) = (rows.len(), rows.len() - differing.len());
    let within = if tolerance > 0.0 { " beyond the tolerance" } else { "" };
    let same = match (total, equal) {
        (0, _) => "no series on either side\n".to_owned(),
        (total, equal) if total == equal => format!("no difference{within} in {total} series\n"),
        (_, 0) => String::new(),
        (_, equal) => format!("{equal} more without a difference{within}\n"),
    };
    let table = if differing.is_empty() { String::new() } else { grid.render(None) };
    table + &same
}

/// The time so long before an answer, as `--time` takes it. Files are asked at their last sample, so the
/// answer knows what its time was.
pub fn time_before(now: &QueryValue, ago: &str) -> String {
    let time = match now {
        QueryValue::Vector(elements) => elements.first().map(|element| element.timestamp),
        QueryValue::Scalar { timestamp, .. } => Some(*timestamp),
        _ => None,
    };
    let milliseconds = promql_model::parse_duration(ago).map_or(0, |duration| duration / 1_000_000);
    match time {
        Some(time) => format!("{}", time.saturating_sub(milliseconds) as f64 / 1e3),
        None => format!("now-{ago}"),
    }
}

/// Labels as a selector; `{}` if there are none.
pub(crate) fn named(labels: &Labels) -> String {
    match labels.is_empty() {
        true => "{}".to_owned(),
        false => labels.selector().to_string(),
    }
}

/// Reads a tolerance: `1%`, or a part of one as `0.01`.
///
/// ```
/// use promql_repl::diff::tolerance;
/// assert_eq!(tolerance("5%"), Some(0.05));
/// assert_eq!(tolerance("0.5"), Some(0.5));
/// assert_eq!(tolerance("-1"), None);
/// ```
pub fn tolerance(text: &str) -> Option<f64> {
    let value = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => text.trim().parse().ok()?,
    };
    (value >= 0.0 && value.is_finite()).then_some(value)
}

#[cfg(test)]
mod tests {
    use promql_model::VectorElement;

    use super::*;

    fn vector(values: &[(&str, f64)]) -> QueryValue {
        let element = |(job, value): &(&str, f64)| VectorElement {
            labels: Labels::from_pairs([("__name__", "x"), ("job", *job)]),
            timestamp: 0,
            value: SampleValue::Float(*value),
        };
        QueryValue::Vector(values.iter().map(element).collect())
    }

    fn shown(left: &[(&str, f64)], right: &[(&str, f64)], tolerance: f64) -> Vec<String> {
        let rows = compare(&vector(left), &vector(right));
        let text = table(&rows, ("before", "now"), tolerance, &|value| format!("{value}"));
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn the_largest_difference_comes_first() {
        let left = [("a", 1.0), ("b", 2.0), ("c", f64::NAN), ("d", 100.0), ("e", 5.0)];
        let right = [("a", 1.0), ("b", 4.0), ("c", f64::NAN), ("d", 101.0), ("f", 0.0)];
        let expected = [
            "series before now difference relative",
            "{job=\"b\"} 2 4 +2 +100.0%",
            "{job=\"d\"} 100 101 +1 +1.0%",
            "{job=\"e\"} 5 - only before",
            "{job=\"f\"} - 0 only now",
            "2 more without a difference",
        ];
        assert_eq!(shown(&left, &right, 0.0), expected);
        assert_eq!(
            shown(&left[..4], &right[..4], 0.02)[2],
            "3 more without a difference beyond the tolerance"
        );
        assert_eq!(shown(&left[..1], &right[..1], 0.0), ["no difference in 1 series"]);
        assert_eq!(shown(&[], &[], 0.0), ["no series on either side"]);
    }
}
