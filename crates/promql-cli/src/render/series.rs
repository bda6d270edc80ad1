//! The notation of tests for a series and its samples: `up{job="api"} 1x5 _ 0`.
//!
//! Runs are written as runs (`1x5` is six times 1, `0+60x3` is 0 60 120 180) where reading them back
//! gives the same floats, bit for bit, and position for position. Three forms share the notation:
//!
//! - [`lines`]: the bare lines, to paste wherever a test expects or loads series. A step without
//!   sample is `_`.
//! - [`load_block`]: a `load` block, which makes a whole `.test` file and so a source to query.
//! - [`unit_test`]: `input_series` of a promtool unit test.
//!
//! The latter two are input of an evaluation, and an evaluation looks back: where a range query had
//! no answer, its recording must not be filled by an older sample. So a gap begins with a staleness
//! marker (`stale`) there. The raw samples of a range selector are recorded as they are.

use promql_model::{
    FloatHistogram, FormatDuration, Labels, QueryValue, SampleValue, SeriesSamples, stale_nan,
};
use promql_storage::fixture::write_sequence;
use promql_syntax::SequenceValue;

use super::{RenderError, View, labels, timestamps};

/// A minute: the step of what has none.
const MINUTE: i64 = 60_000;

/// One line for each series. Where a range query has no sample, `_` stands.
///
/// # Errors
/// For strings and for samples at irregular times.
pub fn lines(value: &QueryValue, view: &View) -> Result<String, RenderError> {
    let recording = Recording::of("series", value, view)?;
    let line = |(labels, values): &(Labels, Vec<Item>)| {
        format!("{} {}\n", labels::selector(labels), write_sequence(values))
    };
    Ok(recording.series.iter().map(line).collect())
}

/// A `load` block with all series. Time 0 of the block is said in a comment.
///
/// # Errors
/// As for [`lines`].
pub fn load_block(value: &QueryValue, view: &View) -> Result<String, RenderError> {
    let recording = Recording::of("test", value, view)?;
    let mut out = recording.comment("#");
    out.push_str(&format!("load {}\n", duration(recording.step)));
    for (labels, values) in &recording.series {
        let values = recording.input(values);
        out.push_str(&format!("  {} {values}\n", labels::selector(labels)));
    }
    Ok(out)
}

/// The `input_series` of a promtool unit test, in YAML.
///
/// # Errors
/// As for [`lines`].
pub fn unit_test(value: &QueryValue, view: &View) -> Result<String, RenderError> {
    let recording = Recording::of("unit-test", value, view)?;
    let mut out = recording.comment("#");
    out.push_str(&format!("tests:\n  - interval: {}\n", duration(recording.step)));
    out.push_str("    input_series:");
    if recording.series.is_empty() {
        out.push_str(" []");
    }
    out.push('\n');
    for (labels, values) in &recording.series {
        let (series, values) = (labels::selector(labels), recording.input(values));
        out.push_str(&format!("      - series: {}\n", yaml(&series)));
        out.push_str(&format!("        values: {}\n", yaml(&values)));
    }
    Ok(out)
}

/// A position of a series and its sample.
type Item = (i64, SequenceValue);

/// Series with their samples at positions of a common step.
struct Recording {
    /// The time of position 0, if the result has times.
    start: Option<i64>,
    step: i64,
    /// Whether the samples are answers at the steps of a range query, so that a missing one says
    /// that there was no answer.
    evaluated: bool,
    steps: i64,
    series: Vec<(Labels, Vec<Item>)>,
}

impl Recording {
    fn of(format: &'static str, value: &QueryValue, view: &View) -> Result<Self, RenderError> {
        let single = |labels: Labels, value| (labels, vec![(0, value)]);
        let (start, series) = match value {
            QueryValue::String { .. } => {
                return Err(RenderError::Unfit {
                    format,
                    what: "a string",
                    instead: "use `table` or `json`",
                });
            }
            QueryValue::Scalar { timestamp, value } => {
                (*timestamp, vec![single(Labels::empty(), SequenceValue::Float(*value))])
            }
            QueryValue::Vector(elements) => {
                let start = elements.first().map_or(0, |e| e.timestamp);
                let one = |e: &promql_model::VectorElement| {
                    single(e.labels.clone(), sequence_value(&e.value))
                };
                (start, elements.iter().map(one).collect())
            }
            QueryValue::Matrix(all) => return Self::of_matrix(format, all, view),
        };
        Ok(Recording { start: Some(start), step: MINUTE, evaluated: false, steps: 1, series })
    }

    fn of_matrix(
        format: &'static str,
        all: &[SeriesSamples],
        view: &View,
    ) -> Result<Self, RenderError> {
        let times = |s: &SeriesSamples| -> Vec<i64> {
            let mut times: Vec<i64> = s.floats.iter().map(|(t, _)| *t).collect();
            times.extend(s.histograms.iter().map(|(t, _)| *t));
            times.sort_unstable();
            times
        };
        let (start, step) = match view.range {
            Some(range) => (Some(range.start), range.step.max(1)),
            None => {
                let start = all.iter().flat_map(times).min();
                let steps = all.iter().flat_map(|s| {
                    times(s).windows(2).map(|w| w[1].saturating_sub(w[0])).collect::<Vec<_>>()
                });
                (start, steps.filter(|s| *s > 0).min().unwrap_or(MINUTE))
            }
        };
        let origin = start.unwrap_or(0);
        let mut series = Vec::with_capacity(all.len());
        let mut steps = view.range.map_or(0, |r| r.end.saturating_sub(r.start) / r.step.max(1) + 1);
        for one in all {
            let floats = one.floats.iter().map(|(t, v)| (*t, SequenceValue::Float(*v)));
            let histograms = one.histograms.iter().map(|(t, h)| (*t, histogram_value(h)));
            let mut items: Vec<Item> = floats.chain(histograms).collect();
            items.sort_by_key(|(t, _)| *t);
            for (time, _) in &mut items {
                let since = time.saturating_sub(origin);
                if since < 0 || since % step != 0 {
                    let series = labels::selector(&one.labels);
                    return Err(RenderError::Irregular { format, series });
                }
                *time = since / step;
                steps = steps.max(*time + 1);
            }
            series.push((one.labels.clone(), items));
        }
        let evaluated = view.range.is_some();
        Ok(Recording { start, step, evaluated, steps, series })
    }

    /// The values of a series as input of an evaluation.
    fn input(&self, values: &[Item]) -> String {
        match self.evaluated {
            true => write_sequence(&mark_gaps(values, self.steps)),
            false => write_sequence(values),
        }
    }

    fn comment(&self, sign: &str) -> String {
        let Some(start) = self.start.filter(|_| !self.series.is_empty()) else {
            return format!("{sign} no series\n");
        };
        let end = start.saturating_add(self.step.saturating_mul(self.steps - 1));
        match self.steps {
            1 => format!("{sign} Time 0 is {}.\n", timestamps::rfc3339(start)),
            _ => format!(
                "{sign} Time 0 is {}, the last is {}.\n",
                timestamps::rfc3339(start),
                timestamps::rfc3339(end)
            ),
        }
    }
}

fn sequence_value(value: &SampleValue) -> SequenceValue {
    match value {
        SampleValue::Float(value) => SequenceValue::Float(*value),
        SampleValue::Histogram(histogram) => histogram_value(histogram),
    }
}

fn histogram_value(histogram: &FloatHistogram) -> SequenceValue {
    SequenceValue::Histogram { histogram: Box::new(histogram.clone()), hint_given: true }
}

/// Puts a staleness marker at the first missing position of each gap behind a sample.
fn mark_gaps(items: &[Item], steps: i64) -> Vec<Item> {
    let mut marked = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        marked.push(item.clone());
        let next = items.get(at + 1).map_or(steps, |(position, _)| *position);
        if next > item.0 + 1 {
            marked.push((item.0 + 1, SequenceValue::Float(stale_nan())));
        }
    }
    marked
}

/// A step as a duration of the language.
fn duration(milliseconds: i64) -> String {
    FormatDuration(milliseconds.saturating_mul(1_000_000)).to_string()
}

/// A YAML scalar in single quotes. The texts here hold neither line feeds nor control characters.
fn yaml(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::number;
    use super::*;
    use insta::assert_snapshot;

    fn words(values: &[f64]) -> String {
        let value = matrix(&[(&[("a", "b")], values)]);
        let view = range_view(values.len() as i64);
        lines(&value, &view).unwrap().trim_end().strip_prefix("{a=\"b\"} ").unwrap().to_string()
    }

    #[test]
    fn runs() {
        const GAP: f64 = f64::NAN;
        assert_eq!(words(&[1.0, 1.0, 1.0, 1.0]), "1x3");
        assert_eq!(words(&[1.0, 1.0, 2.0]), "1 1 2");
        assert_eq!(words(&[0.0, 60.0, 120.0, 180.0, 0.0]), "0+60x3 0");
        assert_eq!(words(&[3.0, 1.0, -1.0, -3.0]), "3-2x3");
        assert_eq!(words(&[1.0, 2.0, GAP, 4.0, GAP, GAP, 5.0]), "1 2 _ 4 _x2 5");
        assert_eq!(words(&[GAP, 1.0, 1.0, 1.0, GAP]), "_ 1x2");
        assert_eq!(words(&[-0.0, -0.0, -0.0, 0.0]), "-0x2 0");
        // 0.1 + 0.1 + 0.1 is 0.30000000000000004, so 0.3 is not on the way.
        assert_eq!(words(&[0.1, 0.2, 0.3]), "0.1 0.2 0.3");
        assert_eq!(words(&[0.1, 0.2, 0.1 + 0.1 + 0.1]), "0.1+0.1x2");
        assert_eq!(words(&[f64::INFINITY, f64::INFINITY, f64::INFINITY]), "+Inf +Inf +Inf");
        assert_eq!(words(&[1e21, 2e21, 3e21]), "1e+21+1e+21x2");
        assert_eq!(
            words(&[f64::MAX, f64::MIN, 0.0]),
            format!("{} {} 0", number::sample(f64::MAX), number::sample(f64::MIN))
        );
    }

    fn two_series() -> QueryValue {
        matrix(&[
            (&[("__name__", "up"), ("job", "it's")], &[1.0, 1.0, 1.0, f64::NAN, f64::NAN, 1.0]),
            (&[("__name__", "my.metric"), ("job", "b")], &[0.5]),
        ])
    }

    #[test]
    fn three_forms() {
        assert_snapshot!("lines", lines(&two_series(), &range_view(6)).unwrap());
        assert_snapshot!("load_block", load_block(&two_series(), &range_view(6)).unwrap());
        assert_snapshot!("unit_test", unit_test(&two_series(), &range_view(6)).unwrap());
        assert_snapshot!("instant", load_block(&http_requests(), &view()).unwrap());
        assert_snapshot!("nothing", unit_test(&vector(&[]), &view()).unwrap());
    }

    #[test]
    fn raw_samples_have_gaps_without_marks() {
        let text = load_block(&two_series(), &view()).unwrap();
        assert!(text.contains(r#"up{job="it's"} 1x2 _x2 1"#), "{text}");
    }

    #[test]
    fn what_does_not_fit() {
        let string = QueryValue::String { timestamp: 0, value: "x".to_string() };
        assert_snapshot!(lines(&string, &view()).unwrap_err(),
            @"the format `series` can't show a string; use `table` or `json`");
        let irregular = QueryValue::Matrix(vec![SeriesSamples {
            labels: labels(&[("a", "b")]),
            floats: vec![(0, 1.0), (10, 1.0), (25, 1.0)],
            histograms: Vec::new(),
        }]);
        assert_snapshot!(load_block(&irregular, &view()).unwrap_err(),
            @r#"the format `test` needs evenly spaced samples, but {a="b"} has samples at irregular times; ask with --start, --end and --step, or use `json` or `csv`"#);
    }
}
