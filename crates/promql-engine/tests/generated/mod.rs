//! A storage whose samples are made when they are read, so that large data take no memory.

#![allow(dead_code, reason = "not every test that has this module needs all of it")]

#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use promql_engine::{Cancellation, QueryStatistics, SampleBuffer, Samples};
use promql_model::Labels;

use support::{SeriesOf, Source};

/// Counters `x{i="0", k="0"}` and so on, one sample every 15 seconds from 0 on, and `y{i="0"}`.
pub(crate) type Generated = SeriesOf<Counters>;

pub(crate) struct Counters {
    /// How many series there are of each metric.
    series: usize,
    samples: usize,
    reads: AtomicUsize,
    /// After so many reads the switch is thrown.
    pub(crate) cancel_at: Option<(usize, Cancellation)>,
}

impl Generated {
    pub(crate) fn new(series: usize, samples: usize) -> Generated {
        let x = |i: usize| {
            let (number, part) = (i.to_string(), (i % 10).to_string());
            Labels::from_pairs([("__name__", "x"), ("i", &*number), ("k", &*part), ("le", "1")])
        };
        let y =
            |i: usize| Labels::from_pairs([("__name__", "y"), ("i", &*i.to_string()), ("le", "1")]);
        let labels = (0..series).map(x).chain((0..series).map(y)).collect();
        let reads = AtomicUsize::new(0);
        SeriesOf { labels, source: Counters { series, samples, reads, cancel_at: None } }
    }

    /// How many series were read so far.
    pub(crate) fn reads(&self) -> usize {
        self.source.reads.load(Ordering::SeqCst)
    }
}

impl Source for Counters {
    fn read<'b>(&'b self, series: usize, buffer: &'b mut SampleBuffer) -> Samples<'b> {
        let read = self.reads.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some((at, switch)) = &self.cancel_at
            && read == *at
        {
            switch.cancel();
        }
        buffer.clear();
        let number = series % self.series;
        let scrambled = |k: usize| (k * 7919 + number * 104_729) % 1009;
        let mut total = 0;
        for k in 0..self.samples {
            total += scrambled(k);
            buffer.timestamps.push(k as i64 * 15_000);
            buffer.values.push(total as f64);
        }
        buffer.samples()
    }
}

/// Statistics without what differs from run to run.
pub(crate) fn without_times(statistics: &QueryStatistics) -> String {
    let mut out = format!(
        "read {} queried {} peak {} samples {} bytes\n",
        statistics.samples_read,
        statistics.samples_queried,
        statistics.peak_samples,
        statistics.peak_bytes
    );
    for read in &statistics.reads {
        _ = writeln!(out, "read: {} series, {} samples", read.series, read.samples);
    }
    for node in &statistics.nodes {
        let (candidates, series, samples) = (node.candidates, node.series, node.samples);
        _ = writeln!(out, "{candidates} {series} series, {samples} samples, {:?}", node.labels);
    }
    out
}
