//! Spreads work over threads so that the result doesn't depend on their number.
//!
//! Work comes as numbered tasks, most of them one for each series. A batch of tasks runs on all
//! threads; then the results are consumed in the order of the tasks by the thread that asked. What
//! is computed from several series is thus computed in one order, and what a failing query reports
//! is the failure of its first failing task.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::EngineError;
use crate::column::{Bitmap, Column};
use crate::limits::{Held, Limits};
use crate::options::EngineOptions;
use crate::over_range::RateFactors;
use crate::statistics::Collector;
use crate::storage::{SampleBuffer, Samples};
use crate::window::WindowTable;

/// How many tasks are run before their results are consumed, unless these are large.
const BATCH: usize = 256;

/// More than [`BATCH`] tasks are run if so many values are all that comes of them: threads wait for
/// each other at the end of each batch.
const FEW_VALUES: usize = 1 << 17;

/// The most tasks that are run before their results are consumed.
const LARGEST_BATCH: usize = 2048;

/// How many values the results of a batch have at most, as long as it has [`SMALLEST_BATCH`] tasks.
const BATCH_VALUES: usize = 1 << 21;

/// Enough tasks to keep the threads of a machine busy.
const SMALLEST_BATCH: usize = 32;

/// How many bytes of native histograms the results of a batch have at most, as long as it has
/// [`TASKS_OF_A_THREAD`] for each thread. How large histograms are is known when there are some.
const BATCH_HISTOGRAM_BYTES: usize = 4 << 20;

/// Enough tasks of a batch to keep a thread busy while others finish theirs.
const TASKS_OF_A_THREAD: usize = 2;

/// What is left of a batch is cut into so many pieces for each thread, so that one that the system lets
/// wait leaves its share to others.
const PIECES_OF_A_THREAD: usize = 4;

/// How many successive tasks a thread takes at once. Neighbours often have the same timestamps.
const CHUNK: usize = 16;

/// Fewer values than this are computed before another thread would have woken up.
const WORTH_A_THREAD: usize = 1 << 14;

/// What a task gives. It waits until the results of the tasks before it are consumed.
pub(crate) trait Outcome: Send {
    /// The memory of its native histograms, which can't be known before.
    fn histogram_bytes(&self) -> usize {
        0
    }
}

impl Outcome for () {}
impl Outcome for Bitmap {}
impl Outcome for Option<Bitmap> {}

impl Outcome for Column {
    fn histogram_bytes(&self) -> usize {
        Column::histogram_bytes(self)
    }
}

/// The threads of a query with the memory they work in.
pub(crate) struct Workers {
    threads: Option<usize>,
    /// How many tasks are run before their results are consumed, if that is given.
    batch: Option<usize>,
    /// Threads of this query's own, if it wants another number than there are for all.
    pool: OnceLock<Option<rayon::ThreadPool>>,
    idle: Mutex<Vec<Scratch>>,
    limits: Arc<Limits>,
    statistics: Option<Arc<Collector>>,
}

impl Workers {
    /// As many threads as the options say, or those of the machine.
    pub(crate) fn new(
        options: &EngineOptions,
        limits: Arc<Limits>,
        statistics: Option<Arc<Collector>>,
    ) -> Workers {
        let idle = Mutex::new(Vec::new());
        let (threads, batch) = (options.threads, options.batch);
        Workers { threads, batch, pool: OnceLock::new(), idle, limits, statistics }
    }

    /// Counts the memory of the results that wait to be consumed, when tasks `0..count` give `size`
    /// values of 8 bytes each. It doesn't depend on the number of threads. Histograms are counted
    /// when they are there.
    pub(crate) fn hold_batch(&self, count: usize, size: usize) -> Result<Held<'_>, EngineError> {
        self.limits.hold_bytes(self.batch(size).min(count).saturating_mul(size).saturating_mul(8))
    }

    /// How many tasks are run before their results of `size` values each are consumed.
    fn batch(&self, size: usize) -> usize {
        let usual = || {
            let few = (FEW_VALUES / size.max(1)).clamp(BATCH, LARGEST_BATCH);
            (BATCH_VALUES / size.max(1)).clamp(SMALLEST_BATCH, few)
        };
        self.batch.unwrap_or_else(usual).max(1)
    }

    /// Whether so many values are worth more than one thread.
    fn spread(&self, values: usize) -> bool {
        self.threads != Some(1) && values >= WORTH_A_THREAD
    }

    /// Runs tasks `0..count`, each of which computes about `size` values, and hands their results
    /// to `consume` in order.
    ///
    /// # Errors
    /// The error of the first task that fails, or of consuming the result before it.
    pub(crate) fn run<T: Outcome>(
        &self,
        count: usize,
        size: usize,
        task: impl Fn(usize, &mut Scratch) -> Result<T, EngineError> + Sync,
        consume: impl FnMut(usize, T) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        self.run_reducing(count, size, size, task, consume)
    }

    /// The same for tasks that compute about `work` values to give about `size`.
    pub(crate) fn run_reducing<T: Outcome>(
        &self,
        count: usize,
        work: usize,
        size: usize,
        task: impl Fn(usize, &mut Scratch) -> Result<T, EngineError> + Sync,
        mut consume: impl FnMut(usize, T) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        if !self.spread(count.saturating_mul(work.max(16))) {
            let mut scratch = self.take();
            for index in 0..count {
                self.limits.check_task(index)?;
                let result = self.measure(&mut scratch, true, |s| task(index, s))?;
                let (result, _held) = self.held(result)?;
                consume(index, result)?;
                if index == 0 {
                    // Later tasks need about as much.
                    self.count(&mut scratch)?;
                }
            }
            self.limits.check()?;
            return self.give_back(scratch);
        }
        let threads = self.threads.unwrap_or_else(rayon::current_num_threads).max(1);
        let mut start = 0;
        while start < count {
            let end = count.min(start.saturating_add(self.batch(size)));
            let batch = Batch::new(start..end, threads);
            let begun = self.statistics.as_ref().map(|_| Instant::now());
            self.on_threads(threads, || self.work_on(&batch, &task));
            if let (Some(statistics), Some(begun)) = (&self.statistics, begun) {
                statistics.waited(begun.elapsed());
            }
            self.limits.check()?;
            let (done, failed) = batch.finish();
            for (index, result) in (start..).zip(done) {
                self.limits.check_task(index)?;
                consume(index, result?.0)?;
                start = index + 1;
            }
            failed.map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    /// Does tasks of a batch for as long as there are any.
    fn work_on<'a, T: Outcome>(
        &'a self,
        batch: &Batch<'a, T>,
        task: &(impl Fn(usize, &mut Scratch) -> Result<T, EngineError> + Sync),
    ) {
        let mut scratch = self.take();
        let mut done = Vec::new();
        while let Some(tasks) = batch.take() {
            let first = tasks.start;
            let results: Vec<Done<'a, T>> = self.measure(&mut scratch, false, |scratch| {
                let run = |i| {
                    self.limits.check_task(i - first)?;
                    self.held(task(i, scratch)?)
                };
                tasks.map(run).collect()
            });
            batch.fit(&results);
            done.push((first, results));
        }
        batch.give(done, self.give_back(scratch));
    }

    /// Counts the histograms of a result until it is consumed.
    fn held<T: Outcome>(&self, result: T) -> Result<(T, Held<'_>), EngineError> {
        let held = self.limits.hold_bytes(result.histogram_bytes())?;
        Ok((result, held))
    }

    /// Does tasks, whose time counts as the current operation's if statistics are wanted. `waiting`
    /// if this is the thread that evaluates it.
    fn measure<R>(
        &self,
        scratch: &mut Scratch,
        waiting: bool,
        tasks: impl FnOnce(&mut Scratch) -> R,
    ) -> R {
        let Some(statistics) = &self.statistics else { return tasks(scratch) };
        scratch.operands_time = Duration::ZERO;
        let start = Instant::now();
        let result = tasks(scratch);
        let elapsed = start.elapsed();
        statistics.tasks(elapsed, scratch.operands_time);
        if waiting {
            statistics.waited(elapsed);
        }
        result
    }

    /// Does the same on so many threads, of which this is one: it need not wait for another to wake up,
    /// nor until that has nothing more to do before it goes on itself.
    fn on_threads(&self, threads: usize, work: impl Fn() + Sync) {
        let own = self.pool.get_or_init(|| {
            let threads = self.threads.filter(|&n| n != rayon::current_num_threads())?;
            // Without threads of its own a query is evaluated by those that there are.
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok()
        });
        match own {
            Some(pool) => pool.in_place_scope(|scope| spawn(scope, threads, &work)),
            None => rayon::in_place_scope(|scope| spawn(scope, threads, &work)),
        }
    }

    fn take(&self) -> Scratch {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Keeps memory for the next tasks, and counts what it has grown by.
    fn give_back(&self, mut scratch: Scratch) -> Result<(), EngineError> {
        let counted = self.count(&mut scratch);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        counted
    }

    /// Counts what the memory of a thread has grown by.
    fn count(&self, scratch: &mut Scratch) -> Result<(), EngineError> {
        let grown = scratch.bytes().saturating_sub(scratch.counted);
        scratch.counted += grown;
        match grown {
            0 => Ok(()),
            _ => self.limits.keep_bytes(grown),
        }
    }
}

/// Does the same on this thread and on others, so many in all.
fn spawn<'s>(scope: &rayon::Scope<'s>, threads: usize, work: &'s (impl Fn() + Sync)) {
    (1..threads).for_each(|_| scope.spawn(move |_| work()));
    work();
}

/// What comes of a task, with the histograms in it counted.
type Done<'a, T> = Result<(T, Held<'a>), EngineError>;

/// Tasks that several threads take from the front, some at a time.
struct Batch<'a, T> {
    first: usize,
    threads: usize,
    /// The first task that nobody has taken.
    next: AtomicUsize,
    /// Behind the last task. It comes nearer when results turn out to be large, or a task fails.
    end: AtomicUsize,
    /// The results, each piece with the number of its first task.
    done: Mutex<Vec<(usize, Vec<Done<'a, T>>)>>,
    /// A failure that belongs to no task.
    failed: Mutex<Option<EngineError>>,
}

impl<'a, T: Outcome> Batch<'a, T> {
    fn new(tasks: Range<usize>, threads: usize) -> Self {
        Batch {
            first: tasks.start,
            threads,
            next: AtomicUsize::new(tasks.start),
            end: AtomicUsize::new(tasks.end),
            done: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// Some successive tasks that nobody else has: one at first, to see how large results are, then
    /// more, and fewer towards the end.
    fn take(&self) -> Option<Range<usize>> {
        let mut at = self.next.load(Ordering::Relaxed);
        loop {
            let left = self.end.load(Ordering::Relaxed).checked_sub(at).filter(|left| *left > 0)?;
            let tasks = match at - self.first < self.few() {
                true => 1,
                false => (left / (PIECES_OF_A_THREAD * self.threads)).clamp(1, CHUNK),
            };
            let (mine, order) = (at..at + tasks, Ordering::Relaxed);
            match self.next.compare_exchange_weak(at, mine.end, order, order) {
                Ok(_) => return Some(mine),
                Err(now) => at = now,
            }
        }
    }

    fn few(&self) -> usize {
        TASKS_OF_A_THREAD * self.threads
    }

    /// Ends the batch early if results like these are too large for all of it, or if one is a failure:
    /// what comes behind that is not asked for.
    fn fit(&self, results: &[Done<'a, T>]) {
        let bytes = |done: &Done<'a, T>| done.as_ref().map_or(usize::MAX, |(_, held)| held.bytes());
        let largest = results.iter().map(bytes).max().unwrap_or(0);
        if let Some(fitting) = BATCH_HISTOGRAM_BYTES.checked_div(largest) {
            let end = self.first.saturating_add(fitting.max(self.few()));
            self.end.fetch_min(end, Ordering::Relaxed);
        }
    }

    /// Takes what a thread has done, when it is through.
    fn give(&self, done: Vec<(usize, Vec<Done<'a, T>>)>, through: Result<(), EngineError>) {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).extend(done);
        if let Err(error) = through {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }

    /// What came of the tasks that were done, in order, from the first one on.
    fn finish(self) -> (impl Iterator<Item = Done<'a, T>>, Option<EngineError>) {
        let mut done = self.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_unstable_by_key(|(first, _)| *first);
        let failed = self.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        (done.into_iter().flat_map(|(_, results)| results), failed)
    }
}

/// Memory that a thread keeps from series to series.
#[derive(Default)]
pub(crate) struct Scratch {
    /// The bytes that the query's limits know of.
    counted: usize,
    /// How long the operands of what is being computed took, if statistics are wanted.
    pub(crate) operands_time: Duration,
    columns: Vec<Column>,
    buffers: Vec<RangeBuffer>,
    /// By operation.
    tables: Vec<KnownTables>,
    /// By operation: which column was computed last, and that column.
    remembered: HashMap<usize, (usize, Column)>,
    /// By selection: which series was decoded last, and its samples.
    decoded: HashMap<usize, (usize, SampleBuffer)>,
}

/// Where samples are decoded, and where they go when some have to be left out.
#[derive(Default)]
pub(crate) struct RangeBuffer {
    pub(crate) raw: SampleBuffer,
    pub(crate) clean: SampleBuffer,
    /// What was read last, if that is to be remembered.
    pub(crate) decoded: Option<Decoded>,
}

/// A series that was read, with its samples wherever they are: in the buffer if they had to be
/// decoded, or in the memory of the storage.
pub(crate) struct Decoded {
    selection: usize,
    series: usize,
    /// Address and length of each column.
    columns: [(usize, usize); 6],
}

impl Decoded {
    /// For the samples of a series, given by its selection and its number there.
    pub(crate) fn new((selection, series): (usize, usize), samples: &Samples<'_>) -> Decoded {
        Decoded { selection, series, columns: columns(samples) }
    }
}

fn columns(samples: &Samples<'_>) -> [(usize, usize); 6] {
    fn column<T>(column: &[T]) -> (usize, usize) {
        match column.len() {
            0 => (0, 0),
            len => (column.as_ptr().addr(), len),
        }
    }
    [
        column(samples.timestamps),
        column(samples.values),
        column(samples.start_timestamps),
        column(samples.histogram_timestamps),
        column(samples.histograms),
        column(samples.histogram_start_timestamps),
    ]
}

/// What an operation knows about the timestamps of a series.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) windows: WindowTable,
    /// The same for the timestamps of its histograms.
    pub(crate) histogram_windows: WindowTable,
    pub(crate) rate: RateFactors,
    /// Which timestamps they are for, more or less; see [`fingerprint`].
    key: u64,
}

impl Tables {
    fn bytes(&self) -> usize {
        self.windows.bytes() + self.histogram_windows.bytes() + self.rate.bytes()
    }
}

/// What an operation knows about the timestamps of the series it saw.
///
/// The series of one target have the same timestamps, and series are sorted by their labels, so what
/// comes next is often of another target, and that of the one after of the first target again:
/// `sum by (le) (rate(x_bucket[5m]))` goes over all targets for each `le`.
#[derive(Default)]
struct KnownTables {
    /// Those of [`Tables::key`].
    keys: Vec<u64>,
    /// Nothing while they are lent out.
    tables: Vec<Option<Box<Tables>>>,
    /// Those that were lent out last.
    recent: usize,
}

/// So much memory the tables of one operation may take in one thread, in bytes. When it is used up,
/// the tables that were used last make place for new ones: targets come in turn, so those are needed
/// last.
const TABLES_BYTES: usize = 8 << 20;

impl KnownTables {
    fn bytes(&self) -> usize {
        self.tables.iter().flatten().map(|tables| tables.bytes()).sum()
    }

    /// Where a key is. Mostly that is where the last one was, or behind it: targets come in turn.
    fn position(&self, key: u64) -> Option<usize> {
        let is_at = |at: &usize| self.keys.get(*at) == Some(&key);
        let near = [self.recent, self.recent + 1, 0].into_iter().find(is_at);
        near.or_else(|| self.keys.iter().position(|known| *known == key))
    }

    fn take(&mut self, key: u64) -> Box<Tables> {
        let at = match self.position(key) {
            Some(at) => at,
            None if self.keys.is_empty() || self.bytes() < TABLES_BYTES => {
                self.keys.push(key);
                self.tables.push(None);
                self.keys.len() - 1
            }
            None => self.recent,
        };
        self.keys[at] = key;
        self.recent = at;
        let mut tables = self.tables[at].take().unwrap_or_default();
        tables.key = key;
        tables
    }

    fn give(&mut self, tables: Box<Tables>) {
        if let Some(at) = self.position(tables.key) {
            self.tables[at] = Some(tables);
        }
    }
}

/// A number that is different for nearly all columns of timestamps that differ.
fn fingerprint(samples: &Samples<'_>) -> u64 {
    /// So many of the timestamps are looked at.
    const PLACES: usize = 8;
    let mut print = 0_u64;
    if let Some(known) = samples.known.timestamps
        && samples.histogram_timestamps.is_empty()
    {
        // Neither the place nor the length is large.
        let place = (known.start as u64) << 32 | samples.timestamps.len() as u64;
        return known.number.get().rotate_right(16) ^ place;
    }
    for times in [samples.timestamps, samples.histogram_timestamps] {
        print = (print ^ times.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        let last = times.len().saturating_sub(1);
        for place in 0..PLACES.min(times.len()) {
            let time = times[last * place / (PLACES - 1)];
            print = (print ^ time as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
    }
    print
}

impl RangeBuffer {
    fn bytes(&self) -> usize {
        self.raw.bytes() + self.clean.bytes()
    }
}

impl Scratch {
    /// The memory of all that is not lent out.
    fn bytes(&self) -> usize {
        let tables = self.tables.iter().map(KnownTables::bytes);
        let remembered = self.remembered.values().map(|(_, column)| column.bytes());
        let decoded = self.decoded.values().map(|(_, buffer)| buffer.bytes());
        remembered.sum::<usize>()
            + decoded.sum::<usize>()
            + self.columns.iter().map(Column::bytes).sum::<usize>()
            + self.buffers.iter().map(RangeBuffer::bytes).sum::<usize>()
            + tables.sum::<usize>()
    }

    /// A column with any content.
    pub(crate) fn take_column(&mut self) -> Column {
        self.columns.pop().unwrap_or_default()
    }

    pub(crate) fn give_column(&mut self, column: Column) {
        self.columns.push(column);
    }

    /// Buffers with any content.
    pub(crate) fn take_buffer(&mut self) -> RangeBuffer {
        self.buffers.pop().unwrap_or_default()
    }

    pub(crate) fn give_buffer(&mut self, mut buffer: RangeBuffer) {
        if let Some(Decoded { selection, series, columns: read }) = buffer.decoded.take()
            && read == columns(&buffer.raw.samples())
        {
            self.decoded.insert(selection, (series, std::mem::take(&mut buffer.raw)));
        }
        self.buffers.push(buffer);
    }

    /// Puts the samples of a series into a buffer if they are those of the selection that were
    /// decoded last. Else the buffer has memory to decode into.
    pub(crate) fn take_decoded(
        &mut self,
        (selection, series): (usize, usize),
        buffer: &mut RangeBuffer,
    ) -> bool {
        let Some((known, samples)) = self.decoded.remove(&selection) else { return false };
        buffer.raw = samples;
        known == series
    }

    /// The column of an operation with this number, if it was the last one.
    pub(crate) fn remembered(&self, operation: usize, index: usize) -> Option<&Column> {
        let (known, column) = self.remembered.get(&operation)?;
        (*known == index).then_some(column)
    }

    /// Remembers a column of an operation instead of the one before.
    pub(crate) fn remember(&mut self, operation: usize, index: usize, column: &Column) {
        let (known, remembered) = self.remembered.entry(operation).or_default();
        *known = index;
        remembered.copy_from(column);
    }

    /// What the operation with this number knows about the timestamps of samples, which may be
    /// nothing, or something about others: the tables find out.
    pub(crate) fn take_tables(&mut self, operation: usize, samples: &Samples<'_>) -> Box<Tables> {
        if self.tables.len() <= operation {
            self.tables.resize_with(operation + 1, KnownTables::default);
        }
        self.tables[operation].take(fingerprint(samples))
    }

    pub(crate) fn give_tables(&mut self, operation: usize, tables: Box<Tables>) {
        if let Some(known) = self.tables.get_mut(operation) {
            known.give(tables);
        }
    }
}
