//! What the records of a log say.

use promql_engine::TimeRange;
use promql_model::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, FloatHistogram, HistogramParts, Span};

use crate::tsdb::bytes::Bytes;
use crate::tsdb::damage::Damage;
use crate::tsdb::schema::{coarsen, schema};

/// One sample of a record.
pub(super) struct Sample<V> {
    /// The number that the log has for the series.
    pub(super) series: u64,
    /// In milliseconds since the epoch.
    pub(super) time: i64,
    /// Since when the counter counts, 0 if that is unknown.
    pub(super) start: i64,
    pub(super) value: V,
}

impl Sample<()> {
    fn with<V>(self, value: V) -> Sample<V> {
        let Sample { series, time, start, value: () } = self;
        Sample { series, time, start, value }
    }
}

/// Where what records say goes.
pub(super) trait Log {
    /// A series with its labels, sorted by name.
    fn series(&mut self, series: u64, labels: &[(&str, &str)]);
    fn float(&mut self, sample: Sample<f64>);
    fn histogram(&mut self, sample: Sample<FloatHistogram>);
    /// Samples up to here are deleted.
    fn deleted(&mut self, series: u64, interval: TimeRange);
    fn metadata(&mut self, series: u64, metadata: Metadata<'_>);
    /// Something of a kind that is not known here.
    fn unknown(&mut self, what: &'static str);
}

/// What a record says about a metric.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Metadata<'a> {
    pub(super) metric_type: &'static str,
    pub(super) unit: &'a str,
    pub(super) help: &'a str,
}

/// The names of metric types by their numbers.
const TYPES: [&str; 8] =
    ["unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"];

/// Reads a record.
pub(super) fn read(record: &[u8], log: &mut dyn Log) -> Result<(), Damage> {
    let mut bytes = Bytes::new(record);
    let Ok(kind) = bytes.u8() else { return Ok(()) };
    match kind {
        1 => series(&mut bytes, log),
        2 => samples(&mut bytes, &mut |sample, bytes| {
            log.float(sample.with(bytes.f64()?));
            Ok(())
        }),
        3 => tombstones(&mut bytes, log),
        // Exemplars, and marks about chunks of the head.
        4 | 5 => Ok(()),
        6 => metadata(&mut bytes, log),
        7..=10 => {
            let form = Form { float: matches!(kind, 8 | 10), has_bounds: kind >= 9 };
            samples(&mut bytes, &mut |sample, bytes| histogram(sample, form, bytes, log))
        }
        11 => samples_with_starts(&mut bytes, &mut |sample, bytes| {
            log.float(sample.with(bytes.f64()?));
            Ok(())
        }),
        12 | 13 => {
            let form = Form { float: kind == 13, has_bounds: true };
            samples_with_starts(&mut bytes, &mut |sample, bytes| {
                histogram(sample, form, bytes, log)
            })
        }
        _ => {
            log.unknown("records");
            Ok(())
        }
    }
}

fn series(bytes: &mut Bytes<'_>, log: &mut dyn Log) -> Result<(), Damage> {
    let mut labels = Vec::new();
    while !bytes.is_empty() {
        let series = bytes.u64()?;
        labels.clear();
        for _ in 0..bytes.uvarint()? {
            labels.push((bytes.text()?, bytes.text()?));
        }
        log.series(series, &labels);
    }
    Ok(())
}

/// What to do with a sample whose value comes next in the bytes.
type Take<'t> = &'t mut dyn FnMut(Sample<()>, &mut Bytes<'_>) -> Result<(), Damage>;

/// Samples as differences to numbers at the start of the record.
fn samples(bytes: &mut Bytes<'_>, take: Take<'_>) -> Result<(), Damage> {
    if bytes.is_empty() {
        return Ok(());
    }
    let (series, time) = (bytes.u64()?, bytes.u64()? as i64);
    while !bytes.is_empty() {
        let sample = Sample {
            series: series.wrapping_add_signed(bytes.varint()?),
            time: time.wrapping_add(bytes.varint()?),
            start: 0,
            value: (),
        };
        take(sample, bytes)?;
    }
    Ok(())
}

/// Samples with start timestamps, as differences to the first and to the one before.
fn samples_with_starts(bytes: &mut Bytes<'_>, take: Take<'_>) -> Result<(), Damage> {
    if bytes.is_empty() {
        return Ok(());
    }
    let mut series = bytes.varint()? as u64;
    let first_time = bytes.varint()?;
    let first_start = bytes.varint()?;
    let mut start = first_start;
    take(Sample { series, time: first_time, start, value: () }, bytes)?;
    while !bytes.is_empty() {
        series = series.wrapping_add_signed(bytes.varint()?);
        let time = first_time.wrapping_add(bytes.varint()?);
        let at = bytes.position();
        start = match bytes.u8()? {
            0 => 0,
            1 => start,
            2 => first_start.wrapping_add(bytes.varint()?),
            _ => return Err(Damage::new("a start timestamp is marked as nothing known", at)),
        };
        take(Sample { series, time, start, value: () }, bytes)?;
    }
    Ok(())
}

fn tombstones(bytes: &mut Bytes<'_>, log: &mut dyn Log) -> Result<(), Damage> {
    while !bytes.is_empty() {
        let series = bytes.u64()?;
        let interval = TimeRange { start: bytes.varint()?, end: bytes.varint()? };
        log.deleted(series, interval);
    }
    Ok(())
}

fn metadata(bytes: &mut Bytes<'_>, log: &mut dyn Log) -> Result<(), Damage> {
    while !bytes.is_empty() {
        let series = bytes.uvarint()?;
        let kind = usize::from(bytes.u8()?);
        let mut metadata = Metadata {
            metric_type: TYPES.get(kind).copied().unwrap_or("unknown"),
            ..Metadata::default()
        };
        for _ in 0..bytes.uvarint()? {
            match (bytes.text()?, bytes.text()?) {
                ("UNIT", text) => metadata.unit = text,
                ("HELP", text) => metadata.help = text,
                _ => {}
            }
        }
        log.metadata(series, metadata);
    }
    Ok(())
}

/// How a histogram is written.
#[derive(Clone, Copy)]
struct Form {
    /// Whether its numbers are floats.
    float: bool,
    /// Whether the bounds of custom buckets follow, if it has such.
    has_bounds: bool,
}

fn histogram(
    sample: Sample<()>,
    form: Form,
    bytes: &mut Bytes<'_>,
    log: &mut dyn Log,
) -> Result<(), Damage> {
    let at = bytes.position();
    let hint = match bytes.u8()? {
        1 => CounterResetHint::Reset,
        2 => CounterResetHint::NotReset,
        3 => CounterResetHint::Gauge,
        _ => CounterResetHint::Unknown,
    };
    let number = bytes.varint()?;
    let zero_threshold = bytes.f64()?;
    let mut population = || if form.float { bytes.f64() } else { Ok(bytes.uvarint()? as f64) };
    let (zero_count, count) = (population()?, population()?);
    let sum = bytes.f64()?;
    let (positive_spans, negative_spans) = (spans(bytes)?, spans(bytes)?);
    let (positive_buckets, negative_buckets) = (buckets(form, bytes)?, buckets(form, bytes)?);
    let mut custom_values = Vec::new();
    if form.has_bounds && number == i64::from(CUSTOM_BUCKETS_SCHEMA) {
        for _ in 0..bytes.uvarint()? {
            custom_values.push(bytes.f64()?);
        }
    }
    // One that is newer than all that is known here is left out; the next may be known.
    let Some(schema) = schema(number) else {
        log.unknown("histograms of an unknown schema");
        return Ok(());
    };
    let histogram = FloatHistogram::from_parts(HistogramParts {
        schema,
        zero_threshold,
        zero_count,
        count,
        sum,
        positive_spans,
        positive_buckets,
        negative_spans,
        negative_buckets,
        custom_values,
        hint,
    });
    let coarse = histogram.and_then(|mut histogram| coarsen(&mut histogram).map(|()| histogram));
    let value = coarse.map_err(|error| Damage::new(error.to_string(), at))?;
    log.histogram(sample.with(value));
    Ok(())
}

fn spans(bytes: &mut Bytes<'_>) -> Result<Vec<Span>, Damage> {
    let mut spans = Vec::new();
    for _ in 0..bytes.uvarint()? {
        let at = bytes.position();
        let (offset, length) = (i32::try_from(bytes.varint()?), u32::try_from(bytes.uvarint()?));
        let (Ok(offset), Ok(length)) = (offset, length) else {
            return Err(Damage::new("a span of buckets is too long", at));
        };
        spans.push(Span { offset, length });
    }
    Ok(spans)
}

/// Populations: floats, or integers as differences to the bucket before.
fn buckets(form: Form, bytes: &mut Bytes<'_>) -> Result<Vec<f64>, Damage> {
    let mut populations = Vec::new();
    let mut last = 0_i64;
    for _ in 0..bytes.uvarint()? {
        populations.push(match form.float {
            true => bytes.f64()?,
            false => {
                last = last.wrapping_add(bytes.varint()?);
                last as f64
            }
        });
    }
    Ok(populations)
}
