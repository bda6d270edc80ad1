//! `quantile`: needs all values of a group at a step, sorted.

use promql_model::Labels;

use super::parameter::Extent;
use super::{Aggregate, ByGroup, DropName};
use crate::EngineError;
use crate::annotations::bad_quantile;
use crate::arithmetic::{order, quantile_of_sorted};
use crate::column::{Column, ScalarColumn};
use crate::limits::{Held, Limits};
use crate::operator::{Kept, Series, VectorOperator};

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
        values: vec![Vec::new(); steps],
        drop_name: DropName::default(),
        held: context.limits.hold(0)?,
        limits: &context.limits,
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
    /// The values of the open group at each step.
    values: Vec<Vec<f64>>,
    drop_name: DropName,
    held: Held<'a>,
    limits: &'a Limits,
    series: Vec<Series>,
    columns: Vec<Column>,
}

impl ByGroup for Quantiles<'_> {
    fn add(&mut self, member: usize, column: &Column) -> Result<(), EngineError> {
        self.aggregate.ignore_histograms("quantile", self.aggregate.place, column);
        self.drop_name.add(self.aggregate.drops_name_late(member), column);
        column.iter().for_each(|(step, value)| self.values[step].push(value));
        let values = column.valid.count();
        self.held.grow(values)?;
        self.held.grow_bytes(values * 8)
    }

    fn finish(&mut self, group: usize) -> Result<(), EngineError> {
        let mut column = Column::default();
        column.reset(self.values.len());
        for (step, values) in self.values.iter_mut().enumerate() {
            if !values.is_empty() {
                values.sort_unstable_by(order);
                column.set(step, quantile_of_sorted(self.parameter.at(step), values));
                self.held.shrink(values.len());
                self.held.shrink_bytes(values.len() * 8);
                values.clear();
                self.limits.check_round(step)?;
            }
        }
        self.held.grow(column.valid.count())?;
        self.held.grow_bytes(column.bytes())?;
        self.series.push(std::mem::take(&mut self.drop_name).series(self.labels[group].clone()));
        self.columns.push(column);
        Ok(())
    }
}
