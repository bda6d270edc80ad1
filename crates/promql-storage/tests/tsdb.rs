//! Data folders in, their series or what is wrong with them out.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use promql_engine::{
    Cancellation, LabelQuery, SampleBuffer, SelectHints, SelectRequest, Storage, StorageError,
    TimeRange,
};
use promql_model::{Labels, MatchOp, Matcher};
use promql_storage::tsdb::{TsdbError, TsdbStorage};
use support::folder::Folder;
use support::rendered;

/// A small folder that a server wrote: one block, and a log with samples some of which came late.
const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpus/tsdb/shop");
const BLOCK: &str = "01M84ADZ6AJ5AAN1KEA25GG55Z";

/// A copy of the small folder.
fn shop(name: &str) -> Folder {
    let folder = Folder::new(&format!("tsdb-{name}"));
    copy(Path::new(SHOP), &folder.0);
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file is copied");
        }
    }
}

/// Times with samples as text, in milliseconds after the start of the small folder.
type Series = BTreeMap<i64, String>;

const START: i64 = 1_780_000_000_000;

/// All samples, by series.
fn samples(
    storage: &dyn Storage,
    matchers: &[Matcher],
    range: TimeRange,
) -> Result<BTreeMap<Labels, Series>, StorageError> {
    let request = SelectRequest {
        matchers,
        range,
        hints: SelectHints::default(),
        cancellation: &Cancellation::default(),
    };
    let selected = storage.select(&request)?;
    let mut all = BTreeMap::new();
    let mut buffer = SampleBuffer::default();
    for (index, labels) in selected.labels().iter().enumerate() {
        let samples = selected.read(index, &mut buffer)?;
        assert!(samples.timestamps.is_sorted_by(|a, b| a < b));
        assert!(samples.histogram_timestamps.is_sorted_by(|a, b| a < b));
        let mut series = Series::new();
        for (time, value) in samples.timestamps.iter().zip(samples.values) {
            let text = match promql_model::is_stale_nan(*value) {
                true => "stale".to_owned(),
                false => value.to_string(),
            };
            series.insert(time - START, text);
        }
        for (time, histogram) in samples.histogram_timestamps.iter().zip(samples.histograms) {
            series.insert(time - START, histogram.notation().to_string());
        }
        all.insert(labels.clone(), series);
    }
    Ok(all)
}

/// Everything in a folder, with the warnings, or what is wrong.
fn read(folder: &Path) -> Result<(BTreeMap<Labels, Series>, Vec<String>), String> {
    let (storage, warnings) = TsdbStorage::open(folder).map_err(|error| error.to_string())?;
    let warnings = warnings.iter().map(ToString::to_string).collect();
    let all = samples(&storage, &[], TimeRange::ALL).map_err(|error| {
        let source = std::error::Error::source(&error).expect("the reason");
        source.to_string()
    })?;
    Ok((all, warnings))
}

/// A diagnostic whose lines don't depend on how long the folder's name is.
fn without_folder(text: &str, folder: &Folder) -> String {
    text.replace("\n  │ ", " ").replace(&folder.0.display().to_string(), "FOLDER")
}

#[test]
fn a_folder_is_read() {
    let (all, warnings) = read(Path::new(SHOP)).expect("a folder that can be read");
    assert_eq!(warnings, Vec::<String>::new());
    let mut text = String::new();
    for (labels, series) in &all {
        text.push_str(&format!("{}\n", labels.selector()));
        for (time, value) in series {
            text.push_str(&format!("{time:>8} {value}\n"));
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_block_is_read_by_itself() {
    let block = Path::new(SHOP).join(BLOCK);
    let (all, _) = read(&block).expect("a block that can be read");
    let (storage, _) = TsdbStorage::open(&block).expect("a block that can be read");
    assert_eq!(storage.last_time().expect("a time"), Some(START + 165_000));
    let last = all.values().filter_map(|series| series.keys().last()).max();
    assert_eq!(last, Some(&165_000));
}

#[test]
fn matchers_and_ranges_select() {
    let (storage, _) = TsdbStorage::open(Path::new(SHOP)).expect("a folder that can be read");
    let mut text = String::new();
    for (name, op, value) in [
        ("__name__", MatchOp::Equal, "orders_total"),
        ("code", MatchOp::NotEqual, "200"),
        ("code", MatchOp::NotEqual, ""),
        ("code", MatchOp::Equal, ""),
        ("code", MatchOp::Matches, "5..|3.."),
        ("code", MatchOp::NotMatches, "5.."),
        ("code", MatchOp::Matches, "200|500|404"),
        ("kind", MatchOp::Matches, "cust.*"),
        ("kind", MatchOp::Matches, ".*"),
        ("nothing", MatchOp::NotEqual, "x"),
        ("nothing", MatchOp::Matches, ".+"),
    ] {
        let matchers = [Matcher::new(name, op, value).expect("a matcher")];
        let found = samples(&storage, &matchers, TimeRange::ALL).expect("samples");
        let series: Vec<String> = found.keys().map(|l| l.selector().to_string()).collect();
        text.push_str(&format!("{}\n  {}\n", matchers[0], series.join("\n  ")));
    }
    let range = TimeRange { start: START + 170_000, end: START + 390_000 };
    let between = samples(&storage, &[], range).expect("samples");
    text.push_str(&format!("between the samples: {}\n", between.len()));
    insta::assert_snapshot!(text);
}

/// Every bit of every file is flipped in turn. What comes of it is the same as before, or damage
/// that is told, or, at the end of a log, less than before, since a log whose last record is cut
/// off is what a server leaves that is killed. Nothing else ever.
#[test]
fn flipped_bits_are_told() {
    let folder = shop("flipped");
    let block = folder.path(BLOCK);
    let files = [
        (&block, "index"),
        (&block, "chunks/000001"),
        (&block, "tombstones"),
        (&folder.0, "wal/00000000"),
        (&folder.0, "wbl/00000000"),
    ];
    for (read_from, file) in files {
        let path = read_from.join(file);
        let is_log = file.starts_with('w');
        let (whole, _) = read(read_from).expect("what can be read");
        let original = fs::read(&path).expect("a file");
        let mut told = 0;
        for bit in 0..original.len() * 8 {
            // Of the long files a part is enough, a different one of each byte.
            if original.len() > 1000 && bit % 8 != (bit / 8) % 8 {
                continue;
            }
            let mut flipped = original.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &flipped).expect("a file is written");
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            match read(read_from) {
                Err(message) => {
                    assert!(message.contains(name), "{message}");
                    told += 1;
                }
                Ok((_, warnings)) if !warnings.is_empty() => {
                    assert!(warnings[0].contains("/w"), "{warnings:?}");
                    told += 1;
                }
                Ok((all, _)) if is_log => {
                    for (labels, series) in all {
                        let known = &whole[&labels];
                        let same = |(time, value): (&i64, &String)| known.get(time) == Some(value);
                        assert!(series.iter().all(same), "{file} bit {bit}");
                    }
                }
                Ok((all, _)) => assert!(all == whole, "{file} bit {bit}"),
            }
        }
        fs::write(&path, &original).expect("a file is written");
        assert!(told > original.len() / 2, "{file}: {told} told");
    }
}

/// Every shorter file is told, too, or is like one that is being written.
#[test]
fn files_that_end_too_early() {
    let (whole, _) = read(Path::new(SHOP)).expect("a folder that can be read");
    let folder = shop("shorter");
    for file in ["index", "chunks/000001", "tombstones"] {
        let path = folder.path(BLOCK).join(file);
        let original = fs::read(&path).expect("a file");
        for length in 0..original.len() {
            fs::write(&path, &original[..length]).expect("a file is written");
            assert!(read(&folder.0).is_err(), "{file} {length}");
        }
        fs::write(&path, &original).expect("a file is written");
    }
    let path = folder.path("wal/00000000");
    let original = fs::read(&path).expect("a file");
    for length in (0..original.len()).step_by(7) {
        fs::write(&path, &original[..length]).expect("a file is written");
        let (all, _) = read(&folder.0).expect("a log that is being written");
        for (labels, series) in all {
            let same = |(time, value): (&i64, &String)| whole[&labels].get(time) == Some(value);
            assert!(series.iter().all(same), "{length}");
        }
    }
}

#[test]
fn a_log_that_is_damaged_before_its_end_is_read_up_to_there() {
    let folder = shop("log");
    fs::copy(folder.path("wal/00000000"), folder.path("wal/00000001")).expect("a copy");
    let mut first = fs::read(folder.path("wal/00000000")).expect("a file");
    first[3000] ^= 1;
    fs::write(folder.path("wal/00000000"), &first).expect("a file is written");
    let (_, warnings) = TsdbStorage::open(&folder.0).expect("a folder that can be read");
    let text: Vec<String> = warnings.iter().map(|warning| rendered(warning)).collect();
    insta::assert_snapshot!(without_folder(&text.join("\n"), &folder));

    fs::rename(folder.path("wal/00000001"), folder.path("wal/00000002")).expect("a new name");
    fs::copy(Path::new(SHOP).join("wal/00000000"), folder.path("wal/00000000")).expect("a copy");
    let (_, warnings) = read(&folder.0).expect("a folder that can be read");
    assert!(warnings[0].ends_with("00000001` is missing, and the log behind it is left out"));
}

#[test]
fn a_checkpoint_replaces_what_was_before() {
    let folder = shop("checkpoint");
    let (whole, _) = read(&folder.0).expect("a folder that can be read");
    fs::create_dir(folder.path("wal/checkpoint.00000004")).expect("a folder");
    fs::create_dir(folder.path("wal/checkpoint.00000009.tmp")).expect("a folder");
    let into = folder.path("wal/checkpoint.00000004/00000000");
    fs::rename(folder.path("wal/00000000"), into).expect("a new name");
    // This one is replaced, so that nobody minds what is in it.
    fs::write(folder.path("wal/00000004"), "nothing that makes sense").expect("a file");
    fs::write(folder.path("wal/00000005"), "").expect("a file");
    assert_eq!(read(&folder.0), Ok((whole, Vec::new())));
}

/// The checksum of the database's files, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 { sum >> 1 ^ 0x82f6_3b78 } else { sum >> 1 }
        })
    })
}

#[test]
fn what_is_deleted_in_a_block_is_left_out() {
    let folder = shop("tombstones");
    let block = folder.path(BLOCK);
    let (before, _) = read(&block).expect("a block that can be read");
    // Every number that a series may have, from 30 s to 60 s.
    let mut stones = Vec::new();
    let number = |stones: &mut Vec<u8>, mut number: u64| {
        while number >= 0x80 {
            stones.push(number as u8 | 0x80);
            number >>= 7;
        }
        stones.push(number as u8);
    };
    for series in 0..64 {
        number(&mut stones, series);
        number(&mut stones, (START as u64 + 30_000) * 2);
        number(&mut stones, (START as u64 + 60_000) * 2);
    }
    let mut file = vec![0x01, 0x30, 0xba, 0x30, 1];
    file.extend(&stones);
    file.extend(checksum(&stones).to_be_bytes());
    fs::write(block.join("tombstones"), file).expect("a file is written");
    let (after, _) = read(&block).expect("a block that can be read");
    for (labels, mut series) in before {
        series.retain(|time, _| !(30_000..=60_000).contains(time));
        assert_eq!(after[&labels], series);
    }
}

#[test]
fn a_series_in_several_blocks_is_one() {
    let folder = shop("overlap");
    fs::remove_dir_all(folder.path("wal")).expect("a folder is removed");
    let (whole, _) = read(&folder.0).expect("a folder that can be read");
    let newer = "01M9ZZZZZZZZZZZZZZZZZZZZZZ";
    copy(&folder.path(BLOCK), &folder.path(newer));
    let meta = fs::read_to_string(folder.path(newer).join("meta.json")).expect("a file");
    fs::write(folder.path(newer).join("meta.json"), meta.replace(BLOCK, newer)).expect("a file");
    // Nothing is known about resets where samples of two blocks alternate.
    let hint = " counter_reset_hint:not_reset";
    let mut without_hints = whole.clone();
    let values = without_hints.values_mut().flat_map(Series::values_mut);
    values.for_each(|value| *value = value.replace(hint, ""));
    assert_eq!(read(&folder.0), Ok((without_hints, Vec::new())));

    // The newer one says that it replaces the other, so that nobody minds what is in that.
    let parents =
        format!("\"level\": 2, \"parents\": [{{\"ulid\": \"{BLOCK}\", \"minTime\": 0}}],");
    let meta = meta.replace(BLOCK, newer).replace("\"level\": 1,", &parents);
    fs::write(folder.path(newer).join("meta.json"), meta).expect("a file");
    fs::write(folder.path(BLOCK).join("index"), "no index").expect("a file");
    assert_eq!(read(&folder.0), Ok((whole, Vec::new())));
}

/// The folder, with a copy of its block that is newer and moved by some seconds, so that series have
/// runs in two blocks, which overlap in part.
fn two_blocks(name: &str) -> Folder {
    let folder = shop(name);
    let newer = "01M9ZZZZZZZZZZZZZZZZZZZZZZ";
    copy(&folder.path(BLOCK), &folder.path(newer));
    let meta = fs::read_to_string(folder.path(newer).join("meta.json")).expect("a file");
    fs::write(folder.path(newer).join("meta.json"), meta.replace(BLOCK, newer)).expect("a file");
    folder
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    /// Whatever was asked before, and however little room there is. What is read from the index for
    /// each query is also what is kept of it in memory.
    #[test]
    fn hot_columns_are_what_is_decoded(
        budget in proptest::sample::select(vec![1_usize, 3_000, 7_000, 30_000, 1 << 20]),
        wanted in proptest::sample::select(vec!["", "a.*", ".*[^s]", "[^h].*"]),
        ranges in proptest::collection::vec((-30_000_i64..300_000, 0_i64..300_000), 1..6),
        overlap: bool,
    ) {
        let folder = match overlap {
            true => two_blocks("hot-overlap"),
            false => shop("hot"),
        };
        let matcher = Matcher::new("__name__", MatchOp::Matches, wanted.as_bytes());
        let matchers: Vec<Matcher> =
            (!wanted.is_empty()).then(|| matcher.expect("a matcher")).into_iter().collect();
        let (cold, _) = TsdbStorage::open(&folder.0).expect("a folder that can be read");
        let (hot, _) = TsdbStorage::open(&folder.0).expect("a folder that can be read");
        let hot = hot.keeping_columns(budget);
        // Each range twice: the second time is when something is found.
        for (start, length) in ranges.iter().chain(&ranges) {
            let range = TimeRange { start: START + start, end: START + start + length };
            let within = |storage: &TsdbStorage| {
                let mut all = samples(storage, &matchers, range).expect("samples");
                for series in all.values_mut() {
                    series.retain(|time, _| range.contains(START + time));
                }
                all
            };
            let (fresh, _) = TsdbStorage::open(&folder.0).expect("a folder that can be read");
            let expected = within(&fresh);
            proptest::prop_assert_eq!(&within(&cold), &expected);
            proptest::prop_assert_eq!(&within(&hot), &expected);
            let kept = hot.kept_columns().expect("columns are kept");
            proptest::prop_assert!(kept.bytes <= budget.max(1), "{:?}", kept);
        }
        if budget == 1 << 20 && !overlap {
            let all = |storage| samples(storage, &[], TimeRange::ALL).expect("samples");
            all(&hot);
            let before = hot.kept_columns().expect("columns are kept");
            all(&hot);
            let after = hot.kept_columns().expect("columns are kept");
            proptest::prop_assert!(before.found < after.found);
            proptest::prop_assert_eq!(before.decoded, after.decoded);
        }
    }
}

/// A server puts blocks together while we look: the folder is looked at once more.
#[test]
fn a_block_that_vanishes_is_looked_for_where_it_went() {
    for budget in [0, 1 << 20] {
        let folder = shop("vanishing");
        let (before, _) = read(&folder.0).expect("a folder that can be read");
        let (storage, _) = TsdbStorage::open(&folder.0).expect("a folder that can be read");
        let storage = storage.keeping_columns(budget);
        let newer = "01M9ZZZZZZZZZZZZZZZZZZZZZZ";
        copy(&folder.path(BLOCK), &folder.path(newer));
        let meta = fs::read_to_string(folder.path(newer).join("meta.json")).expect("a file");
        fs::write(folder.path(newer).join("meta.json"), meta.replace(BLOCK, newer))
            .expect("a file");
        fs::remove_dir_all(folder.path(BLOCK)).expect("a folder is removed");
        for _ in 0..3 {
            let all = samples(&storage, &[], TimeRange::ALL).expect("samples");
            assert_eq!(all, before);
        }
        let everything = LabelQuery { selectors: &[], range: TimeRange::ALL };
        assert!(!storage.label_names(&everything).expect("names").is_empty());
        assert_eq!(storage.kept_columns().is_some_and(|kept| kept.found > 0), budget > 0);

        // It is not looked for again and again.
        let (storage, _) = TsdbStorage::open(&folder.0).expect("a folder that can be read");
        fs::remove_dir_all(folder.path(newer)).expect("a folder is removed");
        fs::create_dir(folder.path("01M9ZZZZZZZZZZZZZZZZZZZZZY")).expect("a folder is made");
        let left = samples(&storage, &[], TimeRange::ALL).expect("what is in the log");
        assert!(left.len() <= before.len());
    }
}

/// What cannot be read, as a user sees it.
#[test]
fn what_is_wrong_is_said() {
    let folder = shop("wrong");
    fs::remove_dir_all(folder.path("wal")).expect("a folder is removed");
    let meta_path = folder.path(BLOCK).join("meta.json");
    let meta = fs::read_to_string(&meta_path).expect("a file");
    let mut text = String::new();
    let mut show = |what: &str| {
        let shown = match TsdbStorage::open(&folder.0) {
            Err(error) => rendered(&error),
            Ok((storage, warnings)) => {
                let warnings = warnings.iter().map(|warning| rendered(warning));
                let error = storage.last_time().err().map(|error| rendered(&error));
                warnings.chain(error).collect()
            }
        };
        let shown = without_folder(&shown, &folder);
        text.push_str(&format!("## {what}\n{shown}\n"));
    };
    fs::write(&meta_path, meta.replace("\"version\": 1", "\"version\": 2")).expect("a file");
    show("a newer version");
    fs::write(&meta_path, meta.replace("level", "level\"")).expect("a file");
    show("no JSON");
    let thanos = "\"thanos\": {\"downsample\": {\"resolution\": 300000}}, \"version\": 1";
    fs::write(&meta_path, meta.replace("\"version\": 1", thanos)).expect("a file");
    show("aggregates of Thanos");
    fs::write(&meta_path, &meta).expect("a file");
    fs::write(folder.path(BLOCK).join("index"), "x").expect("a file");
    show("no index");
    fs::write(folder.path(BLOCK).join("index"), [0xba, 0xaa, 0xd7, 0, 1]).expect("a file");
    show("an old index");
    fs::remove_file(folder.path(BLOCK).join("index")).expect("a file is removed");
    show("an index is missing");
    fs::remove_dir_all(folder.path(BLOCK)).expect("a folder is removed");
    show("nothing");
    insta::assert_snapshot!(text);
    assert!(matches!(TsdbStorage::open(&folder.0), Err(TsdbError::Empty { .. })));
}
