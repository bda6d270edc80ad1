//! Answers to queries, ours and a server's, in one form to be compared.

use std::collections::BTreeMap;
use std::time::Duration;

use promql_engine::{EngineOptions, QueryOptions, Storage, evaluate};
use promql_model::{Annotation, Labels, QueryResult, QueryValue, SampleValue, Severity};
use promql_syntax::{Features, compile};
use serde_json::Value;

/// When a query is evaluated, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// At one time.
    Instant(i64),
    /// At each step from `start` to `end`.
    Range {
        /// The first time.
        start: i64,
        /// No step is later.
        end: i64,
        /// What lies between two steps.
        step: i64,
    },
}

impl Times {
    /// Each step from `start` to the last one before `end`. A server evaluates subqueries up to the end
    /// of the range, and has remarks about what lies behind the last step, which no window sees; so
    /// the range ends there.
    pub fn up_to(start: i64, end: i64, step: i64) -> Times {
        Times::Range { start, end: start + (end - start).max(0) / step * step, step }
    }

    /// The options of an evaluation at these times.
    pub fn options(self) -> QueryOptions {
        match self {
            Times::Instant(at) => QueryOptions::instant(at),
            Times::Range { start, end, step } => {
                QueryOptions::range(start, end, Duration::from_millis(step as u64))
            }
        }
    }
}

/// Values of a series with their times.
pub type Points = Vec<(i64, f64)>;

/// What is compared of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// `scalar`, `string`, `vector` or `matrix`.
    pub kind: String,
    /// The series; a scalar has no labels.
    pub series: BTreeMap<Labels, Points>,
    /// The labels in the order of the answer.
    pub order: Vec<Labels>,
    /// What a string is.
    pub text: String,
    /// Warnings and infos, sorted.
    pub annotations: Vec<String>,
}

impl Answer {
    /// An answer of `/api/v1/query` or `/api/v1/query_range`.
    pub fn of_server(answer: &Value) -> Answer {
        let data = &answer["data"];
        let texts = ["warnings", "infos"].into_iter().filter_map(|part| answer[part].as_array());
        let texts = texts.flatten().filter_map(|text| text.as_str().map(str::to_owned));
        let kind = data["resultType"].as_str().unwrap_or_default();
        let mut new =
            Answer { kind: kind.to_owned(), annotations: texts.collect(), ..Answer::default() };
        new.annotations.sort();
        let result = &data["result"];
        match kind {
            "scalar" => new.push(Labels::empty(), vec![point(result)]),
            "string" => new.text = result[1].as_str().unwrap_or_default().to_owned(),
            _ => {
                for series in result.as_array().into_iter().flatten() {
                    let labels = series["metric"].as_object().into_iter().flatten();
                    let labels = labels.map(|(n, v)| (n.as_str(), v.as_str().unwrap_or_default()));
                    let points = match series["values"].as_array() {
                        Some(values) => values.iter().map(point).collect(),
                        None => vec![point(&series["value"])],
                    };
                    new.push(Labels::from_pairs(labels), points);
                }
            }
        }
        new
    }

    /// A result of our own. Annotations are numbered in lines and columns of the query's text.
    pub fn of_result(result: QueryResult, query: &str) -> Answer {
        let mut new = Answer::default();
        let texts = result.annotations.iter().map(|annotation| remark_text(annotation, query));
        new.annotations = texts.collect();
        new.annotations.sort();
        match result.value {
            QueryValue::Scalar { timestamp, value } => {
                new.kind = "scalar".to_owned();
                new.push(Labels::empty(), vec![(timestamp, value)]);
            }
            QueryValue::String { value, .. } => {
                new.kind = "string".to_owned();
                new.text = value;
            }
            QueryValue::Vector(elements) => {
                new.kind = "vector".to_owned();
                for element in elements {
                    if let SampleValue::Float(value) = element.value {
                        new.push(element.labels, vec![(element.timestamp, value)]);
                    }
                }
            }
            QueryValue::Matrix(matrix) => {
                new.kind = "matrix".to_owned();
                matrix.into_iter().for_each(|series| new.push(series.labels, series.floats));
            }
        }
        new
    }

    fn push(&mut self, labels: Labels, points: Points) {
        self.order.push(labels.clone());
        self.series.insert(labels, points);
    }

    /// Whether labels and times are the same and the values `close`.
    pub fn is_like(&self, other: &Answer, close: impl Fn(f64, f64) -> bool) -> bool {
        self.kind == other.kind
            && self.text == other.text
            && self.order.len() == other.order.len()
            && self.series.len() == other.series.len()
            && self.series.iter().zip(&other.series).all(|((a_labels, a), (b_labels, b))| {
                a_labels == b_labels
                    && a.len() == b.len()
                    && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && close(a.1, b.1))
            })
    }
}

/// A remark as the API writes it, with line and column in the query's text.
pub fn remark_text(annotation: &Annotation, query: &str) -> String {
    let level = match annotation.severity {
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let place =
        |(start, _): (u32, u32)| promql_syntax::line_and_column(query.as_bytes(), start as usize);
    let at = annotation.span.and_then(place);
    let at = at.map_or_else(String::new, |(line, column)| format!(" ({line}:{column})"));
    format!("PromQL {level}: {}{at}", annotation.message)
}

fn point(value: &Value) -> (i64, f64) {
    let time = (value[0].as_f64().unwrap_or(f64::NAN) * 1000.0).round() as i64;
    let number = match value[1].as_str().unwrap_or_default() {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        text => text.parse().unwrap_or(f64::NAN),
    };
    (time, number)
}

/// Our own answer.
///
/// # Errors
/// The message of the first thing that is wrong.
pub fn ours(query: &str, storage: &dyn Storage, times: Times) -> Result<Answer, String> {
    let compiled =
        compile(query, &Features::ALL).map_err(|errors| format!("parse error: {errors}"))?;
    let options = times.options().with_engine(EngineOptions::default());
    let result = evaluate(&compiled, storage, &options).map_err(|error| error.to_string())?;
    Ok(Answer::of_result(result, query))
}
