//! Hot columns: what was decoded once, kept for the next query.
//!
//! Decoding XOR chunks takes longer than computing on what is in them, so a process that answers many
//! queries keeps decoded samples, within a budget. What is kept together is a *run*: some successive
//! chunks of a series in one block, up to [`RUN`](super::block::RUN) of them. Blocks never change, so a
//! run is the same as long as the storage that knows the block, and nothing is ever out of date: a folder
//! that is opened again is another storage with columns of its own.
//!
//! Each run has a place of its own, so that to find one is to look there. Whoever finds it holds it, also
//! when it has to go meanwhile. A query whose samples are all in one run reads them where they are; from
//! several runs they are copied to be one column.
//!
//! The series of a target are scraped together, so that they have the same timestamps. Those are kept
//! once for all of them, and a sample takes the 8 bytes of its value.
//!
//! What is read by a query stays until it is over. So a query over more series than there is room for
//! keeps as many as fit, finds these the next time, and decodes the others, where throwing out the
//! oldest would find none. Between queries a run goes that was not used since the hand of the clock
//! came by last.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::slice;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use promql_engine::{KeptColumns, SharedTimestamps};

use super::run::{Counted, OVERHEAD, Run, Timestamps, prefetch};

/// How many samples a run may have at most.
pub(super) const MOST_SAMPLES: usize = 1 << 14;

/// How many runs the hand of the clock looks at to make room for one.
const STEPS_OF_THE_HAND: usize = 64;

/// After so many runs that there was no room for, a query does not look for any more.
const MOST_REFUSED: usize = 64;

/// Threads that look for different runs rarely wait for each other.
const SHARDS: usize = 16;

/// Which run: of which block, and the how manieth of all runs of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RunId {
    pub(super) block: usize,
    pub(super) run: usize,
}

/// The place of a run.
type Slot = Mutex<Known>;

/// What is known about a run.
#[derive(Debug, Default)]
enum Known {
    #[default]
    Nothing,
    /// Its samples, and the last query that read them.
    Run { run: Arc<Run>, used: u64 },
    /// That it can't be kept: it has histograms, start timestamps, or times that don't ascend.
    Unfit,
}

/// What came of looking for a run.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// It was there.
    Run(Arc<Run>),
    /// It is not kept, and can't be.
    Unfit,
    /// It is not there yet.
    Nothing,
}

/// The runs of a storage.
#[derive(Debug)]
pub(super) struct HotColumns {
    /// In bytes.
    budget: usize,
    /// What all that is kept takes, in bytes.
    total: Arc<AtomicUsize>,
    /// The places of the runs of each block.
    blocks: Vec<OnceLock<Box<[Slot]>>>,
    shards: [Shard; SHARDS],
    /// The timestamps that there are, by hash.
    times: Mutex<Times>,
    hasher: RandomState,
    /// The queries that are under way, and the number of the next.
    queries: Mutex<(BTreeSet<u64>, u64)>,
}

/// A part of the runs. Each has memory of its own that the processors needn't hand to each other.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard {
    clock: Mutex<Clock>,
    found: AtomicU64,
    decoded: AtomicU64,
}

/// Decides which run goes.
#[derive(Debug, Default)]
struct Clock {
    /// The runs in the order in which the hand goes over them, and what query had used each when it
    /// came by.
    runs: Vec<(RunId, u64)>,
    hand: usize,
}

/// Timestamps, by hash.
#[derive(Debug, Default)]
struct Times {
    known: HashMap<u64, Weak<Timestamps>>,
    /// When there are so many, those that nobody has are removed.
    sweep_at: usize,
}

/// A query that reads runs.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    hot: &'a HotColumns,
    number: u64,
    /// How many runs there was no room for.
    refused: AtomicUsize,
}

impl HotColumns {
    /// Room for so many bytes of the runs of so many blocks.
    pub(super) fn new(budget: usize, blocks: usize) -> HotColumns {
        let blocks = std::iter::repeat_with(OnceLock::new).take(blocks).collect();
        HotColumns {
            budget,
            total: Arc::default(),
            blocks,
            shards: Default::default(),
            times: Mutex::default(),
            hasher: RandomState::new(),
            queries: Mutex::default(),
        }
    }

    /// Begins a query.
    pub(super) fn reader(&self) -> Reader<'_> {
        let (under_way, next) = &mut *lock(&self.queries);
        *next += 1;
        under_way.insert(*next);
        Reader { hot: self, number: *next, refused: AtomicUsize::new(0) }
    }

    /// Makes places for the runs of a block, if there are none yet. Where there is no room for them,
    /// none can be kept.
    pub(super) fn make_places(&self, block: usize, runs: usize) {
        if let Some(places) = self.blocks.get(block) {
            places.get_or_init(|| {
                let bytes = runs * size_of::<Slot>();
                let runs = if self.has_room(bytes) { runs } else { 0 };
                self.total.fetch_add(runs * size_of::<Slot>(), Ordering::Relaxed);
                std::iter::repeat_with(Slot::default).take(runs).collect()
            });
        }
    }

    /// Forgets all runs.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            let runs = std::mem::take(&mut lock(&shard.clock).runs);
            for slot in runs.into_iter().filter_map(|(run, _)| self.slot(run)) {
                *lock(slot) = Known::Nothing;
            }
        }
    }

    fn slot(&self, id: RunId) -> Option<&Slot> {
        self.blocks.get(id.block)?.get()?.get(id.run)
    }

    fn has_room(&self, wanted: usize) -> bool {
        self.total.load(Ordering::Relaxed).saturating_add(wanted) <= self.budget
    }

    /// The same timestamps in memory that others may have, too.
    fn shared(&self, times: &[i64]) -> Arc<Timestamps> {
        let hash = self.hasher.hash_one(times);
        let mut all = lock(&self.times);
        if let Some(known) = all.known.get(&hash).and_then(Weak::upgrade)
            && ***known == *times
        {
            return known;
        }
        if all.known.len() >= all.sweep_at {
            all.known.retain(|_, times| times.strong_count() > 0);
            all.sweep_at = 2 * all.known.len() + 1024;
        }
        let new =
            Arc::new(Counted::new(SharedTimestamps::new(times), size_of_val(times), &self.total));
        all.known.insert(hash, Arc::downgrade(&new));
        new
    }

    /// What there is, and how useful it was.
    pub(super) fn statistics(&self) -> KeptColumns {
        let sum = |count: fn(&Shard) -> &AtomicU64| {
            self.shards.iter().map(|shard| count(shard).load(Ordering::Relaxed)).sum()
        };
        KeptColumns {
            budget: self.budget,
            bytes: self.total.load(Ordering::Relaxed),
            found: sum(|shard| &shard.found),
            decoded: sum(|shard| &shard.decoded),
        }
    }

    fn shard(&self, id: RunId) -> &Shard {
        // A thread works on neighbours.
        &self.shards[(id.run / 16 + id.block) % SHARDS]
    }

    /// Removes runs that were not used since the hand came by last, nor by a query that is under way,
    /// until there is room. Says whether there is. Looks at a few only: where all are in use, that is
    /// soon clear, and where they were used, the next call goes on.
    fn evict(&self, clock: &mut Clock, wanted: usize) -> bool {
        let oldest = lock(&self.queries).0.first().copied().unwrap_or(u64::MAX);
        for _ in 0..STEPS_OF_THE_HAND.min(2 * clock.runs.len()) {
            if self.has_room(wanted) {
                return true;
            }
            if clock.hand >= clock.runs.len() {
                clock.hand = 0;
            }
            let Some((id, seen)) = clock.runs.get_mut(clock.hand) else { break };
            let Some(slot) = self.slot(*id) else { break };
            let mut slot = lock(slot);
            match &*slot {
                Known::Run { used, .. } if used != seen || *used >= oldest => {
                    *seen = *used;
                    clock.hand += 1;
                }
                _ => {
                    *slot = Known::Nothing;
                    clock.runs.swap_remove(clock.hand);
                }
            }
        }
        self.has_room(wanted)
    }
}

impl Reader<'_> {
    /// Looks for a run.
    pub(super) fn get(&self, id: RunId) -> Found {
        let Some(slot) = self.hot.slot(id) else { return Found::Unfit };
        let run = match &mut *lock(slot) {
            Known::Run { run, used } => {
                *used = self.number;
                Arc::clone(run)
            }
            Known::Unfit => return Found::Unfit,
            Known::Nothing => return Found::Nothing,
        };
        self.hot.shard(id).found.fetch_add(1, Ordering::Relaxed);
        Found::Run(run)
    }

    /// Tells that a run will be looked for soon, so that it is near by then: with some of its values, or
    /// without any.
    pub(super) fn expect(&self, id: RunId, values: Option<Range<usize>>) {
        let Some(slot) = self.hot.slot(id) else { return };
        if let Known::Run { run, .. } = &*lock(slot) {
            match values {
                None => prefetch(slice::from_ref(&**run)),
                Some(values) => run.expect(values),
            }
        }
    }

    /// Makes room for a run of so many samples. Says whether there is any.
    pub(super) fn make_room(&self, id: RunId, samples: usize) -> bool {
        let wanted = samples.saturating_mul(8).saturating_add(OVERHEAD);
        if self.hot.has_room(wanted) {
            return true;
        }
        if self.refused.load(Ordering::Relaxed) >= MOST_REFUSED {
            return false;
        }
        let made = self.hot.evict(&mut lock(&self.hot.shard(id).clock), wanted);
        if !made {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        made
    }

    /// Keeps a run.
    pub(super) fn insert(&self, id: RunId, times: &[i64], values: &[f64]) {
        let run = Arc::new(Run::new(self.hot.shared(times), values, &self.hot.total));
        let Some(slot) = self.hot.slot(id) else { return };
        let run = Known::Run { run, used: self.number };
        let before = std::mem::replace(&mut *lock(slot), run);
        let shard = self.hot.shard(id);
        shard.decoded.fetch_add(1, Ordering::Relaxed);
        if !matches!(before, Known::Run { .. }) {
            lock(&shard.clock).runs.push((id, 0));
        }
    }

    /// Remembers that a run can't be kept.
    pub(super) fn insert_unfit(&self, id: RunId) {
        if let Some(slot) = self.hot.slot(id) {
            *lock(slot) = Known::Unfit;
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        lock(&self.hot.queries).0.remove(&self.number);
    }
}

/// What is in the tables is whole whatever a thread was at that panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use promql_engine::LentColumns;

    use super::*;

    const SAMPLES: usize = 480;

    fn id(series: usize) -> RunId {
        // All in one shard.
        RunId { block: 0, run: series * 16 * SHARDS }
    }

    fn hot(room: usize) -> HotColumns {
        let hot = HotColumns::new(room + PLACES * size_of::<Slot>(), 1);
        hot.make_places(0, PLACES);
        hot
    }

    const PLACES: usize = 101 * 16 * SHARDS;

    fn keep(reader: &Reader<'_>, series: usize) -> bool {
        let times: Vec<i64> = (0..SAMPLES as i64).map(|n| n * 15_000).collect();
        let values: Vec<f64> = (0..SAMPLES).map(|n| series as f64 + n as f64 / 8.0).collect();
        let has_room = reader.make_room(id(series), SAMPLES);
        if has_room {
            reader.insert(id(series), &times, &values);
        }
        has_room
    }

    fn is_kept(reader: &Reader<'_>, series: usize) -> bool {
        match reader.get(id(series)) {
            Found::Run(run) => run.values()[0] == series as f64,
            Found::Unfit | Found::Nothing => false,
        }
    }

    /// Room for the timestamps and so many columns of values.
    fn room(columns: usize) -> usize {
        (columns + 1) * (SAMPLES * 8 + OVERHEAD)
    }

    #[test]
    fn what_is_kept_is_found() {
        let hot = hot(room(3));
        let reader = hot.reader();
        assert!((0..3).all(|series| keep(&reader, series)));
        assert!((0..3).all(|series| is_kept(&reader, series)));
        assert!(matches!(reader.get(id(3)), Found::Nothing));
        reader.insert_unfit(id(4));
        assert!(matches!(reader.get(id(4)), Found::Unfit));
        let statistics = hot.statistics();
        assert_eq!((statistics.found, statistics.decoded), (3, 3));
    }

    #[test]
    fn timestamps_are_kept_once() {
        let hot = hot(room(3));
        let reader = hot.reader();
        assert!((0..2).all(|series| keep(&reader, series)));
        assert_eq!(hot.statistics().bytes, room(2) + PLACES * size_of::<Slot>());
    }

    #[test]
    fn what_is_held_stays_and_counts_until_nobody_holds_it() {
        let hot = hot(room(1));
        assert!(keep(&hot.reader(), 0));
        let Found::Run(run) = hot.reader().get(id(0)) else { panic!("it is kept") };
        hot.clear();
        assert!(!is_kept(&hot.reader(), 0));
        assert_eq!((run.timestamps()[1], run.values()[1]), (15_000, 0.125));
        assert!(!keep(&hot.reader(), 1), "there is no room yet");
        drop(run);
        assert!(keep(&hot.reader(), 1));
    }

    #[test]
    fn what_was_not_used_goes() {
        let hot = hot(room(3));
        assert!((0..3).all(|series| keep(&hot.reader(), series)));
        // The hand comes by once, and all were used by then.
        pass_of_the_hand(&hot);
        assert!(is_kept(&hot.reader(), 0) && is_kept(&hot.reader(), 2));
        assert!(keep(&hot.reader(), 3));
        assert!(hot.statistics().bytes <= hot.budget);
        assert!(!is_kept(&hot.reader(), 1) && is_kept(&hot.reader(), 3));
    }

    /// The hand goes over all runs and sees them as they are.
    fn pass_of_the_hand(hot: &HotColumns) {
        for (run, seen) in &mut lock(&hot.shard(id(0)).clock).runs {
            if let Some(slot) = hot.slot(*run)
                && let Known::Run { used, .. } = &*lock(slot)
            {
                *seen = *used;
            }
        }
    }

    #[test]
    fn what_a_query_reads_stays_until_it_is_over() {
        let hot = hot(room(3));
        let reader = hot.reader();
        let kept = (0..9).filter(|series| keep(&reader, *series)).count();
        assert_eq!(kept, 3);
        // Nor does another query take it.
        assert!(!keep(&hot.reader(), 9));
        drop(reader);
        assert!((0..3).all(|series| is_kept(&hot.reader(), series)));
        assert!(keep(&hot.reader(), 9));
    }

    #[test]
    fn a_query_that_finds_no_room_stops_looking() {
        let hot = hot(room(3));
        let reader = hot.reader();
        assert_eq!((0..100).filter(|series| keep(&reader, *series)).count(), 3);
        assert_eq!(reader.refused.load(Ordering::Relaxed), MOST_REFUSED);
        assert!(is_kept(&reader, 2));
    }

    #[test]
    fn nothing_is_counted_in_the_end() {
        let hot = hot(room(2));
        (0..100).for_each(|series| assert!(keep(&hot.reader(), series)));
        assert!(hot.statistics().bytes <= hot.budget);
        let HotColumns { total, blocks, .. } = hot;
        drop(blocks);
        assert_eq!(total.load(Ordering::Relaxed), PLACES * size_of::<Slot>());
    }
}
