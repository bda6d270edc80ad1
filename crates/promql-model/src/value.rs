//! Results of queries.

use crate::{FloatHistogram, Labels};

/// The bit pattern of the value that marks the end of a series.
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The staleness marker.
pub fn stale_nan() -> f64 {
    f64::from_bits(STALE_NAN_BITS)
}

/// Whether a value is the staleness marker, by its bits.
pub fn is_stale_nan(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}

/// The value of a sample.
#[derive(Clone, Debug, PartialEq)]
pub enum SampleValue {
    /// A float.
    Float(f64),
    /// A native histogram.
    Histogram(Box<FloatHistogram>),
}

/// What a query gave.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryValue {
    /// One number.
    Scalar {
        /// Milliseconds since the epoch.
        timestamp: i64,
        /// The number.
        value: f64,
    },
    /// A string.
    String {
        /// Milliseconds since the epoch.
        timestamp: i64,
        /// The text; bytes that are not UTF-8 are replaced.
        value: String,
    },
    /// One sample for each series.
    Vector(Vec<VectorElement>),
    /// Samples over time for each series, sorted by labels.
    Matrix(Vec<SeriesSamples>),
}

impl QueryValue {
    /// Whether it holds no series at all. Scalars and strings are never empty.
    pub fn is_empty(&self) -> bool {
        match self {
            QueryValue::Vector(elements) => elements.is_empty(),
            QueryValue::Matrix(series) => series.is_empty(),
            QueryValue::Scalar { .. } | QueryValue::String { .. } => false,
        }
    }
}

/// An element of an instant vector.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorElement {
    /// The labels.
    pub labels: Labels,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The value.
    pub value: SampleValue,
}

/// A series of a matrix.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SeriesSamples {
    /// The labels.
    pub labels: Labels,
    /// Floats with their timestamps in milliseconds, in order of time.
    pub floats: Vec<(i64, f64)>,
    /// Native histograms with their timestamps in milliseconds, in order of time.
    pub histograms: Vec<(i64, FloatHistogram)>,
}

/// What a query gave, with what there is to say about it.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryResult {
    /// The value.
    pub value: QueryValue,
    /// Warnings, then infos.
    pub annotations: Vec<Annotation>,
}

/// A remark of the evaluation that is no error.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Annotation {
    /// How much it matters.
    pub severity: Severity,
    /// The text in upstream's wording, without prefix and position.
    pub message: String,
    /// The byte range of the expression that it is about, if it is about a part of it.
    pub span: Option<(u32, u32)>,
}

/// How much an annotation matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The result may be wrong.
    Warning,
    /// The result may be other than intended.
    Info,
}
