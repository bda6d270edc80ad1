//! `rate`, `increase` and `delta`, which share one extrapolation, and `irate` and `idelta`.
//!
//! The samples of a window rarely lie on its boundaries, so the difference between the last and the
//! first is scaled to the whole window. Upstream's rules: where a sample lies within 1.1 average
//! intervals of a boundary, the series is taken to continue up to it; otherwise it is taken to begin
//! or end half an interval past its last sample in the window. A counter is never extrapolated to
//! below zero.
//!
//! The factor depends on the timestamps alone, but for that last rule. It is computed once for all
//! series with the same timestamps ([`RateFactors`]); what remains for each series and step is a
//! difference, a product and a check whether the counter was so close to zero that the exact way has
//! to be gone. Where windows move by one sample a step that is a loop over slices.

use std::ops::Range;

use super::sliding::{CompensatedSum, Summary, TwoStacks};
use super::{Notes, Windowed, seconds};
use crate::column::Column;
use crate::window::{Piece, WindowTable, Windows};

/// Which of the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// By how much a counter rises in a second.
    Rate,
    /// By how much a counter rises in the window.
    Increase,
    /// By how much a gauge changes in the window.
    Delta,
}

impl Kind {
    pub(super) fn is_counter(self) -> bool {
        self != Kind::Delta
    }
}

/// What the rates of all series with the same timestamps have in common.
#[derive(Debug, Default)]
pub(crate) struct RateFactors {
    version: u64,
    /// For each step what the difference is multiplied by.
    factors: Vec<f64>,
    /// For each step the multiple of the increase below which a first value is so close to zero
    /// that it may limit the extrapolation. A bit too large, so that rounding does not matter.
    near_zero: Vec<f64>,
}

impl RateFactors {
    /// How much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        (self.factors.capacity() + self.near_zero.capacity()) * 8
    }

    fn update(&mut self, table: &WindowTable, windows: &Windows, timestamps: &[i64], kind: Kind) {
        if self.version == table.version {
            return;
        }
        self.version = table.version;
        for column in [&mut self.factors, &mut self.near_zero] {
            column.clear();
            column.reserve_exact(windows.len);
        }
        for step in 0..windows.len {
            let window = table.at(step);
            let (factor, near_zero) = match window.len() {
                0 | 1 => (f64::NAN, 0.0),
                _ => {
                    let gaps = Gaps::of(&timestamps[window], windows, step);
                    let near_zero = gaps.before / gaps.covered * (1.0 + 1e-9);
                    (gaps.factor(windows, kind), if kind.is_counter() { near_zero } else { 0.0 })
                }
            };
            self.factors.push(factor);
            self.near_zero.push(near_zero);
        }
    }
}

/// The extent of a window's samples and what it is extrapolated by, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gaps {
    covered: f64,
    before: f64,
    after: f64,
}

impl Gaps {
    /// For two or more samples.
    pub(super) fn of(timestamps: &[i64], windows: &Windows, step: usize) -> Gaps {
        let (first, last) = (timestamps[0], timestamps[timestamps.len() - 1]);
        let covered = seconds(last - first);
        let average = covered / (timestamps.len() - 1) as f64;
        let limit = average * 1.1;
        let shorten = |gap: f64| if gap >= limit { average / 2.0 } else { gap };
        Gaps {
            covered,
            before: shorten(seconds(first - windows.start(step))),
            after: shorten(seconds(windows.end(step) - last)),
        }
    }

    /// For one or more samples of a counter that started from zero at a time within the window: there
    /// is nothing to extrapolate before that.
    pub(super) fn since(start: i64, timestamps: &[i64], windows: &Windows, step: usize) -> Gaps {
        let last = timestamps.len() - 1;
        let average = match last {
            0 => 0.0,
            _ => seconds(timestamps[last] - timestamps[0]) / last as f64,
        };
        let after = seconds(windows.end(step) - timestamps[last]);
        let after = if after >= average * 1.1 { average / 2.0 } else { after };
        Gaps { covered: seconds(timestamps[last] - start), before: 0.0, after }
    }

    /// Lets a counter whose first value limits the extrapolation start at zero, at the constant slope
    /// of the window.
    pub(super) fn limit_to_zero(&mut self, first: f64, increase: f64) {
        if increase > 0.0 && first >= 0.0 {
            let since_zero = self.covered * (first / increase);
            if since_zero < self.before {
                self.before = since_zero;
            }
        }
    }

    pub(super) fn factor(&self, windows: &Windows, kind: Kind) -> f64 {
        let factor = if self.covered == 0.0 {
            1.0
        } else {
            (self.covered + self.before + self.after) / self.covered
        };
        match kind {
            Kind::Rate => factor / seconds(windows.range),
            Kind::Increase | Kind::Delta => factor,
        }
    }
}

pub(super) fn rate(
    windowed: &Windowed<'_>,
    kind: Kind,
    factors: &mut RateFactors,
    out: &mut Column,
    notes: &mut Notes,
) {
    let samples = &windowed.samples;
    if kind.is_counter() && samples.start_timestamps.iter().any(|&start| start != 0) {
        windowed
            .each(out, |step, window| with_start_timestamps(windowed, kind, step, window, notes));
        return;
    }
    factors.update(windowed.table, windowed.windows, samples.timestamps, kind);
    let resets = if kind.is_counter() { Resets::of(samples.values) } else { Resets::default() };
    let mut sliding = resets.sliding();
    for piece in
        windowed.table.pieces.iter().flat_map(|piece| resets.between(windowed.table, piece))
    {
        if regular(windowed, kind, factors, &piece, out) {
            continue;
        }
        for step in piece.from..piece.to {
            let window = windowed.table.at(step);
            if window.len() < 2 {
                continue;
            }
            let first = samples.values[window.start];
            let difference = samples.values[window.end - 1] - first;
            let difference = sliding.corrected(difference, &window, samples.values);
            let factor = if first < factors.near_zero[step] * difference {
                near_zero(windowed, kind, step, first, difference)
            } else {
                factors.factors[step]
            };
            out.set(step, difference * factor);
        }
    }
}

/// Computes a regular piece of a series whose windows have no resets. Returns false if the piece is not
/// regular.
fn regular(
    windowed: &Windowed<'_>,
    kind: Kind,
    factors: &RateFactors,
    piece: &Piece,
    out: &mut Column,
) -> bool {
    let Some(stride) = piece.stride else { return false };
    let values = windowed.samples.values;
    let window = windowed.table.at(piece.from);
    let (first, last) = (&values[window.start..], &values[window.end - 1..]);
    let steps = piece.from..piece.to;
    let factor = &factors.factors[steps.clone()];
    let limits = &factors.near_zero[steps.clone()];
    let result = &mut out.values[steps.clone()];
    // Slices without gaps are loops of their own, which the compiler turns into vector code.
    let near = if stride == 1 {
        differences(first.iter(), last.iter(), factor, limits, result)
    } else {
        let (first, last) = (first.iter().step_by(stride), last.iter().step_by(stride));
        differences(first, last, factor, limits, result)
    };
    if near {
        for step in steps {
            let window = windowed.table.at(step);
            let first = values[window.start];
            let difference = values[window.end - 1] - first;
            if first < factors.near_zero[step] * difference {
                out.values[step] = difference * near_zero(windowed, kind, step, first, difference);
            }
        }
    }
    out.valid.insert_range(piece.from, piece.to);
    true
}

/// Multiplies differences by factors. Returns whether any first value is close to zero.
#[inline(always)]
fn differences<'a>(
    first: impl Iterator<Item = &'a f64>,
    last: impl Iterator<Item = &'a f64>,
    factor: &[f64],
    near_zero: &[f64],
    result: &mut [f64],
) -> bool {
    let mut near = false;
    let tables = result.iter_mut().zip(factor).zip(near_zero);
    for (((result, factor), near_zero), (first, last)) in tables.zip(first.zip(last)) {
        let difference = last - first;
        near |= *first < near_zero * difference;
        *result = difference * factor;
    }
    near
}

/// The factor for a counter whose first value may limit the extrapolation: it is taken to have
/// started at zero, at the constant slope of the window.
fn near_zero(windowed: &Windowed<'_>, kind: Kind, step: usize, first: f64, increase: f64) -> f64 {
    let window = windowed.table.at(step);
    let mut gaps = Gaps::of(&windowed.samples.timestamps[window], windowed.windows, step);
    gaps.limit_to_zero(first, increase);
    gaps.factor(windowed.windows, kind)
}

/// Where a counter was reset: the positions of samples that are smaller than the one before.
#[derive(Debug, Default)]
pub(super) struct Resets {
    positions: Vec<u32>,
}

impl Resets {
    pub(super) fn of(values: &[f64]) -> Resets {
        // Most stretches have none, and finding that out is a loop without branches.
        const STRETCH: usize = 64;
        let mut positions = Vec::new();
        let later = values.get(1..).unwrap_or_default();
        let stretches = values.chunks(STRETCH).zip(later.chunks(STRETCH));
        for (start, (before, now)) in (1..).step_by(STRETCH).zip(stretches) {
            let pairs = || before.iter().zip(now);
            if pairs().fold(false, |any, (before, now)| any | (now < before)) {
                let resets = pairs().zip(start..).filter(|((before, now), _)| now < before);
                positions.extend(resets.map(|(_, at): (_, u32)| at));
            }
        }
        Resets { positions }
    }

    /// A piece of a table cut into steps whose windows have a reset, which are not regular, and those
    /// whose windows have none. Most series are reset now and then, and most windows have no reset.
    fn between(&self, table: &WindowTable, piece: &Piece) -> impl Iterator<Item = Piece> {
        let Piece { from, to, stride } = *piece;
        let mut resets = self.positions.iter().filter(move |_| stride.is_some());
        let mut next = from;
        let mut cut: Option<Piece> = None;
        std::iter::from_fn(move || {
            if let Some(cut) = cut.take() {
                return Some(cut);
            }
            // The windows with a reset are those that end behind it and have the sample before it.
            let (first, end) = (&table.first[next..to], &table.end[next..to]);
            for reset in resets.by_ref() {
                let begin = next + end.partition_point(|end| end <= reset);
                let behind = next + first.partition_point(|first| first < reset);
                if begin < behind {
                    let before = Piece { from: next, to: begin, stride };
                    let within = Piece { from: begin, to: behind, stride: None };
                    next = behind;
                    if before.from == before.to {
                        return Some(within);
                    }
                    cut = Some(within);
                    return Some(before);
                }
            }
            let rest = Piece { from: next, to, stride };
            next = to;
            (rest.from < rest.to).then_some(rest)
        })
    }

    pub(super) fn sliding(&self) -> SlidingResets<'_> {
        SlidingResets { positions: &self.positions, from: 0, to: 0, sum: TwoStacks::default() }
    }
}

/// The resets within a window that slides.
pub(super) struct SlidingResets<'a> {
    positions: &'a [u32],
    from: usize,
    to: usize,
    sum: TwoStacks<CompensatedSum>,
}

impl SlidingResets<'_> {
    /// Adds what was lost in the resets within a window to the difference between its ends.
    pub(super) fn corrected(
        &mut self,
        difference: f64,
        window: &Range<usize>,
        values: &[f64],
    ) -> f64 {
        if self.positions.is_empty() {
            return difference;
        }
        // A reset belongs to the window if the sample before it does, too.
        while self.positions.get(self.from).is_some_and(|&at| at as usize <= window.start) {
            self.from += 1;
        }
        self.to = self.to.max(self.from);
        while self.positions.get(self.to).is_some_and(|&at| (at as usize) < window.end) {
            self.to += 1;
        }
        let lost = |k: usize| values[self.positions[k] as usize - 1];
        if self.to - self.from <= FEW_RESETS {
            return (self.from..self.to).map(lost).fold(difference, |sum, lost| sum + lost);
        }
        let mut sum = self.sum.over(self.from..self.to, lost);
        sum.push(difference);
        sum.value()
    }
}

/// So many values that were lost in resets are added to the difference one by one, as upstream does.
/// More of them, as a gauge has, are summed while the window slides, and with compensation, so that
/// the other order does not show.
const FEW_RESETS: usize = 16;

/// The exact way for counters that say since when they count.
fn with_start_timestamps(
    windowed: &Windowed<'_>,
    kind: Kind,
    step: usize,
    window: Range<usize>,
    notes: &mut Notes,
) -> Option<f64> {
    let timestamps = &windowed.samples.timestamps[window.clone()];
    let values = &windowed.samples.values[window.clone()];
    let starts = &windowed.samples.start_timestamps[window];
    let last = values.len() - 1;
    let mut increase = values[last] - values[0];
    let mut overlaps = false;
    for k in 1..values.len() {
        let (before, now) = ((starts[k - 1], timestamps[k - 1]), (starts[k], timestamps[k]));
        overlaps |= now.0 != 0 && now.0 < before.1 && now.0 != before.0;
        if values[k] < values[k - 1] || start_shows_reset(before, now) {
            increase += values[k - 1];
        }
    }
    notes.overlapping_starts += usize::from(overlaps);
    let start = starts[0];
    let window_start = windowed.windows.start(step);
    let known_start = start != 0 && start > window_start && start < timestamps[0];
    if !known_start {
        if values.len() < 2 {
            return None;
        }
        return Some(increase * near_zero(windowed, kind, step, values[0], increase));
    }
    // The counter was zero at its start, which is within the window: nothing to extrapolate there.
    let gaps = Gaps::since(start, timestamps, windowed.windows, step);
    Some((increase + values[0]) * gaps.factor(windowed.windows, kind))
}

/// Whether the start timestamps of two successive samples, each `(start, time)`, show that the
/// counter was reset between them.
pub(super) fn start_shows_reset(before: (i64, i64), now: (i64, i64)) -> bool {
    if now.0 == 0 || now.0 >= now.1 || now.0 < before.1 {
        return false;
    }
    // A start at the very time of the previous sample: deltas in sequence, unless that sample
    // didn't know its own start.
    now.0 > before.1 || (before.0 <= before.1 && before.0 != 0 && before.0 != before.1)
}

/// The rate between the last two samples.
pub(super) fn irate(windowed: &Windowed<'_>, out: &mut Column) {
    last_two(windowed, out, |before, now, interval| {
        let start = |k: usize| windowed.samples.start_timestamps.get(k).copied().unwrap_or(0);
        let time = |k: usize| windowed.samples.timestamps[k];
        let (a, b) = (windowed.samples.values[before], windowed.samples.values[now]);
        let reset =
            b < a || start_shows_reset((start(before), time(before)), (start(now), time(now)));
        (if reset { b } else { b - a }) / interval
    });
}

/// The difference between the last two samples.
pub(super) fn idelta(windowed: &Windowed<'_>, out: &mut Column) {
    let values = windowed.samples.values;
    last_two(windowed, out, |before, now, _| values[now] - values[before]);
}

fn last_two(windowed: &Windowed<'_>, out: &mut Column, value: impl Fn(usize, usize, f64) -> f64) {
    let timestamps = windowed.samples.timestamps;
    windowed.each(out, |_, window| {
        if window.len() < 2 {
            return None;
        }
        let (before, now) = (window.end - 2, window.end - 1);
        Some(value(before, now, seconds(timestamps[now] - timestamps[before])))
    });
}
