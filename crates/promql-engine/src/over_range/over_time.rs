//! The functions that end in `_over_time`, but for those that need the samples sorted, and others
//! that count or scan the samples of a window.

use super::rate::start_shows_reset;
use super::sliding::{CompensatedSum, Extreme, Outermost, Spread, TwoStacks};
use super::{Windowed, seconds};
use crate::arithmetic::mean;
use crate::column::Column;
use crate::storage::Samples;

pub(super) fn sum(windowed: &Windowed<'_>, out: &mut Column) {
    let values = windowed.samples.values;
    let mut stacks = TwoStacks::<CompensatedSum>::default();
    windowed.each(out, |_, window| Some(stacks.over(window, |k| values[k]).value()));
}

/// The mean: from the compensated sum, unless that overflows. Then the mean is formed from the
/// window's samples one by one as upstream does it; a window with an infinity takes the same way.
pub(super) fn avg(windowed: &Windowed<'_>, out: &mut Column) {
    let values = windowed.samples.values;
    let mut stacks = TwoStacks::<CompensatedSum>::default();
    windowed.each(out, |_, window| {
        let count = window.len() as f64;
        let total = stacks.over(window.clone(), |k| values[k]);
        Some(if total.sum.is_infinite() {
            mean(&values[window])
        } else {
            total.sum / count + total.compensation / count
        })
    });
}

pub(super) fn min(windowed: &Windowed<'_>, out: &mut Column) {
    outermost::<false>(windowed, out);
}

pub(super) fn max(windowed: &Windowed<'_>, out: &mut Column) {
    outermost::<true>(windowed, out);
}

fn outermost<const LARGEST: bool>(windowed: &Windowed<'_>, out: &mut Column) {
    let values = windowed.samples.values;
    let mut stacks = TwoStacks::<Outermost<LARGEST>>::default();
    windowed.each(out, |_, window| {
        let Outermost(found) = stacks.over(window.clone(), |k| values[k]);
        if found != Outermost::<LARGEST>::NOTHING {
            return Some(found);
        }
        // There is nothing but NaN, of which the first counts, and the worst of all numbers maybe.
        let window = &values[window];
        window.iter().find(|value| !value.is_nan()).or(window.first()).copied()
    });
}

/// When the smallest value was last seen.
pub(super) fn ts_of_min(windowed: &Windowed<'_>, out: &mut Column) {
    time_of_extreme(windowed, out, |new, old| new <= old);
}

/// When the largest value was last seen.
pub(super) fn ts_of_max(windowed: &Windowed<'_>, out: &mut Column) {
    time_of_extreme(windowed, out, |new, old| new >= old);
}

fn time_of_extreme(windowed: &Windowed<'_>, out: &mut Column, replaces: impl Fn(f64, f64) -> bool) {
    let values = windowed.samples.values;
    let mut extreme = Extreme::default();
    windowed.each(out, |_, window| {
        let last = window.end - 1;
        let position = extreme.over(window, values, &replaces).unwrap_or(last);
        Some(seconds(windowed.samples.timestamps[position]))
    });
}

pub(super) fn stdvar(windowed: &Windowed<'_>, out: &mut Column) {
    let values = windowed.samples.values;
    let mut stacks = TwoStacks::<Spread>::default();
    windowed.each(out, |_, window| Some(stacks.over(window, |k| values[k]).variance()));
}

pub(super) fn stddev(windowed: &Windowed<'_>, out: &mut Column) {
    stdvar(windowed, out);
    out.map(f64::sqrt);
}

pub(super) fn changes(windowed: &Windowed<'_>, out: &mut Column) {
    let values = windowed.samples.values;
    count_transitions(windowed, out, |k| is_change(values, k));
}

pub(super) fn resets(windowed: &Windowed<'_>, out: &mut Column) {
    count_transitions(windowed, out, |k| is_reset(&windowed.samples, k));
}

/// Whether a sample differs from the one before. NaN is equal to NaN here.
pub(super) fn is_change(values: &[f64], k: usize) -> bool {
    let (before, now) = (values[k - 1], values[k]);
    now != before && !(now.is_nan() && before.is_nan())
}

/// Whether a counter was reset before a sample, as its value or its start timestamp shows.
pub(super) fn is_reset(samples: &Samples<'_>, k: usize) -> bool {
    let start = |k: usize| samples.start_timestamps.get(k).copied().unwrap_or(0);
    let at = |k: usize| (start(k), samples.timestamps[k]);
    samples.values[k] < samples.values[k - 1] || start_shows_reset(at(k - 1), at(k))
}

/// Counts the samples of each window that differ in some way from the one before, if that is in the
/// window, too.
fn count_transitions(windowed: &Windowed<'_>, out: &mut Column, differs: impl Fn(usize) -> bool) {
    let counts = running_count(windowed.samples.values.len(), differs);
    windowed.each(out, |_, window| Some(f64::from(counts[window.end - 1] - counts[window.start])));
}

/// For each sample how many up to it differ from the one before. Whole numbers can be subtracted
/// from each other, so these are enough for any window.
pub(super) fn running_count(samples: usize, differs: impl Fn(usize) -> bool) -> Vec<u32> {
    let mut count = 0_u32;
    (0..samples)
        .map(|k| {
            count += u32::from(k > 0 && differs(k));
            count
        })
        .collect()
}
