//! Plain samples, as servers before 2.13 answer.

use std::collections::BTreeMap;

use promql_engine::SampleBuffer;
use promql_model::{CounterResetHint, FloatHistogram, HistogramParts, Labels, LabelsBuilder, Span};
use prost::Message;

use super::message::{BucketSpan, Count, Histogram, ReadResponse, ZeroCount};
use super::{Naming, labels};
use crate::columns::{forget_hints, sort};
use crate::fetched::Fetched;
use crate::tsdb::schema::{coarsen, schema};

/// Reads an answer. The reason of a failure is a sentence about it.
pub(super) fn read(body: &[u8], naming: &Naming<'_>) -> Result<Fetched, String> {
    let response = ReadResponse::decode(body).map_err(|error| format!("no samples: {error}"))?;
    let mut builder = LabelsBuilder::default();
    let mut series: BTreeMap<Labels, SampleBuffer> = BTreeMap::new();
    for one in response.results.into_iter().flat_map(|result| result.timeseries) {
        let Some(labels) = labels(&one.labels, naming, &mut builder)? else { continue };
        let columns = series.entry(labels).or_default();
        for sample in one.samples {
            columns.timestamps.push(sample.timestamp);
            columns.values.push(sample.value);
        }
        for histogram in one.histograms {
            columns.histogram_timestamps.push(histogram.timestamp);
            columns.histograms.push(float_histogram(histogram)?);
        }
    }
    for columns in series.values_mut() {
        let is_sorted = |times: &[i64]| times.is_sorted_by(|a, b| a < b);
        if !is_sorted(&columns.timestamps) || !is_sorted(&columns.histogram_timestamps) {
            forget_hints(&mut columns.histograms, usize::MAX);
        }
        sort(columns);
    }
    Ok(Fetched::from(series))
}

fn float_histogram(histogram: Histogram) -> Result<FloatHistogram, String> {
    let is_float = matches!(histogram.count, Some(Count::Float(_)));
    let (positive_buckets, negative_buckets) = match is_float {
        true => (histogram.positive_counts, histogram.negative_counts),
        false => (populations(&histogram.positive_deltas), populations(&histogram.negative_deltas)),
    };
    let number = histogram.schema;
    let schema = schema(number.into()).ok_or_else(|| format!("a histogram has schema {number}"))?;
    let parts = HistogramParts {
        schema,
        zero_threshold: histogram.zero_threshold,
        zero_count: match histogram.zero_count {
            Some(ZeroCount::Integer(count)) => count as f64,
            Some(ZeroCount::Float(count)) => count,
            None => 0.0,
        },
        count: match histogram.count {
            Some(Count::Integer(count)) => count as f64,
            Some(Count::Float(count)) => count,
            None => 0.0,
        },
        sum: histogram.sum,
        positive_spans: spans(&histogram.positive_spans),
        positive_buckets,
        negative_spans: spans(&histogram.negative_spans),
        negative_buckets,
        custom_values: histogram.custom_values,
        hint: match histogram.reset_hint {
            1 => CounterResetHint::Reset,
            2 => CounterResetHint::NotReset,
            3 => CounterResetHint::Gauge,
            _ => CounterResetHint::Unknown,
        },
    };
    let built = FloatHistogram::from_parts(parts);
    let coarse = built.and_then(|mut histogram| coarsen(&mut histogram).map(|()| histogram));
    coarse.map_err(|error| format!("a histogram makes no sense: {error}"))
}

fn spans(spans: &[BucketSpan]) -> Vec<Span> {
    spans.iter().map(|span| Span { offset: span.offset, length: span.length }).collect()
}

/// Populations from their differences.
fn populations(deltas: &[i64]) -> Vec<f64> {
    let next = |last: &mut i64, delta: &i64| {
        *last = last.wrapping_add(*delta);
        Some(*last as f64)
    };
    deltas.iter().scan(0, next).collect()
}
