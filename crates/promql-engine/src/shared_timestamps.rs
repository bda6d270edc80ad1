//! Timestamps that many series share, and what else a storage knows before anybody looks.
//!
//! The series of a target are scraped together, so what an operation works out about the timestamps of
//! one of them serves all. To see that two columns are the same means to read both, though, which takes
//! longer than most of what is done with the values. A storage that has such a column but once gives it
//! a number, and then numbers are compared.

use std::num::NonZeroU64;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

/// Timestamps in milliseconds since the epoch, ascending, with a number that no others have.
#[derive(Debug)]
pub struct SharedTimestamps {
    all: Box<[i64]>,
    number: u64,
}

impl SharedTimestamps {
    /// Gives timestamps a number. It is never used again, also when they are gone.
    pub fn new(all: impl Into<Box<[i64]>>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        SharedTimestamps { all: all.into(), number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// The number.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl Deref for SharedTimestamps {
    type Target = [i64];

    fn deref(&self) -> &[i64] {
        &self.all
    }
}

/// What a storage knows about the floats that it gives and a reader would have to find out. Nothing by
/// default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownFloats {
    pub(crate) timestamps: Option<KnownTimestamps>,
    pub(crate) has_no_nan: bool,
}

/// Where in which shared timestamps a column begins. Two columns of the same length for which this is
/// the same are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownTimestamps {
    pub(crate) number: NonZeroU64,
    pub(crate) start: usize,
}

impl KnownFloats {
    /// Of floats that have these timestamps, all of them. `has_no_nan` says that no value is NaN, as
    /// staleness markers are.
    pub fn of(timestamps: &SharedTimestamps, has_no_nan: bool) -> KnownFloats {
        let timestamps = NonZeroU64::new(timestamps.number);
        let timestamps = timestamps.map(|number| KnownTimestamps { number, start: 0 });
        KnownFloats { timestamps, has_no_nan }
    }

    /// The same without the first so many floats. How many follow doesn't matter.
    #[must_use]
    pub fn behind(self, count: usize) -> KnownFloats {
        let behind =
            |known: KnownTimestamps| KnownTimestamps { start: known.start + count, ..known };
        KnownFloats { timestamps: self.timestamps.map(behind), ..self }
    }
}
