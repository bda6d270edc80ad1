//! The series of the last hours, as the log tells them.

use std::collections::{BTreeMap, HashMap};

use promql_engine::{SampleBuffer, TimeRange};
use promql_model::{FloatHistogram, Labels, LabelsBuilder};

use super::record::{Log, Metadata, Sample};
use crate::columns::{self, push_start};
use crate::tsdb::delete::delete;
use crate::{Columns, MemoryBuilder, MemoryStorage};

/// Collects what a log says.
#[derive(Default)]
pub(super) struct Head {
    /// Samples before are in blocks.
    from: i64,
    /// For the numbers of the log the place of their series.
    numbers: Numbers,
    places: HashMap<Labels, u32>,
    series: Vec<(Labels, SampleBuffer)>,
    /// By metric name.
    metadata: BTreeMap<String, [String; 3]>,
    builder: LabelsBuilder,
    /// What was left out, with how often.
    left_out: BTreeMap<&'static str, u64>,
}

/// Numbers of series are given out one after the other, so most are small; any may come.
#[derive(Default)]
struct Numbers {
    small: Vec<u32>,
    large: HashMap<u64, u32>,
}

/// Numbers below are looked up in an array.
const SMALL: u64 = 1 << 24;
/// In the array: no series.
const NONE: u32 = u32::MAX;

impl Numbers {
    fn insert(&mut self, number: u64, place: u32) {
        if number >= SMALL {
            self.large.insert(number, place);
            return;
        }
        let number = number as usize;
        if number >= self.small.len() {
            self.small.resize(number + 1, NONE);
        }
        self.small[number] = place;
    }

    #[inline]
    fn get(&self, number: u64) -> Option<u32> {
        match usize::try_from(number).ok().and_then(|number| self.small.get(number)) {
            Some(place) => (*place != NONE).then_some(*place),
            None => self.large.get(&number).copied(),
        }
    }
}

impl Head {
    /// From now on samples before a time are passed over.
    pub(super) fn set_from(&mut self, from: i64) {
        self.from = from;
    }

    #[inline]
    fn columns(&mut self, number: u64) -> Option<&mut SampleBuffer> {
        match self.numbers.get(number) {
            Some(place) => Some(&mut self.series[place as usize].1),
            None => {
                *self.left_out.entry("samples of series that it does not name").or_default() += 1;
                None
            }
        }
    }

    /// The series in order, and what was left out with how often.
    pub(super) fn finish(self) -> (MemoryStorage, BTreeMap<&'static str, u64>) {
        let mut builder = MemoryBuilder::default();
        for (labels, mut buffer) in self.series {
            columns::sort(&mut buffer);
            let SampleBuffer {
                timestamps,
                values,
                start_timestamps,
                histogram_timestamps,
                histograms,
                histogram_start_timestamps,
                lent: _,
                lent_timestamps: _,
                has_no_nan: _,
            } = buffer;
            if timestamps.is_empty() && histogram_timestamps.is_empty() {
                continue;
            }
            let columns = Columns {
                timestamps,
                values,
                start_timestamps,
                histogram_timestamps,
                histograms,
                histogram_start_timestamps,
            };
            builder.insert(labels, columns);
        }
        for (family, [metric_type, unit, help]) in self.metadata {
            let known = builder.metadata(&family);
            known.metric_type = metric_type;
            known.unit = unit;
            known.help = help;
        }
        (builder.build(), self.left_out)
    }
}

impl Log for Head {
    fn series(&mut self, series: u64, labels: &[(&str, &str)]) {
        self.builder.reset(&Labels::empty());
        for (name, value) in labels {
            self.builder.set(name, value);
        }
        let labels = self.builder.build();
        // A series that was gone for a while comes back under another number.
        let place = match self.places.get(&labels) {
            Some(place) => *place,
            None => {
                let place = self.series.len() as u32;
                self.series.push((labels.clone(), SampleBuffer::default()));
                self.places.insert(labels, place);
                place
            }
        };
        self.numbers.insert(series, place);
    }

    fn float(&mut self, sample: Sample<f64>) {
        if sample.time < self.from {
            return;
        }
        let Some(columns) = self.columns(sample.series) else { return };
        push_start(&mut columns.start_timestamps, sample.start, columns.timestamps.len());
        columns.timestamps.push(sample.time);
        columns.values.push(sample.value);
    }

    fn histogram(&mut self, sample: Sample<FloatHistogram>) {
        if sample.time < self.from {
            return;
        }
        let Some(columns) = self.columns(sample.series) else { return };
        let length = columns.histogram_timestamps.len();
        push_start(&mut columns.histogram_start_timestamps, sample.start, length);
        columns.histogram_timestamps.push(sample.time);
        columns.histograms.push(sample.value);
    }

    fn deleted(&mut self, series: u64, interval: TimeRange) {
        if let Some(place) = self.numbers.get(series) {
            delete(&[interval], &mut self.series[place as usize].1, (0, 0));
        }
    }

    fn metadata(&mut self, series: u64, metadata: Metadata<'_>) {
        let Some(place) = self.numbers.get(series) else { return };
        let labels = &self.series[place as usize].0;
        let Some(name) = labels.metric_name() else { return };
        // The series of a classic histogram or a summary are of one family.
        let suffixes: &[&str] = match metadata.metric_type {
            "histogram" | "gaugehistogram" => &["_bucket", "_count", "_sum"],
            "summary" => &["_count", "_sum"],
            _ => &[],
        };
        let family = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        let Metadata { metric_type, unit, help } = metadata;
        self.metadata.insert(family.to_owned(), [metric_type, unit, help].map(str::to_owned));
    }

    fn unknown(&mut self, what: &'static str) {
        *self.left_out.entry(what).or_default() += 1;
    }
}
