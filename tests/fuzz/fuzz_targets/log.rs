//! Whatever a log holds, it is read up to where it is damaged. Checksums are not verified in a build
//! for fuzzing.

#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use promql_engine::{
    Cancellation, SampleBuffer, SelectHints, SelectRequest, Storage, TimeRange,
};
use promql_storage::tsdb::TsdbStorage;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("promql-fuzz-log-{}", std::process::id()));
    fs::create_dir_all(folder.join("wal")).expect("a folder");
    fs::create_dir_all(folder.join("wbl")).expect("a folder");
    folder
});

/// The first byte says whether it is the log of samples that came in order or late.
fuzz_target!(|input: &[u8]| {
    let Some((late, log)) = input.split_first() else { return };
    let [wal, wbl] = ["wal/00000000", "wbl/00000000"].map(|name| FOLDER.join(name));
    let [_, _] = [&wal, &wbl].map(fs::remove_file);
    match late % 2 {
        0 => fs::write(&wal, log).expect("a file"),
        _ => {
            // Series are defined in the other one.
            fs::write(&wal, log).expect("a file");
            fs::write(&wbl, log).expect("a file");
        }
    }
    let Ok((storage, warnings)) = TsdbStorage::open(&FOLDER) else { return };
    for warning in warnings {
        assert!(!warning.to_string().is_empty());
    }
    let request = SelectRequest {
        matchers: &[],
        range: TimeRange::ALL,
        hints: SelectHints::default(),
        cancellation: &Cancellation::default(),
    };
    let Ok(selected) = storage.select(&request) else { return };
    let mut buffer = SampleBuffer::default();
    for series in 0..selected.labels().len() {
        if let Ok(samples) = selected.read(series, &mut buffer) {
            assert!(samples.timestamps.is_sorted_by(|a, b| a < b));
            assert!(samples.histogram_timestamps.is_sorted_by(|a, b| a < b));
        }
    }
});
