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

use promql_model::{FormatDuration, Labels, QueryValue, SampleValue, SeriesSamples, is_stale_nan};

use super::{RenderError, View, histogram, labels, number, timestamps};

/// So many equal or evenly rising values make a run.
const SHORTEST_RUN: usize = 3;

/// A minute: the step of what has none.
const MINUTE: i64 = 60_000;

/// One line for each series. Where a range query has no sample, `_` stands.
///
/// # Errors
/// For strings and for samples at irregular times.
pub fn lines(value: &QueryValue, view: &View) -> Result<String, RenderError> {
    let recording = Recording::of("series", value, view)?;
    let line = |(labels, values): &(Labels, Vec<Item>)| {
        format!("{} {}\n", labels::selector(labels), notation(values, false))
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
        let values = notation(values, recording.evaluated);
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
        let (series, values) = (labels::selector(labels), notation(values, recording.evaluated));
        out.push_str(&format!("      - series: {}\n", yaml(&series)));
        out.push_str(&format!("        values: {}\n", yaml(&values)));
    }
    Ok(out)
}

/// A position of a series and the text of its sample.
type Item = (i64, Value);

#[derive(Clone, Debug)]
enum Value {
    Float(f64),
    Other(String),
}

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
                (*timestamp, vec![single(Labels::empty(), Value::Float(*value))])
            }
            QueryValue::Vector(elements) => {
                let start = elements.first().map_or(0, |e| e.timestamp);
                let one =
                    |e: &promql_model::VectorElement| single(e.labels.clone(), Value::of(&e.value));
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
            let floats = one.floats.iter().map(|(t, v)| (*t, Value::Float(*v)));
            let histograms =
                one.histograms.iter().map(|(t, h)| (*t, Value::Other(histogram::notation(h))));
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
        if evaluated {
            for (_, items) in &mut series {
                mark_gaps(items, steps);
            }
        }
        Ok(Recording { start, step, evaluated, steps, series })
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

impl Value {
    fn of(value: &SampleValue) -> Value {
        match value {
            SampleValue::Float(value) => Value::Float(*value),
            SampleValue::Histogram(h) => Value::Other(histogram::notation(h)),
        }
    }
}

/// The text that stands where a gap begins, when gaps are marked.
const GAP: &str = "gap";

/// Puts a mark at the first missing position of each gap behind a sample.
fn mark_gaps(items: &mut Vec<Item>, steps: i64) {
    let mut marked = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        marked.push(item.clone());
        let next = items.get(at + 1).map_or(steps, |(position, _)| *position);
        if next > item.0 + 1 {
            marked.push((item.0 + 1, Value::Other(GAP.to_string())));
        }
    }
    *items = marked;
}

/// The positions of a series as words with blanks between. Gap marks are `stale` or `_`.
fn notation(items: &[Item], stale_gaps: bool) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut position = 0;
    let mut at = 0;
    let is_gap = |value: &Value| matches!(value, Value::Other(text) if text == GAP);
    while at < items.len() {
        let (time, value) = &items[at];
        if is_gap(value) && !stale_gaps {
            at += 1;
            continue;
        }
        match time - position {
            i64::MIN..=0 => {}
            1 => words.push("_".to_string()),
            missing => words.push(format!("_x{missing}")),
        }
        let (word, taken) = match value {
            Value::Other(_) if is_gap(value) => ("stale".to_string(), 1),
            Value::Other(text) => (text.clone(), 1),
            Value::Float(first) => run(*first, &items[at..]),
        };
        words.push(word);
        at += taken;
        position = time + taken as i64;
    }
    words.join(" ")
}

/// The word for as many values from the front as make a run, and their number.
fn run(first: f64, items: &[Item]) -> (String, usize) {
    let text = if is_stale_nan(first) { "stale".to_string() } else { number::sample(first) };
    if !first.is_finite() {
        return (text, 1);
    }
    // What follows directly, position by position.
    let values: Vec<f64> = (items.iter().enumerate())
        .map_while(|(i, (position, value))| match value {
            Value::Float(v) if *position == items[0].0 + i as i64 => Some(*v),
            _ => None,
        })
        .collect();
    let equal = values.iter().take_while(|v| v.to_bits() == first.to_bits()).count();
    if equal >= SHORTEST_RUN {
        return (format!("{text}x{}", equal - 1), equal);
    }
    let step = values.get(1).map_or(f64::NAN, |second| second - first);
    if equal == 1 && step.is_finite() {
        // A reader adds the step again and again: count how far that gives these very floats.
        let mut expected = first;
        let rising = (values.iter())
            .take_while(|v| {
                let same = v.to_bits() == expected.to_bits();
                expected += step;
                same
            })
            .count();
        if rising >= SHORTEST_RUN {
            let sign = if step < 0.0 { '-' } else { '+' };
            let step = number::sample(step.abs());
            return (format!("{text}{sign}{step}x{}", rising - 1), rising);
        }
    }
    (text, 1)
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
