//! Graphs of range queries, with a legend that has the numbers.

use promql_lint::flow::Base;
use promql_model::{QueryValue, SeriesSamples};

use super::grid::{Align, Cell, DIM, Elision, Grid, push_styled};
use super::labels::{Shared, selector};
use super::{RenderError, View, heat, number, table, timestamps};
use crate::graph::text::{Paper, draw, line_style, marker};
use crate::graph::{Line, Scene, spark, svg};
use crate::time::range::written;

/// The columns of a graph that no terminal shows.
const PLAIN_WIDTH: usize = 100;
/// The lines of a graph that no terminal shows.
const PLAIN_HEIGHT: usize = 15;

/// From so many series on lines would hide each other, and quantiles are drawn.
const MOST_LINES: usize = 20;

/// Writes a graph with characters: lines for numbers, a heat map for native histograms.
///
/// # Errors
/// For anything but samples over time.
pub fn render(value: &QueryValue, view: &View) -> Result<String, RenderError> {
    let series = over_time("graph", value)?;
    if series.is_empty() {
        return Ok(table::no_series(view));
    }
    let screen = &view.screen;
    let shared = Shared::of(series.iter().map(|s| &s.labels));
    let paper = Paper {
        columns: screen.width.unwrap_or(PLAIN_WIDTH),
        rows: screen.graph_rows.unwrap_or_else(|| match screen.height {
            Some(height) => (height / 2).clamp(6, 20),
            None => PLAIN_HEIGHT,
        }),
        color: screen.color,
        unicode: screen.unicode,
    };
    let mut out = String::new();
    if let Some(line) = shared.line().filter(|_| series.len() > 1) {
        push_styled(&mut out, &line, DIM, screen.color);
        out.push_str("\n\n");
    }
    let histograms: Vec<_> = series.iter().filter(|one| !one.histograms.is_empty()).collect();
    if histograms.is_empty() {
        out.push_str(&lines(series, &shared, view, &paper));
        return Ok(out);
    }
    out.push_str(&heat::render(&histograms, &shared, view, &paper));
    let floats = series.iter().filter(|one| !one.floats.is_empty());
    let floats: Vec<SeriesSamples> =
        floats.map(|one| SeriesSamples { histograms: Vec::new(), ..one.clone() }).collect();
    if !floats.is_empty() {
        out.push('\n');
        out.push_str(&lines(&floats, &shared, view, &paper));
    }
    Ok(out)
}

/// Series of numbers as lines on one canvas, with their legend.
fn lines(series: &[SeriesSamples], shared: &Shared, view: &View, paper: &Paper) -> String {
    let (scene, summary) = scene(series, shared, view);
    let mut out = match draw(&scene, paper) {
        Some(drawing) => drawing,
        None => "nothing to draw: no value is a finite number\n".to_owned(),
    };
    push_styled(&mut out, &times(&scene, view), DIM, paper.color);
    out.push_str("\n\n");
    out.push_str(&legend(&scene, view));
    for line in summary {
        push_styled(&mut out, &line, DIM, paper.color);
        out.push('\n');
    }
    out
}

/// Writes a graph as an SVG image; native histograms are lines of their averages there.
///
/// # Errors
/// For anything but samples over time.
pub fn render_svg(value: &QueryValue, view: &View) -> Result<String, RenderError> {
    let series = over_time("svg", value)?;
    let shared = Shared::of(series.iter().map(|s| &s.labels));
    let (scene, _) = scene(series, &shared, view);
    Ok(svg::draw(&scene, view.expression.lines().collect::<Vec<_>>().join(" ").trim()))
}

fn over_time<'a>(
    format: &'static str,
    value: &'a QueryValue,
) -> Result<&'a [SeriesSamples], RenderError> {
    let what = match value {
        QueryValue::Matrix(series) => return Ok(series),
        QueryValue::Vector(_) => "an answer at one point in time",
        QueryValue::Scalar { .. } => "a single number",
        QueryValue::String { .. } => "a string",
    };
    Err(RenderError::Unfit {
        format,
        what,
        instead: "ask for a range, for example with --last 1h, or use `table`",
    })
}

/// The scene, and what has to be said under it.
fn scene(series: &[SeriesSamples], shared: &Shared, view: &View) -> (Scene, Vec<String>) {
    let lines: Vec<Line> = (series.iter())
        .map(|one| {
            let name =
                if series.len() == 1 { selector(&one.labels) } else { shared.rest(&one.labels) };
            Line { name: crate::visible::value(&name), points: points(one) }
        })
        .collect();
    let mut remarks = Vec::new();
    let all = lines.iter().flat_map(|l| &l.points);
    let skipped = all.filter(|(_, v)| !v.is_finite()).count();
    if skipped > 0 {
        remarks.push(format!("not drawn: NaN and infinite values ({skipped})"));
    }
    let mut scene = scene_of(lines, view);
    if scene.lines.len() > MOST_LINES {
        remarks.push(format!(
            "{} series: drawn are their quantiles at each time; `-o table` lists them all",
            scene.lines.len()
        ));
        remarks.extend(extremes(&scene.lines));
        scene.lines = quantiles(&scene.lines);
    }
    let is_in_bytes = view.unit.is_some_and(|unit| unit.base == Base::Byte);
    scene.binary =
        is_in_bytes || series.iter().all(|s| s.labels.metric_name().is_some_and(is_bytes));
    (scene, remarks)
}

/// A scene of lines whose times are those of the query, or else of its samples.
pub(super) fn scene_of(lines: Vec<Line>, view: &View) -> Scene {
    let times = || lines.iter().flat_map(|line| &line.points).map(|(time, _)| *time);
    let (start, end, gap) = match view.range {
        Some(range) => (range.start, range.end, range.step + range.step / 2),
        None => (
            times().min().unwrap_or(0),
            times().max().unwrap_or(0),
            usual_distance(&lines).saturating_mul(3),
        ),
    };
    Scene { lines, start, end, gap, binary: false, zone: view.zone.clone() }
}

/// Whether a metric counts bytes, by its name.
pub(super) fn is_bytes(name: &str) -> bool {
    name.ends_with("_bytes")
}

/// The samples of a series; of a native histogram its average.
fn points(series: &SeriesSamples) -> Vec<(i64, f64)> {
    let mut points = series.floats.clone();
    points.extend(series.histograms.iter().map(|(t, h)| (*t, h.sum / h.count)));
    points.sort_by_key(|(t, _)| *t);
    points
}

/// The median of the times between neighbouring samples.
fn usual_distance(lines: &[Line]) -> i64 {
    let distances = lines.iter().flat_map(|l| l.points.windows(2).map(|w| w[1].0 - w[0].0));
    let mut distances: Vec<i64> = distances.collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied().unwrap_or(0)
}

/// Five lines that say how the values of many series are spread at each time.
fn quantiles(lines: &[Line]) -> Vec<Line> {
    let mut at: std::collections::BTreeMap<i64, Vec<f64>> = Default::default();
    for (time, value) in lines.iter().flat_map(|l| &l.points).filter(|(_, v)| v.is_finite()) {
        at.entry(*time).or_default().push(*value);
    }
    for values in at.values_mut() {
        values.sort_by(f64::total_cmp);
    }
    let nearest =
        |values: &[f64], share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    [
        ("largest", 1.0),
        ("9 of 10 below", 0.9),
        ("median", 0.5),
        ("1 of 10 below", 0.1),
        ("smallest", 0.0),
    ]
    .into_iter()
    .map(|(name, share)| Line {
        name: name.to_string(),
        points: at.iter().map(|(t, values)| (*t, nearest(values, share))).collect(),
    })
    .collect()
}

/// Which series have the largest values.
fn extremes(lines: &[Line]) -> Vec<String> {
    let largest = |line: &Line| {
        line.points
            .iter()
            .map(|(_, v)| *v)
            .filter(|v| v.is_finite())
            .fold(f64::NEG_INFINITY, f64::max)
    };
    let mut order: Vec<(f64, &Line)> = lines.iter().map(|l| (largest(l), l)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let line = |(value, line): &(f64, &Line)| {
        format!("  {}  at most {}", line.name, number::sample(*value))
    };
    ["largest:".to_string()].into_iter().chain(order.iter().take(3).map(line)).collect()
}

/// The line that says what the time axis can't.
pub(super) fn times(scene: &Scene, view: &View) -> String {
    let civil = |time| timestamps::civil(time, &view.zone, false);
    let zone = timestamps::zone_name(&view.zone, scene.end);
    let step = view.range.map(|r| format!(", step {}", written(r.step))).unwrap_or_default();
    format!("{} to {} ({zone}){step}", civil(scene.start), civil(scene.end))
}

/// The numbers of the lines, as a table.
pub(super) fn legend(scene: &Scene, view: &View) -> String {
    let screen = &view.screen;
    let sparks = screen.width.map_or(16, |width| (width / 6).clamp(6, 16));
    let table = |sparks| {
        legend_grid(scene, view, sparks).render(
            screen.width,
            screen.max_rows,
            screen.color,
            "series",
        )
    };
    table(sparks).or_else(|| table(0)).unwrap_or_else(|| {
        // Too narrow for columns: the names and the last values.
        let elision = Elision::new(scene.lines.len(), screen.max_rows);
        let shown = scene.lines.iter().enumerate().take(elision.head);
        let line = |(at, line): (usize, &Line)| {
            let last = line.points.last().map_or(f64::NAN, |(_, v)| *v);
            let mark = marker(at, screen.unicode);
            format!("{mark} {} {}\n", line.name, view.legible(last, scene.binary))
        };
        shown.map(line).collect()
    })
}

/// A row for each line; `sparks` columns show its shape.
fn legend_grid(scene: &Scene, view: &View, sparks: usize) -> Grid {
    let screen = &view.screen;
    let number = |value: f64| Cell::new(&view.legible(value, scene.binary));
    let texts = [("", Align::Left), ("series", Align::Left), ("", Align::Left)];
    let numbers = ["last", "min", "avg", "max"].map(|name| (name, Align::Right));
    let texts = texts.into_iter().take(if sparks > 0 { 3 } else { 2 });
    let mut grid = Grid::new(texts.chain(numbers));
    for (at, line) in scene.lines.iter().enumerate() {
        let finite = || line.points.iter().map(|(_, v)| *v).filter(|v| v.is_finite());
        let count = finite().count().max(1) as f64;
        let style = line_style(at);
        let mut row = vec![
            Cell::new(&marker(at, screen.unicode).to_string()).styled(style),
            Cell::new(&line.name),
        ];
        if sparks > 0 {
            let spark = spark::spark(scene, line, sparks, screen.unicode);
            row.push(Cell::new(&spark).styled(style));
        }
        row.push(number(line.points.last().map_or(f64::NAN, |(_, v)| *v)));
        if finite().next().is_some() {
            row.push(number(finite().fold(f64::INFINITY, f64::min)));
            // Divided first, so that the sum of large values is finite.
            row.push(number(finite().map(|v| v / count).sum()));
            row.push(number(finite().fold(f64::NEG_INFINITY, f64::max)));
        }
        grid.push(row);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use crate::render::Screen;
    use insta::assert_snapshot;

    fn screen(width: usize) -> Screen {
        Screen { width: Some(width), height: Some(24), ..Screen::PLAIN }
    }

    fn wave(length: usize, phase: f64) -> Vec<f64> {
        (0..length).map(|i| 50.0 + 40.0 * (i as f64 / 10.0 + phase).sin()).collect()
    }

    fn two_waves() -> QueryValue {
        let (a, mut b) = (wave(120, 0.0), wave(120, 2.0));
        b[40..60].fill(f64::NAN);
        matrix(&[
            (&[("__name__", "requests"), ("code", "200"), ("job", "api")], &a),
            (&[("__name__", "requests"), ("code", "500"), ("job", "api")], &b),
        ])
    }

    fn show(value: &QueryValue, screen: Screen) -> String {
        render(value, &View { screen, ..range_view(120) }).unwrap()
    }

    #[test]
    fn two_series_with_a_gap() {
        assert_snapshot!(show(&two_waves(), screen(80)));
    }

    #[test]
    fn ascii() {
        assert_snapshot!(show(&two_waves(), Screen { unicode: false, ..screen(60) }));
    }

    #[test]
    fn colours() {
        let text = show(&two_waves(), Screen { color: true, graph_rows: Some(4), ..screen(50) });
        assert_snapshot!(text.replace('\u{1b}', "␛"));
    }

    #[test]
    fn one_series_and_a_single_sample() {
        assert_snapshot!(
            "constant",
            show(&matrix(&[(&[("__name__", "up")], &[1.0; 120])]), screen(60))
        );
        let mut values = [f64::NAN; 120];
        values[60] = 3.0;
        assert_snapshot!("single", show(&matrix(&[(&[("__name__", "up")], &values)]), screen(60)));
    }

    #[test]
    fn bytes_have_ticks_in_powers_of_two() {
        let values: Vec<f64> = (0..120).map(|i| 3e9 + f64::from(i) * 1e7).collect();
        assert_snapshot!(show(&matrix(&[(&[("__name__", "memory_bytes")], &values)]), screen(60)));
    }

    #[test]
    fn what_can_not_be_drawn_is_said() {
        let values = [1.0, f64::INFINITY, 2.0];
        assert_snapshot!("some", show(&matrix(&[(&[("a", "b")], &values)]), screen(60)));
        let value = matrix(&[(&[("a", "b")], &[f64::INFINITY; 3])]);
        assert_snapshot!("none", show(&value, screen(60)));
        assert_snapshot!(show(&matrix(&[]), screen(60)), @"no series");
        assert_snapshot!(render(&vector(&[]), &view()).unwrap_err(), @"the format `graph` can't show an answer at one point in time; ask for a range, for example with --last 1h, or use `table`");
    }

    #[test]
    fn many_series_are_drawn_as_quantiles() {
        let names: Vec<String> = (0..30).map(|i| format!("host-{i:02}")).collect();
        let pairs: Vec<[(&str, &str); 1]> = names.iter().map(|n| [("host", n.as_str())]).collect();
        let waves: Vec<Vec<f64>> = (0..30).map(|i| wave(120, f64::from(i) / 30.0)).collect();
        let series: Vec<_> = pairs.iter().zip(&waves).map(|(p, w)| (&p[..], &w[..])).collect();
        assert_snapshot!(show(&matrix(&series), screen(80)));
    }

    #[test]
    fn a_very_narrow_terminal() {
        assert_snapshot!(show(&two_waves(), screen(20)));
    }

    #[test]
    fn svg() {
        let view = View { expression: "requests{code<\"\"}".into(), ..range_view(6) };
        let value = matrix(&[
            (&[("code", "<200>")], &[1.0, 2.0, f64::NAN, 4.0, f64::NAN, 1.5]),
            (&[("code", "500")], &[0.0, 0.5, 1.0, 1.0, 1.0, 1.0]),
        ]);
        assert_snapshot!(render_svg(&value, &view).unwrap());
    }
}
