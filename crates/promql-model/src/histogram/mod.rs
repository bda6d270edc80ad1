//! Native histograms: what they are made of, and their arithmetic.
//!
//! A histogram is a few numbers and its populated buckets. Which buckets there are, the [`Layout`],
//! changes rarely from sample to sample of a series, and never in the inner loop of an aggregation
//! over one metric once all its buckets were seen; so histograms share it, and the populations lie
//! in one plain array, positive buckets first. Operations on histograms of the same layout are loops
//! over two slices.
//!
//! The same operations run on plain numbers and on [compensated sums](Compensated): a histogram is
//! generic over what it counts in, and [`FloatHistogram`] is the one that samples hold.

mod arithmetic;
mod bounds;
mod buckets;
mod classic;
mod compensated;
mod difference;
mod equality;
mod error;
mod integer;
mod interpolate;
mod layout;
mod mean;
mod quantile;
mod reset;
mod resolution;
mod sequence;
#[cfg(test)]
mod tests;
mod text;
mod trim;
mod validate;
mod zero;

use std::sync::Arc;

pub use arithmetic::Combined;
pub use bounds::{bucket_bound, fraction_below};
pub use buckets::{Bucket, IndexedBuckets, SideBuckets};
pub use classic::{ClassicCollector, ClassicHistogram};
pub use compensated::{Compensated, Count};
pub use error::HistogramError;
pub use integer::IntegerHistogramParts;
pub use interpolate::Interpolated;
pub use layout::{Run, Span};
pub use mean::HistogramMean;
pub use quantile::{Fraction, NanObservations, Quantile};
pub use resolution::Compactor;
pub use sequence::RunReader;
pub use text::HistogramNotation;

use layout::{Layout, runs_of_spans, spans_of_runs};

/// The lowest resolution of exponential buckets.
pub const MIN_SCHEMA: i32 = -4;
/// The highest resolution of exponential buckets.
pub const MAX_SCHEMA: i32 = 8;

/// The schema of histograms with custom bucket bounds.
pub const CUSTOM_BUCKETS_SCHEMA: i32 = -53;

/// What is known about how a histogram relates to the one before it in its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CounterResetHint {
    /// Nothing.
    #[default]
    Unknown,
    /// The counter was reset in between.
    Reset,
    /// The counter was not reset in between.
    NotReset,
    /// It is no counter.
    Gauge,
}

/// A native histogram, counting in numbers of type `C`.
///
/// Bucket `i` of an exponential schema covers `(bound(i-1), bound(i)]` on the positive side and the
/// mirror image of that on the negative side; the zero bucket covers `[-zero_threshold,
/// zero_threshold]`. With custom buckets, `i` counts the bounds from 0, and the bucket after the last
/// bound reaches to infinity.
///
/// `count` and `sum` stand for themselves: they are not computed from the buckets, and observations
/// of NaN are counted in no bucket.
#[derive(Debug)]
pub struct Histogram<C> {
    /// The number of observations.
    pub count: C,
    /// The sum of all observations.
    pub sum: C,
    /// The population of the zero bucket.
    pub zero_count: C,
    /// How far the zero bucket reaches to both sides.
    pub zero_threshold: f64,
    /// How this relates to the histogram before it.
    pub hint: CounterResetHint,
    schema: i32,
    layout: Arc<Layout>,
    /// The populations of the positive buckets, then of the negative ones, by ascending index.
    counts: Vec<C>,
}

/// A native histogram with float counts: the value of a sample.
///
/// ```
/// use promql_model::{DenseHistogram, FloatHistogram};
/// let a = FloatHistogram::from(DenseHistogram {
///     count: 6.0,
///     sum: 7.5,
///     offset: -1,
///     buckets: vec![1.0, 2.0, 3.0],
///     ..DenseHistogram::default()
/// });
/// let mut twice = a.clone();
/// twice.add(&a)?;
/// assert_eq!(twice.count, 12.0);
/// assert_eq!(twice.positive().iter().map(|(_, count)| count).collect::<Vec<_>>(), [2.0, 4.0, 6.0]);
/// # Ok::<(), promql_model::HistogramError>(())
/// ```
pub type FloatHistogram = Histogram<f64>;

/// A histogram that is the sum of many, without the rounding errors that adding up one by one has.
pub type CompensatedHistogram = Histogram<Compensated>;

/// The parts of a histogram as Prometheus' storage and wire formats have them, with spans of buckets
/// and absolute populations.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct HistogramParts {
    /// The resolution: -4 to 8, or [`CUSTOM_BUCKETS_SCHEMA`].
    pub schema: i32,
    /// How far the zero bucket reaches to both sides.
    pub zero_threshold: f64,
    /// The population of the zero bucket.
    pub zero_count: f64,
    /// The number of observations.
    pub count: f64,
    /// The sum of all observations.
    pub sum: f64,
    /// Which positive buckets there are.
    pub positive_spans: Vec<Span>,
    /// Their populations.
    pub positive_buckets: Vec<f64>,
    /// Which negative buckets there are.
    pub negative_spans: Vec<Span>,
    /// Their populations.
    pub negative_buckets: Vec<f64>,
    /// Upper bounds of custom buckets, ascending, without +Inf.
    pub custom_values: Vec<f64>,
    /// How this relates to the histogram before it.
    pub hint: CounterResetHint,
}

/// The parts of a histogram as series notation has them: one row of consecutive buckets on each side.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DenseHistogram {
    /// The resolution: -4 to 8, or [`CUSTOM_BUCKETS_SCHEMA`].
    pub schema: i32,
    /// The sum of all observations.
    pub sum: f64,
    /// The number of observations.
    pub count: f64,
    /// The population of the zero bucket: `z_bucket`.
    pub zero_count: f64,
    /// How far the zero bucket reaches to both sides: `z_bucket_w`.
    pub zero_threshold: f64,
    /// The index of the first positive bucket.
    pub offset: i32,
    /// The populations of the positive buckets.
    pub buckets: Vec<f64>,
    /// The index of the first negative bucket.
    pub n_offset: i32,
    /// The populations of the negative buckets.
    pub n_buckets: Vec<f64>,
    /// Upper bounds of custom buckets, ascending, without +Inf.
    pub custom_values: Vec<f64>,
    /// How this relates to the histogram before it.
    pub hint: CounterResetHint,
}

/// Takes the values as they are: whether they make sense is up to [`FloatHistogram::validate`].
impl From<DenseHistogram> for FloatHistogram {
    fn from(dense: DenseHistogram) -> Self {
        let layout = Layout::new(
            Run::one(dense.offset.into(), dense.buckets.len()),
            Run::one(dense.n_offset.into(), dense.n_buckets.len()),
            dense.custom_values,
        );
        let mut counts = dense.buckets;
        counts.extend(dense.n_buckets);
        Self {
            count: dense.count,
            sum: dense.sum,
            zero_count: dense.zero_count,
            zero_threshold: dense.zero_threshold,
            hint: dense.hint,
            schema: dense.schema,
            layout: Arc::new(layout),
            counts,
        }
    }
}

/// [`Clone::clone_from`] uses the memory that there is.
impl<C: Copy> Clone for Histogram<C> {
    fn clone(&self) -> Self {
        Self { layout: Arc::clone(&self.layout), counts: self.counts.clone(), ..*self }
    }

    fn clone_from(&mut self, source: &Self) {
        self.count = source.count;
        self.sum = source.sum;
        self.zero_count = source.zero_count;
        self.zero_threshold = source.zero_threshold;
        self.hint = source.hint;
        self.schema = source.schema;
        if !Arc::ptr_eq(&self.layout, &source.layout) {
            self.layout = Arc::clone(&source.layout);
        }
        self.counts.clone_from(&source.counts);
    }
}

impl<C: Count> Default for Histogram<C> {
    fn default() -> Self {
        Self {
            count: C::default(),
            sum: C::default(),
            zero_count: C::default(),
            zero_threshold: 0.0,
            hint: CounterResetHint::Unknown,
            schema: 0,
            layout: Layout::empty(),
            counts: Vec::new(),
        }
    }
}

impl FloatHistogram {
    /// Puts a histogram together.
    ///
    /// # Errors
    /// When spans and populations don't fit together; nothing else is checked here.
    pub fn from_parts(parts: HistogramParts) -> Result<Self, HistogramError> {
        let positive = runs_of_spans(&parts.positive_spans, parts.positive_buckets.len())?;
        let negative = runs_of_spans(&parts.negative_spans, parts.negative_buckets.len())?;
        let mut counts = parts.positive_buckets;
        counts.extend(parts.negative_buckets);
        Ok(Self {
            count: parts.count,
            sum: parts.sum,
            zero_count: parts.zero_count,
            zero_threshold: parts.zero_threshold,
            hint: parts.hint,
            schema: parts.schema,
            layout: Arc::new(Layout::new(positive, negative, parts.custom_values)),
            counts,
        })
    }

    /// A histogram with the same buckets and other populations: those of the positive buckets, then
    /// of the negative ones, by ascending index. The buckets take no memory of their own. Count and
    /// sum stay.
    ///
    /// # Errors
    /// When there are not as many populations as buckets.
    pub fn with_buckets(&self, counts: Vec<f64>) -> Result<Self, HistogramError> {
        let (need, have) = (self.counts.len(), counts.len());
        if have < need {
            return Err(HistogramError::TooFewBuckets { have });
        }
        if have > need {
            return Err(HistogramError::TooManyBuckets { need, have });
        }
        Ok(Self { layout: Arc::clone(&self.layout), counts, ..*self })
    }

    /// Takes a histogram apart. Spans come out in their simplest form.
    pub fn to_parts(&self) -> HistogramParts {
        HistogramParts {
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: self.zero_count,
            count: self.count,
            sum: self.sum,
            positive_spans: spans_of_runs(&self.layout.positive),
            positive_buckets: self.positive().counts().to_vec(),
            negative_spans: spans_of_runs(&self.layout.negative),
            negative_buckets: self.negative().counts().to_vec(),
            custom_values: self.custom_values().to_vec(),
            hint: self.hint,
        }
    }

    /// Whether this marks the end of its series.
    pub fn is_stale(&self) -> bool {
        crate::is_stale_nan(self.sum)
    }
}

impl<C: Count> Histogram<C> {
    /// The resolution: -4 to 8, or [`CUSTOM_BUCKETS_SCHEMA`].
    pub fn schema(&self) -> i32 {
        self.schema
    }

    /// Whether the buckets have bounds of their own.
    pub fn has_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }

    /// Upper bounds of custom buckets, ascending, without +Inf.
    pub fn custom_values(&self) -> &[f64] {
        &self.layout.custom_values
    }

    /// How many buckets there are, the zero bucket aside.
    pub fn bucket_count(&self) -> usize {
        self.counts.len()
    }

    /// The positive buckets, or the custom ones.
    pub fn positive(&self) -> SideBuckets<'_, C> {
        let counts = self.counts.get(..self.layout.positive_length).unwrap_or_default();
        SideBuckets::new(&self.layout.positive, counts)
    }

    /// The negative buckets, by ascending index, which is from zero downwards.
    pub fn negative(&self) -> SideBuckets<'_, C> {
        let counts = self.counts.get(self.layout.positive_length..).unwrap_or_default();
        SideBuckets::new(&self.layout.negative, counts)
    }
}
