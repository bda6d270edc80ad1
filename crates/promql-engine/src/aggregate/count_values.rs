//! `count_values`: a series for each value. The one aggregation whose label sets depend on values.

use std::collections::HashMap;

use promql_model::number::Decimal;
use promql_model::{Labels, quote};

use super::{Aggregate, parameter};
use crate::EngineError;
use crate::column::Column;
use crate::operator::{Kept, Series, VectorOperator};

pub(super) fn count_values<'a>(
    mut aggregate: Aggregate<'a>,
    label: &[u8],
) -> Result<VectorOperator<'a>, EngineError> {
    let label = match std::str::from_utf8(label) {
        Ok(label) if !label.is_empty() => label.to_owned(),
        _ => {
            let text = format!("invalid label name {}", quote(label));
            return Err(parameter::bad(&aggregate, text));
        }
    };
    if !aggregate.without {
        aggregate.labels.push(label.clone());
    }
    let steps = aggregate.grid.len;
    let mut positions: HashMap<Labels, usize> = HashMap::new();
    let mut series: Vec<Series> = Vec::new();
    let mut columns: Vec<Column> = Vec::new();
    let mut held = aggregate.context.limits.hold(0)?;
    let mut counted = 0;
    aggregate.each_member(|index, column| {
        let input = &aggregate.input.series()[index].labels;
        // Values often stay the same for many steps.
        let mut last: Option<(u64, usize)> = None;
        let mut kept = 0;
        let mut position_of = |text: String| {
            let mut labels = input.to_builder();
            labels.set(label.as_str(), text);
            let labels = aggregate.group_labels(&labels.build());
            *positions.entry(labels).or_insert_with_key(|labels| {
                series.push(Series::new(labels.clone()));
                let mut column = Column::default();
                column.reset(steps);
                columns.push(column);
                columns.len() - 1
            })
        };
        let mut places: Vec<(usize, usize)> = Vec::new();
        for (step, value) in column.iter() {
            let position = match last {
                Some((bits, position)) if bits == value.to_bits() => position,
                _ => position_of(Decimal(value).to_string()),
            };
            last = Some((value.to_bits(), position));
            places.push((step, position));
        }
        for (step, histogram) in column.histograms() {
            places.push((step, position_of(histogram.to_string())));
        }
        for (step, position) in places {
            let column = &mut columns[position];
            let known = column.get(step);
            kept += usize::from(known.is_none());
            column.set(step, known.unwrap_or(0.0) + 1.0);
        }
        held.grow(kept)?;
        // The columns of new values; what was counted before is not.
        let new = columns.get(counted..).unwrap_or_default();
        held.grow_bytes(new.iter().map(Column::bytes).sum())?;
        counted = columns.len();
        Ok(())
    })?;
    drop(held);
    Ok(Box::new(Kept::new(aggregate.context, series, columns)?))
}
