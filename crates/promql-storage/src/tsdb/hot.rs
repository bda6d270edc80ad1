//! Hot columns: what was decoded once, kept for the next query.
//!
//! Decoding XOR chunks takes longer than computing on what is in them, so a process that answers many
//! queries keeps decoded samples, within a budget. What is kept together is a *run*: some successive
//! chunks of a series in one block, up to [`RUN`] of them. Blocks never change, so a run is the same as
//! long as the storage that knows the block, and nothing is ever out of date: a folder that is opened
//! again is another storage with columns of its own.
//!
//! The series of a target are scraped together, so that they have the same timestamps. Those are kept
//! once for all of them, and a sample takes the 8 bytes of its value.
//!
//! What is read by a query stays until it is over. So a query over more series than there is room for
//! keeps as many as fit, finds these the next time, and decodes the others, where throwing out the
//! oldest would find none. Between queries a run goes that was not used since the hand of the clock
//! came by last.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use promql_engine::KeptColumns;

/// How many successive chunks of a series are decoded and kept together: four hours at the usual
/// interval of 15 seconds and 120 samples a chunk.
pub(super) const RUN: u32 = 8;

/// How many samples a run may have at most.
pub(super) const MOST_SAMPLES: usize = 1 << 14;

/// About what a run takes besides its samples, in bytes: its places in the tables.
const OVERHEAD: usize = 160;

/// How many runs the hand of the clock looks at to make room for one.
const STEPS_OF_THE_HAND: usize = 64;

/// Threads that look for different runs rarely wait for each other.
const SHARDS: usize = 16;

/// Which run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RunId {
    pub(super) block: u32,
    /// The number of the series in the block.
    pub(super) series: u32,
    /// The number of the first chunk, divided by [`RUN`].
    pub(super) run: u32,
}

/// The samples of a run, all of them floats whose times ascend.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) times: Arc<Counted<i64>>,
    pub(super) values: Counted<f64>,
    used: AtomicBool,
}

/// Memory that is counted as long as it is there.
#[derive(Debug)]
pub(super) struct Counted<T> {
    all: Box<[T]>,
    total: Arc<AtomicUsize>,
}

impl<T: Copy> Counted<T> {
    fn new(all: &[T], total: &Arc<AtomicUsize>) -> Counted<T> {
        let counted = Counted { all: all.into(), total: Arc::clone(total) };
        total.fetch_add(counted.bytes(), Ordering::Relaxed);
        counted
    }
}

impl<T> Counted<T> {
    fn bytes(&self) -> usize {
        size_of_val(&*self.all) + OVERHEAD / 2
    }
}

impl<T> Deref for Counted<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.all
    }
}

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes(), Ordering::Relaxed);
    }
}

/// What is known about a run.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// Its samples.
    Run(Arc<Run>),
    /// That it can't be kept: it has histograms, start timestamps, or times that don't ascend.
    Unfit,
    Nothing,
}

/// The runs of a storage.
#[derive(Debug)]
pub(super) struct HotColumns {
    /// In bytes.
    budget: usize,
    /// What all that is kept takes, in bytes.
    total: Arc<AtomicUsize>,
    shards: [Mutex<Shard>; SHARDS],
    /// The timestamps that there are, by hash.
    times: Mutex<Times>,
    hasher: RandomState,
    found: AtomicU64,
    decoded: AtomicU64,
}

/// A part of the runs, and the clock that decides which goes.
#[derive(Debug, Default)]
struct Shard {
    /// Nothing for a run that is unfit.
    runs: HashMap<RunId, Option<Arc<Run>>>,
    /// The runs in the order in which the hand of the clock goes over them.
    clock: Vec<RunId>,
    hand: usize,
}

/// Timestamps, by hash.
#[derive(Debug, Default)]
struct Times {
    known: HashMap<u64, Weak<Counted<i64>>>,
    /// When there are so many, those that nobody has are removed.
    sweep_at: usize,
}

impl HotColumns {
    /// Room for so many bytes.
    pub(super) fn new(budget: usize) -> HotColumns {
        HotColumns {
            budget,
            total: Arc::default(),
            shards: Default::default(),
            times: Mutex::default(),
            hasher: RandomState::new(),
            found: AtomicU64::new(0),
            decoded: AtomicU64::new(0),
        }
    }

    /// Looks for a run.
    pub(super) fn get(&self, id: RunId) -> Known {
        match lock(self.shard(id)).runs.get(&id) {
            Some(Some(run)) => {
                run.used.store(true, Ordering::Relaxed);
                self.found.fetch_add(1, Ordering::Relaxed);
                Known::Run(Arc::clone(run))
            }
            Some(None) => Known::Unfit,
            None => Known::Nothing,
        }
    }

    /// Makes room for a run of so many samples. Says whether there is any.
    pub(super) fn make_room(&self, id: RunId, samples: usize) -> bool {
        let wanted = samples.saturating_mul(8).saturating_add(OVERHEAD);
        self.has_room(wanted) || lock(self.shard(id)).evict(|| self.has_room(wanted))
    }

    fn has_room(&self, wanted: usize) -> bool {
        self.total.load(Ordering::Relaxed).saturating_add(wanted) <= self.budget
    }

    /// Keeps a run.
    pub(super) fn insert(&self, id: RunId, times: &[i64], values: &[f64]) -> Arc<Run> {
        self.decoded.fetch_add(1, Ordering::Relaxed);
        let run = Arc::new(Run {
            times: self.shared(times),
            values: Counted::new(values, &self.total),
            used: AtomicBool::new(false),
        });
        lock(self.shard(id)).insert(id, Some(Arc::clone(&run)));
        run
    }

    /// Remembers that a run can't be kept.
    pub(super) fn insert_unfit(&self, id: RunId) {
        lock(self.shard(id)).insert(id, None);
    }

    /// The same timestamps in memory that others may have, too.
    fn shared(&self, times: &[i64]) -> Arc<Counted<i64>> {
        let hash = self.hasher.hash_one(times);
        let mut all = lock(&self.times);
        if let Some(known) = all.known.get(&hash).and_then(Weak::upgrade)
            && **known == *times
        {
            return known;
        }
        if all.known.len() >= all.sweep_at {
            all.known.retain(|_, times| times.strong_count() > 0);
            all.sweep_at = 2 * all.known.len() + 1024;
        }
        let new = Arc::new(Counted::new(times, &self.total));
        all.known.insert(hash, Arc::downgrade(&new));
        new
    }

    /// What there is, and how useful it was.
    pub(super) fn statistics(&self) -> KeptColumns {
        KeptColumns {
            budget: self.budget,
            bytes: self.total.load(Ordering::Relaxed),
            found: self.found.load(Ordering::Relaxed),
            decoded: self.decoded.load(Ordering::Relaxed),
        }
    }

    fn shard(&self, id: RunId) -> &Mutex<Shard> {
        // Threads work on neighbours.
        &self.shards[(id.series as usize / 4 + id.run as usize) % SHARDS]
    }
}

impl Shard {
    fn insert(&mut self, id: RunId, run: Option<Arc<Run>>) {
        let fit = run.is_some();
        if self.runs.insert(id, run).is_none() && fit {
            self.clock.push(id);
        }
    }

    /// Removes runs that were not used since the hand came by last, and that nobody has, until there
    /// is room. Says whether there is. Looks at a few only: where all are in use, that is soon clear,
    /// and where they were used, the next call goes on.
    fn evict(&mut self, has_room: impl Fn() -> bool) -> bool {
        for _ in 0..STEPS_OF_THE_HAND.min(2 * self.clock.len()) {
            if has_room() {
                return true;
            }
            if self.hand >= self.clock.len() {
                self.hand = 0;
            }
            let Some(id) = self.clock.get(self.hand) else { break };
            let goes = match self.runs.get(id) {
                Some(Some(run)) => {
                    Arc::strong_count(run) == 1 && !run.used.swap(false, Ordering::Relaxed)
                }
                _ => true,
            };
            match goes {
                true => {
                    self.runs.remove(id);
                    self.clock.swap_remove(self.hand);
                }
                false => self.hand += 1,
            }
        }
        has_room()
    }
}

/// What is in the tables is whole whatever a thread was at that panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: usize = 480;

    fn id(series: u32) -> RunId {
        // All in one shard.
        RunId { block: 0, series: series * 4 * SHARDS as u32, run: 0 }
    }

    fn times() -> Vec<i64> {
        (0..SAMPLES as i64).map(|n| n * 15_000).collect()
    }

    fn keep(hot: &HotColumns, series: u32) -> Option<Arc<Run>> {
        let values = vec![f64::from(series); SAMPLES];
        hot.make_room(id(series), SAMPLES).then(|| hot.insert(id(series), &times(), &values))
    }

    fn is_kept(hot: &HotColumns, series: u32) -> bool {
        matches!(hot.get(id(series)), Known::Run(run) if run.values[0] == f64::from(series))
    }

    /// Room for the timestamps and so many columns of values.
    fn room(columns: usize) -> usize {
        (columns + 1) * (SAMPLES * 8 + OVERHEAD / 2) + OVERHEAD
    }

    #[test]
    fn what_is_kept_is_found() {
        let hot = HotColumns::new(room(3));
        assert!((0..3).all(|series| keep(&hot, series).is_some()));
        assert!((0..3).all(|series| is_kept(&hot, series)));
        assert!(matches!(hot.get(id(3)), Known::Nothing));
        hot.insert_unfit(id(4));
        assert!(matches!(hot.get(id(4)), Known::Unfit));
    }

    #[test]
    fn timestamps_are_kept_once() {
        let hot = HotColumns::new(room(3));
        let runs: Vec<_> = (0..2).filter_map(|series| keep(&hot, series)).collect();
        assert!(Arc::ptr_eq(&runs[0].times, &runs[1].times));
        assert_eq!(hot.statistics().bytes, room(2) - OVERHEAD);
    }

    #[test]
    fn what_was_not_used_goes() {
        let hot = HotColumns::new(room(3));
        (0..3).for_each(|series| drop(keep(&hot, series)));
        assert!(is_kept(&hot, 0) && is_kept(&hot, 2));
        assert!(keep(&hot, 3).is_some());
        assert!(hot.statistics().bytes <= room(3));
        assert!(!is_kept(&hot, 1) && is_kept(&hot, 3));
    }

    #[test]
    fn what_somebody_has_stays() {
        let hot = HotColumns::new(room(3));
        let runs: Vec<_> = (0..9).filter_map(|series| keep(&hot, series)).collect();
        assert_eq!(runs.len(), 3);
        drop(runs);
        assert!((0..3).all(|series| is_kept(&hot, series)));
        assert!(keep(&hot, 9).is_some());
    }

    #[test]
    fn nothing_is_counted_in_the_end() {
        let hot = HotColumns::new(room(2));
        (0..100).for_each(|series| drop(keep(&hot, series)));
        let total = Arc::clone(&hot.total);
        assert!(total.load(Ordering::Relaxed) <= room(2));
        drop(hot);
        assert_eq!(total.load(Ordering::Relaxed), 0);
    }
}
