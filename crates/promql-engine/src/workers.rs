//! Spreads work over threads so that the result doesn't depend on their number.
//!
//! Work comes as numbered tasks, most of them one for each series. A batch of tasks runs on all
//! threads; then the results are consumed in the order of the tasks by the thread that asked. What
//! is computed from several series is thus computed in one order, and what a failing query reports
//! is the failure of its first failing task.

use std::sync::{Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use crate::EngineError;
use crate::column::Column;
use crate::over_range::RateFactors;
use crate::storage::SampleBuffer;
use crate::window::WindowTable;

/// How many tasks are run before their results are consumed.
const BATCH: usize = 256;

/// How many successive tasks a thread takes at once. Neighbours often have the same timestamps.
const CHUNK: usize = 16;

/// Fewer values than this are computed before another thread would have woken up.
const WORTH_A_THREAD: usize = 1 << 14;

/// The threads of a query with the memory they work in.
pub(crate) struct Workers {
    threads: Option<usize>,
    /// Threads of this query's own, if it wants another number than there are for all.
    pool: OnceLock<Option<rayon::ThreadPool>>,
    idle: Mutex<Vec<Scratch>>,
}

impl Workers {
    /// As many threads as given, or those of the machine.
    pub(crate) fn new(threads: Option<usize>) -> Workers {
        Workers { threads, pool: OnceLock::new(), idle: Mutex::new(Vec::new()) }
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
    pub(crate) fn run<T: Send>(
        &self,
        count: usize,
        size: usize,
        task: impl Fn(usize, &mut Scratch) -> Result<T, EngineError> + Sync,
        mut consume: impl FnMut(usize, T) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        if !self.spread(count.saturating_mul(size.max(16))) {
            let mut scratch = self.take();
            for index in 0..count {
                consume(index, task(index, &mut scratch)?)?;
            }
            self.give_back(scratch);
            return Ok(());
        }
        let threads = self.threads.unwrap_or_else(rayon::current_num_threads).max(1);
        let chunk = CHUNK.min(count.div_ceil(threads)).max(1);
        let run_chunk = |chunk_start: usize, end: usize| -> Vec<Result<T, EngineError>> {
            let mut scratch = self.take();
            let results = (chunk_start..end.min(chunk_start + chunk))
                .map(|i| task(i, &mut scratch))
                .collect();
            self.give_back(scratch);
            results
        };
        for start in (0..count).step_by(BATCH) {
            let end = count.min(start + BATCH);
            let chunks: Vec<usize> = (start..end).step_by(chunk).collect();
            let results: Vec<Vec<Result<T, EngineError>>> =
                self.install(|| chunks.par_iter().map(|&at| run_chunk(at, end)).collect());
            for (index, result) in (start..).zip(results.into_iter().flatten()) {
                consume(index, result?)?;
            }
        }
        Ok(())
    }

    fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let own = self.pool.get_or_init(|| {
            let threads = self.threads.filter(|&n| n != rayon::current_num_threads())?;
            // Without threads of its own a query is evaluated by those that there are.
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok()
        });
        match own {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    fn take(&self) -> Scratch {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give_back(&self, scratch: Scratch) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }
}

/// Memory that a thread keeps from series to series.
#[derive(Default)]
pub(crate) struct Scratch {
    columns: Vec<Column>,
    buffers: Vec<RangeBuffer>,
    tables: Vec<Option<Box<Tables>>>,
}

/// Where samples are decoded, and where they go when some have to be left out.
#[derive(Default)]
pub(crate) struct RangeBuffer {
    pub(crate) raw: SampleBuffer,
    pub(crate) clean: SampleBuffer,
}

/// What an operation knows about the timestamps of the last series it saw.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) windows: WindowTable,
    /// The same for the timestamps of its histograms.
    pub(crate) histogram_windows: WindowTable,
    pub(crate) rate: RateFactors,
}

impl Scratch {
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

    pub(crate) fn give_buffer(&mut self, buffer: RangeBuffer) {
        self.buffers.push(buffer);
    }

    /// The tables of the operation with this number.
    pub(crate) fn take_tables(&mut self, operation: usize) -> Box<Tables> {
        self.tables.get_mut(operation).and_then(Option::take).unwrap_or_default()
    }

    pub(crate) fn give_tables(&mut self, operation: usize, tables: Box<Tables>) {
        if self.tables.len() <= operation {
            self.tables.resize_with(operation + 1, || None);
        }
        self.tables[operation] = Some(tables);
    }
}
