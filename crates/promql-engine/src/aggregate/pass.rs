//! One pass over an operand for the aggregations that keep a small state for each group and step, one
//! of them or several with the same groups: `max(x) - min(x)`.
//!
//! The members of a group are added up in blocks of a fixed size, on any thread, and the blocks in
//! their order. So the result is the same for any number of threads, and for up to a block of
//! members it is formed exactly as upstream forms it.

use std::any::Any;

use promql_syntax::query::Aggregation;

use super::reduce::{
    Average, Count, Deviation, Maximum, Minimum, Presence, Reduction, Sum, Variance,
};
use super::{Aggregate, DropName};
use crate::EngineError;
use crate::annotations::Place;
use crate::column::Column;
use crate::operator::{Kept, Series};
use crate::workers::{Outcome, Scratch};

/// How many members one block has.
const BLOCK: usize = 64;

/// How many values of 8 bytes a state holds for each step, at most.
const STATE_VALUES: usize = 4;

/// A state of any kind.
pub(super) trait State: Send {
    fn add(&mut self, member: usize, column: &Column);
    /// See [`Reduction::merge`]. The other state is of the same kind.
    fn merge(&mut self, later: Box<dyn State>);
    fn finish(self: Box<Self>) -> Column;
    fn ignores_histograms(&self) -> Option<&'static str>;
    fn histogram_bytes(&self) -> usize;
    fn remark(&self, aggregate: &Aggregate<'_>, place: Place);
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<R: Reduction + 'static> State for R {
    fn add(&mut self, member: usize, column: &Column) {
        Reduction::add(self, member, column);
    }

    fn merge(&mut self, later: Box<dyn State>) {
        if let Ok(later) = later.into_any().downcast::<R>() {
            Reduction::merge(self, *later);
        }
    }

    fn finish(self: Box<Self>) -> Column {
        Reduction::finish(*self)
    }

    fn ignores_histograms(&self) -> Option<&'static str> {
        R::IGNORES_HISTOGRAMS
    }

    fn histogram_bytes(&self) -> usize {
        Reduction::histogram_bytes(self)
    }

    fn remark(&self, aggregate: &Aggregate<'_>, place: Place) {
        Reduction::remark(self, aggregate, place);
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Makes the state of no members for so many steps.
pub(super) type NewState = fn(usize) -> Box<dyn State>;

/// The state of an aggregation, if it is one of this module.
pub(super) fn state(op: Aggregation) -> Option<NewState> {
    fn new<R: Reduction + 'static>(steps: usize) -> Box<dyn State> {
        Box::new(R::new(steps))
    }
    Some(match op {
        Aggregation::Sum => new::<Sum>,
        Aggregation::Avg => new::<Average>,
        Aggregation::Count => new::<Count>,
        Aggregation::Group => new::<Presence>,
        Aggregation::Min => new::<Minimum>,
        Aggregation::Max => new::<Maximum>,
        Aggregation::Stdvar => new::<Variance>,
        Aggregation::Stddev => new::<Deviation>,
        _ => return None,
    })
}

/// The states of all aggregations of a pass.
struct States {
    states: Vec<Box<dyn State>>,
    drop_name: DropName,
}

impl Outcome for States {
    fn histogram_bytes(&self) -> usize {
        self.states.iter().map(|state| state.histogram_bytes()).sum()
    }
}

/// Computes aggregations of one operand in one pass over it, each given by its state and the place
/// that remarks about the operand point at.
pub(super) fn reduce<'a>(
    aggregate: &Aggregate<'a>,
    reductions: &[(NewState, Place)],
) -> Result<Vec<Kept<'a>>, EngineError> {
    let mut results = Vec::with_capacity(reductions.len());
    for _ in reductions {
        let columns: Vec<Column> = Vec::new();
        results.push((columns, aggregate.context.limits.hold(0)?));
    }
    let mut series = Vec::new();
    reduce_each(aggregate, reductions, &mut |one, new| {
        for (column, (columns, held)) in new.into_iter().zip(&mut results) {
            held.grow(column.samples())?;
            held.grow_bytes(column.bytes())?;
            columns.push(column);
        }
        series.push(one);
        Ok(())
    })?;
    let kept = |(columns, held)| Kept::counted(series.clone(), columns, held);
    Ok(results.into_iter().map(kept).collect())
}

/// The same, handing out what comes of one group after the other: a column for each aggregation.
pub(super) fn reduce_each(
    aggregate: &Aggregate<'_>,
    reductions: &[(NewState, Place)],
    consume: &mut dyn FnMut(Series, Vec<Column>) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let groups = aggregate.groups()?;
    let steps = aggregate.grid.len;
    let blocks: Vec<(usize, &[usize])> = groups
        .members
        .iter()
        .enumerate()
        .flat_map(|(group, members)| members.chunks(BLOCK).map(move |block| (group, block)))
        .collect();
    let compute = |block: usize, scratch: &mut Scratch| {
        let mut states: Vec<_> = reductions.iter().map(|(new, _)| new(steps)).collect();
        let mut drop_name = DropName::default();
        let mut column = scratch.take_column();
        for &member in blocks[block].1 {
            aggregate.input.column(member, scratch, &mut column)?;
            for (state, (_, place)) in states.iter_mut().zip(reductions) {
                state.add(member, &column);
                if let Some(name) = state.ignores_histograms() {
                    aggregate.ignore_histograms(name, *place, &column);
                }
            }
            drop_name.add(aggregate.drops_name_late(member), &column);
        }
        scratch.give_column(column);
        Ok(States { states, drop_name })
    };
    let mut open: Option<States> = None;
    let work = steps * aggregate.input.series().len().div_ceil(blocks.len().max(1));
    let workers = &aggregate.context.workers;
    let size = steps * STATE_VALUES * reductions.len();
    let _batch = workers.hold_batch(blocks.len(), size)?;
    let mut held = aggregate.context.limits.hold(0)?;
    workers.run_reducing(blocks.len(), work, size, compute, |block, new: States| {
        match &mut open {
            Some(open) => {
                let later = new.states.into_iter();
                open.states.iter_mut().zip(later).for_each(|(state, later)| state.merge(later));
                open.drop_name.join(new.drop_name);
            }
            None => open = Some(new),
        }
        held.shrink_bytes(usize::MAX);
        held.grow_bytes(open.as_ref().map_or(0, Outcome::histogram_bytes))?;
        let group = blocks[block].0;
        if blocks.get(block + 1).is_none_or(|next| next.0 != group)
            && let Some(States { states, drop_name }) = open.take()
        {
            let finish = |(state, (_, place)): (Box<dyn State>, &(NewState, Place))| {
                state.remark(aggregate, *place);
                state.finish()
            };
            let columns = states.into_iter().zip(reductions).map(finish).collect();
            held.shrink_bytes(usize::MAX);
            consume(drop_name.series(groups.labels[group].clone()), columns)?;
        }
        Ok(())
    })
}
