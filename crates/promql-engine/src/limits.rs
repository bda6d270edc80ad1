//! What a query may take: samples, time, and the patience of whoever asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::{Cancellation, EngineError};

/// Watches one query.
#[derive(Debug)]
pub(crate) struct Limits {
    max_samples: usize,
    /// The samples in columns that are kept.
    held: AtomicUsize,
    deadline: Option<(Instant, Duration)>,
    cancellation: Cancellation,
}

impl Limits {
    pub(crate) fn new(
        max_samples: usize,
        timeout: Option<Duration>,
        cancellation: Cancellation,
    ) -> Limits {
        let deadline = timeout.and_then(|t| Some((Instant::now().checked_add(t)?, t)));
        Limits { max_samples, held: AtomicUsize::new(0), deadline, cancellation }
    }

    pub(crate) fn max_samples(&self) -> usize {
        self.max_samples
    }

    pub(crate) fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// Lets the query end here if it was cancelled or its time is over.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        if self.cancellation.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        match self.deadline {
            Some((deadline, limit)) if Instant::now() >= deadline => {
                Err(EngineError::Timeout { limit })
            }
            _ => Ok(()),
        }
    }

    /// Counts samples that are kept as long as the result lives.
    pub(crate) fn hold(&self, samples: usize) -> Result<Held<'_>, EngineError> {
        let held = Held { limits: self, samples };
        let all = self.held.fetch_add(samples, Ordering::Relaxed).saturating_add(samples);
        if all > self.max_samples { Err(self.too_many()) } else { Ok(held) }
    }

    /// Whether this many samples fit beside those that are kept.
    pub(crate) fn allow(&self, samples: usize) -> Result<(), EngineError> {
        match self.held.load(Ordering::Relaxed).checked_add(samples) {
            Some(all) if all <= self.max_samples => Ok(()),
            _ => Err(self.too_many()),
        }
    }

    fn too_many(&self) -> EngineError {
        EngineError::TooManySamples { limit: self.max_samples }
    }
}

/// Samples that are kept in memory. Dropping it says that they are not any more.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    limits: &'a Limits,
    samples: usize,
}

impl Held<'_> {
    /// Counts more samples.
    pub(crate) fn grow(&mut self, samples: usize) -> Result<(), EngineError> {
        let mut more = self.limits.hold(samples)?;
        self.samples += std::mem::take(&mut more.samples);
        Ok(())
    }
}

impl Held<'_> {
    /// Counts so many samples as not kept any more.
    pub(crate) fn shrink(&mut self, samples: usize) {
        self.samples -= samples;
        self.limits.held.fetch_sub(samples, Ordering::Relaxed);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.limits.held.fetch_sub(self.samples, Ordering::Relaxed);
    }
}
