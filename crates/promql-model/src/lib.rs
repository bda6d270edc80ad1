//! The Prometheus data model: labels and matchers, timestamps, samples and query results.
//!
//! Invariant: nothing here parses a query or does I/O.

mod duration;
mod histogram;
mod labels;
mod matcher;
pub mod number;
pub mod quote;
mod regex;
mod value;

pub use duration::{DurationError, FormatDuration, parse_duration};
pub use histogram::{
    Bucket, CUSTOM_BUCKETS_SCHEMA, ClassicCollector, ClassicHistogram, Combined, Compensated,
    CompensatedHistogram, Count, CounterResetHint, DenseHistogram, FloatHistogram, Histogram,
    HistogramError, HistogramNotation, HistogramParts, IndexedBuckets, IntegerHistogramParts,
    Interpolated, MAX_SCHEMA, MIN_SCHEMA, Run, SideBuckets, Span, bucket_bound, fraction_below,
};
pub use labels::{Labels, LabelsBuilder, LabelsIter, LabelsSelector, METRIC_NAME};
pub use matcher::{MatchOp, Matcher, is_label_name};
pub use quote::quote;
pub use regex::{Regex, RegexError, RegexErrorKind, Rewrite, check_regex};
pub use value::{
    Annotation, QueryResult, QueryValue, STALE_NAN_BITS, SampleValue, SeriesSamples, Severity,
    VectorElement, is_stale_nan, stale_nan,
};
