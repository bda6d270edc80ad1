//! Whatever the files of a block hold, it is read or refused, and hot columns give what is decoded.
//!
//! The input is an index, chunks and tombstones, one after the other, with the lengths of the first two
//! in front: two bytes each, the lower one first. Checksums are not verified in a build for fuzzing, so
//! that changed bytes reach what is behind them.

#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use promql_engine::{
    Cancellation, LabelQuery, SampleBuffer, SelectHints, SelectRequest, Storage, TimeRange,
};
use promql_model::{MatchOp, Matcher};
use promql_storage::tsdb::TsdbStorage;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("promql-fuzz-blocks-{}", std::process::id()));
    let block = folder.join("01M84ADZ6AJ5AAN1KEA25GG55Z");
    fs::create_dir_all(block.join("chunks")).expect("a folder");
    let meta = r#"{"ulid":"01M84ADZ6AJ5AAN1KEA25GG55Z","minTime":0,"maxTime":9000000000000,"version":1}"#;
    fs::write(block.join("meta.json"), meta).expect("a file");
    folder
});

fuzz_target!(|input: &[u8]| {
    let Some((lengths, rest)) = input.split_first_chunk::<4>() else { return };
    let [index, chunks] = [[lengths[0], lengths[1]], [lengths[2], lengths[3]]]
        .map(|length| usize::from(u16::from_le_bytes(length)));
    let (index, rest) = rest.split_at(index.min(rest.len()));
    let (chunks, tombstones) = rest.split_at(chunks.min(rest.len()));
    let block = FOLDER.join("01M84ADZ6AJ5AAN1KEA25GG55Z");
    // A file is written anew, and not over one that may be mapped.
    for (name, content) in [("index", index), ("chunks/000001", chunks), ("tombstones", tombstones)] {
        let path = block.join(name);
        let _ = fs::remove_file(&path);
        if name != "tombstones" || !content.is_empty() {
            fs::write(path, content).expect("a file");
        }
    }
    let open = || TsdbStorage::open(&FOLDER).map(|(storage, _)| storage);
    let (Ok(cold), Ok(hot)) = (open(), open()) else { return };
    let hot = hot.keeping_columns(1 << 20);
    let _ = cold.last_time();
    let everything = LabelQuery { selectors: &[], range: TimeRange::ALL };
    for name in cold.label_names(&everything).unwrap_or_default() {
        let _ = cold.label_values(&name, &everything);
    }
    let matchers = [("code", MatchOp::Matches, "2.."), ("__name__", MatchOp::NotEqual, "orders_total")]
        .map(|(name, op, value)| Matcher::new(name, op, value).expect("a matcher"));
    for matchers in [&matchers[..0], &matchers[..1], &matchers[1..]] {
        let request = SelectRequest {
            matchers,
            range: TimeRange::ALL,
            hints: SelectHints::default(),
            cancellation: &Cancellation::default(),
        };
        let (Ok(one), Ok(other)) = (cold.select(&request), hot.select(&request)) else { continue };
        assert_eq!(one.labels(), other.labels());
        let (mut first, mut second) = (SampleBuffer::default(), SampleBuffer::default());
        for series in 0..one.labels().len() {
            // Twice: the first time they are decoded.
            for _ in 0..2 {
                let (a, b) = (one.read(series, &mut first), other.read(series, &mut second));
                match (a, b) {
                    (Ok(a), Ok(b)) => {
                        assert_eq!(a.timestamps, b.timestamps);
                        let bits = |v: &[f64]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                        assert_eq!(bits(a.values), bits(b.values));
                        assert_eq!(a.histogram_timestamps, b.histogram_timestamps);
                        assert!(a.timestamps.is_sorted_by(|a, b| a < b));
                    }
                    (Err(_), Err(_)) => {}
                    (a, b) => panic!("cold {:?}, hot {:?}", a.is_ok(), b.is_ok()),
                }
            }
        }
    }
});
