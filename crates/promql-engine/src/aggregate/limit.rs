//! `limitk` and `limit_ratio`: some of the elements, whatever their values.

use promql_model::Labels;
use promql_model::number::General;
use twox_hash::XxHash64;

use super::parameter::{self, Extent};
use super::{Aggregate, ByGroup};
use crate::EngineError;
use crate::column::{Column, ScalarColumn};
use crate::limits::Held;
use crate::operator::{Kept, Operator, VectorOperator};
use crate::workers::Scratch;

/// The first elements of each group.
pub(super) fn limitk<'a>(
    aggregate: Aggregate<'a>,
    parameter: &ScalarColumn,
) -> Result<VectorOperator<'a>, EngineError> {
    let Some(limits) = parameter::counts(&aggregate, parameter)? else {
        return aggregate.nothing();
    };
    let groups = aggregate.groups()?;
    let mut first = First {
        finished: 0,
        taken: vec![0; limits.len()],
        limits,
        chosen: Vec::new(),
        held: aggregate.context.limits.hold(0)?,
    };
    aggregate.each_group(&groups, &mut first)?;
    let First { mut chosen, held, .. } = first;
    drop(held);
    if aggregate.grid.len > 1 {
        chosen.sort_by_key(|(member, _)| *member);
    }
    let series =
        |(member, column): (usize, Column)| (aggregate.input.series()[member].clone(), column);
    let (series, columns) = chosen.into_iter().map(series).unzip();
    Ok(Box::new(Kept::new(aggregate.context, series, columns)?))
}

/// The first elements at each step.
struct First<'a> {
    /// How many elements of the open group each step has.
    taken: Vec<usize>,
    limits: Vec<usize>,
    /// How many of those that were chosen belong to finished groups.
    finished: usize,
    /// The members of all groups so far with what was taken of them.
    chosen: Vec<(usize, Column)>,
    held: Held<'a>,
}

impl ByGroup for First<'_> {
    fn add(&mut self, member: usize, mut column: Column) -> Result<(), EngineError> {
        column.retain(|step| self.taken[step] < self.limits[step]);
        if column.is_empty() {
            return Ok(());
        }
        column.present().iter().for_each(|step| self.taken[step] += 1);
        self.held.grow(column.samples())?;
        self.held.grow_bytes(column.bytes())?;
        self.chosen.push((member, column));
        Ok(())
    }

    fn finish(&mut self, _: usize) -> Result<(), EngineError> {
        self.taken.fill(0);
        if self.limits.len() == 1 {
            into_heap(&mut self.chosen[self.finished..], |(_, column)| first_value(column));
        }
        self.finished = self.chosen.len();
        Ok(())
    }
}

/// The value at the only step, of a histogram its sum.
fn first_value(column: &Column) -> f64 {
    match column.histogram(0) {
        Some(histogram) => histogram.sum,
        None => column.values.first().copied().unwrap_or(f64::NAN),
    }
}

/// Upstream chooses the elements of an instant vector by pushing them into a heap whose least
/// element is in front, and that is the order in which they are seen.
fn into_heap<T>(elements: &mut [T], value: impl Fn(&T) -> f64) {
    for pushed in 1..elements.len() {
        let mut at = pushed;
        while at > 0 {
            let parent = (at - 1) / 2;
            let (new, above) = (value(&elements[at]), value(&elements[parent]));
            if !(new.is_nan() || new < above) {
                break;
            }
            elements.swap(at, parent);
            at = parent;
        }
    }
}

/// A share of the elements, chosen by a hash of their labels: a ratio and its negative complement
/// choose different elements, and together all of them.
pub(super) fn limit_ratio<'a>(
    aggregate: Aggregate<'a>,
    parameter: &ScalarColumn,
) -> Result<VectorOperator<'a>, EngineError> {
    let steps = aggregate.grid.len;
    if parameter.iter(steps).all(|ratio| ratio == 0.0) {
        return aggregate.nothing();
    }
    let extent = Extent::of(parameter, steps);
    if extent.any_nan {
        return Err(parameter::bad(&aggregate, "Ratio value is NaN".to_owned()));
    }
    let caps = [(extent.max > 1.0, extent.max, 1.0), (extent.min < -1.0, extent.min, -1.0)];
    for (_, ratio, cap) in caps.into_iter().filter(|cap| cap.0) {
        let text = format!(
            "ratio value should be between -1 and 1, got {}, capping to {}",
            General(ratio),
            General(cap)
        );
        aggregate.context.annotations.warn(aggregate.parameter_place, text);
    }
    let offsets = aggregate.input.series().iter().map(|s| offset(&s.labels)).collect();
    let ratio = parameter.map(|ratio| ratio.clamp(-1.0, 1.0));
    Ok(Box::new(LimitRatio { input: aggregate.input, offsets, ratio }))
}

struct LimitRatio<'a> {
    input: VectorOperator<'a>,
    /// Where in [0, 1) the hash of each series lies.
    offsets: Vec<f64>,
    ratio: ScalarColumn,
}

impl Operator for LimitRatio<'_> {
    fn series(&self) -> &[crate::operator::Series] {
        self.input.series()
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        self.input.column(index, scratch, out)?;
        let offset = self.offsets[index];
        out.retain(|step| match self.ratio.at(step) {
            0.0 => false,
            ratio if ratio > 0.0 => offset < ratio,
            ratio => offset >= 1.0 + ratio,
        });
        Ok(())
    }

    fn depth(&self) -> usize {
        self.input.depth() + 1
    }

    fn has_effects(&self) -> bool {
        self.input.has_effects()
    }
}

/// The hash of a label set as a part of one. Upstream hashes names and values with their lengths in
/// front: one byte, or 255 and three bytes.
fn offset(labels: &Labels) -> f64 {
    let mut bytes = Vec::new();
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        match u8::try_from(text.len()) {
            Ok(len) if len < 255 => bytes.push(len),
            _ => {
                bytes.push(255);
                bytes.extend_from_slice(&text.len().to_le_bytes()[..3]);
            }
        }
        bytes.extend_from_slice(text.as_bytes());
    }
    XxHash64::oneshot(0, &bytes) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_those_of_upstream() {
        let labels = |i: &str| Labels::from_pairs([("__name__", "many"), ("job", "x"), ("i", i)]);
        assert_eq!(offset(&labels("0")), 0.044563706496825374);
        assert_eq!(offset(&labels("2")), 0.5930246158017832);
    }
}
