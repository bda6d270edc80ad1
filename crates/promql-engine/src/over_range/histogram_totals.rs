//! `sum_over_time` and `avg_over_time` of native histograms.
//!
//! Sums are compensated, and nothing can be subtracted from a compensated sum without losing what it
//! is compensated for. So a window slides by two stacks: of its older samples there are the sums of
//! the last one, the last two and so on, of which the next step takes the one that is as long as it
//! needs; the newer samples are in one sum, to which the next step adds. When the older samples have
//! left the window, the newer ones become the older ones. Each sample is thus added twice, and each
//! step adds two sums, however long the window is. The order of additions differs from upstream's,
//! which matters as little as anything does to a compensated sum: in the last digit.
//!
//! This needs histograms that can be added in any order. Where resolution, zero bucket or bounds
//! differ, what comes of adding depends on the order; a sum that may become infinite has to do so
//! where upstream's does; and where numbers differ by more than the digits of one float, as in the
//! sum of 1e100, 1 and -1e100, it is a matter of the order what compensation can save. Such series,
//! and short windows, are added up anew for each step.

use promql_model::{
    CompensatedHistogram, CounterResetHint, FloatHistogram, HistogramError, HistogramMean,
};

use super::{HistogramNotes, Windowed};
use crate::EngineError;
use crate::column::Column;

/// Windows of no more samples than these are added up faster than slid.
const SHORT_WINDOW: usize = 5;

/// What is made of the histograms of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Total {
    Sum,
    Mean,
}

/// Computes the windows that have histograms alone.
pub(super) fn total(
    windowed: &Windowed<'_>,
    total: Total,
    out: &mut Column,
    notes: &mut HistogramNotes,
) -> Result<(), EngineError> {
    let histograms = windowed.samples.histograms;
    let longest = windowed.histogram_table.longest;
    if longest <= SHORT_WINDOW || !add_in_any_order(histograms) {
        anew(windowed, total, out, notes);
        return Ok(());
    }
    let largest = histograms.iter().map(FloatHistogram::bucket_count).max().unwrap_or(0);
    // Count, sum and zero bucket are numbers, too, and there are a few bytes beside the numbers.
    let bytes = (largest + 16).saturating_mul(size_of::<promql_model::Compensated>());
    let _held = windowed.limits.hold_bytes(bytes.saturating_mul(longest + 2))?;
    slide(windowed, total, out, notes);
    Ok(())
}

/// How many times as large as the smallest number the largest may be. What a compensated sum loses is
/// the square of a float's precision (2^-106) times the largest number, and so less than the last
/// digit of the smallest one.
const WIDEST_RANGE: f64 = (1u64 << 50) as f64;

/// Whether it doesn't matter for the sum of any of these in which order they are added.
fn add_in_any_order(histograms: &[FloatHistogram]) -> bool {
    let Some(first) = histograms.first() else { return true };
    let (mut smallest, mut largest) = (f64::INFINITY, 0.0_f64);
    for histogram in histograms {
        let Some((small, large)) = histogram.sizes() else { return false };
        (smallest, largest) = (smallest.min(small), largest.max(large));
    }
    largest <= smallest * WIDEST_RANGE
        && largest < f64::MAX / 4.0 / histograms.len() as f64
        && histograms.iter().all(|other| other.measures_like(first))
}

/// The sums of the samples of a window.
#[derive(Default)]
struct TwoStacks {
    /// Sums of the last, the last two, … of the samples before `middle`; those from `older` on are
    /// of former windows and kept for their memory.
    sums: Vec<CompensatedHistogram>,
    /// How many samples of the window are before `middle`.
    older: usize,
    middle: usize,
    /// The sum of the samples from `middle` to `end`, if there are any.
    newer: CompensatedHistogram,
    end: usize,
    /// The sum of the window.
    whole: CompensatedHistogram,
}

impl TwoStacks {
    /// Goes on to a window that begins and ends no earlier than the one before, and isn't empty.
    fn slide(
        &mut self,
        histograms: &[FloatHistogram],
        window: std::ops::Range<usize>,
    ) -> Result<&mut CompensatedHistogram, HistogramError> {
        if window.start >= self.middle {
            self.stack(&histograms[window.clone()])?;
            self.middle = window.end;
        } else {
            self.older = self.middle - window.start;
            for (at, entering) in (self.end..).zip(&histograms[self.end..window.end]) {
                if at == self.middle {
                    self.newer.set_to_float(entering);
                } else {
                    let _ = self.newer.add(entering)?;
                }
            }
        }
        self.end = window.end;
        self.whole.clone_from(&self.sums[self.older - 1]);
        if self.end > self.middle {
            let _ = self.whole.merge(&self.newer)?;
        }
        Ok(&mut self.whole)
    }

    /// Puts the samples of a window on the stack of the older ones, the newest at the bottom.
    fn stack(&mut self, histograms: &[FloatHistogram]) -> Result<(), HistogramError> {
        self.older = histograms.len();
        if self.sums.len() < self.older {
            self.sums.resize_with(self.older, CompensatedHistogram::default);
        }
        for (at, histogram) in histograms.iter().rev().enumerate() {
            match self.sums[..=at].split_last_mut() {
                Some((sum, [.., before])) => {
                    sum.clone_from(before);
                    let _ = sum.add(histogram)?;
                }
                Some((sum, [])) => sum.set_to_float(histogram),
                None => {}
            }
        }
        Ok(())
    }
}

fn slide(windowed: &Windowed<'_>, total: Total, out: &mut Column, notes: &mut HistogramNotes) {
    let histograms = windowed.samples.histograms;
    let up_to = |hint: CounterResetHint| {
        super::over_time::running_count(histograms.len() + 1, |at| histograms[at - 1].hint == hint)
    };
    let (resets, not_resets) = (up_to(CounterResetHint::Reset), up_to(CounterResetHint::NotReset));
    let mut stacks = TwoStacks::default();
    windowed.each_histogram_window(|step, window| {
        if windowed.has_floats(step) {
            notes.mixed_types = true;
            out.remove(step);
            return;
        }
        let any = |counts: &[u32]| counts[window.end] > counts[window.start];
        notes.collided |= any(&resets) && any(&not_resets);
        let length = window.len();
        match stacks.slide(histograms, window) {
            Ok(whole) => {
                if total == Total::Mean {
                    whole.divide(length as f64);
                }
                whole.write_to(out.histogram_slot(step));
            }
            // Their bounds are the same, so this can't be.
            Err(_) => notes.mixed_kinds = true,
        }
    });
}

fn anew(windowed: &Windowed<'_>, total: Total, out: &mut Column, notes: &mut HistogramNotes) {
    windowed.each_histogram_window(|step, window| {
        if windowed.has_floats(step) {
            notes.mixed_types = true;
            out.remove(step);
            return;
        }
        let histograms = &windowed.samples.histograms[window];
        let mut found = HistogramNotes::default();
        let of = match total {
            Total::Sum => sum,
            Total::Mean => mean,
        };
        match of(histograms, &mut found) {
            Ok(total) => {
                let any = |hint| histograms.iter().any(|histogram| histogram.hint == hint);
                found.collided = any(CounterResetHint::Reset) && any(CounterResetHint::NotReset);
                notes.join(&found);
                out.set_histogram(step, total);
            }
            // Nothing else is said of such a window.
            Err(_) => notes.mixed_kinds = true,
        }
    });
}

fn sum(
    histograms: &[FloatHistogram],
    notes: &mut HistogramNotes,
) -> Result<FloatHistogram, HistogramError> {
    let mut sum = CompensatedHistogram::from_float(&histograms[0]);
    for histogram in &histograms[1..] {
        notes.aggregated |= sum.add(histogram)?.bounds_reconciled;
    }
    Ok(sum.to_float())
}

fn mean(
    histograms: &[FloatHistogram],
    notes: &mut HistogramNotes,
) -> Result<FloatHistogram, HistogramError> {
    let mut mean = HistogramMean::new(&histograms[0]);
    for histogram in &histograms[1..] {
        notes.aggregated |= mean.add(histogram)?.bounds_reconciled;
    }
    Ok(mean.value())
}
