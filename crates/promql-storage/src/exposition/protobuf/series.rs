//! From families to the series that a server makes of them.

use std::collections::HashSet;

use promql_model::number::OpenMetrics;
use promql_model::{
    CounterResetHint, FloatHistogram, HistogramParts, IntegerHistogramParts, Labels, METRIC_NAME,
    Span,
};

use super::message::{
    Bucket, BucketSpan, FamilyType, Histogram, Metric, MetricFamily, Summary, Timestamp,
};
use super::{ProtobufErrorKind, ProtobufExposition, ProtobufWarning};
use crate::exposition::parser::MetricType;
use crate::memory::{Columns, MemoryBuilder};
use crate::tsdb::schema::{coarsen, schema};

/// The series of the families read so far.
pub(super) struct SeriesOfFamilies {
    scrape_time: i64,
    samples: Vec<Sample>,
    builder: MemoryBuilder,
}

struct Sample {
    labels: Labels,
    timestamp: i64,
    /// When its counter began to count; 0 if that is unknown.
    start: i64,
    value: Value,
}

enum Value {
    Float(f64),
    Histogram(FloatHistogram),
}

impl SeriesOfFamilies {
    pub(super) fn new(scrape_time: i64) -> Self {
        SeriesOfFamilies { scrape_time, samples: Vec::new(), builder: MemoryBuilder::default() }
    }

    /// Adds the samples of a family.
    pub(super) fn add(&mut self, family: &MetricFamily) -> Result<(), ProtobufErrorKind> {
        if family.name.is_empty() {
            return Err(ProtobufErrorKind::EmptyName);
        }
        let metadata = self.builder.metadata(&family.name);
        metadata.metric_type = type_of(family).word().to_owned();
        family.help.clone_into(&mut metadata.help);
        family.unit.clone_into(&mut metadata.unit);
        for metric in &family.metrics {
            let mut of_metric = OfMetric {
                family: &family.name,
                labels: labels_of(family, metric)?,
                timestamp: match metric.timestamp {
                    0 => self.scrape_time,
                    timestamp => timestamp,
                },
                start: 0,
                samples: &mut self.samples,
            };
            of_metric.add(family.r#type(), metric)?;
        }
        Ok(())
    }

    /// All series. Of the samples of one at one time the first stays.
    pub(super) fn finish(mut self, name: &str) -> ProtobufExposition {
        // Stable: what came first stays first.
        self.samples
            .sort_by(|a, b| a.labels.cmp(&b.labels).then_with(|| a.timestamp.cmp(&b.timestamp)));
        let mut warnings = Vec::new();
        let mut samples = self.samples.into_iter().peekable();
        while let Some(first) = samples.next() {
            let mut columns = Columns::default();
            let labels = first.labels.clone();
            let mut last = first.timestamp;
            push(&mut columns, first);
            let mut twice = false;
            while let Some(sample) = samples.next_if(|sample| sample.labels == labels) {
                if sample.timestamp == last {
                    twice = true;
                    continue;
                }
                last = sample.timestamp;
                push(&mut columns, sample);
            }
            if twice && warnings.len() < crate::diagnostics::MOST_PROBLEMS {
                let series = labels.clone();
                warnings.push(ProtobufWarning::SampleTwice { exposition: name.to_owned(), series });
            }
            self.builder.insert(labels, columns);
        }
        ProtobufExposition { storage: self.builder.build(), warnings }
    }
}

fn push(columns: &mut Columns, sample: Sample) {
    match sample.value {
        Value::Float(value) => columns.push_float(sample.timestamp, value, sample.start),
        Value::Histogram(histogram) => {
            columns.push_histogram(sample.timestamp, histogram, sample.start);
        }
    }
}

fn type_of(family: &MetricFamily) -> MetricType {
    match family.r#type() {
        FamilyType::Counter => MetricType::Counter,
        FamilyType::Gauge => MetricType::Gauge,
        FamilyType::Summary => MetricType::Summary,
        FamilyType::Untyped => MetricType::Unknown,
        FamilyType::Histogram => MetricType::Histogram,
        FamilyType::GaugeHistogram => MetricType::GaugeHistogram,
    }
}

/// The labels of a metric without its name.
fn labels_of(family: &MetricFamily, metric: &Metric) -> Result<Labels, ProtobufErrorKind> {
    let mut names = HashSet::with_capacity(metric.labels.len());
    for label in &metric.labels {
        if label.name.is_empty() {
            return Err(ProtobufErrorKind::EmptyName);
        }
        if label.name == METRIC_NAME || !names.insert(&label.name) {
            return Err(ProtobufErrorKind::LabelTwice {
                family: family.name.clone(),
                label: label.name.clone(),
            });
        }
    }
    Ok(Labels::from_pairs(metric.labels.iter().map(|label| (&label.name, &label.value))))
}

/// The samples that one metric is made into.
struct OfMetric<'a> {
    family: &'a str,
    labels: Labels,
    timestamp: i64,
    start: i64,
    samples: &'a mut Vec<Sample>,
}

impl OfMetric<'_> {
    /// A family holds what its type says. Of a metric that has something else nothing is taken, and
    /// its value is 0.
    fn add(&mut self, kind: FamilyType, metric: &Metric) -> Result<(), ProtobufErrorKind> {
        match kind {
            FamilyType::Counter => {
                let counter = metric.counter.as_ref();
                self.start = milliseconds(counter.and_then(|counter| counter.start.as_ref()));
                self.float("", None, counter.map_or(0.0, |counter| counter.value))
            }
            FamilyType::Gauge => {
                self.float("", None, metric.gauge.as_ref().map_or(0.0, |gauge| gauge.value))
            }
            FamilyType::Untyped => {
                self.float("", None, metric.untyped.as_ref().map_or(0.0, |number| number.value))
            }
            FamilyType::Summary => self.summary(&metric.summary.clone().unwrap_or_default()),
            FamilyType::Histogram | FamilyType::GaugeHistogram => {
                let histogram = metric.histogram.clone().unwrap_or_default();
                self.start = milliseconds(histogram.start.as_ref());
                match is_native(&histogram) {
                    true => self.native(&histogram, kind == FamilyType::GaugeHistogram),
                    false => self.classic(&histogram),
                }
            }
        }
    }

    fn summary(&mut self, summary: &Summary) -> Result<(), ProtobufErrorKind> {
        self.start = milliseconds(summary.start.as_ref());
        self.float("_count", None, summary.count as f64)?;
        self.float("_sum", None, summary.sum)?;
        for quantile in &summary.quantiles {
            self.float("", Some(("quantile", quantile.quantile)), quantile.value)?;
        }
        Ok(())
    }

    fn classic(&mut self, histogram: &Histogram) -> Result<(), ProtobufErrorKind> {
        let count = number(histogram.count, histogram.count_float);
        self.float("_count", None, count)?;
        self.float("_sum", None, histogram.sum)?;
        for Bucket { count, upper_bound, count_float } in &histogram.buckets {
            self.float("_bucket", Some(("le", *upper_bound)), number(*count, *count_float))?;
        }
        let has_infinite = |bucket: &Bucket| bucket.upper_bound == f64::INFINITY;
        match histogram.buckets.iter().any(has_infinite) {
            true => Ok(()),
            false => self.float("_bucket", Some(("le", f64::INFINITY)), count),
        }
    }

    fn native(&mut self, histogram: &Histogram, gauge: bool) -> Result<(), ProtobufErrorKind> {
        let hint = if gauge { CounterResetHint::Gauge } else { CounterResetHint::Unknown };
        let family = self.family;
        let read = native(histogram, hint)
            .map_err(|error| ProtobufErrorKind::Histogram { family: family.to_owned(), error })?;
        let labels = self.labels("", None)?;
        let (timestamp, start) = (self.timestamp, self.start);
        self.samples.push(Sample { labels, timestamp, start, value: Value::Histogram(read) });
        Ok(())
    }

    fn float(
        &mut self,
        suffix: &str,
        bound: Option<(&str, f64)>,
        value: f64,
    ) -> Result<(), ProtobufErrorKind> {
        let labels = self.labels(suffix, bound)?;
        let (timestamp, start) = (self.timestamp, self.start);
        // NaN keeps its bits here, other than in text: an exporter could mark staleness.
        self.samples.push(Sample { labels, timestamp, start, value: Value::Float(value) });
        Ok(())
    }

    fn labels(
        &self,
        suffix: &str,
        bound: Option<(&str, f64)>,
    ) -> Result<Labels, ProtobufErrorKind> {
        let mut labels = self.labels.to_builder();
        labels.set(METRIC_NAME, format!("{}{suffix}", self.family));
        if let Some((name, bound)) = bound {
            if self.labels.get(name).is_some() {
                let (family, label) = (self.family.to_owned(), name.to_owned());
                return Err(ProtobufErrorKind::LabelTwice { family, label });
            }
            labels.set(name, OpenMetrics(bound).to_string());
        }
        Ok(labels.build())
    }
}

/// A number that is given as an integer or as a float, which counts if there is one.
fn number(integer: u64, float: f64) -> f64 {
    if float > 0.0 { float } else { integer as f64 }
}

/// Whether a histogram has native buckets. An empty one says so by a span without buckets.
fn is_native(histogram: &Histogram) -> bool {
    !histogram.positive_spans.is_empty()
        || !histogram.negative_spans.is_empty()
        || histogram.zero_threshold > 0.0
        || histogram.zero_count > 0
}

fn native(
    histogram: &Histogram,
    hint: CounterResetHint,
) -> Result<FloatHistogram, promql_model::HistogramError> {
    let Some(schema) = schema(i64::from(histogram.schema)) else {
        return Err(promql_model::HistogramError::InvalidSchema(histogram.schema));
    };
    let is_float = histogram.count_float > 0.0 || histogram.zero_count_float > 0.0;
    let mut read = match is_float {
        true => FloatHistogram::from_parts(HistogramParts {
            schema,
            zero_threshold: histogram.zero_threshold,
            zero_count: histogram.zero_count_float,
            count: histogram.count_float,
            sum: histogram.sum,
            positive_spans: spans(&histogram.positive_spans),
            positive_buckets: histogram.positive_counts.clone(),
            negative_spans: spans(&histogram.negative_spans),
            negative_buckets: histogram.negative_counts.clone(),
            custom_values: Vec::new(),
            hint,
        })?,
        false => IntegerHistogramParts {
            schema,
            zero_threshold: histogram.zero_threshold,
            zero_count: histogram.zero_count,
            count: histogram.count,
            sum: histogram.sum,
            positive_spans: spans(&histogram.positive_spans),
            positive_deltas: histogram.positive_deltas.clone(),
            negative_spans: spans(&histogram.negative_spans),
            negative_deltas: histogram.negative_deltas.clone(),
            custom_values: Vec::new(),
            hint,
        }
        .to_float()?,
    };
    coarsen(&mut read)?;
    read.compact(0);
    read.validate()?;
    Ok(read)
}

fn spans(spans: &[BucketSpan]) -> Vec<Span> {
    spans.iter().map(|span| Span { offset: span.offset, length: span.length }).collect()
}

/// A time in milliseconds since the epoch; 0 if it is unknown.
fn milliseconds(timestamp: Option<&Timestamp>) -> i64 {
    timestamp.map_or(0, |timestamp| {
        let seconds = timestamp.seconds.saturating_mul(1000);
        seconds.saturating_add(i64::from(timestamp.nanos) / 1_000_000)
    })
}
