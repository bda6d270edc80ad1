//! What evaluating a query took: for the query, for each thing it read, and for each operation.
//!
//! Operations compute the series of their input when they are asked for one of their own, on any
//! thread, so an operation's time is what passes on all threads in its own code, without that of its
//! operands. It is measured around each column and each batch of tasks: every thread remembers how
//! much time operands took since the measurement around them began.

mod held;

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use promql_syntax::Query;

use crate::EngineError;
use crate::column::Column;
use crate::operator::{Operator, RangeSource, Series};
use crate::plan::Plan;
use crate::storage::Samples;
use crate::values::Value;
use crate::workers::{RangeBuffer, Scratch};

/// What evaluating a query took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryStatistics {
    /// From the beginning to the result.
    pub total_time: Duration,
    /// For the plan.
    pub planning_time: Duration,
    /// For finding the series in the storage.
    pub selecting_time: Duration,
    /// For turning columns into the result, on all threads.
    pub finishing_time: Duration,
    /// The samples that the storage gave, each counted as often as it was read.
    pub samples_read: u64,
    /// The samples that the steps looked at, counted as Prometheus counts them
    /// (`totalQueryableSamples`): for an instant selector one for each step, for a range all of the
    /// window. A sample counts for each step that looks at it, also where steps share a result, and
    /// for each of equal parts of the query. Of a subquery the values count and not what they are
    /// computed from.
    pub samples_queried: u64,
    /// The most samples that were held at one time; see
    /// [`EngineOptions::max_samples`](crate::EngineOptions::max_samples).
    pub peak_samples: usize,
    /// The most samples that Prometheus would hold (`peakSamples`), which keeps all operands of an
    /// operation at all steps. 0 if the query failed.
    pub peak_samples_of_server: usize,
    /// The most bytes that were held at one time; see
    /// [`EngineOptions::max_bytes`](crate::EngineOptions::max_bytes).
    pub peak_bytes: usize,
    /// For each of [`PlanTree::reads`](crate::PlanTree::reads); fewer if the query failed before.
    pub reads: Vec<ReadStatistics>,
    /// For each of [`PlanTree::nodes`](crate::PlanTree::nodes); none if the query is a string or
    /// failed before its evaluation began.
    pub nodes: Vec<NodeStatistics>,
}

/// What one thing that was asked of the storage gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadStatistics {
    /// For finding the series.
    pub time: Duration,
    /// How many series it gave, with samples at these times or without.
    pub series: usize,
    /// How many samples were read of them, each counted as often as it was read.
    pub samples: u64,
}

/// What one operation took and gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeStatistics {
    /// In its own code, without its operands, on all threads.
    pub time: Duration,
    /// How many series its result can have, as far as that is known before values are.
    pub candidates: usize,
    /// How many series have a value at any step.
    pub series: usize,
    /// How many values those have. For a range vector the samples in all windows, each once.
    pub samples: u64,
    /// The labels of those series, sorted by name, with the number of different values. The
    /// metric's name is among them.
    pub labels: Vec<(String, usize)>,
}

/// Collects what the operations of one query take.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) samples_read: AtomicU64,
    /// By operations that select on their own.
    queried: AtomicU64,
    /// By operation and series.
    windows: Mutex<BTreeMap<(usize, usize), WindowsOfSeries>>,
    reads: Vec<ReadCounters>,
    /// One for each operation, and one for what comes behind the last.
    nodes: Vec<NodeCounters>,
    /// The operation that is being evaluated.
    current: AtomicUsize,
    /// How long the thread that evaluates it waited for batches of tasks.
    waited: AtomicU64,
}

#[derive(Debug, Default)]
struct ReadCounters {
    nanoseconds: AtomicU64,
    series: AtomicUsize,
    samples: AtomicU64,
}

#[derive(Debug, Default)]
struct NodeCounters {
    nanoseconds: AtomicU64,
    /// How often a sample counts that it looks at.
    counted: usize,
    /// The number of steps.
    steps: usize,
    output: OnceLock<Output>,
}

/// The series of an operation, each with the number of its values, and with how many samples it gave
/// to the steps. A series may be computed more than once.
#[derive(Debug)]
struct Output {
    series: Vec<Series>,
    samples: Vec<AtomicU64>,
    queried: Vec<AtomicU64>,
    /// How many samples all series have at each step, where a histogram counts as several.
    at_steps: Vec<AtomicU32>,
}

/// What an operation gave that is evaluated within another one.
#[derive(Debug, Default)]
pub(crate) struct Gave {
    series: Vec<Series>,
    /// How many values each has.
    samples: Vec<usize>,
    /// How many samples all have at each step.
    at_steps: Vec<usize>,
}

impl Gave {
    /// It gave a series.
    pub(crate) fn add(&mut self, series: &Series, column: &Column) {
        self.series.push(series.clone());
        self.samples.push(column.present().count());
        self.at_steps.resize(column.len(), 0);
        column.valid.iter().for_each(|step| self.at_steps[step] += 1);
        column.histograms().for_each(|(step, h)| self.at_steps[step] += h.samples());
    }
}

/// What a function over windows saw and gave of one series.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WindowsOfSeries {
    /// The samples of the longest window.
    pub(crate) longest: usize,
    /// Those of the last one.
    pub(crate) last: usize,
    /// Those of the result.
    pub(crate) results: usize,
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Collector {
    pub(crate) fn new(plan: &Plan) -> Collector {
        let operations = plan.operations.iter().map(|o| (o.counted, o.grid.len)).chain([(1, 0)]);
        let node = |(counted, steps)| NodeCounters { counted, steps, ..NodeCounters::default() };
        Collector {
            samples_read: AtomicU64::new(0),
            queried: AtomicU64::new(0),
            windows: Mutex::default(),
            reads: plan.selections.iter().map(|_| ReadCounters::default()).collect(),
            nodes: operations.map(node).collect(),
            current: AtomicUsize::new(0),
            waited: AtomicU64::new(0),
        }
    }

    /// A selection was made.
    pub(crate) fn selected(&self, selection: usize, time: Duration, series: usize) {
        if let Some(read) = self.reads.get(selection) {
            read.nanoseconds.fetch_add(nanoseconds(time), Ordering::Relaxed);
            read.series.store(series, Ordering::Relaxed);
        }
    }

    /// Samples of a series were read; for a selection of the plan unless an operation selects on
    /// its own.
    pub(crate) fn read(&self, selection: Option<usize>, samples: usize) {
        self.samples_read.fetch_add(samples as u64, Ordering::Relaxed);
        if let Some(read) = selection.and_then(|selection| self.reads.get(selection)) {
            read.samples.fetch_add(samples as u64, Ordering::Relaxed);
        }
    }

    /// An operation gave samples of one of its series to the steps.
    pub(crate) fn queried(&self, (operation, index): (usize, usize), samples: usize) {
        let output = self.nodes.get(operation).and_then(|node| node.output.get());
        match output.and_then(|output| output.queried.get(index)) {
            Some(known) => known.fetch_max(samples as u64, Ordering::Relaxed),
            None => self.queried.fetch_add(samples as u64, Ordering::Relaxed),
        };
    }

    /// A function worked over the windows of one of its series, given by the position of the
    /// operation and the number of the series.
    pub(crate) fn over_windows(&self, place: (usize, usize), of: WindowsOfSeries) {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner).insert(place, of);
    }

    /// How many samples Prometheus would hold at most; see [`held`].
    pub(crate) fn held_by_server(&self, query: &Query, plan: &Plan) -> usize {
        held::peak(query, plan, self)
    }

    /// The samples that were given to steps, counted as often as they count.
    fn all_queried(&self) -> u64 {
        let of_node = |node: &NodeCounters| {
            let output = node.output.get().into_iter().flat_map(|output| &output.queried);
            output.map(|samples| samples.load(Ordering::Relaxed)).sum::<u64>() * node.counted as u64
        };
        self.queried.load(Ordering::Relaxed) + self.nodes.iter().map(of_node).sum::<u64>()
    }

    /// Measures the evaluation of an operation, given by its position in the plan.
    pub(crate) fn operation<T>(&self, operation: usize, evaluate: impl FnOnce() -> T) -> T {
        self.current.store(operation, Ordering::Relaxed);
        self.waited.store(0, Ordering::Relaxed);
        let start = Instant::now();
        let result = evaluate();
        let own = nanoseconds(start.elapsed()).saturating_sub(self.waited.load(Ordering::Relaxed));
        self.add_time(operation, own);
        result
    }

    /// The thread that evaluates the current operation waited for a batch of its tasks.
    pub(crate) fn waited(&self, time: Duration) {
        self.waited.fetch_add(nanoseconds(time), Ordering::Relaxed);
    }

    /// A thread did tasks of the current operation.
    pub(crate) fn tasks(&self, time: Duration, of_operands: Duration) {
        let own = nanoseconds(time.saturating_sub(of_operands));
        self.add_time(self.current.load(Ordering::Relaxed), own);
    }

    fn add_time(&self, operation: usize, nanoseconds: u64) {
        if let Some(node) = self.nodes.get(operation) {
            node.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    /// The same value, which is measured when it is used.
    pub(crate) fn measured<'a>(&'a self, operation: usize, value: Value<'a>) -> Value<'a> {
        match value {
            Value::Vector(inner) => {
                self.set_output(operation, inner.series());
                Value::Vector(Box::new(Measured { inner, operation, collector: self }))
            }
            Value::Range(mut range) => {
                self.set_output(operation, range.source.series());
                let inner = range.source;
                range.source = Box::new(Measured { inner, operation, collector: self });
                Value::Range(range)
            }
            // Constant, or measured by who computes it.
            value @ (Value::Scalar(_) | Value::Groups(_)) => value,
        }
    }

    /// Measures an operation that is evaluated within another one, and tells what it gave.
    pub(crate) fn within<T, E>(
        &self,
        operation: usize,
        evaluate: impl FnOnce() -> Result<(T, Gave), E>,
    ) -> Result<T, E> {
        let around = self.current.load(Ordering::Relaxed);
        let waited = self.waited.load(Ordering::Relaxed);
        let start = Instant::now();
        let result = self.operation(operation, evaluate);
        self.current.store(around, Ordering::Relaxed);
        self.waited.store(waited + nanoseconds(start.elapsed()), Ordering::Relaxed);
        let (value, output) = result?;
        if let Some(node) = self.nodes.get(operation) {
            let counter = |count: usize| AtomicU64::new(count as u64);
            let at_step = |count: usize| AtomicU32::new(u32::try_from(count).unwrap_or(u32::MAX));
            let Gave { series, samples, at_steps } = output;
            node.output.get_or_init(|| Output {
                queried: series.iter().map(|_| counter(0)).collect(),
                series,
                samples: samples.into_iter().map(counter).collect(),
                at_steps: at_steps.into_iter().map(at_step).collect(),
            });
        }
        Ok(value)
    }

    fn set_output(&self, operation: usize, series: &[Series]) {
        if let Some(node) = self.nodes.get(operation) {
            node.output.get_or_init(|| Output {
                series: series.to_vec(),
                samples: series.iter().map(|_| AtomicU64::new(0)).collect(),
                queried: series.iter().map(|_| AtomicU64::new(0)).collect(),
                at_steps: (0..node.steps).map(|_| AtomicU32::new(0)).collect(),
            });
        }
    }

    /// A column was computed, or the samples of a series were read.
    fn computed(
        &self,
        (operation, index): (usize, usize),
        start: Instant,
        outer: Duration,
        scratch: &mut Scratch,
        (samples, column): (usize, Option<&Column>),
    ) {
        let elapsed = start.elapsed();
        let own = elapsed.saturating_sub(scratch.operands_time);
        scratch.operands_time = outer + elapsed;
        self.add_time(operation, nanoseconds(own));
        let Some(output) = self.nodes.get(operation).and_then(|node| node.output.get()) else {
            return;
        };
        let Some(known) = output.samples.get(index) else { return };
        let before = known.fetch_max(samples as u64, Ordering::Relaxed);
        // The first time it is computed.
        if let Some(column) = column
            && before == 0
        {
            column.valid.iter().for_each(|step| output.add(step, 1));
            column.histograms().for_each(|(step, h)| output.add(step, h.samples()));
        }
    }

    /// What was collected.
    pub(crate) fn finish(&self) -> QueryStatistics {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let time = |counter: &AtomicU64| Duration::from_nanos(load(counter));
        let reads: Vec<ReadStatistics> = self
            .reads
            .iter()
            .map(|read| ReadStatistics {
                time: time(&read.nanoseconds),
                series: read.series.load(Ordering::Relaxed),
                samples: load(&read.samples),
            })
            .collect();
        let of_node = |node: &NodeCounters| {
            let output = node.output.get().map(Output::statistics).unwrap_or_default();
            NodeStatistics { time: time(&node.nanoseconds), ..output }
        };
        let mut nodes: Vec<NodeStatistics> = self.nodes.iter().map(of_node).collect();
        QueryStatistics {
            finishing_time: nodes.pop().unwrap_or_default().time,
            selecting_time: reads.iter().map(|read| read.time).sum(),
            samples_read: load(&self.samples_read),
            samples_queried: self.all_queried(),
            reads,
            nodes,
            ..QueryStatistics::default()
        }
    }
}

impl Output {
    /// A series has samples at a step.
    fn add(&self, step: usize, samples: usize) {
        if let Some(known) = self.at_steps.get(step) {
            known.fetch_add(u32::try_from(samples).unwrap_or(u32::MAX), Ordering::Relaxed);
        }
    }

    fn statistics(&self) -> NodeStatistics {
        let mut values: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
        let mut statistics =
            NodeStatistics { candidates: self.series.len(), ..NodeStatistics::default() };
        for (series, samples) in self.series.iter().zip(&self.samples) {
            let samples = samples.load(Ordering::Relaxed);
            if samples > 0 {
                statistics.series += 1;
                statistics.samples += samples;
                for (name, value) in series.labels.iter() {
                    values.entry(name).or_default().insert(value);
                }
            }
        }
        let labels = values.into_iter().map(|(name, values)| (name.to_owned(), values.len()));
        statistics.labels = labels.collect();
        statistics
    }
}

/// An operator or a source of samples whose time is measured.
struct Measured<'a, T> {
    inner: T,
    operation: usize,
    collector: &'a Collector,
}

impl<'a> Operator for Measured<'a, Box<dyn Operator + 'a>> {
    fn series(&self) -> &[Series] {
        self.inner.series()
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        let start = Instant::now();
        let outer = std::mem::take(&mut scratch.operands_time);
        let result = self.inner.column(index, scratch, out);
        let samples = if result.is_ok() { out.present().count() } else { 0 };
        let values = (samples, Some(&*out));
        self.collector.computed((self.operation, index), start, outer, scratch, values);
        result
    }

    fn depth(&self) -> usize {
        self.inner.depth() + 1
    }

    /// What nobody needs counts, too.
    fn has_effects(&self) -> bool {
        true
    }

    fn is_kept(&self) -> bool {
        self.inner.is_kept()
    }
}

impl<'a> RangeSource for Measured<'a, Box<dyn RangeSource + 'a>> {
    fn series(&self) -> &[Series] {
        self.inner.series()
    }

    fn read<'b>(
        &'b self,
        index: usize,
        scratch: &mut Scratch,
        buffer: &'b mut RangeBuffer,
    ) -> Result<Samples<'b>, EngineError> {
        let start = Instant::now();
        let outer = std::mem::take(&mut scratch.operands_time);
        let result = self.inner.read(index, scratch, buffer);
        let samples = result
            .as_ref()
            .map_or(0, |samples| samples.timestamps.len() + samples.histogram_timestamps.len());
        self.collector.computed((self.operation, index), start, outer, scratch, (samples, None));
        result
    }

    fn depth(&self) -> usize {
        self.inner.depth() + 1
    }

    fn has_effects(&self) -> bool {
        true
    }
}
