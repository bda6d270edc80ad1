//! The Prometheus data model: labels and matchers, timestamps, samples and query results.
//!
//! Invariant: nothing here parses a query or does I/O.
//!
//! ```
//! use promql_model::{Labels, MatchOp, Matcher};
//!
//! let series = Labels::from_pairs([("__name__", "up"), ("job", "api-server"), ("zone", "b")]);
//! let selector = [
//!     Matcher::new("job", MatchOp::Matches, "api-.*")?,
//!     Matcher::new("env", MatchOp::NotEqual, "test")?,
//! ];
//! let matches = |m: &Matcher| m.matches(series.get(m.name()).unwrap_or_default());
//! assert!(selector.iter().all(matches));
//! assert_eq!(series.selector().to_string(), r#"up{job="api-server", zone="b"}"#);
//! # Ok::<(), promql_model::RegexError>(())
//! ```
//!
//! | what | where |
//! |---|---|
//! | label sets and conditions on them | [`Labels`], [`Matcher`], [`Regex`] |
//! | native histograms | [`FloatHistogram`], [`CompensatedHistogram`] |
//! | results of queries | [`QueryResult`] |
//! | numbers, durations and quoted text as Prometheus writes them | [`number`], [`parse_duration`], [`mod@quote`] |

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
    Bucket, CUSTOM_BUCKETS_SCHEMA, ClassicCollector, ClassicHistogram, Combined, Compactor,
    Compensated, CompensatedHistogram, Count, CounterResetHint, DenseHistogram, FloatHistogram,
    Fraction, Histogram, HistogramError, HistogramMean, HistogramNotation, HistogramParts,
    IndexedBuckets, IntegerHistogramParts, Interpolated, MAX_SCHEMA, MIN_SCHEMA, NanObservations,
    Quantile, Run, RunReader, SideBuckets, Span, bucket_bound, fraction_below,
};
pub use labels::{Labels, LabelsBuilder, LabelsIter, LabelsSelector, METRIC_NAME};
pub use matcher::{MatchOp, Matcher, is_label_name};
pub use quote::quote;
pub use regex::{
    Regex, RegexError, RegexErrorKind, Rewrite, Search, check_regex, regexes_are_disjoint,
};
pub use value::{
    Annotation, QueryResult, QueryValue, STALE_NAN_BITS, SampleValue, SeriesSamples, Severity,
    VectorElement, is_stale_nan, stale_nan,
};
