//! The Prometheus data model: labels and matchers, timestamps, samples and query results.
//!
//! Invariant: nothing here parses a query or does I/O.

mod histogram;
mod labels;
mod matcher;
mod value;

pub use histogram::FloatHistogram;
pub use labels::{Labels, LabelsBuilder, METRIC_NAME};
pub use matcher::MatchOp;
pub use value::{
    Annotation, QueryResult, QueryValue, STALE_NAN_BITS, SampleValue, SeriesSamples, Severity,
    VectorElement, is_stale_nan, stale_nan,
};
