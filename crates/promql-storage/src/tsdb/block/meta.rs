//! What a block says about itself: `meta.json`.

use std::path::Path;

use promql_engine::TimeRange;
use serde::Deserialize;

use crate::tsdb::TsdbError;
use crate::tsdb::damage::Damage;

/// The parts of `meta.json` that matter to a reader.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::tsdb) struct Meta {
    pub(in crate::tsdb) ulid: String,
    #[serde(rename = "minTime")]
    min_time: i64,
    /// Behind the last sample.
    #[serde(rename = "maxTime")]
    max_time: i64,
    version: u64,
    #[serde(default)]
    stats: Stats,
    #[serde(default)]
    compaction: Compaction,
    #[serde(default)]
    thanos: Option<Thanos>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Compaction {
    parents: Option<Vec<Parent>>,
    hints: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Stats {
    #[serde(rename = "numSeries")]
    series: Option<usize>,
}

/// A block of which this one was made.
#[derive(Clone, Debug, Deserialize)]
struct Parent {
    ulid: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Thanos {
    #[serde(default)]
    downsample: Downsample,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Downsample {
    #[serde(default)]
    resolution: i64,
}

impl Meta {
    /// Reads the `meta.json` of the block in a folder.
    pub(in crate::tsdb) fn read(folder: &Path) -> Result<Meta, TsdbError> {
        let path = folder.join("meta.json");
        let text = std::fs::read(&path).map_err(|error| TsdbError::unreadable(&path, &error))?;
        let meta: Meta = serde_json::from_slice(&text).map_err(|error| {
            let line_start = |line: usize| {
                let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
                line.checked_sub(2).and_then(|n| ends.map(|(at, _)| at + 1).nth(n)).unwrap_or(0)
            };
            let at = line_start(error.line()) + error.column().saturating_sub(1);
            TsdbError::damaged(&path, 0, Damage::new(error.to_string(), at.min(text.len())))
        })?;
        if meta.version != 1 {
            return Err(TsdbError::Version { path, found: meta.version, known: "version 1" });
        }
        Ok(meta)
    }

    /// From the first sample that the block may have to the last.
    pub(in crate::tsdb) fn range(&self) -> TimeRange {
        TimeRange { start: self.min_time, end: self.max_time.saturating_sub(1) }
    }

    /// How many series the block says it has.
    pub(in crate::tsdb) fn series(&self) -> Option<usize> {
        self.stats.series
    }

    /// Whether the block replaces another one.
    pub(in crate::tsdb) fn parents(&self) -> impl Iterator<Item = &str> {
        self.compaction.parents.iter().flatten().map(|parent| &*parent.ulid)
    }

    /// Whether the block holds samples that came late, so that samples of its time may be in the
    /// head as well.
    pub(in crate::tsdb) fn is_out_of_order(&self) -> bool {
        self.compaction.hints.iter().flatten().any(|hint| hint == "from-out-of-order")
    }

    /// The milliseconds between the aggregates of a downsampled block, 0 where there are samples.
    pub(in crate::tsdb) fn resolution(&self) -> i64 {
        self.thanos.as_ref().map_or(0, |thanos| thanos.downsample.resolution)
    }
}
