//! A run of decoded samples in memory, and what it takes.

use std::ops::{Deref, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use promql_engine::{KnownFloats, LentColumns, SharedTimestamps};

/// About what a run takes besides its samples, in bytes.
pub(super) const OVERHEAD: usize = 80;

/// Memory that is counted as long as it is there.
#[derive(Debug)]
pub(super) struct Counted<C> {
    all: C,
    bytes: usize,
    total: Arc<AtomicUsize>,
}

impl<C> Counted<C> {
    pub(super) fn new(all: C, bytes: usize, total: &Arc<AtomicUsize>) -> Counted<C> {
        let bytes = bytes + OVERHEAD;
        total.fetch_add(bytes, Ordering::Relaxed);
        Counted { all, bytes, total: Arc::clone(total) }
    }
}

impl<C> Deref for Counted<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.all
    }
}

impl<C> Drop for Counted<C> {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The timestamps of the series of a target.
pub(super) type Timestamps = Counted<SharedTimestamps>;

/// The values of a run.
#[derive(Debug)]
enum Values {
    Floats(Box<[f64]>),
    /// How far each is from one of them, if all are so far exactly: most counters are whole numbers, and
    /// so are most sizes.
    Offsets {
        base: f64,
        offsets: Box<[i32]>,
    },
}

impl Values {
    fn new(values: &[f64]) -> Values {
        let base = values.first().copied().unwrap_or_default();
        let offset = |value: &f64| (value - base) as i32;
        let is_exact = |value: &f64| (base + f64::from(offset(value))).to_bits() == value.to_bits();
        match values.iter().all(is_exact) {
            true => Values::Offsets { base, offsets: values.iter().map(offset).collect() },
            false => Values::Floats(values.into()),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Values::Floats(values) => size_of_val(&**values),
            Values::Offsets { offsets, .. } => size_of_val(&**offsets),
        }
    }
}

/// The samples of a run, all of them floats whose times ascend.
#[derive(Debug)]
pub(super) struct Run {
    times: Arc<Timestamps>,
    values: Counted<Values>,
    has_no_nan: bool,
}

impl Run {
    /// Takes values. Its memory counts in the total as long as it is there.
    pub(super) fn new(times: Arc<Timestamps>, values: &[f64], total: &Arc<AtomicUsize>) -> Run {
        let has_no_nan = !values.iter().fold(false, |any, value| any | value.is_nan());
        let values = Values::new(values);
        let bytes = values.bytes();
        Run { times, values: Counted::new(values, bytes, total), has_no_nan }
    }

    /// Which timestamps it has.
    pub(super) fn number(&self) -> u64 {
        self.times.number()
    }

    pub(super) fn has_no_nan(&self) -> bool {
        self.has_no_nan
    }

    /// Whether the values lie in memory as they are. Others can only be copied.
    pub(super) fn can_be_lent(&self) -> bool {
        matches!(*self.values, Values::Floats(_))
    }

    /// See [`Reader::expect`].
    pub(super) fn expect(&self, range: Range<usize>) {
        match &*self.values {
            Values::Floats(values) => prefetch(values.get(range).unwrap_or_default()),
            Values::Offsets { offsets, .. } => prefetch(offsets.get(range).unwrap_or_default()),
        }
    }

    /// Adds the values at some positions to others.
    pub(super) fn copy_values(&self, range: Range<usize>, to: &mut Vec<f64>) {
        match &*self.values {
            Values::Floats(values) => to.extend_from_slice(&values[range]),
            Values::Offsets { base, offsets } => {
                to.extend(offsets[range].iter().map(|offset| base + f64::from(*offset)));
            }
        }
    }
}

impl LentColumns for Run {
    fn timestamps(&self) -> &[i64] {
        &self.times
    }

    fn values(&self) -> &[f64] {
        match &*self.values {
            Values::Floats(values) => values,
            Values::Offsets { .. } => &[],
        }
    }

    fn known(&self) -> KnownFloats {
        KnownFloats::of(&self.times, self.has_no_nan)
    }
}

/// Lets the processor fetch what is about to be read. Runs lie anywhere in memory, so it can't know by
/// itself what comes next, and one that is not near takes longer to arrive than to be computed with.
pub(super) fn prefetch<T>(items: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

        const LINE: usize = 64;
        let start = items.as_ptr().cast::<i8>();
        for at in (0..size_of_val(items)).step_by(LINE).take(MOST_LINES) {
            // SAFETY: this is a hint and reads nothing, wherever it points.
            #[allow(unsafe_code)]
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(at));
            }
        }
    }
    let _ = items;
}

/// What comes behind them the processor fetches by itself.
const MOST_LINES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_so_far_from_each_other_take_half_the_memory() {
        let whole = [1e15, 1e15 + 7.0, 1e15 - 2e9];
        let stale = f64::from_bits(0x7ff0_0000_0000_0002);
        let cases: [(&[f64], usize); 8] = [
            (&[], 4),
            (&whole, 4),
            (&[0.5, 2.5, -3.5], 4),
            (&[0.0, -0.0], 8),
            (&[0.0, 0.1], 8),
            (&[0.0, 3e9], 8),
            (&[1.0, f64::INFINITY], 8),
            (&[1.0, stale], 8),
        ];
        for (values, bytes) in cases {
            let packed = Values::new(values);
            assert_eq!(packed.bytes(), bytes * values.len(), "{values:?}");
            let total = Arc::default();
            let times = Arc::new(Counted::new(SharedTimestamps::new([]), 0, &total));
            let run = Run::new(times, values, &total);
            let mut copied = Vec::new();
            run.copy_values(0..values.len(), &mut copied);
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&copied), bits(values));
        }
    }
}
