//! Aggregations that keep one small state for each group and step: `sum`, `avg`, `count`, `group`,
//! `min`, `max`, `stddev` and `stdvar`. A [pass](super::pass) over the operand fills the states.

use promql_model::{CompensatedHistogram, HistogramMean};

use super::Aggregate;
use super::histograms::Totals;
use crate::annotations::Place;
use crate::arithmetic::{Means, compensated_add};
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
    means: Means,
    valid: Bitmap,
    histograms: Totals<HistogramMean>,
}

impl Reduction for Average {
    fn new(steps: usize) -> Self {
        let means = Means::new(steps);
        Average { means, valid: Bitmap::empty(steps), histograms: Totals::default() }
    }

    fn add(&mut self, member: usize, column: &Column) {
        self.histograms.add(member, column, &self.valid);
        self.means.add(&column.values, &column.valid);
        self.valid.union(&column.valid);
    }

    fn merge(&mut self, later: Self) {
        self.histograms.merge(later.histograms, &self.valid);
        for step in later.valid.iter() {
            let mut mean = self.means.at(step);
            mean.merge(later.means.at(step));
            self.means.put(step, mean);
        }
        self.valid.union(&later.valid);
    }

    fn finish(self) -> Column {
        let values = (0..self.valid.len()).map(|step| self.means.at(step).value()).collect();
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
///
/// Members are counted for 64 steps at once: the counters of a word of steps are words themselves,
/// the first with the lowest bit of each, and to count is to add a bit to all of them. Mostly the
/// carry is gone after two.
pub(super) struct Count {
    counts: Vec<f64>,
    /// What is not in the counts yet, by word of steps.
    counters: Vec<[u64; COUNTER_BITS]>,
    /// How many members are in the counters.
    counted: usize,
    valid: Bitmap,
}

/// With so many bits a counter goes up to 127, and a block has no more members.
const COUNTER_BITS: usize = 7;

impl Count {
    /// Puts what the counters have counted into the counts.
    fn settle(&mut self) {
        self.counted = 0;
        for (counts, counter) in self.counts.chunks_mut(64).zip(&mut self.counters) {
            for (bit, word) in counter.iter_mut().enumerate() {
                let (word, weight) = (std::mem::take(word), f64::from(1_u32 << bit));
                if word != 0 {
                    let counts = counts.iter_mut().enumerate();
                    counts.for_each(|(at, count)| *count += (word >> at & 1) as f64 * weight);
                }
            }
        }
    }
}

impl Reduction for Count {
    fn new(steps: usize) -> Self {
        Count {
            counts: vec![0.0; steps],
            counters: vec![[0; COUNTER_BITS]; steps.div_ceil(64)],
            counted: 0,
            valid: Bitmap::empty(steps),
        }
    }

    fn add(&mut self, _: usize, column: &Column) {
        let present = column.present();
        if self.counted == (1 << COUNTER_BITS) - 1 {
            self.settle();
        }
        self.counted += 1;
        for (counter, &word) in self.counters.iter_mut().zip(present.words()) {
            let mut carry = word;
            for bits in counter {
                if carry == 0 {
                    break;
                }
                (*bits, carry) = (*bits ^ carry, *bits & carry);
            }
        }
        self.valid.union(&present);
    }

    fn merge(&mut self, mut later: Self) {
        self.settle();
        later.settle();
        self.counts.iter_mut().zip(&later.counts).for_each(|(a, b)| *a += b);
        self.valid.union(&later.valid);
    }

    fn finish(mut self) -> Column {
        self.settle();
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
    counts: Vec<f64>,
    means: Vec<f64>,
    squares: Vec<f64>,
    valid: Bitmap,
}

/// Adds a value. Of the first one the mean is that value and the sum of squares is zero, or NaN if it is
/// not finite; so that is what comes of no values, whose mean is a negative zero.
#[inline(always)]
fn welford(count: &mut f64, mean: &mut f64, squares: &mut f64, value: f64) {
    *count += 1.0;
    let distance = value - *mean;
    *mean += distance / *count;
    *squares += distance * (value - *mean);
}

impl Reduction for Variance {
    const IGNORES_HISTOGRAMS: Option<&'static str> = Some("stdvar");

    fn new(steps: usize) -> Self {
        let (counts, squares) = (vec![0.0; steps], vec![0.0; steps]);
        Variance { counts, means: vec![-0.0; steps], squares, valid: Bitmap::empty(steps) }
    }

    fn add(&mut self, _: usize, column: &Column) {
        let states = self.counts.chunks_mut(64).zip(self.means.chunks_mut(64));
        let states = states.zip(self.squares.chunks_mut(64)).zip(column.values.chunks(64));
        for (&word, (((counts, means), squares), values)) in column.valid.words().iter().zip(states)
        {
            let steps = counts.iter_mut().zip(means).zip(squares).zip(values);
            if word == !0 {
                for (((count, mean), squares), &value) in steps {
                    welford(count, mean, squares, value);
                }
            } else if word != 0 {
                for (bit, (((count, mean), squares), &value)) in steps.enumerate() {
                    if word >> bit & 1 != 0 {
                        welford(count, mean, squares, value);
                    }
                }
            }
        }
        self.valid.union(&column.valid);
    }

    fn merge(&mut self, later: Self) {
        for step in later.valid.iter() {
            let (ours, theirs) = (self.counts[step], later.counts[step]);
            if ours == 0.0 {
                self.counts[step] = theirs;
                self.means[step] = later.means[step];
                self.squares[step] = later.squares[step];
                continue;
            }
            let count = ours + theirs;
            let distance = later.means[step] - self.means[step];
            self.squares[step] +=
                later.squares[step] + distance * distance * (ours * theirs / count);
            self.means[step] += distance * (theirs / count);
            self.counts[step] = count;
        }
        self.valid.union(&later.valid);
    }

    fn finish(self) -> Column {
        let values = self.squares.iter().zip(&self.counts).map(|(squares, count)| squares / count);
        Column::new(values.collect(), self.valid)
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
