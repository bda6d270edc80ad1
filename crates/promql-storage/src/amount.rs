//! How much of a source has been read, for another thread that shows it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts bytes while they are read. Whoever reads writes it, and anyone may look.
#[derive(Debug, Default)]
pub struct Amount {
    done: AtomicU64,
    total: AtomicU64,
}

impl Amount {
    /// The bytes that have been read.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// The bytes there are, once that is known.
    pub fn total(&self) -> Option<u64> {
        Some(self.total.load(Ordering::Relaxed)).filter(|total| *total > 0)
    }

    /// Begins to read so many bytes; 0 if nobody knows how many.
    pub(crate) fn begin(&self, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Tells how far the reading came.
    pub(crate) fn reach(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }
}
