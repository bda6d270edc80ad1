//! Which histograms may be stored.

use super::{
    CUSTOM_BUCKETS_SCHEMA, FloatHistogram, HistogramError, MAX_SCHEMA, MIN_SCHEMA, Run, SideBuckets,
};

impl FloatHistogram {
    /// Checks what Prometheus checks before it stores a histogram. Results of queries need not pass:
    /// a difference of histograms may well have negative populations.
    ///
    /// # Errors
    /// The first problem found. That `count` is not the sum of the buckets is none.
    pub fn validate(&self) -> Result<(), HistogramError> {
        match self.schema() {
            CUSTOM_BUCKETS_SCHEMA => self.validate_custom()?,
            MIN_SCHEMA..=MAX_SCHEMA => {
                validate_counts(self.negative(), "negative")?;
                if !self.custom_values().is_empty() {
                    return Err(HistogramError::CustomBoundsOnExponential);
                }
            }
            schema => return Err(HistogramError::InvalidSchema(schema)),
        }
        validate_counts(self.positive(), "positive")?;
        if self.zero_count < 0.0 {
            return Err(HistogramError::NegativeZeroCount(self.zero_count));
        }
        if self.count < 0.0 {
            return Err(HistogramError::NegativeCount(self.count));
        }
        Ok(())
    }

    fn validate_custom(&self) -> Result<(), HistogramError> {
        self.validate_bounds()?;
        let must = |holds: bool, what| {
            if holds { Ok(()) } else { Err(HistogramError::CustomBucketsMust(what)) }
        };
        must(self.zero_count == 0.0, "have zero count of 0")?;
        must(self.zero_threshold == 0.0, "have zero threshold of 0")?;
        must(self.negative().is_empty(), "not have negative spans")
    }

    /// Checks custom bounds, and whether the buckets are within them.
    pub(super) fn validate_bounds(&self) -> Result<(), HistogramError> {
        let bounds = self.custom_values();
        let mut previous = f64::NEG_INFINITY;
        for &current in bounds {
            if current.is_nan() {
                return Err(HistogramError::CustomBoundNan);
            }
            if current <= previous {
                return Err(HistogramError::CustomBoundsOrder { previous, current });
            }
            previous = current;
        }
        if previous == f64::INFINITY {
            return Err(HistogramError::CustomBoundInfinite);
        }
        let runs = self.positive().runs();
        if let Some(run) = runs.first().filter(|run| run.start < 0) {
            let offset = i32::try_from(run.start).unwrap_or(i32::MIN);
            return Err(HistogramError::NegativeSpanOffset { number: 1, offset });
        }
        let length = runs.last().map_or(0, Run::end);
        if usize::try_from(length).is_ok_and(|length| length > bounds.len() + 1) {
            return Err(HistogramError::TooFewCustomBounds { bounds: bounds.len(), length });
        }
        Ok(())
    }
}

fn validate_counts(side: SideBuckets<'_, f64>, name: &'static str) -> Result<(), HistogramError> {
    match side.counts().iter().position(|&count| count < 0.0) {
        Some(at) => {
            let count = side.counts().get(at).copied().unwrap_or_default();
            Err(HistogramError::NegativeBucket { side: name, number: at + 1, count })
        }
        None => Ok(()),
    }
}
