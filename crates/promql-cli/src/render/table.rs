//! Tables for people.
//!
//! An instant vector is one row for each series, one column for each label that differs; labels
//! that all series have in common are said once above. A matrix is one row for each time while its
//! series fit side by side, and one row for each sample otherwise. What doesn't fit the terminal at
//! all is written one label to a line ([`vertical`]).

use std::collections::BTreeMap;

use promql_model::{Labels, QueryValue, SampleValue, SeriesSamples, VectorElement};

use super::grid::{Align, Cell, Grid, push_styled};
use super::labels::{Shared, selector};
use super::{View, grid, histogram, timestamps, vertical};
use crate::visible;

/// More series than these are not put side by side.
const MOST_COLUMNS: usize = 6;

/// Writes any result.
pub fn render(value: &QueryValue, view: &View) -> String {
    match value {
        QueryValue::Scalar { value, .. } => format!("{}\n", view.number(*value)),
        QueryValue::String { value, .. } => format!("{}\n", visible::escape(value)),
        QueryValue::Vector(elements) if elements.is_empty() => no_series(view),
        QueryValue::Matrix(series) if series.is_empty() => no_series(view),
        QueryValue::Vector(elements) => instant(elements, view),
        QueryValue::Matrix(series) => over_time(series, view),
    }
}

/// What is said when there is nothing to show, so that an answer is never silent.
pub fn no_series(view: &View) -> String {
    let mut out = String::new();
    push_styled(&mut out, "no series", grid::DIM, view.screen.color);
    out.push('\n');
    out
}

/// The elements in the order in which they are shown: as the query sorted them if it did, else by
/// falling value (histograms by their count), equal ones by their labels.
pub fn in_order<'a>(elements: &'a [VectorElement], view: &View) -> Vec<&'a VectorElement> {
    let mut order: Vec<&VectorElement> = elements.iter().collect();
    if !view.keep_order {
        let key = |element: &VectorElement| match &element.value {
            SampleValue::Float(value) => *value,
            SampleValue::Histogram(histogram) => histogram.count,
        };
        order.sort_by(|a, b| {
            let (x, y) = (key(a), key(b));
            // NaN is neither large nor small: it comes last.
            (x.is_nan().cmp(&y.is_nan()))
                .then_with(|| y.partial_cmp(&x).unwrap_or(std::cmp::Ordering::Equal))
                .then_with(|| a.labels.cmp(&b.labels))
        });
    }
    order
}

fn instant(elements: &[VectorElement], view: &View) -> String {
    let screen = &view.screen;
    if let [only] = elements {
        let line = format!("{}  {}", selector(&only.labels), view.value(&only.value));
        if screen.width.is_none_or(|width| visible::width(&line) <= width) {
            return line + "\n" + &histogram::drawing(&only.value, screen);
        }
        return vertical::instant(elements, view);
    }
    let shared = Shared::of(elements.iter().map(|e| &e.labels));
    let headings = shared.varying.iter().map(|name| (name.as_str(), Align::Left));
    let mut grid = Grid::new(headings.chain([("value", Align::Right)]));
    for element in in_order(elements, view) {
        let mut row = label_cells(&shared.varying, &element.labels);
        row.push(Cell::new(&view.value(&element.value)));
        grid.push(row);
    }
    match grid.render(screen.width, screen.max_rows, screen.color, "series") {
        Some(text) => under_common(&shared, text, view),
        None => vertical::instant(elements, view),
    }
}

fn label_cells(names: &[String], labels: &Labels) -> Vec<Cell> {
    names.iter().map(|name| Cell::new(labels.get(name).unwrap_or_default())).collect()
}

fn under_common(shared: &Shared, text: String, view: &View) -> String {
    let Some(line) = shared.line() else { return text };
    let mut out = String::new();
    push_styled(&mut out, &line, grid::DIM, view.screen.color);
    out.push_str("\n\n");
    out.push_str(&text);
    out
}

/// All samples of a series in order of time, as text.
pub fn samples(series: &SeriesSamples, view: &View) -> Vec<(i64, String)> {
    let floats = series.floats.iter().map(|(t, v)| (*t, view.number(*v)));
    let histograms = series.histograms.iter().map(|(t, h)| (*t, histogram::summary(h)));
    let mut all: Vec<_> = floats.chain(histograms).collect();
    all.sort_by_key(|(t, _)| *t);
    all
}

fn over_time(series: &[SeriesSamples], view: &View) -> String {
    let screen = &view.screen;
    let shared = Shared::of(series.iter().map(|s| &s.labels));
    let times = Times::of(series, view);
    // Raw samples of several series have no times in common.
    let aligned = view.range.is_some() || series.len() == 1;
    let side_by_side = (aligned && series.len() <= MOST_COLUMNS)
        .then(|| times_by_series(series, &shared, &times))
        .and_then(|grid| grid.render(screen.width, screen.max_rows, screen.color, "times"));
    let text = side_by_side.or_else(|| {
        let grid = samples_by_row(series, &shared, &times);
        grid.render(screen.width, screen.max_rows, screen.color, "samples")
    });
    match text {
        Some(text) => under_common(&shared, text, view),
        None => vertical::over_time(series, view),
    }
}

/// How times are written: all of a table alike.
pub struct Times<'a> {
    view: &'a View,
    with_milliseconds: bool,
    /// The heading of the column, which names the zone.
    pub heading: String,
}

impl<'a> Times<'a> {
    /// The way to write the times of these series.
    pub fn of(series: &[SeriesSamples], view: &'a View) -> Times<'a> {
        let times = || {
            series.iter().flat_map(|s| {
                s.floats.iter().map(|(t, _)| *t).chain(s.histograms.iter().map(|(t, _)| *t))
            })
        };
        let zone = timestamps::zone_name(&view.zone, times().next().unwrap_or(0));
        Times {
            view,
            with_milliseconds: times().any(|t| t % 1000 != 0),
            heading: format!("time ({zone})"),
        }
    }

    /// A time.
    pub fn text(&self, milliseconds: i64) -> String {
        timestamps::civil(milliseconds, &self.view.zone, self.with_milliseconds)
    }
}

fn times_by_series(series: &[SeriesSamples], shared: &Shared, times: &Times<'_>) -> Grid {
    let titles: Vec<String> = match series {
        [_] => vec!["value".to_string()],
        _ => series.iter().map(|s| shared.rest(&s.labels)).collect(),
    };
    let columns = titles.iter().map(|title| (title.as_str(), Align::Right));
    let mut grid = Grid::new([(times.heading.as_str(), Align::Left)].into_iter().chain(columns));
    let mut rows: BTreeMap<i64, Vec<Cell>> = BTreeMap::new();
    for (column, one) in series.iter().enumerate() {
        for (time, text) in samples(one, times.view) {
            let row = rows.entry(time).or_insert_with(|| vec![Cell::default(); series.len()]);
            row[column] = Cell::new(&text);
        }
    }
    for (time, cells) in rows {
        let first = Cell::new(&times.text(time));
        grid.push([first].into_iter().chain(cells).collect());
    }
    grid
}

fn samples_by_row(series: &[SeriesSamples], shared: &Shared, times: &Times<'_>) -> Grid {
    let labels = shared.varying.iter().map(|name| (name.as_str(), Align::Left));
    let last = [(times.heading.as_str(), Align::Left), ("value", Align::Right)];
    let mut grid = Grid::new(labels.chain(last));
    for one in series {
        for (time, text) in samples(one, times.view) {
            let mut row = label_cells(&shared.varying, &one.labels);
            row.extend([Cell::new(&times.text(time)), Cell::new(&text)]);
            grid.push(row);
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use crate::render::Screen;
    use insta::assert_snapshot;

    fn narrow(width: usize) -> View {
        View { screen: Screen { width: Some(width), ..Screen::PLAIN }, ..view() }
    }

    #[test]
    fn instant_vector() {
        assert_snapshot!(render(&http_requests(), &view()));
    }

    #[test]
    fn instant_vector_in_the_order_of_the_query() {
        let view = View { keep_order: true, ..view() };
        assert_snapshot!(render(&http_requests(), &view));
    }

    #[test]
    fn colours() {
        let view = View { screen: Screen { color: true, ..Screen::PLAIN }, ..view() };
        assert_snapshot!(render(&http_requests(), &view).replace('\u{1b}', "␛"));
    }

    #[test]
    fn a_label_that_some_series_lack() {
        let value = vector(&[
            (&[("__name__", "up"), ("job", "a")], 1.0),
            (&[("__name__", "up"), ("job", "b"), ("zone", "eu")], f64::NAN),
            (&[("job", "b")], 2.0),
        ]);
        assert_snapshot!(render(&value, &view()));
    }

    #[test]
    fn one_series_is_one_line() {
        let value = vector(&[(&[("__name__", "up"), ("job", "a")], 1.0)]);
        assert_snapshot!(render(&value, &view()), @r#"up{job="a"}  1"#);
        assert_snapshot!(render(&vector(&[(&[], 6.0)]), &view()), @"{}  6");
    }

    #[test]
    fn scalar_string_and_nothing() {
        let scalar = QueryValue::Scalar { timestamp: 0, value: 0.1 + 0.2 };
        assert_snapshot!(render(&scalar, &view()), @"0.3");
        let string = QueryValue::String { timestamp: 0, value: "a\u{1b}[31mb\n".to_string() };
        assert_snapshot!(render(&string, &view()), @r"a\x1b[31mb\n");
        assert_snapshot!(render(&vector(&[]), &view()), @"no series");
        assert_snapshot!(render(&matrix(&[]), &view()), @"no series");
    }

    #[test]
    fn hostile_and_wide_values() {
        let long = "x".repeat(500);
        let value = vector(&[
            (&[("path", "\u{1b}[2J\u{1b}[H")], 1.0),
            (&[("path", "abc\u{202e}cba")], 2.0),
            (&[("path", "日本語")], 3.0),
            (&[("path", &long)], 4.0),
        ]);
        assert_snapshot!(render(&value, &view()));
    }

    #[test]
    fn too_many_rows_lose_their_middle() {
        let names: Vec<String> = (0..100).map(|i| format!("host-{i:03}")).collect();
        let pairs: Vec<[(&str, &str); 1]> = names.iter().map(|n| [("host", n.as_str())]).collect();
        let elements: Vec<(&[(&str, &str)], f64)> =
            pairs.iter().enumerate().map(|(i, p)| (p.as_slice(), 1000.0 - i as f64)).collect();
        let view = View { screen: Screen { max_rows: Some(5), ..Screen::PLAIN }, ..view() };
        assert_snapshot!(render(&vector(&elements), &view));
    }

    #[test]
    fn a_narrow_terminal_clips_and_then_turns() {
        assert_snapshot!("narrow_40", render(&http_requests(), &narrow(40)));
        assert_snapshot!("narrow_20", render(&http_requests(), &narrow(20)));
        let long = "/kubepods/burstable/pod0123456789abcdef0123456789abcdef/nginx";
        let value =
            vector(&[(&[("id", long), ("job", "a")], 1.0), (&[("id", "/"), ("job", "b")], 2.0)]);
        assert_snapshot!("clipped_50", render(&value, &narrow(50)));
    }

    #[test]
    fn few_series_over_time_stand_side_by_side() {
        let value = matrix(&[
            (&[("__name__", "up"), ("job", "a")], &[1.0, 1.0, f64::NAN, 0.0]),
            (&[("__name__", "up"), ("job", "b")], &[f64::NAN, 1.0, 1.0, 1.0]),
        ]);
        assert_snapshot!(render(&value, &range_view(4)));
    }

    #[test]
    fn times_are_in_the_zone_asked_for() {
        let value = matrix(&[(&[("job", "a")], &[1.0, 2.5])]);
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(2));
        assert_snapshot!(render(&value, &View { zone, ..range_view(2) }));
    }

    #[test]
    fn many_series_over_time_stand_one_below_the_other() {
        let names: Vec<String> = (0..7).map(|i| i.to_string()).collect();
        let pairs: Vec<[(&str, &str); 1]> = names.iter().map(|n| [("cpu", n.as_str())]).collect();
        let series: Vec<_> = pairs.iter().map(|p| (&p[..], &[0.25, 0.5][..])).collect();
        assert_snapshot!(render(&matrix(&series), &range_view(2)));
    }
}
