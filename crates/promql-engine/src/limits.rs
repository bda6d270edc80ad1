//! What a query may take: samples, memory, time, and the patience of whoever asked.
//!
//! What counts is what is kept: the columns of a result, of a group, of a side of a match, the
//! samples of the window that a function is looking at. What streams through does not, apart from
//! the memory of the batch that is under way. A float weighs one sample and a native histogram as
//! many as its memory has room for, as upstream weighs them. Upstream keeps every operand with all its
//! steps, so a limit that is enough there is enough here, but for the moment at which a result is
//! held twice: as columns, and as the points that are made of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::{Cancellation, EngineError, EngineOptions};

/// How many rounds of a tight loop may pass between two looks at whether the query is to end. Takes
/// well below a millisecond.
pub(crate) const ROUNDS: usize = 1 << 14;

/// How many tasks of a query may pass between two looks at the clock.
const TASKS: usize = 8;

/// Watches one query.
#[derive(Debug)]
pub(crate) struct Limits {
    samples: Gauge,
    bytes: Gauge,
    start: Instant,
    timeout: Option<Duration>,
    cancellation: Cancellation,
    /// How often it was looked at whether the query is to end.
    #[cfg(test)]
    checks: AtomicUsize,
}

/// Something that is held, and how much of it there may be at one time.
#[derive(Debug)]
struct Gauge {
    limit: usize,
    held: AtomicUsize,
    peak: AtomicUsize,
}

impl Gauge {
    fn new(limit: usize) -> Gauge {
        Gauge { limit, held: AtomicUsize::new(0), peak: AtomicUsize::new(0) }
    }

    /// Counts more. Gives how much there is now if that is too much.
    fn add(&self, more: usize) -> Result<(), usize> {
        // Most that is counted is nothing, for each series, and threads would wait for the counter.
        if more == 0 {
            return Ok(());
        }
        let all = self.held.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        self.reached(all)
    }

    /// As if there were more for a moment.
    fn touch(&self, more: usize) -> Result<(), usize> {
        self.reached(self.held.load(Ordering::Relaxed).saturating_add(more))
    }

    fn reached(&self, all: usize) -> Result<(), usize> {
        if all > self.peak.load(Ordering::Relaxed) {
            self.peak.fetch_max(all, Ordering::Relaxed);
        }
        if all > self.limit { Err(all) } else { Ok(()) }
    }

    fn remove(&self, less: usize) {
        if less == 0 {
            return;
        }
        self.held.fetch_sub(less, Ordering::Relaxed);
    }
}

impl Limits {
    pub(crate) fn new(options: &EngineOptions, cancellation: Cancellation) -> Limits {
        Limits {
            samples: Gauge::new(options.max_samples),
            bytes: Gauge::new(options.max_bytes.unwrap_or(usize::MAX)),
            start: Instant::now(),
            timeout: options.timeout,
            cancellation,
            #[cfg(test)]
            checks: AtomicUsize::new(0),
        }
    }

    pub(crate) fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    #[cfg(test)]
    pub(crate) fn checks(&self) -> usize {
        self.checks.load(Ordering::Relaxed)
    }

    /// Since when the query runs.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// The most samples and bytes that were held at one time.
    pub(crate) fn peaks(&self) -> (usize, usize) {
        let peak = |gauge: &Gauge| gauge.peak.load(Ordering::Relaxed);
        (peak(&self.samples), peak(&self.bytes))
    }

    /// Lets the query end here if it was cancelled or its time is over.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        #[cfg(test)]
        self.checks.fetch_add(1, Ordering::Relaxed);
        self.check_cancellation()?;
        let Some(limit) = self.timeout else { return Ok(()) };
        let elapsed = self.start.elapsed();
        match elapsed >= limit {
            true => Err(EngineError::Timeout { limit, elapsed }),
            false => Ok(()),
        }
    }

    /// Lets the query end here if it was cancelled, whatever the time.
    pub(crate) fn check_cancellation(&self) -> Result<(), EngineError> {
        if self.cancellation.is_cancelled() { Err(EngineError::Cancelled) } else { Ok(()) }
    }

    /// [`Limits::check`] before a task. Tasks of many series are small, and to look at the clock takes
    /// longer than to read the last sample of one, so that is done before every few only. A task that
    /// takes long looks by itself.
    pub(crate) fn check_task(&self, index: usize) -> Result<(), EngineError> {
        if index.is_multiple_of(TASKS) { self.check() } else { self.check_cancellation() }
    }

    /// [`Limits::check`] every so many rounds of a loop.
    pub(crate) fn check_round(&self, round: usize) -> Result<(), EngineError> {
        if round.is_multiple_of(ROUNDS) { self.check() } else { Ok(()) }
    }

    /// Collects what may be a million label sets, looking now and then at whether the query is to end.
    pub(crate) fn collect<T, C: FromIterator<T>>(
        &self,
        items: impl IntoIterator<Item = T>,
    ) -> Result<C, EngineError> {
        let items = items.into_iter().enumerate();
        items.map(|(round, item)| self.check_round(round).map(|()| item)).collect()
    }

    /// Counts samples that are kept as long as the result lives.
    pub(crate) fn hold(&self, samples: usize) -> Result<Held<'_>, EngineError> {
        let mut held = Held { limits: self, samples: 0, bytes: 0 };
        held.grow(samples)?;
        Ok(held)
    }

    /// Counts memory that is kept as long as the result lives.
    pub(crate) fn hold_bytes(&self, bytes: usize) -> Result<Held<'_>, EngineError> {
        let mut held = Held { limits: self, samples: 0, bytes: 0 };
        held.grow_bytes(bytes)?;
        Ok(held)
    }

    /// Counts memory that is kept until the query ends.
    pub(crate) fn keep_bytes(&self, bytes: usize) -> Result<(), EngineError> {
        self.bytes.add(bytes).map_err(|reached| self.too_many_bytes(reached))
    }

    /// Whether this many samples fit beside those that are kept.
    pub(crate) fn allow(&self, samples: usize) -> Result<(), EngineError> {
        self.samples.touch(samples).map_err(|reached| self.too_many_samples(reached))
    }

    /// The failure when so many samples would be held.
    pub(crate) fn too_many_samples(&self, reached: usize) -> EngineError {
        EngineError::TooManySamples { limit: self.samples.limit, reached, span: None }
    }

    fn too_many_bytes(&self, reached: usize) -> EngineError {
        EngineError::TooManyBytes { limit: self.bytes.limit, reached, span: None }
    }

    /// Sorts stably, looking now and then at whether the query is to end.
    pub(crate) fn sort_by<T>(
        &self,
        items: &mut Vec<T>,
        mut compare: impl FnMut(&T, &T) -> std::cmp::Ordering,
    ) -> Result<(), EngineError> {
        for run in items.chunks_mut(ROUNDS / 4) {
            self.check()?;
            run.sort_by(&mut compare);
        }
        // Neighbouring runs are merged until there is one.
        let mut sorted = ROUNDS / 4;
        while sorted < items.len() {
            let mut rest = std::mem::take(items).into_iter();
            let mut merged = Vec::with_capacity(rest.len());
            while rest.len() > 0 {
                let left: Vec<T> = rest.by_ref().take(sorted).collect();
                let right: Vec<T> = rest.by_ref().take(sorted).collect();
                let (mut left, mut right) = (left.into_iter(), right.into_iter());
                let (mut a, mut b) = (left.next(), right.next());
                loop {
                    self.check_round(merged.len())?;
                    (a, b) = match (a, b) {
                        (Some(x), Some(y)) if compare(&x, &y).is_le() => {
                            merged.push(x);
                            (left.next(), Some(y))
                        }
                        (x, Some(y)) => {
                            merged.push(y);
                            (x, right.next())
                        }
                        (Some(x), None) => {
                            merged.push(x);
                            (left.next(), None)
                        }
                        (None, None) => break,
                    };
                }
            }
            *items = merged;
            sorted *= 2;
        }
        Ok(())
    }
}

/// For loops that stop when the query is to end, and whose caller then finds out that it is. Looks
/// at the clock only after some work, since that costs more than a step of most kernels.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    work: usize,
}

impl Patience {
    /// Whether the query is to end. `samples` are looked at in the next round.
    #[inline]
    pub(crate) fn is_over(&mut self, limits: &Limits, samples: usize) -> bool {
        self.work += samples + 1;
        if self.work < ROUNDS {
            return limits.cancellation.is_cancelled();
        }
        self.work = 0;
        limits.check().is_err()
    }
}

/// Samples and memory that are kept. Dropping it says that they are not any more.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    limits: &'a Limits,
    samples: usize,
    bytes: usize,
}

impl Held<'_> {
    /// The memory that is counted here.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts more samples.
    pub(crate) fn grow(&mut self, samples: usize) -> Result<(), EngineError> {
        self.samples += samples;
        self.limits.samples.add(samples).map_err(|reached| self.limits.too_many_samples(reached))
    }

    /// Counts so many samples as not kept any more.
    pub(crate) fn shrink(&mut self, samples: usize) {
        let samples = samples.min(self.samples);
        self.samples -= samples;
        self.limits.samples.remove(samples);
    }

    /// Counts more memory.
    pub(crate) fn grow_bytes(&mut self, bytes: usize) -> Result<(), EngineError> {
        self.bytes += bytes;
        self.limits.bytes.add(bytes).map_err(|reached| self.limits.too_many_bytes(reached))
    }

    /// Counts so much memory as not kept any more.
    pub(crate) fn shrink_bytes(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.limits.bytes.remove(bytes);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.limits.samples.remove(self.samples);
        self.limits.bytes.remove(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(options: &EngineOptions) -> Limits {
        Limits::new(options, Cancellation::default())
    }

    #[test]
    fn what_is_held_is_counted_until_it_is_dropped() {
        let options =
            EngineOptions { max_samples: 10, max_bytes: Some(100), ..EngineOptions::default() };
        let limits = limits(&options);
        let mut held = limits.hold(6).expect("fits");
        let other = limits.hold(4).expect("exactly the limit fits");
        assert!(matches!(
            held.grow(1),
            Err(EngineError::TooManySamples { limit: 10, reached: 11, .. })
        ));
        drop(other);
        held.shrink(4);
        assert!(limits.allow(7).is_ok());
        assert!(limits.allow(8).is_err());
        held.grow_bytes(60).expect("fits");
        assert!(matches!(
            limits.hold_bytes(41),
            Err(EngineError::TooManyBytes { limit: 100, reached: 101, .. })
        ));
        held.shrink_bytes(20);
        assert!(limits.hold_bytes(60).is_ok());
        assert_eq!(limits.peaks(), (11, 101));
    }

    #[test]
    fn sorting_is_stable_and_can_be_ended() {
        let limits = limits(&EngineOptions::default());
        for len in [0, 1, 100, ROUNDS / 4, 3 * ROUNDS + 17] {
            let items: Vec<(usize, usize)> = (0..len).map(|k| (k * 7919 % 101, k)).collect();
            let (mut ours, mut expected) = (items.clone(), items);
            limits.sort_by(&mut ours, |a, b| a.0.cmp(&b.0)).expect("not ended");
            expected.sort_by_key(|item| item.0);
            assert_eq!(ours, expected);
        }
        let mut items: Vec<usize> = (0..10 * ROUNDS).rev().collect();
        let mut compared = 0_usize;
        let ended = limits.sort_by(&mut items, |a, b| {
            compared += 1;
            if compared == 1000 {
                limits.cancellation().cancel();
            }
            a.cmp(b)
        });
        assert!(matches!(ended, Err(EngineError::Cancelled)));
        assert!(compared < 16 * ROUNDS, "{compared}");
    }
}
