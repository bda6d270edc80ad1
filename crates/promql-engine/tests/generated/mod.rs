//! A storage whose samples are made when they are read, so that large data take no memory.

#![allow(dead_code, reason = "not every test that has this module needs all of it")]

#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use promql_engine::{Cancellation, QueryStatistics, SampleBuffer, Samples};
use promql_model::{CounterResetHint, DenseHistogram, FloatHistogram, Labels};

use support::{SeriesOf, Source};

/// Counters `x{i="0", k="0"}` and so on, one sample every 15 seconds from 0 on, `y{i="0"}`, and native
/// histograms `h{i="0", k="0"}` with 60 buckets.
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
        let h = |i: usize| {
            let (number, part) = (i.to_string(), (i % 10).to_string());
            Labels::from_pairs([("__name__", "h"), ("i", &*number), ("k", &*part)])
        };
        let labels = (0..series).map(x).chain((0..series).map(y)).chain((0..series).map(h));
        let labels = labels.collect();
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
        if series / self.series == 2 {
            histograms(self.samples, scrambled, buffer);
            return buffer.samples();
        }
        let mut total = 0;
        for k in 0..self.samples {
            total += scrambled(k);
            buffer.timestamps.push(k as i64 * 15_000);
            buffer.values.push(total as f64);
        }
        buffer.samples()
    }
}

/// Samples that count so many observations more each time, in one of 60 buckets.
fn histograms(samples: usize, scrambled: impl Fn(usize) -> usize, buffer: &mut SampleBuffer) {
    let mut dense = DenseHistogram {
        schema: 3,
        count: 60.0,
        buckets: vec![1.0; 60],
        hint: CounterResetHint::NotReset,
        ..DenseHistogram::default()
    };
    let mut last = FloatHistogram::from(dense.clone());
    for k in 0..samples {
        let more = scrambled(k) as f64;
        dense.buckets[scrambled(k) % 60] = more;
        dense.count = more;
        dense.sum = 0.1 * more;
        // The sum has the buckets of both, and shares those of the first.
        let _ = last.add(&FloatHistogram::from(dense.clone())).expect("the same schema");
        buffer.histogram_timestamps.push(k as i64 * 15_000);
        buffer.histograms.push(last.clone());
        dense.buckets.fill(0.0);
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
