//! Functions of the histograms that a sum or a mean has as its result: each group's histograms become
//! floats as soon as the group is complete, and are gone before the next one is computed. Kept as
//! they are they would take as much memory as buckets times groups times steps.

use promql_syntax::query::HistogramStatistic;

use super::histogram;
use crate::EngineError;
use crate::column::Column;
use crate::context::Context;
use crate::operator::{Kept, Series};
use crate::statistics::Gave;
use crate::values::Groups;

/// A statistic of each group.
pub(crate) fn statistic<'a>(
    context: &'a Context<'a>,
    groups: &Groups<'a>,
    statistic: HistogramStatistic,
) -> Result<Kept<'a>, EngineError> {
    let (mut series, mut columns) = (Vec::new(), Vec::new());
    let mut held = context.limits.hold(0)?;
    each(context, groups, &mut |one, mut column| {
        histogram::statistic(statistic, &mut column);
        let column = Column::new(column.values, column.valid);
        held.grow(column.samples())?;
        held.grow_bytes(column.bytes())?;
        series.push(one);
        columns.push(column);
        Ok(())
    })?;
    Ok(Kept::counted(series, columns, held))
}

/// All groups with their histograms.
pub(super) fn all<'a>(
    context: &'a Context<'a>,
    groups: &Groups<'a>,
) -> Result<Kept<'a>, EngineError> {
    let (mut series, mut columns) = (Vec::new(), Vec::new());
    let mut held = context.limits.hold(0)?;
    each(context, groups, &mut |one, column| {
        held.grow(column.samples())?;
        held.grow_bytes(column.bytes())?;
        series.push(one);
        columns.push(column);
        Ok(())
    })?;
    Ok(Kept::counted(series, columns, held))
}

/// Hands out one group after the other, counted as long as that is done with it.
pub(super) fn each<'a>(
    context: &'a Context<'a>,
    groups: &Groups<'a>,
    consume: &mut dyn FnMut(Series, Column) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let stream = |consume: &mut dyn FnMut(Series, Column) -> Result<(), EngineError>| {
        let streamed = groups.aggregate.stream(groups.op, &mut |series, column| {
            let mut held = context.limits.hold(column.samples())?;
            held.grow_bytes(column.bytes())?;
            consume(series, column)
        });
        streamed.map_err(|error| error.at(groups.aggregate.span))
    };
    let Some(statistics) = &context.statistics else { return stream(consume) };
    statistics.within(groups.operation, || {
        let mut output = Gave::default();
        stream(&mut |series, column| {
            output.add(&series, &column);
            consume(series, column)
        })?;
        Ok(((), output))
    })
}
