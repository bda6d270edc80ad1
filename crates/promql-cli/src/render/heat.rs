//! Native histograms over time: a heat map for each series, with its quantiles as numbers.

use promql_model::SeriesSamples;

use super::graph;
use super::grid::{BOLD, DIM, push_styled};
use super::labels::{Shared, selector};
use super::{View, number};
use crate::graph::heat::draw;
use crate::graph::text::Paper;
use crate::graph::{Line, Scene};

/// More maps than these are no help; sums are.
const MOST_MAPS: usize = 4;

/// The quantiles whose course is told.
const QUANTILES: [(f64, &str); 3] = [(0.5, "p50"), (0.9, "p90"), (0.99, "p99")];

/// Draws the histograms of the series that have any.
pub fn render(series: &[&SeriesSamples], shared: &Shared, view: &View, paper: &Paper) -> String {
    let color = view.screen.color;
    let mut out = String::new();
    for (at, one) in series.iter().take(MOST_MAPS).enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let name = if series.len() == 1 { selector(&one.labels) } else { shared.rest(&one.labels) };
        push_styled(&mut out, &crate::visible::value(&name), BOLD, color);
        out.push('\n');
        let scene = scene(one, view);
        match draw(&one.histograms, &scene, paper) {
            Some(drawing) => out.push_str(&drawing),
            None => out.push_str("nothing to draw: no bucket has any observations\n"),
        }
        push_styled(&mut out, &graph::times(&scene, view), DIM, color);
        out.push_str("\n\n");
        out.push_str(&graph::legend(&scene, view));
    }
    if let Some(more) = series.len().checked_sub(MOST_MAPS).filter(|more| *more > 0) {
        let text = format!(
            "\n{more} more series of histograms: sum() gives one map of all, `-o table` lists them\n"
        );
        push_styled(&mut out, &text, DIM, color);
    }
    let negative = series.iter().flat_map(|one| &one.histograms);
    let negative = negative.flat_map(|(_, histogram)| histogram.buckets());
    let negative = negative.filter(|bucket| bucket.count < 0.0).count();
    if negative > 0 {
        let text = format!(
            "not drawn: buckets with less than nothing in them ({})\n",
            number::sample(negative as f64)
        );
        push_styled(&mut out, &text, DIM, color);
    }
    out
}

/// The quantiles of a series as lines.
fn scene(series: &SeriesSamples, view: &View) -> Scene {
    let lines = QUANTILES.iter().map(|&(quantile, name)| Line {
        name: name.to_owned(),
        points: series.histograms.iter().map(|(t, h)| (*t, h.quantile(quantile).value)).collect(),
    });
    let scene = graph::scene_of(lines.collect(), view);
    let binary = series.labels.metric_name().is_some_and(graph::is_bytes);
    Scene { binary, ..scene }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::graph::render;
    use crate::render::{Screen, View};
    use insta::assert_snapshot;
    use promql_model::{DenseHistogram, FloatHistogram, QueryValue, SeriesSamples};

    fn screen(width: usize) -> Screen {
        Screen { width: Some(width), height: Some(24), ..Screen::PLAIN }
    }

    fn show(series: Vec<SeriesSamples>, steps: i64, screen: Screen) -> String {
        render(&QueryValue::Matrix(series), &View { screen, ..range_view(steps) }).unwrap()
    }

    /// Latencies that rise and fall, with a second, slower group of them.
    fn latencies(steps: usize) -> Vec<(i64, FloatHistogram)> {
        let at = |step: usize| {
            let middle = 14.0 + 6.0 * (step as f64 / 15.0).sin();
            let near = |bucket: usize, to: f64| 40.0 * (-(bucket as f64 - to).powi(2) / 8.0).exp();
            let buckets: Vec<f64> =
                (0..34).map(|b| (near(b, middle) + 0.3 * near(b, 29.0)).floor()).collect();
            let count: f64 = buckets.iter().sum();
            let dense = DenseHistogram {
                schema: 1,
                count,
                sum: count / 10.0,
                offset: -20,
                buckets,
                ..DenseHistogram::default()
            };
            (START + step as i64 * 30_000, FloatHistogram::from(dense))
        };
        (0..steps).map(at).collect()
    }

    fn series(pairs: &[(&str, &str)], histograms: Vec<(i64, FloatHistogram)>) -> SeriesSamples {
        SeriesSamples { labels: labels(pairs), histograms, ..SeriesSamples::default() }
    }

    fn one() -> Vec<SeriesSamples> {
        vec![series(&[("__name__", "latency_seconds"), ("job", "api")], latencies(120))]
    }

    #[test]
    fn shades() {
        assert_snapshot!(show(one(), 120, screen(80)));
    }

    #[test]
    fn ascii() {
        assert_snapshot!(show(one(), 120, Screen { unicode: false, ..screen(60) }));
    }

    #[test]
    fn colours() {
        let colored = Screen { color: true, graph_rows: Some(4), ..screen(40) };
        assert_snapshot!(show(one(), 120, colored).replace('\u{1b}', "␛"));
    }

    #[test]
    fn a_very_narrow_terminal() {
        assert_snapshot!(show(one(), 120, screen(20)));
    }

    #[test]
    fn few_steps_with_a_gap_and_custom_buckets() {
        let at = |step: i64| {
            let dense = DenseHistogram {
                schema: -53,
                count: 10.0 + step as f64,
                sum: 5.0,
                custom_values: vec![0.1, 1.0, 10.0],
                buckets: vec![1.0, 6.0, 2.0, 1.0 + step as f64],
                ..DenseHistogram::default()
            };
            (START + step * 30_000, FloatHistogram::from(dense))
        };
        let histograms = [0, 1, 2, 6, 7, 8].map(at);
        assert_snapshot!(show(vec![series(&[("job", "api")], histograms.into())], 9, screen(60)));
    }

    #[test]
    fn several_series_and_numbers_beside_them() {
        let small = Screen { graph_rows: Some(5), ..screen(60) };
        let mut all: Vec<SeriesSamples> = ["a", "b", "c", "d", "e", "f"]
            .map(|job| series(&[("__name__", "h"), ("job", job)], latencies(40)))
            .into();
        let numbers = (0..40).map(|k| (START + k * 30_000, k as f64));
        all[5].floats = numbers.collect();
        all[5].histograms.clear();
        assert_snapshot!(show(all, 40, small));
    }

    #[test]
    fn what_can_not_be_drawn_is_said() {
        let mut histograms = latencies(3);
        histograms.iter_mut().for_each(|(_, histogram)| histogram.multiply(-1.0));
        assert_snapshot!(show(vec![series(&[("job", "api")], histograms)], 3, screen(60)));
    }

    /// A bucket that reaches over rows is divided, and nothing of it is lost.
    #[test]
    fn coarse_and_fine_buckets_share_rows() {
        let coarse = DenseHistogram {
            count: 8.0,
            sum: 8.0,
            buckets: vec![0.0, 8.0],
            ..DenseHistogram::default()
        };
        let fine = DenseHistogram {
            schema: 2,
            count: 8.0,
            sum: 12.0,
            offset: 1,
            buckets: vec![2.0, 2.0, 2.0, 2.0],
            ..DenseHistogram::default()
        };
        let histograms = vec![(START, coarse.into()), (START + 30_000, fine.into())];
        assert_snapshot!(show(vec![series(&[("job", "api")], histograms)], 2, screen(60)));
    }
}
