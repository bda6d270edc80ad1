//! The data folder of a real Prometheus: whatever was written into the server is read from its
//! files, while it runs.

use std::path::Path;

use promql_engine::{
    Cancellation, LabelQuery, SampleBuffer, Samples, SelectHints, SelectRequest, Storage, TimeRange,
};
use promql_model::{
    CUSTOM_BUCKETS_SCHEMA, CounterResetHint, DenseHistogram, FloatHistogram, Labels, stale_nan,
};
use promql_storage::tsdb::TsdbStorage;
use promql_storage::{Columns, MemoryBuilder, MemoryStorage};
use promql_tests::conformance::say;
use promql_tests::prometheus::{Counts, Prometheus};
use promql_tests::random::Random;
use promql_tests::trial_data::{self, END, START};

/// Native histograms of all kinds, and series that change between them and floats.
fn with_histograms() -> MemoryStorage {
    let mut storage = MemoryBuilder::default();
    let random = &mut Random::new(3);
    for kind in ["integers", "floats", "gauge", "custom", "mixed", "changing"] {
        let mut columns = Columns::default();
        let mut histogram = DenseHistogram {
            schema: 2,
            zero_threshold: 0.001,
            offset: -3,
            buckets: vec![0.0; 9],
            n_offset: 1,
            n_buckets: vec![0.0; 2],
            ..DenseHistogram::default()
        };
        match kind {
            "gauge" => histogram.hint = CounterResetHint::Gauge,
            "custom" => {
                histogram = DenseHistogram {
                    schema: CUSTOM_BUCKETS_SCHEMA,
                    custom_values: vec![0.1, 2.5, 1e6],
                    buckets: vec![0.0; 4],
                    ..DenseHistogram::default()
                };
            }
            _ => {}
        }
        for k in 0..200_i64 {
            let time = START + k * 15_000;
            if random.once_in(30) {
                continue;
            }
            if kind == "mixed" && k / 20 % 2 == 1 {
                columns.timestamps.push(time);
                columns.values.push(if random.once_in(9) { stale_nan() } else { k as f64 });
                continue;
            }
            if random.once_in(60) {
                let mut marker = FloatHistogram::default();
                marker.sum = stale_nan();
                columns.histogram_timestamps.push(time);
                columns.histograms.push(marker);
                continue;
            }
            // Other buckets, and a counter that starts again.
            if kind == "changing" && random.once_in(20) {
                histogram.schema = random.below(8) as i32 - 3;
                histogram.offset = random.below(40) as i32 - 20;
                histogram.buckets = vec![0.0; 1 + random.below(12) as usize];
                histogram.count = 0.0;
            }
            let scale = if kind == "floats" { 0.25 } else { 1.0 };
            for bucket in histogram.buckets.iter_mut().chain(&mut histogram.n_buckets) {
                *bucket += random.below(9) as f64 * scale;
            }
            let buckets = histogram.buckets.iter().chain(&histogram.n_buckets);
            histogram.count = buckets.sum();
            histogram.sum += random.below(1000) as f64 / 7.0;
            columns.histogram_timestamps.push(time);
            columns.histograms.push(FloatHistogram::from(histogram.clone()));
        }
        storage.insert(Labels::from_pairs([("__name__", "native"), ("kind", kind)]), columns);
    }
    storage.build()
}

/// Whether two columns of histograms hold the same, but for what is known about resets.
fn same(a: &[FloatHistogram], b: &[FloatHistogram]) -> bool {
    let same = |a: &FloatHistogram, b: &FloatHistogram| {
        let gauge = |h: &FloatHistogram| h.hint == CounterResetHint::Gauge;
        a.is_stale() && b.is_stale()
            || gauge(a) == gauge(b) && a.is_like(b, |a, b| a.to_bits() == b.to_bits())
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

/// Compares the samples of all series in a folder with those that were written and that `keep`
/// accepts. Gives how many there are.
fn compare(
    folder: &Path,
    written: &[&MemoryStorage],
    keep: &dyn Fn(&Labels, i64) -> bool,
) -> usize {
    let (storage, warnings) = TsdbStorage::open(folder).expect("a folder that can be read");
    assert!(warnings.is_empty(), "{warnings:?}");
    let request = SelectRequest {
        matchers: &[],
        range: TimeRange::ALL,
        hints: SelectHints::default(),
        cancellation: &Cancellation::default(),
    };
    let selected = storage.select(&request).expect("series");
    assert!(selected.labels().is_sorted(), "the series are in order");
    let mut expected: Vec<(&Labels, Samples<'_>)> = Vec::new();
    for storage in written {
        let samples = (0..).map_while(|index| storage.samples(index));
        expected.extend(storage.series().iter().zip(samples));
    }
    expected.sort_by_key(|(labels, _)| *labels);
    let mut count = 0;
    let mut buffer = SampleBuffer::default();
    let mut found = selected.labels().iter().enumerate();
    for (labels, samples) in expected {
        let (index, found) = found.next().expect("as many series as were written");
        assert_eq!(found, labels);
        let read = selected.read(index, &mut buffer).expect("samples");
        let floats = samples.timestamps.iter().zip(samples.values);
        let floats: Vec<(i64, u64)> = floats
            .map(|(time, value)| (*time, value.to_bits()))
            .filter(|(time, _)| keep(labels, *time))
            .collect();
        let read_floats = read.timestamps.iter().zip(read.values);
        // The server got a marker before all else, so that it knows all series.
        let read_floats: Vec<(i64, u64)> = read_floats
            .filter(|(time, _)| **time >= START)
            .map(|(time, value)| (*time, value.to_bits()))
            .collect();
        assert_eq!(read_floats, floats, "{labels}");
        let histograms = samples.histogram_timestamps.iter().zip(samples.histograms);
        let (times, histograms): (Vec<i64>, Vec<FloatHistogram>) = histograms
            .map(|(time, histogram)| (*time, histogram.clone()))
            .filter(|(time, _)| keep(labels, *time))
            .unzip();
        assert_eq!(read.histogram_timestamps, times, "{labels}");
        assert!(same(read.histograms, &histograms), "{labels}");
        count += floats.len() + histograms.len();
    }
    assert_eq!(found.next(), None);
    count
}

#[test]
fn what_was_written_is_read() {
    let server = Prometheus::start_with(
        "data-folder",
        &["native-histograms"],
        "storage: {tsdb: {out_of_order_time_window: 2h}}\n",
    );
    let Some(server) = server else {
        return say("no prometheus in PROMQL_REFERENCE_BIN or the path: data folders are not read");
    };
    let (floats, histograms) = (trial_data::storage(), with_histograms());
    let all = [&floats, &histograms];
    server.write_as(&histograms, Counts::IntegersWherePossible);
    // Most of these come late, since the others go on for almost as long.
    server.write_as(&floats, Counts::Floats);

    let in_log = compare(&server.data(), &all, &|_, _| true);
    let snapshot = server.snapshot();
    let in_blocks = compare(&snapshot, &all, &|_, _| true);
    assert_eq!(in_log, in_blocks);

    // Deleted samples: in the log, and in blocks that were made since.
    let (from, to) = (START + 600_000, START + 1_200_000);
    server.delete("{i=\"0\"}", from, to);
    server.delete("native{kind=~\"[im].*\"}", from, to);
    let kept = |labels: &Labels, time: i64| {
        let deleted = labels.get("i") == Some("0")
            || labels.get("kind").is_some_and(|kind| kind.starts_with(['i', 'm']));
        !deleted || !(from..=to).contains(&time)
    };
    let after = compare(&server.data(), &all, &kept);
    assert!(after < in_log);
    compare(&server.snapshot(), &all, &kept);

    // Labels, with and without a selector.
    let (storage, _) = TsdbStorage::open(&snapshot).expect("a folder that can be read");
    let range = TimeRange { start: START, end: END };
    let everything = LabelQuery { selectors: &[], range };
    assert_eq!(
        storage.label_values("kind", &everything).expect("values"),
        ["changing", "custom", "floats", "gauge", "integers", "mixed"]
    );
    for query in [everything, LabelQuery { selectors: &[Vec::new()], range }] {
        let mut expected = floats.label_names(&query).expect("names");
        expected.extend(histograms.label_names(&query).expect("names"));
        expected.sort();
        expected.dedup();
        assert_eq!(storage.label_names(&query).expect("names"), expected);
    }
    say(&format!("{in_log} samples read from the log of a real server, and from its blocks"));
}

/// Whether a log has a record with this mark in the first byte of its head, by going through the pages
/// of its segments.
fn has_record(data: &Path, mark: u8) -> bool {
    let segments = std::fs::read_dir(data.join("wal")).expect("a log").flatten();
    segments.filter_map(|segment| std::fs::read(segment.path()).ok()).any(|segment| {
        segment.chunks(32 * 1024).any(|page| {
            let mut at = 0;
            while let [head, high, low, ..] = page[at..] {
                if head & 7 == 0 {
                    break;
                }
                if head & !7 == mark {
                    return true;
                }
                at = page.len().min(at + 7 + usize::from(u16::from_be_bytes([high, low])));
            }
            false
        })
    })
}

#[test]
fn logs_are_read_however_they_are_compressed() {
    let (floats, histograms) = (trial_data::storage(), with_histograms());
    let flag = "--storage.tsdb.wal-compression-type=";
    for (name, flag, mark) in [
        ("zstd", format!("{flag}zstd"), 0x10),
        ("snappy", format!("{flag}snappy"), 0x08),
        ("plain", "--no-storage.tsdb.wal-compression".to_owned(), 0),
    ] {
        let server = Prometheus::start_as(
            &format!("log-{name}"),
            &["native-histograms"],
            "storage: {tsdb: {out_of_order_time_window: 2h}}\n",
            &[&flag],
        );
        let Some(server) = server else {
            return say("no prometheus in PROMQL_REFERENCE_BIN or the path: logs are not read");
        };
        server.write_as(&histograms, Counts::IntegersWherePossible);
        server.write_as(&floats, Counts::Floats);
        let count = compare(&server.data(), &[&floats, &histograms], &|_, _| true);
        assert!(has_record(&server.data(), mark), "no record of the log is {name}");
        say(&format!("{count} samples read from a log that is compressed by {name}"));
    }
}
