//! Series descriptions: the notation of test scripts and unit tests for the samples of a series.

use promql_model::{FloatHistogram, Labels};

/// A series with the samples that its notation stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesDescription {
    /// The labels.
    pub labels: Labels,
    /// The values, one for each interval.
    pub values: Vec<SequenceValue>,
}

/// One position of a series description.
#[derive(Clone, Debug, PartialEq)]
pub enum SequenceValue {
    /// No sample.
    Omitted,
    /// A float, or the staleness marker.
    Float(f64),
    /// A native histogram.
    Histogram {
        /// The histogram.
        histogram: Box<FloatHistogram>,
        /// Whether `counter_reset_hint` was written.
        hint_given: bool,
    },
}
