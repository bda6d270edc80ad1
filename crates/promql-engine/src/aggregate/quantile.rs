//! `quantile`: needs all values of a group at a step.
//!
//! A quantile lies between two of them that are neighbours in order. To find those takes less than to
//! sort all, and the steps of a group can be given to several threads.

use promql_model::Labels;

use super::parameter::Extent;
use super::{Aggregate, ByGroup, DropName};
use crate::EngineError;
use crate::annotations::bad_quantile;
use crate::arithmetic::{order, quantile_of_ranked};
use crate::column::{Column, ScalarColumn};
use crate::limits::Held;
use crate::operator::{Kept, Series, VectorOperator};
use crate::workers::{Outcome, Scratch};

pub(super) fn quantile<'a>(
    aggregate: Aggregate<'a>,
    parameter: &ScalarColumn,
) -> Result<VectorOperator<'a>, EngineError> {
    let context = aggregate.context;
    let steps = aggregate.grid.len;
    let extent = Extent::of(parameter, steps);
    let bad = [
        (extent.any_nan, f64::NAN),
        (extent.max > 1.0, extent.max),
        (extent.min < 0.0, extent.min),
    ];
    for (_, value) in bad.into_iter().filter(|bad| bad.0) {
        bad_quantile(&context.annotations, aggregate.parameter_place, value);
    }
    let groups = aggregate.groups()?;
    let mut quantiles = Quantiles {
        aggregate: &aggregate,
        parameter,
        labels: &groups.labels,
        members: Vec::new(),
        drop_name: DropName::default(),
        held: context.limits.hold(0)?,
        series: Vec::with_capacity(groups.labels.len()),
        columns: Vec::with_capacity(groups.labels.len()),
    };
    aggregate.each_group(&groups, &mut quantiles)?;
    let Quantiles { series, columns, held, .. } = quantiles;
    drop(held);
    Ok(Box::new(Kept::new(context, series, columns)?))
}

struct Quantiles<'a> {
    aggregate: &'a Aggregate<'a>,
    parameter: &'a ScalarColumn,
    /// The labels of the groups.
    labels: &'a [Labels],
    /// The members of the open group that have values.
    members: Vec<Column>,
    drop_name: DropName,
    held: Held<'a>,
    series: Vec<Series>,
    columns: Vec<Column>,
}

/// As many steps are done together as have their values side by side in the memory that a processor
/// fetches at once.
const STEPS: usize = 8;

/// The quantiles of successive steps, as far as these have values.
struct Piece([Option<f64>; STEPS]);

impl Outcome for Piece {}

impl Quantiles<'_> {
    /// The quantiles of the open group from a step on.
    fn piece(&self, from: usize, values: &mut Vec<f64>) -> Piece {
        let mut quantiles = [None; STEPS];
        let steps = from..self.aggregate.grid.len.min(from + STEPS);
        for (step, quantile) in steps.zip(&mut quantiles) {
            values.clear();
            values.extend(self.members.iter().filter_map(|column| column.get(step)));
            if !values.is_empty() {
                *quantile = Some(quantile_of(self.parameter.at(step), values));
            }
        }
        Piece(quantiles)
    }
}

/// The quantile of values, whose order it changes.
fn quantile_of(quantile: f64, values: &mut [f64]) -> f64 {
    let len = values.len();
    let low = (quantile * (len - 1) as f64).floor();
    // Out of range no rank is asked for.
    let low = (low as usize).min(len - 1);
    let (_, at_low, above) = values.select_nth_unstable_by(low, order);
    let at_low = *at_low;
    let next = above.iter().copied().min_by(order).unwrap_or(at_low);
    quantile_of_ranked(quantile, len, |rank| if rank == low { at_low } else { next })
}

impl ByGroup for Quantiles<'_> {
    fn add(&mut self, member: usize, column: Column) -> Result<(), EngineError> {
        self.aggregate.ignore_histograms("quantile", self.aggregate.place, &column);
        self.drop_name.add(self.aggregate.drops_name_late(member), &column);
        let values = column.valid.count();
        if values > 0 {
            self.held.grow(values)?;
            self.held.grow_bytes(column.bytes())?;
            self.members.push(column);
        }
        Ok(())
    }

    fn finish(&mut self, group: usize) -> Result<(), EngineError> {
        let steps = self.aggregate.grid.len;
        let mut column = Column::default();
        column.reset(steps);
        let compute = |piece: usize, scratch: &mut Scratch| {
            let mut values = scratch.take_column();
            let quantiles = self.piece(piece * STEPS, &mut values.values);
            scratch.give_column(values);
            Ok(quantiles)
        };
        let workers = &self.aggregate.context.workers;
        let work = STEPS * self.members.len();
        workers.run_reducing(
            steps.div_ceil(STEPS),
            work,
            STEPS,
            compute,
            |piece, Piece(all)| {
                let all = (piece * STEPS..).zip(all);
                all.filter_map(|(step, value)| Some((step, value?)))
                    .for_each(|(step, value)| column.set(step, value));
                Ok(())
            },
        )?;
        for member in self.members.drain(..) {
            self.held.shrink(member.valid.count());
            self.held.shrink_bytes(member.bytes());
        }
        self.held.grow(column.valid.count())?;
        self.held.grow_bytes(column.bytes())?;
        self.series.push(std::mem::take(&mut self.drop_name).series(self.labels[group].clone()));
        self.columns.push(column);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_found_as_sorting_finds_them() {
        let values: Vec<f64> = (0..50).map(|k| f64::from(k * 7919 % 31) / 4.0 - 3.0).collect();
        let odd = [f64::NAN, 0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::NAN, 1.0];
        let lists =
            [&values[..], &values[..1], &values[..2], &odd, &odd[..1], &odd[1..3], &odd[3..]];
        for list in lists {
            let mut sorted = list.to_vec();
            sorted.sort_by(order);
            for quantile in [-0.5, 0.0, 0.1, 0.25, 0.5, 0.9, 0.99, 1.0, 1.5, f64::NAN] {
                let found = quantile_of(quantile, &mut list.to_vec());
                let expected = quantile_of_ranked(quantile, sorted.len(), |rank| sorted[rank]);
                let same =
                    found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
                assert!(same, "{quantile} of {list:?}: {found}, not {expected}");
            }
        }
    }
}
