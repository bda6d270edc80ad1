//! Aggregations that keep one small state for each group and step: `sum`, `avg`, `count`, `group`,
//! `min`, `max`, `stddev` and `stdvar`. A [pass](super::pass) over the operand fills the states.

use promql_model::{CompensatedHistogram, HistogramMean};

use super::Aggregate;
use super::histograms::Totals;
use crate::annotations::Place;
use crate::arithmetic::{Mean, compensated_add};
use crate::column::{Bitmap, Column};

/// The state of a group over all steps.
pub(super) trait Reduction: Send {
    /// The state of no members.
    fn new(steps: usize) -> Self;

    /// Adds the values of a member, given with the number of its series.
    fn add(&mut self, member: usize, column: &Column);

    /// Adds the members of another block behind those of this one.
    fn merge(&mut self, later: Self);

    /// The values.
    fn finish(self) -> Column;

    /// The name of the aggregation if it is one of floats, which ignores histograms.
    const IGNORES_HISTOGRAMS: Option<&'static str> = None;

    /// The memory of its native histograms.
    fn histogram_bytes(&self) -> usize {
        0
    }

    /// Says what there is to say about the members of a group.
    fn remark(&self, aggregate: &Aggregate<'_>, place: Place) {
        let _ = (aggregate, place);
    }
}

/// Calls `dense` for each run of 64 steps that all have a value and `sparse` for each other step
/// that has one.
fn each_word(
    valid: &Bitmap,
    mut dense: impl FnMut(std::ops::Range<usize>),
    mut sparse: impl FnMut(usize),
) {
    for (at, &word) in valid.words().iter().enumerate() {
        if word == !0 {
            dense(at * 64..at * 64 + 64);
            continue;
        }
        let mut rest = word;
        while rest != 0 {
            sparse(at * 64 + rest.trailing_zeros() as usize);
            rest &= rest - 1;
        }
    }
}

/// Compensated sums.
pub(super) struct Sum {
    sums: Vec<f64>,
    compensations: Vec<f64>,
    valid: Bitmap,
    histograms: Totals<CompensatedHistogram>,
}

impl Reduction for Sum {
    /// The sum of a negative zero and any value is that value, so that is what sums start with.
    fn new(steps: usize) -> Self {
        Sum {
            sums: vec![-0.0; steps],
            compensations: vec![0.0; steps],
            valid: Bitmap::empty(steps),
            histograms: Totals::default(),
        }
    }

    fn add(&mut self, member: usize, column: &Column) {
        self.histograms.add(member, column, &self.valid);
        let (sums, compensations) = (&mut self.sums[..], &mut self.compensations[..]);
        let values = &column.values[..];
        for (at, &word) in column.valid.words().iter().enumerate() {
            let range = at * 64..(at * 64 + 64).min(values.len());
            let steps = sums[range.clone()]
                .iter_mut()
                .zip(&mut compensations[range.clone()])
                .zip(&values[range]);
            if word == !0 {
                for ((sum, compensation), &value) in steps {
                    (*sum, *compensation) = compensated_add(*sum, *compensation, value);
                }
            } else if word != 0 {
                for (bit, ((sum, compensation), &value)) in steps.enumerate() {
                    if word >> bit & 1 != 0 {
                        (*sum, *compensation) = compensated_add(*sum, *compensation, value);
                    }
                }
            }
        }
        self.valid.union(&column.valid);
    }

    fn merge(&mut self, later: Self) {
        self.histograms.merge(later.histograms, &self.valid);
        for step in later.valid.iter() {
            let (sum, compensation) =
                compensated_add(self.sums[step], self.compensations[step], later.sums[step]);
            self.sums[step] = sum;
            self.compensations[step] =
                if sum.is_infinite() { 0.0 } else { compensation + later.compensations[step] };
        }
        self.valid.union(&later.valid);
    }

    fn finish(mut self) -> Column {
        for (sum, compensation) in self.sums.iter_mut().zip(&self.compensations) {
            *sum += compensation;
        }
        self.histograms.finish(Column::new(self.sums, self.valid))
    }

    fn histogram_bytes(&self) -> usize {
        self.histograms.bytes()
    }

    fn remark(&self, aggregate: &Aggregate<'_>, place: Place) {
        self.histograms.remark(&self.valid, aggregate, place);
    }
}

/// Means.
pub(super) struct Average {
    means: Vec<Mean>,
    valid: Bitmap,
    histograms: Totals<HistogramMean>,
}

impl Reduction for Average {
    fn new(steps: usize) -> Self {
        Average {
            means: vec![Mean::default(); steps],
            valid: Bitmap::empty(steps),
            histograms: Totals::default(),
        }
    }

    fn add(&mut self, member: usize, column: &Column) {
        self.histograms.add(member, column, &self.valid);
        column.iter().for_each(|(step, value)| self.means[step].add(value));
        self.valid.union(&column.valid);
    }

    fn merge(&mut self, later: Self) {
        self.histograms.merge(later.histograms, &self.valid);
        for step in later.valid.iter() {
            self.means[step].merge(later.means[step]);
        }
        self.valid.union(&later.valid);
    }

    fn finish(self) -> Column {
        let values = self.means.iter().map(Mean::value).collect();
        self.histograms.finish(Column::new(values, self.valid))
    }

    fn histogram_bytes(&self) -> usize {
        self.histograms.bytes()
    }

    fn remark(&self, aggregate: &Aggregate<'_>, place: Place) {
        self.histograms.remark(&self.valid, aggregate, place);
    }
}

/// Numbers of elements.
pub(super) struct Count {
    counts: Vec<f64>,
    valid: Bitmap,
}

impl Reduction for Count {
    fn new(steps: usize) -> Self {
        Count { counts: vec![0.0; steps], valid: Bitmap::empty(steps) }
    }

    fn add(&mut self, _: usize, column: &Column) {
        let counts = std::cell::RefCell::new(&mut self.counts);
        let present = column.present();
        each_word(
            &present,
            |steps| counts.borrow_mut()[steps].iter_mut().for_each(|c| *c += 1.0),
            |step| counts.borrow_mut()[step] += 1.0,
        );
        self.valid.union(&present);
    }

    fn merge(&mut self, later: Self) {
        self.counts.iter_mut().zip(&later.counts).for_each(|(a, b)| *a += b);
        self.valid.union(&later.valid);
    }

    fn finish(self) -> Column {
        Column::new(self.counts, self.valid)
    }
}

/// Whether there is any element.
pub(super) struct Presence(Bitmap);

impl Reduction for Presence {
    fn new(steps: usize) -> Self {
        Presence(Bitmap::empty(steps))
    }

    fn add(&mut self, _: usize, column: &Column) {
        self.0.union(&column.present());
    }

    fn merge(&mut self, later: Self) {
        self.0.union(&later.0);
    }

    fn finish(self) -> Column {
        Column::new(vec![1.0; self.0.len()], self.0)
    }
}

/// The extremes. NaN only remains if there is nothing else.
struct Extremes(Column);

impl Extremes {
    fn new(steps: usize) -> Self {
        let mut column = Column::default();
        column.reset(steps);
        Extremes(column)
    }

    fn add(&mut self, column: &Column, replaces: impl Fn(f64, f64) -> bool) {
        let better = |new: f64, old: f64| replaces(new, old) | old.is_nan();
        for (at, &new) in column.valid.words().iter().enumerate() {
            let known = self.0.valid.words().get(at).copied().unwrap_or_default();
            let steps = at * 64..(at * 64 + 64).min(column.values.len());
            let values = &column.values[steps.clone()];
            let extremes = self.0.values[steps.clone()].iter_mut().zip(values);
            if new & known == !0 {
                // Without branches, for the compiler to make vector code of it.
                extremes.for_each(|(old, &new)| *old = if better(new, *old) { new } else { *old });
            } else if new != 0 {
                for (bit, (old, &value)) in extremes.enumerate() {
                    let is_known = known >> bit & 1 != 0;
                    if new >> bit & 1 != 0 && (!is_known || better(value, *old)) {
                        *old = value;
                    }
                }
            }
        }
        self.0.valid.union(&column.valid);
    }
}

/// The smallest values.
pub(super) struct Minimum(Extremes);

impl Reduction for Minimum {
    const IGNORES_HISTOGRAMS: Option<&'static str> = Some("min");

    fn new(steps: usize) -> Self {
        Minimum(Extremes::new(steps))
    }

    fn add(&mut self, _: usize, column: &Column) {
        self.0.add(column, |new, old| new < old);
    }

    fn merge(&mut self, later: Self) {
        self.add(0, &later.0.0);
    }

    fn finish(self) -> Column {
        self.0.0
    }
}

/// The largest values.
pub(super) struct Maximum(Extremes);

impl Reduction for Maximum {
    const IGNORES_HISTOGRAMS: Option<&'static str> = Some("max");

    fn new(steps: usize) -> Self {
        Maximum(Extremes::new(steps))
    }

    fn add(&mut self, _: usize, column: &Column) {
        self.0.add(column, |new, old| new > old);
    }

    fn merge(&mut self, later: Self) {
        self.add(0, &later.0.0);
    }

    fn finish(self) -> Column {
        self.0.0
    }
}

/// Population variances, by Welford's method without compensation, as upstream has them here.
pub(super) struct Variance {
    states: Vec<Welford>,
    valid: Bitmap,
}

#[derive(Clone, Copy, Debug, Default)]
struct Welford {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Reduction for Variance {
    const IGNORES_HISTOGRAMS: Option<&'static str> = Some("stdvar");

    fn new(steps: usize) -> Self {
        Variance { states: vec![Welford::default(); steps], valid: Bitmap::empty(steps) }
    }

    fn add(&mut self, _: usize, column: &Column) {
        for (step, value) in column.iter() {
            let state = &mut self.states[step];
            state.count += 1.0;
            if state.count == 1.0 {
                let squares = if value.is_finite() { 0.0 } else { f64::NAN };
                *state = Welford { count: 1.0, mean: value, squares };
                continue;
            }
            let distance = value - state.mean;
            state.mean += distance / state.count;
            state.squares += distance * (value - state.mean);
        }
        self.valid.union(&column.valid);
    }

    fn merge(&mut self, later: Self) {
        for step in later.valid.iter() {
            let (a, b) = (&mut self.states[step], &later.states[step]);
            if a.count == 0.0 {
                *a = *b;
                continue;
            }
            let count = a.count + b.count;
            let distance = b.mean - a.mean;
            a.squares += b.squares + distance * distance * (a.count * b.count / count);
            a.mean += distance * (b.count / count);
            a.count = count;
        }
        self.valid.union(&later.valid);
    }

    fn finish(self) -> Column {
        let values = self.states.iter().map(|s| s.squares / s.count).collect();
        Column::new(values, self.valid)
    }
}

/// Population standard deviations.
pub(super) struct Deviation(Variance);

impl Reduction for Deviation {
    const IGNORES_HISTOGRAMS: Option<&'static str> = Some("stddev");

    fn new(steps: usize) -> Self {
        Deviation(Variance::new(steps))
    }

    fn add(&mut self, _: usize, column: &Column) {
        self.0.add(0, column);
    }

    fn merge(&mut self, later: Self) {
        self.0.merge(later.0);
    }

    fn finish(self) -> Column {
        let mut column = self.0.finish();
        column.map(f64::sqrt);
        column
    }
}
