//! The messages of the protobuf form, field by field as `io.prometheus.client` numbers them. What
//! is not read (exemplars) has no field here and is skipped.

use prost::{Enumeration, Message};

/// One family: what a HELP, a TYPE and a UNIT line say, and its metrics.
#[derive(Clone, PartialEq, Message)]
pub(super) struct MetricFamily {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) help: String,
    #[prost(enumeration = "FamilyType", tag = "3")]
    pub(super) r#type: i32,
    #[prost(message, repeated, tag = "4")]
    pub(super) metrics: Vec<Metric>,
    #[prost(string, tag = "5")]
    pub(super) unit: String,
}

/// What kind of metric a family holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
pub(super) enum FamilyType {
    Counter = 0,
    Gauge = 1,
    Summary = 2,
    Untyped = 3,
    Histogram = 4,
    GaugeHistogram = 5,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Metric {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    pub(super) gauge: Option<Number>,
    #[prost(message, optional, tag = "3")]
    pub(super) counter: Option<Counter>,
    #[prost(message, optional, tag = "4")]
    pub(super) summary: Option<Summary>,
    #[prost(message, optional, tag = "5")]
    pub(super) untyped: Option<Number>,
    /// Milliseconds since the epoch; 0 if there is none.
    #[prost(int64, tag = "6")]
    pub(super) timestamp: i64,
    #[prost(message, optional, tag = "7")]
    pub(super) histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LabelPair {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// A gauge, or a metric without a type.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Number {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Counter {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    #[prost(message, optional, tag = "3")]
    pub(super) start: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(uint64, tag = "1")]
    pub(super) count: u64,
    #[prost(double, tag = "2")]
    pub(super) sum: f64,
    #[prost(message, repeated, tag = "3")]
    pub(super) quantiles: Vec<Quantile>,
    #[prost(message, optional, tag = "4")]
    pub(super) start: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Quantile {
    #[prost(double, tag = "1")]
    pub(super) quantile: f64,
    #[prost(double, tag = "2")]
    pub(super) value: f64,
}

/// A classic histogram, a native one, or both in one.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Histogram {
    #[prost(uint64, tag = "1")]
    pub(super) count: u64,
    #[prost(double, tag = "2")]
    pub(super) sum: f64,
    #[prost(message, repeated, tag = "3")]
    pub(super) buckets: Vec<Bucket>,
    #[prost(double, tag = "4")]
    pub(super) count_float: f64,
    #[prost(sint32, tag = "5")]
    pub(super) schema: i32,
    #[prost(double, tag = "6")]
    pub(super) zero_threshold: f64,
    #[prost(uint64, tag = "7")]
    pub(super) zero_count: u64,
    #[prost(double, tag = "8")]
    pub(super) zero_count_float: f64,
    #[prost(message, repeated, tag = "9")]
    pub(super) negative_spans: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "10")]
    pub(super) negative_deltas: Vec<i64>,
    #[prost(double, repeated, tag = "11")]
    pub(super) negative_counts: Vec<f64>,
    #[prost(message, repeated, tag = "12")]
    pub(super) positive_spans: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "13")]
    pub(super) positive_deltas: Vec<i64>,
    #[prost(double, repeated, tag = "14")]
    pub(super) positive_counts: Vec<f64>,
    #[prost(message, optional, tag = "15")]
    pub(super) start: Option<Timestamp>,
}

/// A bucket of a classic histogram. It counts all observations up to its bound.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Bucket {
    #[prost(uint64, tag = "1")]
    pub(super) count: u64,
    #[prost(double, tag = "2")]
    pub(super) upper_bound: f64,
    #[prost(double, tag = "4")]
    pub(super) count_float: f64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BucketSpan {
    #[prost(sint32, tag = "1")]
    pub(super) offset: i32,
    #[prost(uint32, tag = "2")]
    pub(super) length: u32,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}
