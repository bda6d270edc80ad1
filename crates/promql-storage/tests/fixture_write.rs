//! Series out, and in again.

use promql_model::{CounterResetHint, FloatHistogram, HistogramParts, Labels, Span, stale_nan};
use promql_storage::exposition::{self, Format, write_openmetrics};
use promql_storage::fixture::{input_series, read_script, write_script};
use promql_storage::{Columns, MemoryBuilder, MemoryStorage};
use proptest::prelude::*;

fn labels(name: &str, instance: &str) -> Labels {
    Labels::from_pairs([("__name__", name), ("instance", instance)])
}

fn floats(samples: &[(i64, f64)]) -> Columns {
    let (timestamps, values) = samples.iter().copied().unzip();
    Columns { timestamps, values, ..Columns::default() }
}

/// The series as a storage gives them back.
fn stored(series: &[(Labels, Columns)]) -> MemoryStorage {
    let mut builder = MemoryBuilder::default();
    for (labels, columns) in series {
        builder.insert(labels.clone(), columns.clone());
    }
    builder.build()
}

/// Series with their samples, bit for bit, but for buckets without population.
fn shown(storage: &MemoryStorage) -> Vec<String> {
    let one = |(at, labels): (usize, &Labels)| {
        let samples = storage.samples(at).expect("an index of the storage");
        let values: Vec<u64> = samples.values.iter().map(|value| value.to_bits()).collect();
        format!(
            "{labels} {:?} {values:x?} {:?} {:?} {:?} {:?}",
            samples.timestamps,
            samples.start_timestamps,
            samples.histogram_timestamps,
            compacted(samples.histograms),
            samples.histogram_start_timestamps
        )
    };
    storage.series().iter().enumerate().map(one).collect()
}

fn compacted(histograms: &[FloatHistogram]) -> Vec<FloatHistogram> {
    let mut histograms = histograms.to_vec();
    histograms.iter_mut().for_each(|histogram| histogram.compact(0));
    histograms
}

#[test]
fn scripts_are_short_where_samples_are_regular() {
    let regular = |start: i64, by: f64| {
        let samples: Vec<_> = (0..9).map(|k| (start + k * 15_000, k as f64 * by)).collect();
        floats(&samples)
    };
    let mut late = regular(1_700_000_003_250, 0.0);
    late.timestamps[4] += 7;
    let mut gaps = regular(1_700_000_000_000, 1.0);
    gaps.timestamps.drain(2..5);
    gaps.values.drain(2..5);
    gaps.values[5] = stale_nan();
    let mut started = regular(1_700_000_000_000, 2.0);
    started.start_timestamps = vec![1_699_999_000_000; 9];
    started.start_timestamps[8] = 1_700_000_110_000;
    started.start_timestamps[0] = 0;
    let series = [
        (labels("gaps", "a"), gaps),
        (labels("late", "b"), late),
        (labels("odd", "b"), floats(&[(1_700_000_060_001, 1.0)])),
        (labels("requests_total", "a"), regular(1_700_000_000_000, 60.0)),
        (labels("requests_total", "b"), regular(1_700_000_003_250, 60.0)),
        (labels("started_total", "a"), started),
        (labels("weeks", "a"), floats(&[(0, 1.0), (60_000, 2.0), (1_700_000_000_000, 3.0)])),
    ];
    let script = write_script(&series);
    insta::assert_snapshot!(script);
    let read = read_script("written.test", script.as_bytes(), None).expect("a script");
    assert_eq!(shown(&read.storage), shown(&stored(&series)));
    assert!(read.warnings.is_empty());
    assert_eq!(input_series(&series), None);
    let of_a = series.iter().filter(|(l, _)| l.get("instance") == Some("a")).cloned();
    insta::assert_debug_snapshot!(input_series(&of_a.take(2).collect::<Vec<_>>()));
}

fn histogram(first: f64, hint: CounterResetHint) -> FloatHistogram {
    let parts = HistogramParts {
        schema: 1,
        count: first + 3.0,
        sum: 0.1 + first,
        zero_count: 1.0,
        zero_threshold: 0.001,
        positive_spans: vec![Span { offset: -2, length: 1 }, Span { offset: 3, length: 1 }],
        positive_buckets: vec![first, 2.0],
        hint,
        ..HistogramParts::default()
    };
    FloatHistogram::from_parts(parts).expect("spans and buckets fit")
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        series in prop::collection::btree_map(
            0..20_u8,
            (
                0..100_000_i64,
                prop::collection::vec((1..4_i64, prop::num::u8::ANY, -3.0..3.0_f64), 0..30),
                any::<bool>(),
            ),
            0..8,
        )
    ) {
        let columns = |(start, samples, starts): &(i64, Vec<(i64, u8, f64)>, bool)| {
            let mut columns = Columns::default();
            let mut time = *start;
            for (steps, kind, value) in samples {
                // Some come late.
                time += steps * 15_000 + if kind % 8 == 0 { 3 } else { 0 };
                let since = if *starts && kind % 5 != 0 { start - 1000 } else { 0 };
                match kind % 16 {
                    0 => columns.push_float(time, stale_nan(), since),
                    1 => columns.push_float(time, f64::NEG_INFINITY, since),
                    2 => columns.push_float(time, f64::NAN, since),
                    3 => {
                        let gauge = histogram(1.0 + value.abs(), CounterResetHint::Gauge);
                        columns.push_histogram(time, gauge, since);
                    }
                    4 => {
                        let counter = histogram(1.0 + value.abs(), CounterResetHint::Unknown);
                        columns.push_histogram(time, counter, since);
                    }
                    5..10 => columns.push_float(time, value.round(), since),
                    _ => columns.push_float(time, *value, since),
                }
            }
            columns
        };
        let series: Vec<(Labels, Columns)> = series
            .iter()
            .map(|(name, description)| {
                (labels("x \"\\\n", &name.to_string()), columns(description))
            })
            .filter(|(_, c)| !c.timestamps.is_empty() || !c.histograms.is_empty())
            .collect();
        let script = write_script(&series);
        let read = read_script("written.test", script.as_bytes(), None);
        let read = read.map_err(|error| TestCaseError::fail(format!("{error}\n{script}")))?;
        let expected = stored(&series);
        prop_assert_eq!(shown(&read.storage), shown(&expected), "{}", script);

        let plain: Vec<(Labels, Columns)> = series
            .iter()
            .filter(|(_, columns)| columns.start_timestamps.is_empty())
            .cloned()
            .collect();
        if let Ok(text) = write_openmetrics(&plain) {
            let read = exposition::read("written.om", text.as_bytes(), Format::OpenMetrics, 0);
            let read = read.map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            prop_assert_eq!(shown(&read.storage), shown(&stored(&plain)));
        }
    }
}
