//! Columns of several runs, one behind the other.
//!
//! A query over some hours reads each series from the runs of several blocks, which have to become one
//! column. The values are copied. The timestamps are those of all series of a target, so they are put
//! together once for a query, and known by a number that operations remember them by.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use promql_engine::{KnownFloats, LentColumns, SampleBuffer, SharedTimestamps};

use super::run::Run;

/// Of more runs the timestamps are copied for each series.
const MOST_RUNS: usize = 16;

/// So many timestamps are kept by a query, which are 2 MiB: those of a hundred targets over two hours of
/// samples every 15 seconds take a third of a megabyte.
const MOST_TIMESTAMPS: usize = 1 << 18;

/// The runs of one series that were read so far, if there is nothing else. Their values are in the
/// reader's buffer, their timestamps are not.
#[derive(Default)]
pub(super) struct Runs {
    /// With the positions that are needed of each.
    runs: Vec<(Arc<Run>, Range<usize>)>,
    /// The last timestamp.
    last: Option<i64>,
}

impl Runs {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds what is needed of a run behind the others. Says whether it could be added: it has to be later
    /// than they are.
    pub(super) fn add(
        &mut self,
        run: &Arc<Run>,
        needed: &Range<usize>,
        buffer: &mut SampleBuffer,
    ) -> bool {
        let Some([first, .., last] | [first @ last]) = run.timestamps().get(needed.clone()) else {
            return false;
        };
        if self.last >= Some(*first) || self.runs.len() == MOST_RUNS {
            return false;
        }
        self.last = Some(*last);
        run.copy_values(needed.clone(), &mut buffer.values);
        self.runs.push((Arc::clone(run), needed.clone()));
        true
    }

    /// What was needed of each run.
    pub(super) fn needed(&self) -> impl Iterator<Item = &Range<usize>> {
        self.runs.iter().map(|(_, needed)| needed)
    }

    /// Puts the timestamps into the buffer, too, since something else follows.
    pub(super) fn settle(&mut self, buffer: &mut SampleBuffer) {
        for (run, range) in self.runs.drain(..) {
            buffer.timestamps.extend_from_slice(&run.timestamps()[range]);
        }
    }
}

/// A piece of the timestamps of a run: their number, and the positions.
type Piece = (u64, usize, usize);

/// The timestamps that were put together for a query.
#[derive(Default)]
pub(super) struct Joined {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// By a hash of the pieces.
    columns: HashMap<u64, (Box<[Piece]>, Arc<JoinedTimestamps>)>,
    /// How many they are in all columns.
    timestamps: usize,
}

impl Joined {
    /// Gives the values in the buffer the timestamps of the runs that they are from. Says whether it
    /// did: a query keeps no more of them than there is room for.
    pub(super) fn lend(&self, runs: &Runs, buffer: &mut SampleBuffer) -> bool {
        match self.timestamps(runs) {
            Some(timestamps) => {
                buffer.has_no_nan = runs.runs.iter().all(|(run, _)| run.has_no_nan());
                buffer.lent_timestamps = Some((timestamps, 0));
                true
            }
            None => false,
        }
    }

    fn timestamps(&self, Runs { runs, .. }: &Runs) -> Option<Arc<JoinedTimestamps>> {
        let mut pieces = [(0, 0, 0); MOST_RUNS];
        let pieces = pieces.get_mut(..runs.len())?;
        let mut hash = 0_u64;
        for (piece, (run, range)) in pieces.iter_mut().zip(runs) {
            *piece = (run.number(), range.start, range.end);
            let place = (range.start as u64) << 32 ^ range.end as u64;
            for part in [run.number(), place] {
                hash = (hash ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
            }
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, timestamps)) = known.columns.get(&hash) {
            return (**of == *pieces).then(|| Arc::clone(timestamps));
        }
        let count: usize = runs.iter().map(|(_, range)| range.len()).sum();
        if known.timestamps + count > MOST_TIMESTAMPS {
            return None;
        }
        known.timestamps += count;
        let mut timestamps = Vec::with_capacity(count);
        for (run, range) in runs {
            timestamps.extend_from_slice(&run.timestamps()[range.clone()]);
        }
        let timestamps = Arc::new(JoinedTimestamps(SharedTimestamps::new(timestamps)));
        known.columns.insert(hash, (Box::from(&*pieces), Arc::clone(&timestamps)));
        Some(timestamps)
    }
}

/// Timestamps without values.
#[derive(Debug)]
struct JoinedTimestamps(SharedTimestamps);

impl LentColumns for JoinedTimestamps {
    fn timestamps(&self) -> &[i64] {
        &self.0
    }

    fn values(&self) -> &[f64] {
        &[]
    }

    fn known(&self) -> KnownFloats {
        KnownFloats::of(&self.0, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tsdb::hot::{Found, HotColumns, RunId};

    /// Reads pieces of runs, if they can be one column, and checks that they are.
    fn read(joined: &Joined, pieces: &[(&Arc<Run>, Range<usize>)]) -> Option<KnownFloats> {
        let (mut runs, mut buffer) = (Runs::default(), SampleBuffer::default());
        if !pieces.iter().all(|(run, range)| runs.add(run, range, &mut buffer)) {
            return None;
        }
        let times: Vec<i64> = pieces
            .iter()
            .flat_map(|(run, range)| &run.timestamps()[range.clone()])
            .copied()
            .collect();
        let values: Vec<f64> = times.iter().map(|time| *time as f64 / 8.0).collect();
        let lent = joined.lend(&runs, &mut buffer);
        if !lent {
            runs.settle(&mut buffer);
        }
        let samples = buffer.samples();
        assert_eq!((samples.timestamps, samples.values), (&*times, &*values));
        lent.then_some(samples.known)
    }

    #[test]
    fn timestamps_are_put_together_once_for_all_series_of_a_target() {
        let hot = HotColumns::new(1 << 20, 1);
        hot.make_places(0, 8);
        let reader = hot.reader();
        let run = |number: usize, start: i64| {
            let times: Vec<i64> = (0..100).map(|n| start + n).collect();
            let values: Vec<f64> = times.iter().map(|time| *time as f64 / 8.0).collect();
            let id = RunId { block: 0, run: number };
            reader.insert(id, &times, &values);
            let Found::Run(run) = reader.get(id) else { panic!("it is kept") };
            run
        };
        // Two series of one target in two blocks, and one of another target.
        let [a, b] = [[run(0, 0), run(1, 100)], [run(2, 0), run(3, 100)]];
        let other = [run(4, 5), run(5, 105)];
        let joined = Joined::default();
        let of = |[first, second]: &[Arc<Run>; 2], start, end| {
            read(&joined, &[(first, start..100), (second, 0..end)]).expect("it is lent")
        };
        assert_eq!(of(&a, 90, 50), of(&b, 90, 50));
        assert_ne!(of(&a, 90, 50), of(&a, 91, 50));
        assert_ne!(of(&a, 90, 50), of(&other, 90, 50));
        // What doesn't follow is not joined, nor are more runs than there is a place for.
        assert_eq!(read(&joined, &[(&a[1], 0..10), (&a[0], 0..10)]), None);
        assert_eq!(read(&joined, &[(&a[0], 0..10), (&other[0], 4..10)]), None);
        let many: Vec<_> = (0..=MOST_RUNS).map(|at| (&a[0], at..at + 1)).collect();
        assert_eq!(read(&joined, &many), None);
        assert!(read(&joined, &many[1..]).is_some());
        // Nor more timestamps than a query keeps.
        let full = Joined::default();
        full.known.lock().expect("nobody panicked").timestamps = MOST_TIMESTAMPS - 20;
        assert!(read(&full, &[(&a[0], 80..100), (&a[1], 0..1)]).is_none());
        assert!(read(&full, &[(&a[0], 80..99), (&a[1], 0..1)]).is_some());
        assert!(read(&full, &[(&a[0], 80..99), (&a[1], 1..2)]).is_none());
    }
}
