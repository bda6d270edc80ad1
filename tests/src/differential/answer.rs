//! Answers with native histograms, of a server and of the evaluator, in one form to be compared.

use std::collections::{BTreeMap, BTreeSet};

use promql_engine::{EngineOptions, Storage, evaluate};
use promql_model::{FloatHistogram, Labels, QueryValue, SampleValue};
use promql_syntax::{Features, compile};
use serde_json::Value;

use crate::answer::{Times, remark_text};

/// The values of each series with their times in milliseconds.
pub type Values = BTreeMap<Labels, Vec<(i64, Point)>>;

/// An answer to a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The values.
    pub values: Values,
    /// Warnings and infos as the API gives them, with their places.
    pub remarks: BTreeSet<String>,
}

/// A value as the API gives it.
#[derive(Clone, Debug, PartialEq)]
pub enum Point {
    /// A float.
    Float(f64),
    /// A native histogram.
    Histogram {
        /// Count and sum.
        totals: [f64; 2],
        /// Populated buckets: lower and upper bound, population.
        buckets: Vec<[f64; 3]>,
    },
}

impl Point {
    /// Whether it is a float, or a histogram whose buckets have all its observations.
    pub(super) fn adds_up(&self) -> bool {
        match self {
            Point::Float(_) => true,
            Point::Histogram { totals, buckets } => {
                let sum = buckets.iter().map(|bucket| bucket[2]).sum();
                close(totals[0], sum, 0.0)
            }
        }
    }
}

fn number(value: &Value) -> f64 {
    match value.as_str().unwrap_or_default() {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        text => text.parse().unwrap_or(f64::NAN),
    }
}

fn point(value: &Value) -> (i64, Point) {
    let time = (value[0].as_f64().unwrap_or(f64::NAN) * 1000.0).round() as i64;
    if !value[1].is_object() {
        return (time, Point::Float(number(&value[1])));
    }
    let histogram = &value[1];
    let buckets = histogram["buckets"].as_array().into_iter().flatten();
    let buckets =
        buckets.map(|bucket| [number(&bucket[1]), number(&bucket[2]), number(&bucket[3])]);
    let totals = [number(&histogram["count"]), number(&histogram["sum"])];
    (time, Point::Histogram { totals, buckets: buckets.collect() })
}

/// An answer of `/api/v1/query` or `/api/v1/query_range`.
pub(super) fn of_server(answer: &Value) -> Answer {
    let texts = ["warnings", "infos"].into_iter().filter_map(|part| answer[part].as_array());
    let remarks = texts.flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect();
    Answer { values: values_of_server(&answer["data"]), remarks }
}

fn values_of_server(data: &Value) -> Values {
    if data["resultType"] == "scalar" {
        return Values::from([(Labels::empty(), vec![point(&data["result"])])]);
    }
    let result = data["result"].as_array().cloned().unwrap_or_default();
    let series = result.iter().map(|series| {
        let labels = series["metric"].as_object().into_iter().flatten();
        let labels = labels.map(|(n, v)| (n.as_str(), v.as_str().unwrap_or_default()));
        let mut points = Vec::new();
        for key in ["values", "histograms"] {
            points.extend(series[key].as_array().into_iter().flatten().map(point));
        }
        for key in ["value", "histogram"] {
            points.extend(series.get(key).map(point));
        }
        points.sort_by_key(|(time, _)| *time);
        (Labels::from_pairs(labels), points)
    });
    series.collect()
}

fn of_histogram(histogram: &FloatHistogram) -> Point {
    let buckets = histogram.buckets().filter(|bucket| bucket.count != 0.0);
    Point::Histogram {
        totals: [histogram.count, histogram.sum],
        buckets: buckets.map(|bucket| [bucket.lower, bucket.upper, bucket.count]).collect(),
    }
}

/// What the evaluator answers.
///
/// # Errors
/// The message of the failure.
pub fn ours(query: &str, storage: &dyn Storage, times: Times) -> Result<Answer, String> {
    let compiled = compile(query, &Features::ALL).map_err(|errors| format!("{errors:?}"))?;
    let options = times.options().with_engine(EngineOptions::default());
    let result = evaluate(&compiled, storage, &options).map_err(|error| error.to_string())?;
    let remarks = result.annotations.iter().map(|remark| remark_text(remark, query)).collect();
    Ok(Answer { values: values_of_result(result.value), remarks })
}

fn values_of_result(value: QueryValue) -> Values {
    match value {
        QueryValue::Scalar { timestamp, value } => {
            Values::from([(Labels::empty(), vec![(timestamp, Point::Float(value))])])
        }
        QueryValue::String { .. } => Values::new(),
        QueryValue::Vector(elements) => elements
            .into_iter()
            .map(|element| {
                let point = match &element.value {
                    SampleValue::Float(value) => Point::Float(*value),
                    SampleValue::Histogram(histogram) => of_histogram(histogram),
                };
                (element.labels, vec![(element.timestamp, point)])
            })
            .collect(),
        QueryValue::Matrix(matrix) => matrix
            .into_iter()
            .map(|series| {
                let floats =
                    series.floats.iter().map(|(time, value)| (*time, Point::Float(*value)));
                let histograms = series.histograms.iter();
                let histograms = histograms.map(|(time, h)| (*time, of_histogram(h)));
                let mut points: Vec<_> = floats.chain(histograms).collect();
                points.sort_by_key(|(time, _)| *time);
                (series.labels, points)
            })
            .collect(),
    }
}

/// Whether values are equal but for rounding. `size` is that of the operands: what cancels leaves
/// something of the size of their rounding.
fn close(a: f64, b: f64, size: f64) -> bool {
    a == b
        || (a.is_nan() && b.is_nan())
        || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(size).max(1e-2)
}

fn same_points(a: &Point, b: &Point) -> bool {
    match (a, b) {
        (Point::Float(a), Point::Float(b)) => close(*a, *b, 0.0),
        (
            Point::Histogram { totals: a_totals, buckets: a },
            Point::Histogram { totals: b_totals, buckets: b },
        ) => {
            let sizes = a.iter().chain(b).map(|bucket| bucket[2].abs());
            let size = sizes.fold(a_totals[0].abs(), f64::max);
            let size = if size.is_finite() { size } else { 0.0 };
            a_totals.iter().zip(b_totals).all(|(a, b)| close(*a, *b, size))
                && same_buckets(a, b, size)
                && same_buckets(b, a, size)
        }
        _ => false,
    }
}

/// Whether `b` has all the buckets of `a`. One that it hasn't must be nearly empty.
fn same_buckets(a: &[[f64; 3]], b: &[[f64; 3]], size: f64) -> bool {
    a.iter().all(|&[lower, upper, count]| {
        let same = b.iter().find(|other| other[0] == lower && other[1] == upper);
        close(count, same.map_or(0.0, |other| other[2]), size)
    })
}

/// Where two answers differ by more than rounding.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The series.
    pub labels: Labels,
    /// In milliseconds.
    pub time: i64,
    /// All that for people, with the values.
    pub text: String,
}

/// The first difference between two answers that is more than rounding.
pub fn difference(a: &Values, b: &Values) -> Option<Difference> {
    let series: BTreeSet<&Labels> = a.keys().chain(b.keys()).collect();
    series.into_iter().find_map(|labels| {
        let points = |answer: &Values| -> BTreeMap<i64, Point> {
            answer.get(labels).cloned().unwrap_or_default().into_iter().collect()
        };
        let (a, b) = (points(a), points(b));
        let times: BTreeSet<&i64> = a.keys().chain(b.keys()).collect();
        times.into_iter().find_map(|time| match (a.get(time), b.get(time)) {
            (Some(a), Some(b)) if same_points(a, b) => None,
            (a, b) => Some(Difference {
                labels: labels.clone(),
                time: *time,
                text: format!("{labels:?} at {time}\ntheirs {a:?}\nours   {b:?}"),
            }),
        })
    })
}
