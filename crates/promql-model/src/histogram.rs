//! Native histograms.

/// A native histogram with float counts.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FloatHistogram {
    /// The sum of all observations.
    pub sum: f64,
    /// The number of observations.
    pub count: f64,
}
