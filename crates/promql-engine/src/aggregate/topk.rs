//! `topk` and `bottomk`: for each step and group the elements with the largest or smallest values.
//!
//! Among equal values upstream keeps those that its binary heap happens to keep, so this is the same
//! heap. There is one for each group and step, and each series is fed to the heaps of its group.

use super::{Aggregate, parameter};
use crate::EngineError;
use crate::column::{Column, ScalarColumn};
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
    let steps = aggregate.grid.len;
    let groups = aggregate.groups();
    let mut heaps = vec![Heap::default(); groups.labels.len() * steps];
    let mut held = aggregate.context.limits.hold(0)?;
    aggregate.each_member(|index, column| {
        let heaps = &mut heaps[groups.of_series[index] * steps..][..steps];
        let mut kept = 0;
        for (step, value) in column.iter() {
            let before = heaps[step].0.len();
            heaps[step].feed((value, index), limits[step], best);
            kept += heaps[step].0.len() - before;
        }
        held.grow(kept)
    })?;
    if steps == 1 {
        for heap in &mut heaps {
            heap.0.sort_by(|a, b| best.order(a.0, b.0));
        }
    }
    drop(held);
    select(&aggregate, heaps.into_iter().map(|heap| heap.0).collect(), steps)
}

/// Hands out the elements that were kept for each group and step. With a single step they come in
/// the order in which they are given, otherwise in that of the input.
pub(super) fn select<'a>(
    aggregate: &Aggregate<'a>,
    elements: Vec<Vec<Element>>,
    steps: usize,
) -> Result<VectorOperator<'a>, EngineError> {
    let input = aggregate.input.series();
    let mut columns: Vec<Option<Column>> = vec![None; input.len()];
    let mut order = Vec::new();
    for (at, elements) in elements.into_iter().enumerate() {
        for (value, index) in elements {
            let column = columns[index].get_or_insert_with(|| {
                order.push(index);
                let mut column = Column::default();
                column.reset(steps);
                column
            });
            column.set(at % steps, value);
        }
    }
    if steps > 1 {
        order.sort_unstable();
    }
    let series = order.iter().map(|&index| input[index].clone()).collect();
    let columns = order.iter().filter_map(|&index| columns[index].take()).collect();
    Ok(Box::new(Kept::new(aggregate.context, series, columns)?))
}
