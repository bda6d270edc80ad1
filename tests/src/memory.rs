//! Series in memory, as little as the tests of the evaluator need.

use std::collections::BTreeMap;

use promql_engine::{
    LabelQuery, SampleBuffer, Samples, SelectRequest, SelectedSeries, Storage, StorageError,
};
use promql_model::{ClassicCollector, FloatHistogram, HintReader, Labels};
use promql_syntax::{SequenceValue, parse_series};

/// All series, sorted by labels.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    series: BTreeMap<Labels, Series>,
}

/// One series.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Milliseconds.
    pub timestamps: Vec<i64>,
    /// One for each timestamp.
    pub values: Vec<f64>,
    /// Empty, or one for each timestamp.
    pub starts: Vec<i64>,
    /// Native histograms with their times.
    pub histograms: (Vec<i64>, Vec<FloatHistogram>),
    /// Empty, or one for each histogram.
    pub histogram_starts: Vec<i64>,
    /// What hints follow from the samples so far.
    pub hints: HintReader,
}

impl Series {
    /// Gives the histograms behind the first `known` samples the hints that a storage reads back.
    fn read_back(&mut self, known: (usize, usize)) {
        let floats = self.timestamps.iter().zip(&self.values).skip(known.0);
        let mut floats = floats.peekable();
        let histograms = self.histograms.0.iter().zip(&mut self.histograms.1).skip(known.1);
        for (time, histogram) in histograms {
            while let Some((_, value)) = floats.next_if(|(float, _)| *float < time) {
                self.hints.float(*value);
            }
            self.hints.histogram(histogram);
        }
        floats.for_each(|(_, value)| self.hints.float(*value));
    }
}

impl Memory {
    /// Adds samples behind those that a series has.
    pub fn add(&mut self, labels: Labels, new: Series) {
        let series = self.series.entry(labels).or_default();
        let known = (series.timestamps.len(), series.histograms.0.len());
        if !series.starts.is_empty() || !new.starts.is_empty() {
            series.starts.resize(series.timestamps.len(), 0);
            series.starts.extend(&new.starts);
            series.starts.resize(series.timestamps.len() + new.timestamps.len(), 0);
        }
        series.timestamps.extend(new.timestamps);
        series.values.extend(new.values);
        if !series.histogram_starts.is_empty() || !new.histogram_starts.is_empty() {
            series.histogram_starts.resize(series.histograms.0.len(), 0);
            series.histogram_starts.extend(&new.histogram_starts);
            let len = series.histograms.0.len() + new.histograms.0.len();
            series.histogram_starts.resize(len, 0);
        }
        series.histograms.0.extend(new.histograms.0);
        series.histograms.1.extend(new.histograms.1);
        series.read_back(known);
    }

    /// Adds the series of some lines in series notation, one sample every `step` milliseconds. A
    /// line whose metric ends in `@st` gives start timestamps for the next one.
    ///
    /// # Errors
    /// What is wrong with a line.
    pub fn load<'t>(
        &mut self,
        step: i64,
        lines: impl IntoIterator<Item = &'t str>,
        with_nhcb: bool,
    ) -> Result<(), String> {
        let mut loaded: BTreeMap<Labels, Series> = BTreeMap::new();
        let mut starts: Vec<Option<i64>> = Vec::new();
        for line in lines {
            if let Some((_, items)) = line.split_once("@st") {
                starts = parse_starts(items)?;
                continue;
            }
            let description = parse_series(line).map_err(|error| format!("{error:?}"))?;
            let mut series = Series::default();
            for (at, value) in description.values.into_iter().enumerate() {
                let time = at as i64 * step;
                match value {
                    SequenceValue::Omitted => {}
                    SequenceValue::Float(value) => {
                        series.timestamps.push(time);
                        series.values.push(value);
                        if let Some(start) = starts.get(at) {
                            series.starts.resize(series.timestamps.len() - 1, 0);
                            series.starts.push(start.map_or(0, |offset| time + offset));
                        }
                    }
                    SequenceValue::Histogram { histogram, .. } => {
                        series.histograms.0.push(time);
                        series.histograms.1.push(*histogram);
                        if let Some(start) = starts.get(at) {
                            series.histogram_starts.resize(series.histograms.0.len() - 1, 0);
                            series.histogram_starts.push(start.map_or(0, |offset| time + offset));
                        }
                    }
                }
            }
            starts.clear();
            loaded.insert(description.labels, series);
        }
        let converted = if with_nhcb { converted(&loaded)? } else { BTreeMap::new() };
        for (labels, series) in loaded.into_iter().chain(converted) {
            self.add(labels, series);
        }
        Ok(())
    }
}

/// The native histograms of classic ones.
fn converted(loaded: &BTreeMap<Labels, Series>) -> Result<BTreeMap<Labels, Series>, String> {
    let mut collectors: BTreeMap<Labels, BTreeMap<i64, ClassicCollector>> = BTreeMap::new();
    for (labels, series) in loaded {
        let name = labels.metric_name().unwrap_or_default();
        let Some((base, part)) = name.rsplit_once('_') else { continue };
        if !["bucket", "sum", "count"].contains(&part) {
            continue;
        }
        let bound: Option<f64> = labels.get("le").and_then(|le| le.parse().ok());
        let mut builder = labels.to_builder();
        builder.remove("le").set("__name__", base);
        let collectors = collectors.entry(builder.build()).or_default();
        for (time, value) in series.timestamps.iter().zip(&series.values) {
            let collector = collectors.entry(*time).or_default();
            match (part, bound) {
                ("bucket", Some(bound)) => collector.bucket(bound, *value),
                ("count", _) => collector.count(*value),
                ("sum", _) => {
                    collector.sum(*value);
                    Ok(())
                }
                _ => Ok(()),
            }
            .map_err(|error| error.to_string())?;
        }
    }
    let mut converted = BTreeMap::new();
    for (labels, collectors) in collectors {
        let mut series = Series::default();
        for (time, collector) in collectors {
            series.histograms.0.push(time);
            series.histograms.1.push(collector.finish().map_err(|error| error.to_string())?);
        }
        converted.insert(labels, series);
    }
    Ok(converted)
}

/// The offsets of start timestamps: `_`, `-1m`, `-1mx3`, `-1m+10sx3`.
fn parse_starts(items: &str) -> Result<Vec<Option<i64>>, String> {
    let mut starts = Vec::new();
    for item in items.split_whitespace() {
        let (item, times) = match item.split_once('x') {
            Some((item, times)) => (item, times.parse::<i64>().map_err(|e| e.to_string())?),
            None => (item, 0),
        };
        if item == "_" {
            starts.extend((0..times.max(1)).map(|_| None));
            continue;
        }
        let sign_at = item[1..].find(['+', '-']).map_or(item.len(), |at| at + 1);
        let (first, delta) = item.split_at(sign_at);
        let first = milliseconds(first)?;
        let delta = if delta.is_empty() { 0 } else { milliseconds(delta)? };
        starts.extend((0..=times).map(|k| Some(first + k * delta)));
    }
    Ok(starts)
}

/// A duration with an optional sign, in milliseconds.
///
/// # Errors
/// It is none.
pub fn milliseconds(text: &str) -> Result<i64, String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Ok(seconds) = digits.parse::<i64>() {
        return Ok(sign * seconds * 1000);
    }
    let nanoseconds =
        promql_model::parse_duration(digits).map_err(|error| format!("{text}: {error}"))?;
    Ok(sign * nanoseconds / 1_000_000)
}

impl Storage for Memory {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        let selected = self.series.iter().filter(|(labels, _)| request.matches(labels));
        let (labels, series) = selected.map(|(labels, series)| (labels.clone(), series)).unzip();
        Ok(Box::new(Selected { labels, series }))
    }

    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        let matching = self.series.keys().filter(|labels| query.matches(labels));
        let mut names: Vec<String> =
            matching.flat_map(|l| l.iter().map(|(name, _)| name.to_owned())).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn label_values(
        &self,
        name: &str,
        query: &LabelQuery<'_>,
    ) -> Result<Vec<String>, StorageError> {
        let matching = self.series.keys().filter(|labels| query.matches(labels));
        let mut values: Vec<String> =
            matching.filter_map(|labels| labels.get(name).map(str::to_owned)).collect();
        values.sort();
        values.dedup();
        Ok(values)
    }
}

struct Selected<'a> {
    labels: Vec<Labels>,
    series: Vec<&'a Series>,
}

impl SelectedSeries for Selected<'_> {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read<'b>(
        &'b self,
        index: usize,
        _: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError> {
        let series = self.series[index];
        Ok(Samples {
            start_timestamps: &series.starts,
            histogram_timestamps: &series.histograms.0,
            histograms: &series.histograms.1,
            histogram_start_timestamps: &series.histogram_starts,
            ..Samples::floats(&series.timestamps, &series.values)
        })
    }
}
