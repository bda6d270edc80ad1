//! Means of histograms.

use super::{Combined, CompensatedHistogram, FloatHistogram, HistogramError};

/// The mean of many histograms: their sum, divided at the end. A sum that is about to overflow goes
/// over into a mean that is kept up to date with each histogram, as Prometheus does it.
///
/// ```
/// use promql_model::{DenseHistogram, FloatHistogram, HistogramMean};
/// let with_sum = |sum| FloatHistogram::from(DenseHistogram { sum, ..DenseHistogram::default() });
/// let mut mean = HistogramMean::new(&with_sum(1e308));
/// mean.add(&with_sum(1e308))?;
/// assert_eq!(mean.value().sum, 1e308);
/// # Ok::<(), promql_model::HistogramError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HistogramMean {
    /// The sum, or the mean so far.
    sum: CompensatedHistogram,
    count: f64,
    incremental: bool,
    /// What no number of the sum exceeds.
    magnitude: f64,
}

impl HistogramMean {
    /// The mean of one.
    pub fn new(first: &FloatHistogram) -> Self {
        HistogramMean {
            sum: CompensatedHistogram::from_float(first),
            count: 1.0,
            incremental: false,
            magnitude: first.magnitude(),
        }
    }

    /// Adds a histogram.
    ///
    /// # Errors
    /// When only one of the two has custom buckets. The mean is then unchanged.
    pub fn add(&mut self, histogram: &FloatHistogram) -> Result<Combined, HistogramError> {
        if !self.incremental {
            self.magnitude += histogram.magnitude();
            if self.magnitude < f64::MAX / 4.0 {
                let combined = self.sum.add(histogram)?;
                self.count += 1.0;
                return Ok(combined);
            }
            let mut sum = self.sum.clone();
            let combined = sum.add(histogram)?;
            if !sum.has_overflow() {
                self.sum = sum;
                self.count += 1.0;
                return Ok(combined);
            }
            self.be_incremental();
        }
        let count = self.count + 1.0;
        let mut part = histogram.clone();
        part.divide(count);
        let mut mean = self.sum.clone();
        mean.multiply(self.count / count);
        let combined = mean.add(&part)?;
        self.sum = mean;
        self.count = count;
        Ok(combined)
    }

    /// Adds the histograms of another mean.
    ///
    /// # Errors
    /// As [`HistogramMean::add`].
    pub fn merge(&mut self, mut other: Self) -> Result<Combined, HistogramError> {
        if !self.incremental && !other.incremental {
            let mut sum = self.sum.clone();
            let combined = sum.merge(&other.sum)?;
            if !sum.has_overflow() {
                self.sum = sum;
                self.count += other.count;
                self.magnitude += other.magnitude;
                return Ok(combined);
            }
        }
        let count = self.count + other.count;
        let mut mean = self.clone();
        mean.be_incremental();
        other.be_incremental();
        mean.sum.multiply(self.count / count);
        other.sum.multiply(other.count / count);
        let combined = mean.sum.merge(&other.sum)?;
        mean.count = count;
        *self = mean;
        Ok(combined)
    }

    /// How many buckets it has, the zero bucket aside.
    pub fn bucket_count(&self) -> usize {
        self.sum.bucket_count()
    }

    /// The mean.
    pub fn value(mut self) -> FloatHistogram {
        self.be_incremental();
        self.sum.to_float()
    }

    fn be_incremental(&mut self) {
        if !self.incremental {
            self.incremental = true;
            self.sum.divide(self.count);
        }
    }
}
