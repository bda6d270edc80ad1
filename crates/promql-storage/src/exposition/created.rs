//! Since when counters count: the `_created` lines of OpenMetrics.
//!
//! `x_created` of a counter, a histogram or a summary `x` holds the time, in seconds, when its
//! counting began. It stays a series, as in a server that was not told otherwise, and is put
//! beside the samples of the family as their start time as well.

use std::collections::{BTreeSet, HashMap};

use promql_model::{Labels, METRIC_NAME};

use crate::memory::Columns;

/// What the series of a family are called behind its name.
const SUFFIXES: [&str; 5] = ["_total", "_bucket", "_count", "_sum", ""];

/// Gives start times to the series of families that have such lines. `families` are those that
/// count: counters, histograms and summaries.
pub(super) fn apply(series: &mut [(Labels, Columns)], families: &BTreeSet<String>) {
    let mut created: HashMap<Labels, Columns> = HashMap::new();
    for (labels, columns) in series.iter() {
        let family = labels.metric_name().and_then(|name| name.strip_suffix("_created"));
        if let Some(family) = family.filter(|family| families.contains(*family)) {
            created.insert(of_family(labels, family), columns.clone());
        }
    }
    if created.is_empty() {
        return;
    }
    for (labels, columns) in series {
        let name = labels.metric_name().unwrap_or_default();
        let known = SUFFIXES.iter().filter_map(|suffix| name.strip_suffix(suffix));
        let Some(family) = known.into_iter().find(|family| families.contains(*family)) else {
            continue;
        };
        let Some(created) = created.get(&of_family(labels, family)) else { continue };
        columns.start_timestamps = start_times(&columns.timestamps, created);
    }
}

/// What the series of one histogram or summary have in common.
fn of_family(labels: &Labels, family: &str) -> Labels {
    let mut builder = labels.to_builder();
    builder.remove("le").remove("quantile").set(METRIC_NAME, family);
    builder.build()
}

/// The start time, in milliseconds, that was said at the time of each sample; 0 if none was.
fn start_times(timestamps: &[i64], created: &Columns) -> Vec<i64> {
    let start = |timestamp: &i64| match created.timestamps.binary_search(timestamp) {
        Ok(at) => (created.values[at] * 1000.0) as i64,
        Err(_) => 0,
    };
    let starts: Vec<i64> = timestamps.iter().map(start).collect();
    if starts.iter().all(|start| *start == 0) { Vec::new() } else { starts }
}
