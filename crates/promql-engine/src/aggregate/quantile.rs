//! `quantile`: needs all values of a group at a step, sorted.

use super::parameter::Extent;
use super::{Aggregate, DropName};
use crate::EngineError;
use crate::annotations::bad_quantile;
use crate::arithmetic::{order, quantile_of_sorted};
use crate::column::{Column, ScalarColumn};
use crate::operator::{Kept, VectorOperator};

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
    let groups = aggregate.groups();
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); groups.labels.len() * steps];
    let mut drop_names = vec![DropName::default(); groups.labels.len()];
    let mut held = context.limits.hold(0)?;
    aggregate.each_member(|index, column| {
        let group = groups.of_series[index];
        drop_names[group].add(&aggregate.input.series()[index], &column);
        let values = &mut values[group * steps..][..steps];
        column.iter().for_each(|(step, value)| values[step].push(value));
        held.grow(column.valid.count())
    })?;
    let columns = (0..groups.labels.len()).map(|group| {
        let mut column = Column::default();
        column.reset(steps);
        for (step, values) in values[group * steps..][..steps].iter_mut().enumerate() {
            if !values.is_empty() {
                values.sort_unstable_by(order);
                column.set(step, quantile_of_sorted(parameter.at(step), values));
            }
        }
        column
    });
    let columns: Vec<Column> = columns.collect();
    drop(held);
    let series =
        drop_names.iter().zip(&groups.labels).map(|(drop, labels)| drop.series(labels.clone()));
    Ok(Box::new(Kept::new(context, series.collect(), columns)?))
}
