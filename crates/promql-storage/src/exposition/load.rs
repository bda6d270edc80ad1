//! From lines to series.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use promql_model::{Labels, METRIC_NAME};

use crate::amount::Amount;
use crate::diagnostics::{MOST_PROBLEMS, Problems};
use crate::memory::{Columns, MemoryBuilder, MemoryStorage};

use super::fault::{Fault, FaultKind};
use super::parser::{Line, MetricType, Parser, SampleLine};
use super::scan::Pair;
use super::{Exposition, Format};

/// After how many bytes it is told how far the reading came.
const OFTEN: usize = 1 << 20;

pub(super) fn load(
    name: &str,
    text: &[u8],
    format: Format,
    scrape_time: i64,
    amount: &Amount,
) -> Result<Exposition, Problems> {
    let mut told = 0;
    amount.begin(text.len() as u64);
    let mut parser = Parser::new(text, format);
    let mut loaded = Loaded::new(text, format, scrape_time);
    let mut problems: Option<Problems> = None;
    loop {
        if parser.scan.at - told >= OFTEN {
            told = parser.scan.at;
            amount.reach(told as u64);
        }
        match parser.next_line() {
            Ok(None) => break,
            // With a fault found, the rest is read for its faults alone.
            Ok(Some(_)) if problems.is_some() => {}
            Ok(Some(line)) => loaded.add(&parser, line),
            Err(fault) => match &mut problems {
                None => problems = Some(Problems::new(fault.problem(name, text, format))),
                Some(problems) => problems.push(|| fault.problem(name, text, format)),
            },
        }
    }
    if let Some(problems) = problems {
        return Err(problems);
    }
    let mut warnings = parser.warnings;
    let storage = loaded.finish(&mut warnings);
    warnings.sort_by_key(|warning| warning.place.start);
    warnings.truncate(MOST_PROBLEMS);
    let warnings = warnings.iter().map(|warning| warning.problem(name, text, format)).collect();
    Ok(Exposition { storage, warnings })
}

/// The series read so far.
struct Loaded<'a> {
    text: &'a [u8],
    format: Format,
    scrape_time: i64,
    /// Families whose samples count from some time on.
    counting: BTreeSet<String>,
    /// By name and labels as they are written. What TYPE line is in force changes what a written
    /// `le` means.
    by_text: HashMap<(&'a [u8], MetricType), usize>,
    /// One for each way of writing; those with the same labels are merged at the end, which costs
    /// less than to look each up by its labels.
    series: Vec<Series>,
    builder: MemoryBuilder,
}

#[derive(Default)]
struct Series {
    labels: Labels,
    timestamps: Vec<i64>,
    values: Vec<f64>,
    /// Where the first sample is.
    place: Range<usize>,
    /// Samples that came at or before the time of an earlier line's.
    late: Vec<Late>,
}

struct Late {
    timestamp: i64,
    value: f64,
    place: Range<usize>,
}

impl<'a> Loaded<'a> {
    fn new(text: &'a [u8], format: Format, scrape_time: i64) -> Self {
        Loaded {
            text,
            format,
            scrape_time,
            counting: BTreeSet::new(),
            by_text: HashMap::new(),
            series: Vec::new(),
            builder: MemoryBuilder::default(),
        }
    }

    fn add(&mut self, parser: &Parser<'a>, line: Line<'a>) {
        match line {
            Line::Sample(sample) => self.add_sample(parser, sample),
            Line::Help { name, help } => self.builder.metadata(&name).help = help.into_owned(),
            Line::Unit { name, unit } => self.builder.metadata(&name).unit = unit.to_owned(),
            Line::Type { name, metric_type } => {
                use MetricType::{Counter, Histogram, Summary};
                if matches!(metric_type, Counter | Histogram | Summary) {
                    self.counting.insert(name.clone().into_owned());
                } else {
                    self.counting.remove(&*name);
                }
                self.builder.metadata(&name).metric_type = metric_type.word().to_owned();
            }
        }
    }

    fn add_sample(&mut self, parser: &Parser<'a>, sample: SampleLine) {
        let written = (&self.text[sample.place.clone()], parser.current_type);
        let index = match self.by_text.get(&written) {
            Some(index) => *index,
            None => {
                let labels = make_labels(parser.name(), parser.labels());
                let place = sample.place.clone();
                self.series.push(Series { labels, place, ..Series::default() });
                self.by_text.insert(written, self.series.len() - 1);
                self.series.len() - 1
            }
        };
        let series = &mut self.series[index];
        let timestamp = sample.timestamp.unwrap_or(self.scrape_time);
        if series.timestamps.last().is_none_or(|last| *last < timestamp) {
            series.timestamps.push(timestamp);
            series.values.push(sample.value);
        } else {
            series.late.push(Late { timestamp, value: sample.value, place: sample.place });
        }
    }

    fn finish(mut self, warnings: &mut Vec<Fault>) -> MemoryStorage {
        // Stable, so that of the ways to write a series the first comes first.
        self.series.sort_by(|a, b| a.labels.cmp(&b.labels));
        let mut series = self.series.into_iter().peekable();
        let mut merged = Vec::with_capacity(series.len());
        while let Some(mut first) = series.next() {
            while let Some(same) = series.next_if(|next| next.labels == first.labels) {
                first.take_over(same);
            }
            if !first.late.is_empty() {
                first.merge_late(warnings);
            }
            let Series { labels, timestamps, values, .. } = first;
            merged.push((labels, Columns { timestamps, values, ..Columns::default() }));
        }
        if self.format == Format::OpenMetrics {
            super::created::apply(&mut merged, &self.counting);
        }
        for (labels, columns) in merged {
            self.builder.insert(labels, columns);
        }
        self.builder.build()
    }
}

impl Series {
    /// Takes the samples of a series with the same labels, written in another way.
    fn take_over(&mut self, same: Series) {
        let in_order = same.timestamps.into_iter().zip(same.values);
        let place = same.place;
        self.late.extend(in_order.map(|(timestamp, value)| Late {
            timestamp,
            value,
            place: place.clone(),
        }));
        self.late.extend(same.late);
    }

    /// Puts the late samples where they belong in time. A second sample at one time is dropped.
    fn merge_late(&mut self, warnings: &mut Vec<Fault>) {
        let in_order = self.timestamps.drain(..).zip(self.values.drain(..));
        let late = std::mem::take(&mut self.late);
        let late = late.into_iter().map(|late| (late.timestamp, late.value, Some(late.place)));
        let mut samples: Vec<_> =
            in_order.map(|(timestamp, value)| (timestamp, value, None)).chain(late).collect();
        samples.sort_by_key(|(timestamp, _, place)| {
            (*timestamp, place.as_ref().map(|place| place.start))
        });
        for (timestamp, value, place) in samples {
            if self.timestamps.last() != Some(&timestamp) {
                self.timestamps.push(timestamp);
                self.values.push(value);
            } else if let Some(place) = place {
                warnings.push(Fault::new(FaultKind::SampleTwice, place));
            }
        }
    }
}

/// The label set, made of pairs in order so that each finds its place at once.
fn make_labels(name: &str, labels: &[Pair<'_>]) -> Labels {
    let mut pairs: Vec<(&str, &str)> = Vec::with_capacity(labels.len() + 1);
    pairs.push((METRIC_NAME, name));
    pairs.extend(labels.iter().map(|(name, value)| (&**name, &**value)));
    pairs.sort_unstable();
    Labels::from_pairs(pairs)
}
