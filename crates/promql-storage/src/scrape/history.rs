//! The samples of a target's last scrapes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use promql_engine::{LabelQuery, MetricMetadata, SampleBuffer, Samples, Storage};
use promql_model::{CounterResetHint, FloatHistogram, Labels, LabelsBuilder, stale_nan};

use super::ScrapeOptions;
use crate::columns::push_start;
use crate::memory::MemoryStorage;

/// When a scrape was, and what there is to say about it.
pub(super) struct Report<'a> {
    /// In milliseconds since the epoch.
    pub(super) time: i64,
    pub(super) duration: Duration,
    pub(super) options: &'a ScrapeOptions,
}

/// Series with their samples. Those that are lent out are copied when one is added.
#[derive(Default)]
pub(super) struct History {
    series: BTreeMap<Labels, Arc<SampleBuffer>>,
    /// Series of the last scrape whose samples had no timestamp of their own, so that they end when
    /// they are not there any more.
    present: HashSet<Labels>,
    metadata: BTreeMap<String, Vec<MetricMetadata>>,
}

impl History {
    /// Adds a scrape that was answered.
    pub(super) fn add(&mut self, scraped: &MemoryStorage, target: &Labels, report: &Report<'_>) {
        let mut builder = LabelsBuilder::default();
        let mut present = HashSet::new();
        let mut added = 0;
        let mut count = 0;
        for (index, labels) in scraped.series().iter().enumerate() {
            let Some(samples) = scraped.samples(index) else { continue };
            let labels = with_target(labels, target, &mut builder);
            count += samples.timestamps.len() + samples.histogram_timestamps.len();
            let mut times = samples.timestamps.iter().chain(samples.histogram_timestamps);
            if times.any(|time| *time == report.time) {
                added += usize::from(!self.present.contains(&labels));
                present.insert(labels.clone());
            }
            append(Arc::make_mut(self.series.entry(labels).or_default()), &samples);
        }
        self.end(&present, report.time);
        self.present = present;
        self.metadata = scraped.metadata(None).unwrap_or_default();
        self.report(target, report, 1.0, count, added);
        self.trim(report);
    }

    /// Adds a scrape that failed: all series end.
    pub(super) fn fail(&mut self, target: &Labels, report: &Report<'_>) {
        self.end(&HashSet::new(), report.time);
        self.present.clear();
        self.report(target, report, 0.0, 0, 0);
        self.trim(report);
    }

    /// Marks the end of the series that were there and are no more.
    fn end(&mut self, present: &HashSet<Labels>, time: i64) {
        for labels in self.present.difference(present) {
            let Some(columns) = self.series.get_mut(labels) else { continue };
            float(Arc::make_mut(columns), time, stale_nan(), 0);
        }
    }

    /// The series that a server adds for each scrape.
    fn report(
        &mut self,
        target: &Labels,
        report: &Report<'_>,
        up: f64,
        samples: usize,
        added: usize,
    ) {
        let table = [
            ("up", up),
            ("scrape_duration_seconds", report.duration.as_secs_f64()),
            ("scrape_samples_scraped", samples as f64),
            ("scrape_samples_post_metric_relabeling", samples as f64),
            ("scrape_series_added", added as f64),
        ];
        let mut builder = LabelsBuilder::default();
        for (name, value) in table {
            let labels = builder.reset(target).set("__name__", name).build();
            let columns = self.series.entry(labels).or_default();
            float(Arc::make_mut(columns), report.time, value, 0);
        }
    }

    /// Forgets what is older than the window. Samples go in batches, so that it costs little.
    fn trim(&mut self, report: &Report<'_>) {
        let window = i64::try_from(report.options.window.as_millis()).unwrap_or(i64::MAX);
        let oldest = report.time.saturating_sub(window);
        let slack = oldest.saturating_sub(window / 4);
        self.series.retain(|_, columns| {
            let firsts = [columns.timestamps.first(), columns.histogram_timestamps.first()];
            if firsts.into_iter().flatten().min().is_none_or(|first| *first < slack) {
                forget(Arc::make_mut(columns), oldest);
            }
            !columns.timestamps.is_empty() || !columns.histogram_timestamps.is_empty()
        });
    }

    /// The series that are wanted.
    pub(super) fn select(
        &self,
        is_wanted: impl Fn(&Labels) -> bool,
    ) -> Vec<(Labels, Arc<SampleBuffer>)> {
        let wanted = self.series.iter().filter(|(labels, _)| is_wanted(labels));
        wanted.map(|(labels, columns)| (labels.clone(), Arc::clone(columns))).collect()
    }

    /// Texts of the labels of the series that count, sorted, each once.
    pub(super) fn texts(
        &self,
        query: &LabelQuery<'_>,
        texts: impl Fn(&Labels) -> Vec<String>,
    ) -> Vec<String> {
        let counts = |columns: &SampleBuffer| {
            let mut times = columns.timestamps.iter().chain(&columns.histogram_timestamps);
            times.any(|time| query.range.contains(*time))
        };
        let series = self.series.iter();
        let series = series.filter(|(labels, columns)| query.matches(labels) && counts(columns));
        let all: BTreeSet<String> = series.flat_map(|(labels, _)| texts(labels)).collect();
        all.into_iter().collect()
    }

    pub(super) fn metadata(&self, metric: Option<&str>) -> BTreeMap<String, Vec<MetricMetadata>> {
        let wanted = self.metadata.iter().filter(|(name, _)| metric.is_none_or(|m| m == *name));
        wanted.map(|(name, entries)| (name.clone(), entries.clone())).collect()
    }
}

/// The labels of a series with those of its target. Labels of the exporter that are called the same
/// get the prefix `exported_`, as in a server.
fn with_target(labels: &Labels, target: &Labels, builder: &mut LabelsBuilder) -> Labels {
    builder.reset(labels);
    for (name, value) in target.iter() {
        if let Some(own) = labels.get(name) {
            let mut exported = format!("exported_{name}");
            while labels.get(&exported).is_some() {
                exported.insert_str(0, "exported_");
            }
            builder.set(exported, own);
        }
        builder.set(name, value);
    }
    builder.build()
}

/// Adds a sample if it is behind all others.
fn float(columns: &mut SampleBuffer, time: i64, value: f64, start: i64) {
    if is_later(columns, time) {
        push_start(&mut columns.start_timestamps, start, columns.timestamps.len());
        columns.timestamps.push(time);
        columns.values.push(value);
    }
}

fn histogram(columns: &mut SampleBuffer, time: i64, histogram: &FloatHistogram, start: i64) {
    if is_later(columns, time) {
        let length = columns.histogram_timestamps.len();
        push_start(&mut columns.histogram_start_timestamps, start, length);
        columns.histogram_timestamps.push(time);
        let mut histogram = histogram.clone();
        // What it says about the one before is not about the one of the last scrape.
        if histogram.hint != CounterResetHint::Gauge {
            histogram.hint = CounterResetHint::Unknown;
        }
        columns.histograms.push(histogram);
    }
}

fn is_later(columns: &SampleBuffer, time: i64) -> bool {
    let lasts = [columns.timestamps.last(), columns.histogram_timestamps.last()];
    lasts.into_iter().flatten().all(|last| *last < time)
}

fn append(columns: &mut SampleBuffer, samples: &Samples<'_>) {
    let start = |starts: &[i64], at: usize| starts.get(at).copied().unwrap_or(0);
    for (at, (time, value)) in samples.timestamps.iter().zip(samples.values).enumerate() {
        float(columns, *time, *value, start(samples.start_timestamps, at));
    }
    let histograms = samples.histogram_timestamps.iter().zip(samples.histograms);
    for (at, (time, value)) in histograms.enumerate() {
        histogram(columns, *time, value, start(samples.histogram_start_timestamps, at));
    }
}

/// Removes the samples before a time.
fn forget(columns: &mut SampleBuffer, oldest: i64) {
    let count = columns.timestamps.partition_point(|time| *time < oldest);
    columns.timestamps.drain(..count);
    columns.values.drain(..count);
    columns.start_timestamps.drain(..count.min(columns.start_timestamps.len()));
    let count = columns.histogram_timestamps.partition_point(|time| *time < oldest);
    columns.histogram_timestamps.drain(..count);
    columns.histograms.drain(..count);
    let starts = &mut columns.histogram_start_timestamps;
    starts.drain(..count.min(starts.len()));
}
