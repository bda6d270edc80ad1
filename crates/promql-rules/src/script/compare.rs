//! Results against what was expected, sample by sample.

use std::collections::{BTreeMap, BTreeSet};

use promql_model::{Labels, QueryValue, SampleValue, SeriesSamples, VectorElement};
use promql_syntax::SequenceValue;

use super::equality::{is_close, is_same_histogram};
use super::expect::{Expectations, ExpectedSeries};
use super::run::Mismatch;
use super::{EvalTime, message};

/// A sample that was expected, that came, or both.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The series.
    pub labels: Labels,
    /// The line that the sample is expected by: a position of [`Expectations::lines`].
    pub expectation: Option<usize>,
    /// Milliseconds since the epoch; nothing in an instant vector.
    pub timestamp: Option<i64>,
    /// What was expected.
    pub expected: Option<SampleValue>,
    /// What came.
    pub got: Option<SampleValue>,
    /// How the two compare.
    pub verdict: RowVerdict,
}

/// How an expected and an actual sample compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowVerdict {
    /// They are the same.
    Same,
    /// They are not.
    Different,
    /// Nothing came.
    Missing,
    /// Nothing was expected.
    Unexpected,
    /// They are the same, but at another place of an ordered result. Places count from 1.
    Misplaced {
        /// Where it is expected.
        expected: usize,
        /// Where it is.
        got: usize,
    },
}

/// What is wrong with a result. The message is upstream's, about the first thing that is.
pub(super) type Wrong = (String, Mismatch);

/// Compares a result with what was expected.
pub(super) fn compare(
    value: &QueryValue,
    expectations: &Expectations,
    time: EvalTime,
) -> Result<(), Wrong> {
    match value {
        QueryValue::Scalar { value: got, .. } => scalar(*got, value, expectations),
        QueryValue::String { value, .. } => string(value, expectations),
        QueryValue::Vector(elements) => {
            check_kind(value, expectations)?;
            vector(elements, expectations)
        }
        QueryValue::Matrix(series) => {
            if expectations.is_ordered() {
                let text = "expected ordered result, but query returned a matrix";
                return Err((text.to_owned(), Mismatch::OrderedMatrix));
            }
            check_kind(value, expectations)?;
            matrix(series, expectations, Times::new(expectations, time))
        }
    }
}

fn scalar(got: f64, value: &QueryValue, expectations: &Expectations) -> Result<(), Wrong> {
    match expectations.scalar() {
        Some(expected) if is_close(expected, got) => Ok(()),
        Some(expected) => Err((message::scalar(expected, got), Mismatch::Scalar { expected, got })),
        None => Err(wrong_kind("a vector", value)),
    }
}

fn string(got: &str, expectations: &Expectations) -> Result<(), Wrong> {
    let expected = expectations.string().unwrap_or_default();
    if expected == got {
        return Ok(());
    }
    let mismatch = Mismatch::String { expected: expected.to_owned(), got: got.to_owned() };
    Err((message::string(expected, got), mismatch))
}

/// That a vector or a matrix is not what was expected.
fn check_kind(value: &QueryValue, expectations: &Expectations) -> Result<(), Wrong> {
    if expectations.scalar().is_some() {
        Err(wrong_kind("a scalar", value))
    } else if expectations.string().is_some() {
        Err(wrong_kind("a string", value))
    } else {
        Ok(())
    }
}

fn wrong_kind(expected: &'static str, got: &QueryValue) -> Wrong {
    let kind = match got {
        QueryValue::Scalar { .. } => "a scalar",
        QueryValue::String { .. } => "a string",
        QueryValue::Vector(_) => "an instant vector",
        QueryValue::Matrix(_) => "a range vector",
    };
    (message::kind(expected, got), Mismatch::Kind { expected, got: kind })
}

fn vector(elements: &[VectorElement], expectations: &Expectations) -> Result<(), Wrong> {
    let expected = expectations.series();
    let by_labels: BTreeMap<&Labels, usize> =
        expected.iter().enumerate().map(|(at, (_, series))| (&series.labels, at)).collect();
    let mut first: Option<String> = None;
    let mut rows: Vec<Option<Row>> = vec![None; expected.len()];
    let mut unexpected = Vec::new();
    for (at, element) in elements.iter().enumerate() {
        let Some(place) = by_labels.get(&element.labels) else {
            first.get_or_insert_with(|| message::unexpected_element(element));
            unexpected.push(Row {
                labels: element.labels.clone(),
                expectation: None,
                timestamp: None,
                expected: None,
                got: Some(element.value.clone()),
                verdict: RowVerdict::Unexpected,
            });
            continue;
        };
        let (line, series) = expected[*place];
        let wanted = first_value(series);
        let is_same = is_same(&wanted, &element.value);
        let verdict = match expectations.is_ordered() && series.position != at + 1 {
            _ if !is_same => RowVerdict::Different,
            true => RowVerdict::Misplaced { expected: series.position, got: at + 1 },
            false => RowVerdict::Same,
        };
        // Upstream looks at the order before it looks at the value.
        if expectations.is_ordered() && series.position != at + 1 {
            first.get_or_insert_with(|| message::misplaced(series, at + 1));
        } else if !is_same {
            first.get_or_insert_with(|| message::wrong_element(series, &wanted, element));
        }
        rows[*place] = Some(Row {
            labels: element.labels.clone(),
            expectation: Some(line),
            timestamp: None,
            expected: Some(sample(&wanted)),
            got: Some(element.value.clone()),
            verdict,
        });
    }
    let rows = rows.into_iter().zip(&expected).map(|(row, (line, series))| match row {
        Some(row) => row,
        None => {
            first.get_or_insert_with(|| message::missing_element(series));
            Row {
                labels: series.labels.clone(),
                expectation: Some(*line),
                timestamp: None,
                expected: Some(sample(&first_value(series))),
                got: None,
                verdict: RowVerdict::Missing,
            }
        }
    });
    let rows: Vec<Row> = rows.collect::<Vec<_>>().into_iter().chain(unexpected).collect();
    first.map_or(Ok(()), |text| Err((text, Mismatch::Series(rows))))
}

/// The value of an element. Upstream takes `_` for 0.
fn first_value(series: &ExpectedSeries) -> SequenceValue {
    match series.values.first() {
        None | Some(SequenceValue::Omitted) => SequenceValue::Float(0.0),
        Some(value) => value.clone(),
    }
}

fn sample(value: &SequenceValue) -> SampleValue {
    match value {
        SequenceValue::Omitted => SampleValue::Float(0.0),
        SequenceValue::Float(value) => SampleValue::Float(*value),
        SequenceValue::Histogram { histogram, .. } => SampleValue::Histogram(histogram.clone()),
    }
}

fn is_same(expected: &SequenceValue, got: &SampleValue) -> bool {
    match (expected, got) {
        (SequenceValue::Float(expected), SampleValue::Float(got)) => is_close(*expected, *got),
        (SequenceValue::Histogram { histogram, hint_given }, SampleValue::Histogram(got)) => {
            is_same_histogram(histogram, got, *hint_given)
        }
        _ => false,
    }
}

/// When the values on a line are expected.
#[derive(Clone, Copy)]
struct Times {
    start: i64,
    end: i64,
    step: i64,
}

impl Times {
    fn new(expectations: &Expectations, time: EvalTime) -> Times {
        match (expectations.range_vector(), time) {
            (Some(times), _) => Times { start: times.start, end: times.end, step: times.step },
            (None, EvalTime::Range { start, end, step }) => Times { start, end, step },
            (None, EvalTime::Instant(at)) => Times { start: at, end: at, step: 0 },
        }
    }

    fn at(&self, index: usize) -> i64 {
        self.start.saturating_add(self.step.saturating_mul(index as i64))
    }
}

fn matrix(
    result: &[SeriesSamples],
    expectations: &Expectations,
    times: Times,
) -> Result<(), Wrong> {
    let expected = expectations.series();
    let by_labels: BTreeMap<&Labels, usize> =
        expected.iter().enumerate().map(|(at, (_, series))| (&series.labels, at)).collect();
    let mut first: Option<String> = None;
    if let Some(pair) = result.windows(2).find(|pair| pair[0].labels >= pair[1].labels) {
        first = Some(message::unsorted(&pair[0].labels, &pair[1].labels));
    }
    let mut rows: Vec<Vec<Row>> = vec![Vec::new(); expected.len()];
    let mut seen = vec![false; expected.len()];
    let mut unexpected = Vec::new();
    for series in result {
        let got = Samples::of(series);
        match by_labels.get(&series.labels) {
            Some(place) => {
                let (line, wanted) = expected[*place];
                seen[*place] = true;
                if let Some(text) =
                    message::wrong_series(wanted, series, |at| times.at(at), times.end)
                {
                    first.get_or_insert(text);
                }
                rows[*place] = series_rows(Some((line, wanted)), &series.labels, &got, times);
            }
            None => {
                first.get_or_insert_with(|| message::unexpected_series(series));
                unexpected.extend(series_rows(None, &series.labels, &got, times));
            }
        }
    }
    for ((rows, (line, series)), _) in
        rows.iter_mut().zip(&expected).zip(&seen).filter(|(_, seen)| !**seen)
    {
        first.get_or_insert_with(|| message::missing_series(series));
        *rows = series_rows(Some((*line, series)), &series.labels, &Samples::default(), times);
        if rows.is_empty() {
            rows.push(Row {
                labels: series.labels.clone(),
                expectation: Some(*line),
                timestamp: None,
                expected: None,
                got: None,
                verdict: RowVerdict::Missing,
            });
        }
    }
    let rows: Vec<Row> = rows.into_iter().flatten().chain(unexpected).collect();
    first.map_or(Ok(()), |text| Err((text, Mismatch::Series(rows))))
}

/// The samples of a series by their times. At one time there may be both a float and a histogram
/// only if the engine is wrong; the float is shown then.
#[derive(Default)]
struct Samples(BTreeMap<i64, SampleValue>);

impl Samples {
    fn of(series: &SeriesSamples) -> Samples {
        let histograms = series.histograms.iter().map(|(timestamp, histogram)| {
            (*timestamp, SampleValue::Histogram(Box::new(histogram.clone())))
        });
        let floats = series.floats.iter().map(|(at, value)| (*at, SampleValue::Float(*value)));
        Samples(histograms.chain(floats).collect())
    }
}

/// The samples of a series side by side, by time.
fn series_rows(
    expected: Option<(usize, &ExpectedSeries)>,
    labels: &Labels,
    got: &Samples,
    times: Times,
) -> Vec<Row> {
    let values = expected.iter().flat_map(|(_, series)| series.values.iter().enumerate());
    let wanted: BTreeMap<i64, &SequenceValue> = values
        .filter(|(_, value)| !matches!(value, SequenceValue::Omitted))
        .map(|(at, value)| (times.at(at), value))
        .collect();
    let all: BTreeSet<i64> = wanted.keys().chain(got.0.keys()).copied().collect();
    let row = |timestamp: i64| {
        let (wanted, got) = (wanted.get(&timestamp), got.0.get(&timestamp));
        let verdict = match (wanted, got) {
            (Some(wanted), Some(got)) if is_same(wanted, got) => RowVerdict::Same,
            (Some(_), Some(_)) => RowVerdict::Different,
            (Some(_), None) => RowVerdict::Missing,
            (None, _) => RowVerdict::Unexpected,
        };
        Row {
            labels: labels.clone(),
            expectation: expected.map(|(line, _)| line),
            timestamp: Some(timestamp),
            expected: wanted.map(|value| sample(value)),
            got: got.cloned(),
            verdict,
        }
    };
    all.into_iter().map(row).collect()
}
