//! Chunks of native histograms, encodings 2, 3, 5 and 6.
//!
//! All histograms of a chunk have the same buckets, which stand once in front of them. Integer
//! histograms store how the increase of each number changes: a histogram that grows evenly takes a
//! bit for each bucket. Float histograms store each number as a float chunk stores its values.

use super::Clock;
use super::bits::BitReader;
use super::start_time::StartTimes;
use super::value::XorValue;
use crate::columns::push_start;
use crate::tsdb::bytes::Bytes;
use crate::tsdb::damage::Damage;
use crate::tsdb::schema::{coarsen, schema};
use promql_engine::SampleBuffer;
use promql_model::{
    CUSTOM_BUCKETS_SCHEMA, CounterResetHint, FloatHistogram, HistogramParts, Span, is_stale_nan,
    stale_nan,
};

/// Decodes the samples behind the first two bytes, and adds them to the columns.
pub(super) fn decode(
    header: u16,
    float: bool,
    start_times: bool,
    data: &[u8],
    buffer: &mut SampleBuffer,
) -> Result<(), Damage> {
    let mut bytes = Bytes::new(data);
    let third = bytes.u8()?;
    let (count, reset, starts) = match start_times {
        true => (header & 0x3fff, (header >> 14) as u8, StartTimes::new(third)),
        false => (header, third >> 6, StartTimes::new(0)),
    };
    let zero_threshold = match bytes.u8()? {
        0 => 0.0,
        255 => bytes.f64()?,
        exponent => f64::from(i32::from(exponent) - 244).exp2(),
    };
    let start = bytes.position();
    let mut reader = BitReader::new(bytes.rest());
    let read = || {
        let layout = layout(zero_threshold, reset, &mut reader)?;
        let mut samples = Samples { layout, starts, reader: &mut reader, buffer };
        match float {
            true => samples.read::<FloatColumns>(count),
            false => samples.read::<IntegerColumns>(count),
        }
    };
    read().map_err(|damage| damage.behind(start))
}

/// What all histograms of a chunk have in common.
struct Layout {
    /// The first histogram, without its populations.
    empty: FloatHistogram,
    /// How many buckets there are on both sides.
    buckets: usize,
    /// What the chunk says about its first histogram, and what follows for the others.
    first: CounterResetHint,
    later: CounterResetHint,
}

fn layout(zero_threshold: f64, reset: u8, reader: &mut BitReader<'_>) -> Result<Layout, Damage> {
    let schema = schema(reader.varbit_int())
        .ok_or_else(|| reader.damage("a histogram has a schema that does not exist"))?;
    let custom = schema == CUSTOM_BUCKETS_SCHEMA;
    let (positive_spans, positive) = spans(reader)?;
    let (negative_spans, negative) = spans(reader)?;
    let custom_values = if custom { bounds(reader)? } else { Vec::new() };
    reader.check()?;
    let buckets = positive + negative;
    // Each bucket of the first sample takes a bit at least.
    if buckets > reader.left() {
        return Err(reader.damage("a histogram has more buckets than there is data"));
    }
    let empty = FloatHistogram::from_parts(HistogramParts {
        schema,
        zero_threshold,
        positive_spans,
        positive_buckets: vec![0.0; positive],
        negative_spans,
        negative_buckets: vec![0.0; negative],
        custom_values,
        ..HistogramParts::default()
    });
    let empty = empty.map_err(|error| Damage::new(error.to_string(), 0))?;
    use CounterResetHint::{Gauge, NotReset, Reset, Unknown};
    let (first, later) = match reset {
        0b11 => (Gauge, Gauge),
        0b10 => (Reset, NotReset),
        _ => (Unknown, NotReset),
    };
    Ok(Layout { empty, buckets, first, later })
}

/// Spans, and how many buckets they have together.
fn spans(reader: &mut BitReader<'_>) -> Result<(Vec<Span>, usize), Damage> {
    let mut spans = Vec::new();
    let mut buckets = 0_usize;
    for _ in 0..reader.varbit_uint() {
        let length = reader.varbit_uint();
        let offset = reader.varbit_int();
        reader.check()?;
        let span = u32::try_from(length).ok().zip(i32::try_from(offset).ok());
        let Some((length, offset)) = span else {
            return Err(reader.damage("a span of buckets is too long"));
        };
        spans.push(Span { offset, length });
        buckets = buckets.saturating_add(length as usize);
    }
    Ok((spans, buckets))
}

/// The upper bounds of custom buckets.
fn bounds(reader: &mut BitReader<'_>) -> Result<Vec<f64>, Damage> {
    let mut bounds = Vec::new();
    for _ in 0..reader.varbit_uint() {
        let bound = match reader.varbit_uint() {
            0 => reader.f64(),
            thousandths => (thousandths - 1) as f64 / 1000.0,
        };
        reader.check()?;
        bounds.push(bound);
    }
    Ok(bounds)
}

/// The numbers of a histogram, how they go from sample to sample.
trait NumberColumns: Sized {
    /// Reads the first sample: count, zero count and sum, then so many buckets.
    fn first(reader: &mut BitReader<'_>, buckets: usize) -> Self;

    /// Reads count, zero count and sum of the next sample.
    fn next_totals(&mut self, reader: &mut BitReader<'_>) -> Result<(), Damage>;

    /// Reads the buckets of the next sample.
    fn next_buckets(&mut self, reader: &mut BitReader<'_>) -> Result<(), Damage>;

    /// Count, zero count and sum.
    fn totals(&self) -> [f64; 3];

    /// The populations of the buckets. Those of the positive side come first, so many.
    fn populations(&self, positive: usize) -> Vec<f64>;
}

/// Numbers that are integers.
struct IntegerColumns {
    count: Growing,
    zero_count: Growing,
    sum: XorValue,
    /// Each as the difference to the bucket before.
    buckets: Vec<Growing>,
}

/// A number whose increase is stored as the difference to the increase before.
struct Growing {
    number: i64,
    increase: i64,
}

impl Growing {
    fn new(number: i64) -> Self {
        Growing { number, increase: 0 }
    }

    #[inline]
    fn next(&mut self, reader: &mut BitReader<'_>) {
        self.increase = self.increase.wrapping_add(reader.varbit_int());
        self.number = self.number.wrapping_add(self.increase);
    }
}

impl NumberColumns for IntegerColumns {
    fn first(reader: &mut BitReader<'_>, buckets: usize) -> Self {
        IntegerColumns {
            count: Growing::new(reader.varbit_uint() as i64),
            zero_count: Growing::new(reader.varbit_uint() as i64),
            sum: XorValue::new(reader.f64()),
            buckets: (0..buckets).map(|_| Growing::new(reader.varbit_int())).collect(),
        }
    }

    fn next_totals(&mut self, reader: &mut BitReader<'_>) -> Result<(), Damage> {
        self.count.next(reader);
        self.zero_count.next(reader);
        self.sum.next(reader).map(drop)
    }

    fn next_buckets(&mut self, reader: &mut BitReader<'_>) -> Result<(), Damage> {
        self.buckets.iter_mut().for_each(|bucket| bucket.next(reader));
        Ok(())
    }

    fn totals(&self) -> [f64; 3] {
        let number = |column: &Growing| column.number as u64 as f64;
        [number(&self.count), number(&self.zero_count), self.sum.last()]
    }

    fn populations(&self, positive: usize) -> Vec<f64> {
        let mut population = 0_i64;
        let sum = |(index, bucket): (usize, &Growing)| {
            // Each side counts from zero.
            if index == positive {
                population = 0;
            }
            population = population.wrapping_add(bucket.number);
            population as f64
        };
        self.buckets.iter().enumerate().map(sum).collect()
    }
}

/// Numbers that are floats.
struct FloatColumns {
    count: XorValue,
    zero_count: XorValue,
    sum: XorValue,
    buckets: Vec<XorValue>,
}

impl NumberColumns for FloatColumns {
    fn first(reader: &mut BitReader<'_>, buckets: usize) -> Self {
        FloatColumns {
            count: XorValue::new(reader.f64()),
            zero_count: XorValue::new(reader.f64()),
            sum: XorValue::new(reader.f64()),
            buckets: (0..buckets).map(|_| XorValue::new(reader.f64())).collect(),
        }
    }

    fn next_totals(&mut self, reader: &mut BitReader<'_>) -> Result<(), Damage> {
        self.count.next(reader)?;
        self.zero_count.next(reader)?;
        self.sum.next(reader).map(drop)
    }

    fn next_buckets(&mut self, reader: &mut BitReader<'_>) -> Result<(), Damage> {
        self.buckets.iter_mut().try_for_each(|bucket| bucket.next(reader).map(drop))
    }

    fn totals(&self) -> [f64; 3] {
        [self.count.last(), self.zero_count.last(), self.sum.last()]
    }

    fn populations(&self, _: usize) -> Vec<f64> {
        self.buckets.iter().map(XorValue::last).collect()
    }
}

/// The samples of a chunk while they are read.
struct Samples<'a, 'b> {
    layout: Layout,
    starts: StartTimes,
    reader: &'a mut BitReader<'b>,
    buffer: &'a mut SampleBuffer,
}

impl Samples<'_, '_> {
    fn read<C: NumberColumns>(&mut self, count: u16) -> Result<(), Damage> {
        if count == 0 {
            return Ok(());
        }
        let mut clock = Clock::new(self.reader.varbit_int());
        let mut columns = C::first(self.reader, self.layout.buckets);
        self.add(0, 0, &clock, &columns, self.layout.first)?;
        for index in 1..usize::from(count) {
            let before = clock.time;
            clock.advance(self.reader.varbit_int(), self.reader)?;
            columns.next_totals(self.reader)?;
            // A staleness marker has no buckets, and only such follow it.
            if !is_stale_nan(columns.totals()[2]) {
                columns.next_buckets(self.reader)?;
            }
            self.add(index, before, &clock, &columns, self.layout.later)?;
        }
        Ok(())
    }

    fn add<C: NumberColumns>(
        &mut self,
        index: usize,
        before: i64,
        clock: &Clock,
        columns: &C,
        hint: CounterResetHint,
    ) -> Result<(), Damage> {
        let start = self.starts.next(index, before, clock.time, self.reader)?;
        self.reader.check()?;
        let histogram = self.histogram(columns, hint)?;
        let SampleBuffer { histogram_timestamps, histogram_start_timestamps, histograms, .. } =
            &mut *self.buffer;
        push_start(histogram_start_timestamps, start, histogram_timestamps.len());
        histogram_timestamps.push(clock.time);
        histograms.push(histogram);
        Ok(())
    }

    fn histogram<C: NumberColumns>(
        &self,
        columns: &C,
        hint: CounterResetHint,
    ) -> Result<FloatHistogram, Damage> {
        let [count, zero_count, sum] = columns.totals();
        if is_stale_nan(sum) {
            let mut marker = FloatHistogram::default();
            marker.sum = stale_nan();
            return Ok(marker);
        }
        let empty = &self.layout.empty;
        let populations = columns.populations(empty.positive().len());
        let mut histogram =
            empty.with_buckets(populations).map_err(|error| Damage::new(error.to_string(), 0))?;
        histogram.count = count;
        histogram.zero_count = zero_count;
        histogram.sum = sum;
        histogram.hint = hint;
        coarsen(&mut histogram).map_err(|error| Damage::new(error.to_string(), 0))?;
        Ok(histogram)
    }
}
