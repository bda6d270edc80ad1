//! `topk` and `bottomk`: for each step and group the elements with the largest or smallest values.
//!
//! Among equal values upstream keeps those that its binary heap happens to keep, so this is the same
//! heap. There is one for each group and step, and each series is fed to the heaps of its group, but for
//! what a look at the worst element of each heap shows to be no better: that is most of it.

use super::{Aggregate, ByGroup, parameter};
use crate::EngineError;
use crate::column::{Bitmap, Column, ScalarColumn};
use crate::limits::{Held, Limits};
use crate::operator::{Kept, VectorOperator};

/// Which elements are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Best {
    Largest,
    Smallest,
}

impl Best {
    /// Whether `a` is worse than `b`.
    fn worse(self, a: f64, b: f64) -> bool {
        a.is_nan()
            || match self {
                Best::Largest => a < b,
                Best::Smallest => a > b,
            }
    }

    /// Stands for the worst element where so many are kept and there are fewer. All are better than NaN,
    /// and none is better than the best number.
    fn of_none(self, limit: usize) -> f64 {
        match (limit, self) {
            (0, Best::Largest) => f64::INFINITY,
            (0, Best::Smallest) => f64::NEG_INFINITY,
            _ => f64::NAN,
        }
    }

    /// The order of the output: best first, NaN last.
    fn order(self, a: f64, b: f64) -> std::cmp::Ordering {
        let values = a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal);
        a.is_nan().cmp(&b.is_nan()).then(match self {
            Best::Largest => values.reverse(),
            Best::Smallest => values,
        })
    }
}

/// An element: its value and the number of its series.
type Element = (f64, usize);

/// The elements kept so far, the worst at the root.
#[derive(Clone, Debug, Default)]
struct Heap(Vec<Element>);

impl Heap {
    fn feed(&mut self, new: Element, limit: usize, best: Best) {
        if self.0.len() < limit {
            self.0.push(new);
            self.sift_up(best);
        } else if let Some(&(root, _)) = self.0.first()
            && (best.worse(root, new.0) && !new.0.is_nan())
        {
            self.0[0] = new;
            self.sift_down(best);
        }
    }

    fn sift_up(&mut self, best: Best) {
        let mut child = self.0.len() - 1;
        while child > 0 {
            let parent = (child - 1) / 2;
            if !best.worse(self.0[child].0, self.0[parent].0) {
                break;
            }
            self.0.swap(child, parent);
            child = parent;
        }
    }

    fn sift_down(&mut self, best: Best) {
        let mut node = 0;
        loop {
            let (left, right) = (2 * node + 1, 2 * node + 2);
            if left >= self.0.len() {
                break;
            }
            let child = match self.0.get(right) {
                Some(right_element) if best.worse(right_element.0, self.0[left].0) => right,
                _ => left,
            };
            if !best.worse(self.0[child].0, self.0[node].0) {
                break;
            }
            self.0.swap(child, node);
            node = child;
        }
    }
}

pub(super) fn topk<'a>(
    aggregate: Aggregate<'a>,
    parameter: &ScalarColumn,
    best: Best,
) -> Result<VectorOperator<'a>, EngineError> {
    let Some(limits) = parameter::counts(&aggregate, parameter)? else {
        return aggregate.nothing();
    };
    let aggregate = &aggregate;
    let input = aggregate.input.series();
    let steps = limits.len();
    let groups = aggregate.groups()?;
    let mut choice = Choice {
        aggregate,
        best,
        kept: vec![Heap::default(); steps],
        worst: limits.iter().map(|&limit| best.of_none(limit)).collect(),
        limits,
        columns: vec![None; input.len()],
        order: Vec::new(),
        held: aggregate.context.limits.hold(0)?,
        checks: &aggregate.context.limits,
    };
    aggregate.each_group(&groups, &mut choice)?;
    let Choice { mut columns, mut order, held, .. } = choice;
    drop(held);
    if steps > 1 {
        order.sort_unstable();
    }
    let series = order.iter().map(|&index| input[index].clone()).collect();
    let columns = order.iter().filter_map(|&index| columns[index].take()).collect();
    Ok(Box::new(Kept::new(aggregate.context, series, columns)?))
}

struct Choice<'a> {
    aggregate: &'a Aggregate<'a>,
    best: Best,
    /// The elements of the open group that are kept for each step.
    kept: Vec<Heap>,
    /// For each step the worst of them, which others have to be better than, if no more are kept; see
    /// [`Best::of_none`].
    worst: Vec<f64>,
    limits: Vec<usize>,
    /// What was chosen of each series of the finished groups.
    columns: Vec<Option<Column>>,
    /// The series of which something was chosen.
    order: Vec<usize>,
    held: Held<'a>,
    checks: &'a Limits,
}

impl Choice<'_> {
    /// The steps at which a series may be among the best.
    fn candidates(&self, column: &Column) -> Bitmap {
        let mut candidates = column.valid.clone();
        let (worst, values) = (&self.worst[..], &column.values[..]);
        match self.best {
            Best::Largest => {
                candidates.retain_where(worst, values, |worst, new| Best::Largest.worse(worst, new))
            }
            Best::Smallest => candidates
                .retain_where(worst, values, |worst, new| Best::Smallest.worse(worst, new)),
        }
        candidates
    }
}

impl ByGroup for Choice<'_> {
    fn add(&mut self, member: usize, column: Column) -> Result<(), EngineError> {
        let name = match self.best {
            Best::Largest => "topk",
            Best::Smallest => "bottomk",
        };
        self.aggregate.ignore_histograms(name, self.aggregate.own_place, &column);
        let (mut more, mut room) = (0, 0);
        for step in self.candidates(&column).iter() {
            let (heap, limit) = (&mut self.kept[step], self.limits[step]);
            let before = (heap.0.len(), heap.0.capacity());
            heap.feed((column.values[step], member), limit, self.best);
            let Heap(kept) = heap;
            more += kept.len() - before.0;
            room += kept.capacity() - before.1;
            if let (Some((worst, _)), true) = (kept.first(), kept.len() == limit) {
                self.worst[step] = *worst;
            }
        }
        self.held.grow(more)?;
        // The room stays for the next group.
        self.held.grow_bytes(room * size_of::<Element>())
    }

    fn finish(&mut self, _: usize) -> Result<(), EngineError> {
        let steps = self.kept.len();
        let before = self.order.len();
        let best = self.best;
        for (step, Heap(kept)) in self.kept.iter_mut().enumerate() {
            self.checks.check_round(step)?;
            self.worst[step] = best.of_none(self.limits[step]);
            kept.sort_by(|a, b| best.order(a.0, b.0));
            for (value, index) in kept.drain(..) {
                let column = self.columns[index].get_or_insert_with(|| {
                    self.order.push(index);
                    let mut column = Column::default();
                    column.reset(steps);
                    column
                });
                column.set(step, value);
            }
        }
        let chosen = self.order[before..].iter().filter_map(|&index| self.columns[index].as_ref());
        self.held.grow_bytes(chosen.map(Column::bytes).sum())
    }
}
