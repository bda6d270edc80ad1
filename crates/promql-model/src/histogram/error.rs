//! What can be wrong with histograms.

use crate::number::{Fixed, General};

/// A histogram, or a combination of two, that makes no sense. The texts are Prometheus'.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HistogramError {
    /// One operand has exponential buckets and the other one custom ones.
    #[error(
        "cannot apply this operation on histograms with a mix of exponential and custom bucket \
         schemas"
    )]
    MixedSchemas,
    /// There are fewer populations than spans have buckets.
    #[error(
        "have {have} buckets but spans need more: histogram spans specify different number of \
         buckets than provided"
    )]
    TooFewBuckets {
        /// The number of populations.
        have: usize,
    },
    /// There are more populations than spans have buckets.
    #[error(
        "spans need {need} buckets, have {have} buckets: histogram spans specify different number \
         of buckets than provided"
    )]
    TooManyBuckets {
        /// The number of buckets in spans.
        need: usize,
        /// The number of populations.
        have: usize,
    },
    /// A span begins before the end of the one before it.
    #[error(
        "span number {number} with offset {offset}: histogram has a span whose offset is negative"
    )]
    NegativeSpanOffset {
        /// Which span it is, from 1.
        number: usize,
        /// Its offset.
        offset: i32,
    },
    /// A resolution that cannot be reached by merging buckets.
    #[error("cannot reduce resolution from schema {from} to {to}")]
    CannotReduce {
        /// The present schema.
        from: i32,
        /// The one asked for.
        to: i32,
    },
    /// A schema that doesn't exist.
    #[error(
        "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, \
         or -53 for custom buckets, got schema {0}"
    )]
    InvalidSchema(i32),
    /// A negative number of observations.
    #[error("observation count is  {}: histogram's observation count is negative", General(*.0))]
    NegativeCount(f64),
    /// A negative population of the zero bucket.
    #[error(
        "zero bucket has observation count of {}: histogram has a bucket whose observation count \
         is negative",
        General(*.0)
    )]
    NegativeZeroCount(f64),
    /// A negative population of a bucket.
    #[error(
        "{side} side: bucket number {number} has observation count of {}: histogram has a bucket \
         whose observation count is negative",
        General(*.count)
    )]
    NegativeBucket {
        /// `positive` or `negative`.
        side: &'static str,
        /// Which bucket of that side it is, from 1.
        number: usize,
        /// Its population.
        count: f64,
    },
    /// Custom bounds on exponential buckets.
    #[error("histogram with exponential schema must not have custom bounds")]
    CustomBoundsOnExponential,
    /// Custom bounds that don't ascend.
    #[error(
        "custom buckets: previous bound is {} and current is {}: histogram custom bounds must be \
         in strictly increasing order",
        Fixed(*.previous),
        Fixed(*.current)
    )]
    CustomBoundsOrder {
        /// The bound before.
        previous: f64,
        /// The bound that isn't larger.
        current: f64,
    },
    /// A custom bound of +Inf.
    #[error(
        "custom buckets: last +Inf bound must not be explicitly defined: histogram custom bounds \
         must be finite"
    )]
    CustomBoundInfinite,
    /// A custom bound that is no number.
    #[error("custom buckets: histogram custom bounds must not be NaN")]
    CustomBoundNan,
    /// More custom buckets than bounds.
    #[error(
        "custom buckets: only {bounds} custom bounds defined which is insufficient to cover total \
         span length of {length}: histogram custom bounds are too few"
    )]
    TooFewCustomBounds {
        /// The number of bounds.
        bounds: usize,
        /// How far the buckets reach.
        length: i64,
    },
    /// Something that custom buckets don't have: a zero bucket or negative buckets.
    #[error("custom buckets: must {0}")]
    CustomBucketsMust(&'static str),
    /// Exponential buckets where only custom ones can be converted.
    #[error("only histograms with custom buckets can be converted to classic ones")]
    NotCustom,
    /// A classic bucket with a negative number of observations.
    #[error(
        "bucket count must be non-negative: le={}, count={}",
        General(*.bound),
        General(*.count)
    )]
    NegativeClassicBucket {
        /// The upper bound.
        bound: f64,
        /// The number of observations up to it.
        count: f64,
    },
    /// Classic buckets of which a higher one has fewer observations.
    #[error("count is not cumulative: {} {sign} {}", General(*.left), General(*.right))]
    NotCumulative {
        /// The number of observations that doesn't fit.
        left: f64,
        /// How it compares to the other one.
        sign: char,
        /// The number of a bucket next to it.
        right: f64,
    },
    /// A classic histogram with a negative number of observations.
    #[error("count must be non-negative: count={}", General(*.0))]
    NegativeClassicCount(f64),
    /// A classic histogram whose number of observations is not that of its highest bucket.
    #[error(
        "count mismatch: count={} != le={} count={}",
        General(*.count),
        General(*.bound),
        General(*.cumulative)
    )]
    ClassicCountMismatch {
        /// The number of observations.
        count: f64,
        /// The highest upper bound.
        bound: f64,
        /// The number of observations up to it.
        cumulative: f64,
    },
}
