//! Aggregations. Groups are formed once for a query, and each consumes its members series by
//! series.

mod count_values;
mod histograms;
mod limit;
mod parameter;
mod pass;
mod quantile;
mod reduce;
mod topk;

use std::collections::HashMap;

use promql_model::{Labels, METRIC_NAME};
use promql_syntax::Span;
use promql_syntax::query::Aggregation;

use crate::EngineError;
use crate::annotations::Place;
use crate::column::{Column, ScalarColumn};
use crate::context::Context;
use crate::grid::Grid;
use crate::label_sets;
use crate::operator::{Kept, Series, VectorOperator};
use crate::values::missing_operand;
use crate::workers::Scratch;

/// An aggregation that is about to be computed.
pub(crate) struct Aggregate<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) input: VectorOperator<'a>,
    pub(crate) parameter: Option<ScalarColumn>,
    /// Labels of `by` or `without`.
    pub(crate) labels: Vec<String>,
    pub(crate) without: bool,
    pub(crate) grid: Grid,
    /// Where remarks about the parameter point.
    pub(crate) parameter_place: Place,
    /// Where remarks about what is aggregated point.
    pub(crate) place: Place,
    /// Where remarks about the aggregation point.
    pub(crate) own_place: Place,
    pub(crate) span: Span,
}

/// An aggregation that has histograms as its result, and can hand them out group by group.
#[derive(Clone, Copy)]
pub(crate) struct Streamed(pass::NewState);

impl Streamed {
    /// The aggregation, if it is such a one.
    pub(crate) fn of(op: Aggregation) -> Option<Streamed> {
        match op {
            Aggregation::Sum | Aggregation::Avg => pass::state(op).map(Streamed),
            _ => None,
        }
    }
}

impl<'a> Aggregate<'a> {
    /// Computes the aggregation, and those `others` that go along: they have the same operand and the
    /// same groups.
    pub(crate) fn compute(
        self,
        op: Aggregation,
        others: &[(Aggregation, Place)],
    ) -> Result<Vec<VectorOperator<'a>>, EngineError> {
        let reductions: Option<Vec<_>> = [(op, self.place)]
            .iter()
            .chain(others)
            .map(|&(op, place)| Some((pass::state(op)?, place)))
            .collect();
        match reductions {
            Some(reductions) => {
                let all = pass::reduce(&self, &reductions)?.into_iter();
                Ok(all.map(|kept| Box::new(kept) as VectorOperator<'a>).collect())
            }
            None => Ok(vec![self.compute_alone(op)?]),
        }
    }

    /// Computes an aggregation that keeps more than a state for each group and step, or depends on a
    /// parameter.
    fn compute_alone(self, op: Aggregation) -> Result<VectorOperator<'a>, EngineError> {
        let parameter = self.parameter.clone().unwrap_or(ScalarColumn::Constant(f64::NAN));
        match op {
            Aggregation::Sum
            | Aggregation::Avg
            | Aggregation::Count
            | Aggregation::Group
            | Aggregation::Min
            | Aggregation::Max
            | Aggregation::Stdvar
            | Aggregation::Stddev => Err(missing_operand("reduced")),
            Aggregation::Quantile(_) => quantile::quantile(self, &parameter),
            Aggregation::Topk(_) => topk::topk(self, &parameter, topk::Best::Largest),
            Aggregation::Bottomk(_) => topk::topk(self, &parameter, topk::Best::Smallest),
            Aggregation::Limitk(_) => limit::limitk(self, &parameter),
            Aggregation::LimitRatio(_) => limit::limit_ratio(self, &parameter),
            Aggregation::CountValues(label) => {
                let label = self.context.query.text(label);
                count_values::count_values(self, label)
            }
        }
    }

    /// Computes a sum or a mean, and hands out what comes of one group after the other, so that the
    /// histograms of only one group are there at a time.
    pub(crate) fn stream(
        &self,
        op: Streamed,
        consume: &mut dyn FnMut(Series, Column) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let reduction = [(op.0, self.place)];
        pass::reduce_each(self, &reduction, &mut |series, columns| {
            columns.into_iter().try_for_each(|column| consume(series.clone(), column))
        })
    }

    /// The label sets of the groups.
    pub(crate) fn label_sets(&self) -> Result<Vec<Labels>, EngineError> {
        Ok(self.groups()?.labels)
    }

    /// Says that an aggregation of floats left out histograms, if the column has any.
    fn ignore_histograms(&self, name: &str, place: Place, column: &Column) {
        if column.has_histograms() {
            let text = format!("ignored histogram in {name} aggregation");
            self.context.annotations.inform(place, text);
        }
    }

    /// Whether a group gets the name of this member only until the query is done.
    fn drops_name_late(&self, member: usize) -> bool {
        self.context.options.delayed_name_removal && self.input.series()[member].drop_name
    }

    /// The metric that a remark about a member names: none if the name was dropped, whether or not
    /// the labels still have it because nobody sees them.
    fn remarked_name(&self, member: usize) -> &str {
        let Series { labels, drop_name } = &self.input.series()[member];
        match *drop_name && !self.context.options.delayed_name_removal {
            true => "",
            false => labels.metric_name().unwrap_or_default(),
        }
    }

    /// The labels of the group that a label set belongs to.
    fn group_labels(&self, labels: &Labels) -> Labels {
        if self.without {
            label_sets::without_name_and(labels, &self.labels)
        } else {
            label_sets::only(labels, &self.labels)
        }
    }

    /// A text that is the same for two label sets if those of their groups are.
    fn group_key(&self, labels: &Labels, key: &mut String) {
        key.clear();
        let mut add = |text: &str| {
            // Lengths keep texts apart. As they are written, they are text, too.
            let mut length = text.len();
            while length >= 0x40 {
                key.push(char::from((length & 0x3f) as u8 | 0x40));
                length >>= 6;
            }
            key.push(char::from(length as u8));
            key.push_str(text);
        };
        if self.without {
            let stays = |name: &str| name != METRIC_NAME && !self.labels.iter().any(|n| n == name);
            for (name, value) in labels.iter().filter(|(name, _)| stays(name)) {
                add(name);
                add(value);
            }
        } else {
            self.labels.iter().for_each(|name| add(labels.get(name).unwrap_or_default()));
        }
    }

    fn groups(&self) -> Result<Groups, EngineError> {
        let series = self.input.series();
        let mut groups = Groups { labels: Vec::new(), members: Vec::new() };
        if self.labels.is_empty() && !self.without {
            if !series.is_empty() {
                groups.labels.push(Labels::empty());
                groups.members.push((0..series.len()).collect());
            }
            return Ok(groups);
        }
        // Label sets are made for groups only, not for each member: that of a group is known by the
        // texts that it has.
        let mut positions: HashMap<String, usize> = HashMap::new();
        let mut key = String::new();
        // Neighbours often belong together.
        let mut last: Option<(String, usize)> = None;
        for (index, series) in series.iter().enumerate() {
            self.context.limits.check_round(index)?;
            self.group_key(&series.labels, &mut key);
            let group = match &last {
                Some((known, group)) if *known == key => *group,
                _ => {
                    let group = match positions.get(&key) {
                        Some(group) => *group,
                        None => {
                            positions.insert(key.clone(), groups.labels.len());
                            groups.labels.push(self.group_labels(&series.labels));
                            groups.members.push(Vec::new());
                            groups.labels.len() - 1
                        }
                    };
                    let (known, at) = last.get_or_insert_default();
                    std::mem::swap(known, &mut key);
                    *at = group;
                    group
                }
            };
            groups.members[group].push(index);
        }
        Ok(groups)
    }

    /// Computes the columns of all members on all threads and gives them to `consume` in order.
    fn each_member(
        &self,
        consume: impl FnMut(usize, Column) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let compute = |index: usize, scratch: &mut Scratch| {
            let mut column = Column::default();
            self.input.column(index, scratch, &mut column)?;
            Ok(column)
        };
        let (count, steps) = (self.input.series().len(), self.grid.len);
        let _batch = self.context.workers.hold_batch(count, steps)?;
        self.context.workers.run(count, steps, compute, consume)
    }

    /// Computes the columns of the members of one group after the other.
    fn each_group(&self, groups: &Groups, consumer: &mut impl ByGroup) -> Result<(), EngineError> {
        let members: Vec<(usize, usize)> = groups
            .members
            .iter()
            .enumerate()
            .flat_map(|(group, members)| members.iter().map(move |&member| (group, member)))
            .collect();
        let compute = |at: usize, scratch: &mut Scratch| {
            let mut column = Column::default();
            self.input.column(members[at].1, scratch, &mut column)?;
            Ok(column)
        };
        let _batch = self.context.workers.hold_batch(members.len(), self.grid.len)?;
        self.context.workers.run(members.len(), self.grid.len, compute, |at, column| {
            let (group, member) = members[at];
            consumer.add(member, column)?;
            if members.get(at + 1).is_none_or(|next| next.0 != group) {
                consumer.finish(group)?;
            }
            Ok(())
        })
    }

    /// Nothing, though the input is evaluated for what it has to say.
    fn nothing(&self) -> Result<VectorOperator<'a>, EngineError> {
        if self.input.has_effects() {
            self.each_member(|_, _| Ok(()))?;
        }
        Ok(Box::new(Kept::new(self.context, Vec::new(), Vec::new())?))
    }
}

/// Consumes the members of one group after the other, so that it holds the state of but one.
trait ByGroup {
    /// Adds the values of a member, given by the number of its series.
    fn add(&mut self, member: usize, column: Column) -> Result<(), EngineError>;

    /// Ends a group: the next member belongs to another one.
    fn finish(&mut self, group: usize) -> Result<(), EngineError>;
}

/// The groups of an aggregation in the order of their first members.
struct Groups {
    labels: Vec<Labels>,
    /// The series of each group.
    members: Vec<Vec<usize>>,
}

/// Whether the name of a group's series goes in the end: if it does for a member at the last step
/// that has any.
#[derive(Clone, Copy, Debug, Default)]
struct DropName {
    last_step: Option<usize>,
    drop_name: bool,
}

impl DropName {
    fn add(&mut self, drop_name: bool, column: &Column) {
        self.join(DropName { last_step: column.last(), drop_name });
    }

    fn join(&mut self, other: DropName) {
        match other.last_step.cmp(&self.last_step) {
            std::cmp::Ordering::Greater => *self = other,
            std::cmp::Ordering::Equal => self.drop_name |= other.drop_name,
            std::cmp::Ordering::Less => {}
        }
    }

    fn series(&self, labels: Labels) -> Series {
        Series { labels, drop_name: self.last_step.is_some() && self.drop_name }
    }
}
