//! Classic histograms, series with a label `le`, from histograms with custom buckets and back.

use super::{CUSTOM_BUCKETS_SCHEMA, FloatHistogram, HistogramError, HistogramParts, Span};
use crate::number::OpenMetrics;
use crate::{Labels, METRIC_NAME};

/// How many empty buckets in a row stay when a classic histogram with whole numbers is converted.
const KEPT_EMPTY_BUCKETS: usize = 2;

/// The values of a classic histogram at one time.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ClassicHistogram {
    /// Upper bounds, ascending, and the number of observations up to each.
    pub buckets: Vec<(f64, f64)>,
    /// The number of observations.
    pub count: f64,
    /// The sum of all observations.
    pub sum: f64,
}

impl ClassicHistogram {
    /// The series of the histogram whose name and other labels are given: `_bucket` for each bucket,
    /// `_count` and `_sum`.
    pub fn series(&self, labels: &Labels) -> Vec<(Labels, f64)> {
        let name = labels.metric_name().unwrap_or_default().to_owned();
        let mut builder = labels.to_builder();
        let mut series = Vec::with_capacity(self.buckets.len() + 2);
        builder.set(METRIC_NAME, format!("{name}_bucket"));
        for &(bound, count) in &self.buckets {
            builder.set("le", OpenMetrics(bound).to_string());
            series.push((builder.build(), count));
        }
        builder.remove("le");
        for (suffix, value) in [("count", self.count), ("sum", self.sum)] {
            series.push((builder.set(METRIC_NAME, format!("{name}_{suffix}")).build(), value));
        }
        series
    }

    /// Converts a histogram with custom buckets. A bucket that is left out between others is taken
    /// to have the population that `missing` makes of the one before it.
    pub(super) fn from_custom(
        histogram: &FloatHistogram,
        missing: impl Fn(f64) -> f64,
    ) -> Result<Self, HistogramError> {
        if !histogram.has_custom_buckets() {
            return Err(HistogramError::NotCustom);
        }
        histogram.validate_bounds()?;
        let mut populated = histogram.positive().iter().peekable();
        let (mut total, mut before) = (0.0, 0.0);
        let bounds = histogram.custom_values().iter().copied().chain([f64::INFINITY]);
        let buckets = (0..).zip(bounds).map(|(index, bound)| {
            match populated.next_if(|&(at, _)| at == index) {
                Some((_, count)) => before = count,
                None if populated.peek().is_some() => before = missing(before),
                None => before = 0.0,
            }
            total += before;
            (bound, total)
        });
        let buckets = buckets.collect();
        Ok(Self { buckets, count: histogram.count, sum: histogram.sum })
    }
}

impl FloatHistogram {
    /// The classic histogram of one with custom buckets.
    ///
    /// # Errors
    /// When the buckets are not custom ones, or reach beyond their bounds.
    pub fn to_classic(&self) -> Result<ClassicHistogram, HistogramError> {
        ClassicHistogram::from_custom(self, |_| 0.0)
    }
}

/// Collects the values of a classic histogram in any order, to make a native histogram of it.
///
/// ```
/// use promql_model::ClassicCollector;
/// let mut collector = ClassicCollector::default();
/// collector.bucket(2.0, 5.0)?;
/// collector.bucket(1.0, 3.0)?;
/// collector.sum(7.5);
/// let histogram = collector.finish()?;
/// assert_eq!(histogram.count, 5.0);
/// assert_eq!(histogram.custom_values(), [1.0, 2.0]);
/// # Ok::<(), promql_model::HistogramError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ClassicCollector {
    /// Upper bounds with the number of observations up to each, ascending.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

impl ClassicCollector {
    /// Takes a bucket: its upper bound, and the number of observations up to that. A bound that was
    /// taken already, in whatever spelling, is ignored.
    ///
    /// # Errors
    /// When the number is negative, or doesn't fit between those of the bounds around it.
    pub fn bucket(&mut self, bound: f64, count: f64) -> Result<(), HistogramError> {
        if count < 0.0 {
            return Err(HistogramError::NegativeClassicBucket { bound, count });
        }
        let at = self.buckets.partition_point(|&(other, _)| other < bound);
        let (before, after) = self.buckets.split_at_checked(at).unwrap_or((&self.buckets, &[]));
        if let Some(&(_, lower)) = before.last().filter(|&&(_, lower)| count < lower) {
            return Err(HistogramError::NotCumulative { left: count, sign: '<', right: lower });
        }
        match after.first() {
            Some(&(other, _)) if other == bound => return Ok(()),
            Some(&(_, higher)) if count > higher => {
                return Err(HistogramError::NotCumulative {
                    left: count,
                    sign: '>',
                    right: higher,
                });
            }
            _ => {}
        }
        self.buckets.insert(at, (bound, count));
        Ok(())
    }

    /// Takes the number of observations.
    ///
    /// # Errors
    /// When it is negative.
    pub fn count(&mut self, count: f64) -> Result<(), HistogramError> {
        if count < 0.0 {
            return Err(HistogramError::NegativeClassicCount(count));
        }
        self.count = Some(count);
        Ok(())
    }

    /// Takes the sum of all observations.
    pub fn sum(&mut self, sum: f64) {
        self.sum = sum;
    }

    /// The native histogram. Without a number of observations it is that of the highest bucket,
    /// without a bucket up to +Inf it is the number of observations.
    ///
    /// # Errors
    /// When the highest bucket and the number of observations differ, or the bounds make no custom
    /// buckets.
    pub fn finish(mut self) -> Result<FloatHistogram, HistogramError> {
        let count = self.count.or(self.buckets.last().map(|bucket| bucket.1)).unwrap_or(0.0);
        if self.buckets.last().is_none_or(|bucket| bucket.0 != f64::INFINITY) {
            self.buckets.push((f64::INFINITY, count));
        }
        if let Some(&(bound, cumulative)) = self.buckets.last().filter(|last| last.1 != count) {
            return Err(HistogramError::ClassicCountMismatch { count, bound, cumulative });
        }
        let mut before = 0.0;
        let counts: Vec<_> =
            self.buckets.iter().map(|&(_, c)| c - std::mem::replace(&mut before, c)).collect();
        let length = u32::try_from(counts.len()).unwrap_or(u32::MAX);
        let bounds = self.buckets.iter().map(|bucket| bucket.0).filter(|&b| b != f64::INFINITY);
        let mut histogram = FloatHistogram::from_parts(HistogramParts {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count,
            sum: self.sum,
            positive_spans: vec![Span { offset: 0, length }],
            positive_buckets: counts,
            custom_values: bounds.collect(),
            ..HistogramParts::default()
        })?;
        let whole = self.buckets.iter().all(|bucket| bucket.1.fract() == 0.0);
        histogram.compact(if whole { KEPT_EMPTY_BUCKETS } else { 0 });
        histogram.validate()?;
        Ok(histogram)
    }
}
