//! Whatever an exporter answers, text or protobuf, it is series in order or has problems that can be
//! shown, and series that are written as OpenMetrics read the same.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use promql_engine::{
    Cancellation, SampleBuffer, SelectHints, SelectRequest, SelectedSeries, Storage, TimeRange,
};
use promql_model::Labels;
use promql_storage::exposition::{self, Format, read_protobuf, write_openmetrics};
use promql_storage::{Columns, MemoryStorage, Problems};

const SCRAPE_TIME: i64 = 1_700_000_000_000;

/// Times are written in seconds and read as floats: so far from the epoch milliseconds stay apart.
const FARTHEST: u64 = 100_000 * Duration::from_secs(86_400).as_millis() as u64;

fuzz_target!(|text: &[u8]| {
    for format in [Format::detect(text), Format::Text, Format::OpenMetrics] {
        match exposition::read("fuzzed", text, format, SCRAPE_TIME) {
            Ok(read) => {
                read.warnings.iter().for_each(|warning| assert!(!warning.message().is_empty()));
                written_again(all(&read.storage));
            }
            Err(problems) => are_shown(&problems, text.len()),
        }
    }
    if let Ok(read) = read_protobuf("fuzzed", text, SCRAPE_TIME) {
        all(&read.storage);
    }
});

/// Problems say something about a place that the text has.
fn are_shown(problems: &Problems, length: usize) {
    assert!(!problems.problems().is_empty() && !problems.to_string().is_empty());
    for problem in problems.problems() {
        assert!(!problem.message().is_empty());
        let _ = format!("{problem:?}");
    }
    assert!(problems.problems().len() + problems.omitted() <= length + 1);
}

/// All series with their samples, of which there are some, in order of time.
fn all(storage: &MemoryStorage) -> Vec<(Labels, Columns)> {
    let request = SelectRequest {
        matchers: &[],
        range: TimeRange::ALL,
        hints: SelectHints::default(),
        cancellation: &Cancellation::default(),
    };
    let selected = storage.select(&request).expect("what is in memory can be selected");
    assert!(selected.labels().is_sorted_by(|a, b| a < b));
    let columns = |index: usize| columns(&*selected, index);
    selected.labels().iter().cloned().zip((0..).map(columns)).collect()
}

fn columns(selected: &dyn SelectedSeries, index: usize) -> Columns {
    let mut buffer = SampleBuffer::default();
    let samples = selected.read(index, &mut buffer).expect("what is in memory can be read");
    assert!(samples.timestamps.is_sorted_by(|a, b| a < b));
    assert!(samples.histogram_timestamps.is_sorted_by(|a, b| a < b));
    assert_eq!(samples.timestamps.len(), samples.values.len());
    assert_eq!(samples.histogram_timestamps.len(), samples.histograms.len());
    assert!(samples.timestamps.len() + samples.histograms.len() > 0);
    Columns {
        timestamps: samples.timestamps.to_vec(),
        values: samples.values.to_vec(),
        histogram_timestamps: samples.histogram_timestamps.to_vec(),
        histograms: samples.histograms.to_vec(),
        ..Columns::default()
    }
}

/// Series that can be written read the same, but for their start times.
fn written_again(series: Vec<(Labels, Columns)>) {
    let is_near = |time: &i64| time.unsigned_abs() <= FARTHEST;
    if !series.iter().all(|(_, columns)| columns.timestamps.iter().all(is_near)) {
        return;
    }
    let Ok(text) = write_openmetrics(&series) else { return };
    let read = exposition::read("written", text.as_bytes(), Format::OpenMetrics, SCRAPE_TIME);
    let read = read.unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    let bits = |series: Vec<(Labels, Columns)>| -> Vec<(Labels, Vec<(i64, Option<u64>)>)> {
        let of = |columns: Columns| {
            let values = columns.values.into_iter();
            // There is one NaN in a text.
            let values = values.map(|value| (!value.is_nan()).then_some(value.to_bits()));
            columns.timestamps.into_iter().zip(values).collect()
        };
        series.into_iter().map(|(labels, columns)| (labels, of(columns))).collect()
    };
    assert_eq!(bits(all(&read.storage)), bits(series), "{text}");
}
