//! Histograms that count in integers, as storage and wire formats have them.

use super::classic::ClassicHistogram;
use super::{CounterResetHint, FloatHistogram, HistogramError, HistogramParts, Span};

/// The parts of a histogram with integer counts. Populations of buckets are written as differences
/// to the bucket before. All that computes turns it into a [`FloatHistogram`] first.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct IntegerHistogramParts {
    /// The resolution: -4 to 8, or [`CUSTOM_BUCKETS_SCHEMA`](super::CUSTOM_BUCKETS_SCHEMA).
    pub schema: i32,
    /// How far the zero bucket reaches to both sides.
    pub zero_threshold: f64,
    /// The population of the zero bucket.
    pub zero_count: u64,
    /// The number of observations.
    pub count: u64,
    /// The sum of all observations.
    pub sum: f64,
    /// Which positive buckets there are.
    pub positive_spans: Vec<Span>,
    /// Their populations, each as the difference to the one before.
    pub positive_deltas: Vec<i64>,
    /// Which negative buckets there are.
    pub negative_spans: Vec<Span>,
    /// Their populations, each as the difference to the one before.
    pub negative_deltas: Vec<i64>,
    /// Upper bounds of custom buckets, ascending, without +Inf.
    pub custom_values: Vec<f64>,
    /// How this relates to the histogram before it.
    pub hint: CounterResetHint,
}

impl IntegerHistogramParts {
    /// The histogram in floats.
    ///
    /// # Errors
    /// When spans and populations don't fit together; nothing else is checked here.
    pub fn to_float(&self) -> Result<FloatHistogram, HistogramError> {
        FloatHistogram::from_parts(HistogramParts {
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: self.zero_count as f64,
            count: self.count as f64,
            sum: self.sum,
            positive_spans: self.positive_spans.clone(),
            positive_buckets: populations(&self.positive_deltas),
            negative_spans: self.negative_spans.clone(),
            negative_buckets: populations(&self.negative_deltas),
            custom_values: self.custom_values.clone(),
            hint: self.hint,
        })
    }

    /// The classic histogram as Prometheus makes it of one with integer counts.
    ///
    /// Where buckets are left out between others, that counts the observations of the bucket before
    /// the gap again for each of them. This is reproduced, because it is what others get to see;
    /// [`FloatHistogram::to_classic`] counts right.
    ///
    /// # Errors
    /// When the buckets are not custom ones, or spans and populations don't fit together.
    pub fn to_classic(&self) -> Result<ClassicHistogram, HistogramError> {
        ClassicHistogram::from_custom(&self.to_float()?, |before| before)
    }
}

/// The populations that differences stand for.
fn populations(deltas: &[i64]) -> Vec<f64> {
    let sums = deltas.iter().scan(0i64, |sum, &delta| {
        *sum = sum.wrapping_add(delta);
        Some(*sum as f64)
    });
    sums.collect()
}
