//! The values that templates compute with.

use std::collections::BTreeMap;
use std::sync::Arc;

use promql_model::{FloatHistogram, Labels, SampleValue};

/// A value. Cloning is cheap.
///
/// The names of types in messages are Go's, since they are what documentation and forums speak of.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing: a missing entry, a template called without argument, `nil`.
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64, IntType),
    /// An integer without sign; `true` for Go's `uint64`, `false` for its `uint`.
    Uint(u64, bool),
    /// A float.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A text that is HTML already, and is not escaped in HTML mode.
    Html(Arc<str>),
    /// A native histogram.
    Histogram(Arc<FloatHistogram>),
    /// A map of texts: labels.
    Labels(Arc<BTreeMap<String, String>>),
    /// A map of anything: what `args` gives.
    Map(Arc<BTreeMap<String, Value>>),
    /// A list.
    List(List),
    /// A sample, as `query` gives them.
    Sample(Arc<Sample>),
    /// What `.` is in labels and annotations of alerts.
    Alert(Arc<AlertData>),
    /// A time: nanoseconds since the epoch, in UTC.
    Time(i64),
    /// A duration in nanoseconds.
    Duration(i64),
}

/// Which kind of integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntType {
    /// Go's `int`.
    Int,
    /// Go's `int64`.
    Int64,
    /// A month from 1, which prints as its name.
    Month,
    /// A day of the week, 0 for Sunday, which prints as its name.
    Weekday,
}

/// A list, and what it is a list of.
#[derive(Clone, Debug)]
pub struct List {
    /// The elements.
    pub elements: Arc<[Value]>,
    /// What Go calls the type of the list.
    pub type_name: &'static str,
}

/// What Go calls the type of results of `query`.
pub(super) const QUERY_RESULT: &str = "template.queryResult";

/// An element of a vector in a template.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The labels, the name of the metric among them.
    pub labels: Arc<BTreeMap<String, String>>,
    /// A float or a histogram.
    pub value: Value,
}

impl Sample {
    /// The sample of a series.
    pub fn new(labels: &Labels, value: &SampleValue) -> Sample {
        Sample { labels: Arc::new(label_map(labels)), value: value.into() }
    }
}

impl From<&SampleValue> for Value {
    fn from(value: &SampleValue) -> Value {
        match value {
            SampleValue::Float(value) => Value::Float(*value),
            SampleValue::Histogram(histogram) => Value::Histogram(Arc::new((**histogram).clone())),
        }
    }
}

/// Labels as a map.
pub fn label_map(labels: &Labels) -> BTreeMap<String, String> {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What `.` is in labels and annotations of alerts.
#[derive(Clone, Debug)]
pub struct AlertData {
    /// `.Labels`, `$labels`: those of the sample.
    pub labels: Arc<BTreeMap<String, String>>,
    /// `.ExternalLabels`, `$externalLabels`: those of the server.
    pub external_labels: Arc<BTreeMap<String, String>>,
    /// `.ExternalURL`, `$externalURL`: where the server is reached from outside.
    pub external_url: Arc<str>,
    /// `.Value`, `$value`: that of the sample.
    pub value: Value,
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Value {
        Value::Text(text.into())
    }

    /// An integer of Go's type `int`.
    pub fn int(value: i64) -> Value {
        Value::Int(value, IntType::Int)
    }

    /// A list of samples.
    pub fn samples(samples: impl IntoIterator<Item = Sample>) -> Value {
        let elements = samples.into_iter().map(|sample| Value::Sample(Arc::new(sample)));
        Value::List(List { elements: elements.collect(), type_name: QUERY_RESULT })
    }

    /// What Go calls the type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "<nil>",
            Value::Bool(_) => "bool",
            Value::Int(_, IntType::Int) => "int",
            Value::Int(_, IntType::Int64) => "int64",
            Value::Int(_, IntType::Month) => "time.Month",
            Value::Int(_, IntType::Weekday) => "time.Weekday",
            Value::Uint(_, false) => "uint",
            Value::Uint(_, true) => "uint64",
            Value::Float(_) => "float64",
            Value::Text(_) => "string",
            Value::Html(_) => "template.HTML",
            Value::Histogram(_) => "*histogram.FloatHistogram",
            Value::Labels(_) => "map[string]string",
            Value::Map(_) => "map[string]interface {}",
            Value::List(list) => list.type_name,
            Value::Sample(_) => "*template.sample",
            Value::Alert(_) => {
                "struct { Labels map[string]string; ExternalLabels map[string]string; \
                 ExternalURL string; Value interface {} }"
            }
            Value::Time(_) => "*time.Time",
            Value::Duration(_) => "*time.Duration",
        }
    }

    /// Whether it counts as true: what is not zero and not empty.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Nil => false,
            Value::Bool(value) => *value,
            Value::Int(value, _) => *value != 0,
            Value::Uint(value, _) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Text(text) | Value::Html(text) => !text.is_empty(),
            Value::Labels(map) => !map.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::List(list) => !list.elements.is_empty(),
            Value::Histogram(_)
            | Value::Sample(_)
            | Value::Alert(_)
            | Value::Time(_)
            | Value::Duration(_) => true,
        }
    }
}
