//! Arithmetic and comparisons between two vectors.
//!
//! Elements match if their signatures are equal. Which series can ever match is worked out once:
//! the outcome is a list of [`Cell`]s, pairs of series that each give an output series. A cell is
//! computed from its two columns when it is asked for. Where a signature has several series on a
//! side that may have but one element, the bitmaps of those series say whether they ever meet; no
//! other check needs values.
//!
//! The side that may have many elements for one of the other is called `many` here, also where
//! matching is one-to-one: it is then the left one.

use std::collections::{BTreeSet, HashSet};

use promql_model::Labels;
use promql_syntax::Span;
use promql_syntax::query::{Cardinality, ElementOp};

use super::element::{Keep, Other};
use super::histograms::{Operation, apply, meaningful};
use super::signature::{MatchGroup, MatchLabels, match_groups};
use crate::EngineError;
use crate::annotations::Place;
use crate::column::{Bitmap, Column};
use crate::context::Context;
use crate::label_sets::{self, braces, without_metadata};
use crate::limits::Limits;
use crate::operator::{Kept, Operator, SameLabels, Series, VectorOperator, unite};
use crate::workers::Scratch;

/// An operation between two vectors.
#[derive(Clone, Debug)]
pub(crate) struct Join {
    pub(crate) op: ElementOp,
    pub(crate) matching: MatchLabels,
    pub(crate) cardinality: Cardinality,
    /// The labels of `group_left` or `group_right`.
    pub(crate) include: Vec<String>,
    /// The values for missing elements of the sides `many` and `one`.
    pub(crate) fill_many: Option<f64>,
    pub(crate) fill_one: Option<f64>,
    pub(crate) steps: usize,
    pub(crate) place: Place,
}

/// Two series that give an output series. A missing one is filled in.
#[derive(Clone, Copy, Debug)]
struct Cell {
    group: usize,
    many: Option<usize>,
    one: Option<usize>,
}

/// Matches two vectors.
pub(crate) fn join<'a>(
    context: &'a Context<'a>,
    join: Join,
    lhs: VectorOperator<'a>,
    rhs: VectorOperator<'a>,
) -> Result<VectorOperator<'a>, EngineError> {
    let steps = join.steps;
    let (mut many, mut one) = match join.cardinality {
        Cardinality::OneToMany => (rhs, lhs),
        _ => (lhs, rhs),
    };
    let (mut groups, ..) =
        match_groups(&context.limits, &join.matching, many.series(), one.series())?;
    let ambiguous =
        groups.iter().any(|group| join.is_ambiguous(group, many.series(), one.series()));
    let shared = groups.iter().any(|group| group.lhs.len() > 1);
    let filled = join.fill_many.is_some() || join.fill_one.is_some();
    let keep_many = ambiguous || filled;
    let keep_one = ambiguous || filled || shared;
    let mut kept = (None, None);
    if keep_many {
        kept.0 = Some(Kept::all_of(context, &*many, steps)?);
    }
    if keep_one {
        kept.1 = Some(Kept::all_of(context, &*one, steps)?);
    }
    if keep_many || keep_one {
        let many_series = kept.0.as_ref().map_or(many.series(), |kept| &kept.series);
        let one_series = kept.1.as_ref().map_or(one.series(), |kept| &kept.series);
        groups = match_groups(&context.limits, &join.matching, many_series, one_series)?.0;
    }
    // What was kept has only series with values, so that others may have lost all they match.
    let unmatched = |side: fn(&MatchGroup) -> &Vec<usize>,
                     other: fn(&MatchGroup) -> &Vec<usize>| {
        let unmatched = groups.iter().filter(|group| other(group).is_empty());
        unmatched.flat_map(|group| side(group).iter().copied()).collect()
    };
    if !keep_many && many.has_effects() {
        let series = unmatched(|group| &group.lhs, |group| &group.rhs);
        compute_for_effects(context, &*many, series, steps)?;
    }
    if !keep_one && one.has_effects() {
        let series = unmatched(|group| &group.rhs, |group| &group.lhs);
        compute_for_effects(context, &*one, series, steps)?;
    }
    if let (Some(many), Some(one)) = &kept {
        join.check(&context.limits, &groups, many, one)?;
    }
    if let Some(kept) = kept.0 {
        many = Box::new(kept);
    }
    if let Some(kept) = kept.1 {
        one = Box::new(kept);
    }
    let cells = join.cells(&context.limits, &groups)?;
    let series = cells
        .iter()
        .map(|cell| join.output_series(context, cell, &groups, many.series(), one.series()));
    let series = context.limits.collect(series)?;
    let joined = Joined { context, join, many, one, groups, cells, series };
    unite(context, Box::new(joined), steps, SameLabels::Merge)
}

/// Computes series that nothing is made of, for what there is to say about them.
pub(super) fn compute_for_effects(
    context: &Context<'_>,
    operator: &dyn Operator,
    series: Vec<usize>,
    steps: usize,
) -> Result<(), EngineError> {
    let compute = |at: usize, scratch: &mut Scratch| {
        let mut column = scratch.take_column();
        operator.column(series[at], scratch, &mut column)?;
        scratch.give_column(column);
        Ok(())
    };
    context.workers.run(series.len(), steps, compute, |_, ()| Ok(()))
}

impl Join {
    fn swapped(&self) -> bool {
        self.cardinality == Cardinality::OneToMany
    }

    /// Whether results lose the metric's name in the end. Filters and trims keep the left operand's.
    fn drops_names(&self) -> bool {
        !matches!(self.op, ElementOp::Filter(_) | ElementOp::Trim(_))
    }

    /// Whether elements of a group may meet that must not.
    fn is_ambiguous(&self, group: &MatchGroup, many: &[Series], one: &[Series]) -> bool {
        let needed = |filled: Option<f64>, other: &[usize]| !other.is_empty() || filled.is_some();
        group.rhs.len() > 1
            || (group.lhs.len() > 1
                && needed(self.fill_one, &group.rhs)
                && (self.cardinality == Cardinality::OneToOne || self.collides(group, many, one)))
    }

    /// Whether elements of the many side may give the same result.
    fn collides(&self, group: &MatchGroup, many: &[Series], one: &[Series]) -> bool {
        if self.include.is_empty() {
            return self.collides_without_names(group, many);
        }
        // Of several series on the one side each may be the partner; then nothing is certain.
        let partner = group.rhs.first().map_or(&group.signature, |&index| &one[index].labels);
        let mut seen = HashSet::with_capacity(group.lhs.len());
        let labels =
            |&index: &usize| self.result_labels(self.drops_names(), &many[index].labels, partner);
        !group.lhs.iter().map(labels).all(|labels| seen.insert(labels))
    }

    /// Whether elements of the many side differ in nothing but the name, which the results lose.
    fn collides_without_names(&self, group: &MatchGroup, many: &[Series]) -> bool {
        let metadata = |index: usize| {
            ["__name__", "__type__", "__unit__"].map(|name| many[index].labels.get(name))
        };
        if !self.drops_names()
            || group.lhs.iter().all(|&index| metadata(index) == metadata(group.lhs[0]))
        {
            return false;
        }
        let mut seen = BTreeSet::new();
        !group.lhs.iter().all(|&index| seen.insert(without_metadata(&many[index].labels)))
    }

    /// The pairs of series that can match.
    fn cells(&self, limits: &Limits, groups: &[MatchGroup]) -> Result<Vec<Cell>, EngineError> {
        // In the order of the many side, then what is filled in on that side.
        let mut cells = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            limits.check_round(at)?;
            for &many in &group.lhs {
                let ones = group.rhs.iter().map(|&one| Some(one));
                let cell = |one| Cell { group: at, many: Some(many), one };
                cells.extend(ones.chain(self.fill_one.map(|_| None)).map(cell));
            }
        }
        limits.sort_by(&mut cells, |a, b| a.many.cmp(&b.many))?;
        if self.fill_many.is_some() {
            for (at, group) in groups.iter().enumerate() {
                let cell = |&one: &usize| Cell { group: at, many: None, one: Some(one) };
                cells.extend(group.rhs.iter().map(cell));
            }
        }
        Ok(cells)
    }

    fn output_series(
        &self,
        context: &Context<'_>,
        cell: &Cell,
        groups: &[MatchGroup],
        many: &[Series],
        one: &[Series],
    ) -> Series {
        let signature = &groups[cell.group].signature;
        let many = cell.many.map_or(signature, |index| &many[index].labels);
        let one = cell.one.map_or(signature, |index| &one[index].labels);
        let delayed = context.options.delayed_name_removal;
        let is_bool = matches!(self.op, ElementOp::Bool(_));
        let drops_name = match self.op {
            ElementOp::Arithmetic(_) => true,
            ElementOp::Bool(_) => !delayed,
            ElementOp::Filter(_) | ElementOp::Trim(_) => false,
        };
        let labels = self.result_labels(drops_name, many, one);
        Series { labels, drop_name: is_bool && delayed }
    }

    fn result_labels(&self, drops_name: bool, many: &Labels, one: &Labels) -> Labels {
        let mut labels = if drops_name { without_metadata(many) } else { many.clone() };
        if self.cardinality == Cardinality::OneToOne {
            if self.matching.on {
                labels = label_sets::only(&labels, &self.matching.names);
            } else if !self.matching.names.is_empty() {
                labels = label_sets::without(&labels, &self.matching.names);
            }
        }
        if self.include.is_empty() {
            return labels;
        }
        let mut builder = labels.to_builder();
        for name in &self.include {
            builder.set(name.as_str(), one.get(name).unwrap_or_default());
        }
        builder.build()
    }

    /// Fails if elements meet that must not: before filtering, as upstream does.
    fn check(
        &self,
        limits: &Limits,
        groups: &[MatchGroup],
        many: &Kept<'_>,
        one: &Kept<'_>,
    ) -> Result<(), EngineError> {
        if groups.iter().all(|group| group.rhs.len() < 2 && group.lhs.len() < 2) {
            return Ok(());
        }
        let steps = self.steps;
        let any = |kept: &Kept<'_>| {
            let mut any = Bitmap::empty(steps);
            kept.columns.iter().for_each(|column| any.union(&column.present()));
            any
        };
        // A step at which a side is empty is not looked at, unless something is filled in.
        let mut looked_at = any(many);
        if self.fill_many.is_some() || self.fill_one.is_some() {
            looked_at.fill();
        } else {
            looked_at.intersect(&any(one));
        }
        self.check_one(limits, groups, one, &looked_at)?;
        self.check_many(limits, groups, many, one)
    }

    /// The one side must have one element for each signature.
    fn check_one(
        &self,
        limits: &Limits,
        groups: &[MatchGroup],
        one: &Kept<'_>,
        looked_at: &Bitmap,
    ) -> Result<(), EngineError> {
        let mut first: Option<(usize, usize, usize, usize)> = None;
        for (at, group) in groups.iter().enumerate().filter(|(_, group)| group.rhs.len() > 1) {
            for (position, &second) in group.rhs.iter().enumerate() {
                limits.check()?;
                let mut valid = one.columns[second].present().into_owned();
                valid.intersect(looked_at);
                for &earlier in &group.rhs[..position] {
                    if let Some(step) = valid.first_common(&one.columns[earlier].present()) {
                        let found = (step, second, earlier, at);
                        first = Some(first.map_or(found, |known| known.min(found)));
                    }
                }
            }
        }
        let Some((_, second, earlier, group)) = first else { return Ok(()) };
        let mut sets = [second, earlier].map(|index| braces(&one.series[index].labels));
        sets.sort();
        let side = if self.swapped() { "left" } else { "right" };
        Err(self.error(
            format!(
                "found duplicate series for the match group {} on the {side} hand-side of the \
                 operation: [{}, {}];many-to-many matching not allowed: matching labels must be \
                 unique on one side",
                braces(&groups[group].signature),
                sets[0],
                sets[1]
            ),
            "add the labels that tell these series apart to `on`, aggregate them away first, or \
             swap the group modifier if it is the other side that has many",
        ))
    }

    /// No two elements of the many side may give the same result.
    fn check_many(
        &self,
        limits: &Limits,
        groups: &[MatchGroup],
        many: &Kept<'_>,
        one: &Kept<'_>,
    ) -> Result<(), EngineError> {
        for group in groups.iter().filter(|group| group.lhs.len() > 1) {
            let mut combined: Vec<(Labels, Bitmap)> = Vec::new();
            for &index in &group.lhs {
                limits.check()?;
                let ones = group.rhs.iter().map(|&one| Some(one));
                for partner in ones.chain([None]) {
                    if partner.is_none() && self.fill_one.is_none() {
                        continue;
                    }
                    let column = &many.columns[index];
                    let other = partner.map(|partner| &one.columns[partner]);
                    let mut valid = meaningful(self.op, column, other, self.swapped());
                    if partner.is_none() {
                        group.rhs.iter().for_each(|&o| valid.subtract(&one.columns[o].present()));
                    }
                    self.combine(group, index, partner, valid, &mut combined, many, one)?;
                }
            }
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn combine(
        &self,
        group: &MatchGroup,
        index: usize,
        partner: Option<usize>,
        valid: Bitmap,
        combined: &mut Vec<(Labels, Bitmap)>,
        many: &Kept<'_>,
        one: &Kept<'_>,
    ) -> Result<(), EngineError> {
        let one_to_one = self.cardinality == Cardinality::OneToOne;
        // In one-to-one matching all elements of the group exclude each other.
        let labels = if one_to_one {
            Labels::empty()
        } else {
            let drops_name = self.drops_names();
            let partner = partner.map_or(&group.signature, |o| &one.series[o].labels);
            self.result_labels(drops_name, &many.series[index].labels, partner)
        };
        match combined.iter_mut().find(|(known, _)| *known == labels) {
            None => combined.push((labels, valid)),
            Some((_, known)) if !known.intersects(&valid) => known.union(&valid),
            Some(_) if one_to_one => {
                return Err(self.error(
                    "multiple matches for labels: many-to-one matching must be explicit \
                     (group_left/group_right)"
                        .to_owned(),
                    "add `group_left` if several elements on the left belong to one on the right",
                ));
            }
            Some(_) => {
                return Err(self.error(
                    "multiple matches for labels: grouping labels must ensure unique matches"
                        .to_owned(),
                    "a label copied by the group modifier makes results equal: copy it under \
                     another name with label_replace, or leave it out",
                ));
            }
        }
        Ok(())
    }

    fn error(&self, message: String, help: &str) -> EngineError {
        let span: Span = self.place.first;
        EngineError::Execution { message, span: Some(span.into()), help: Some(help.to_owned()) }
    }
}

/// See the module.
struct Joined<'a> {
    context: &'a Context<'a>,
    join: Join,
    many: VectorOperator<'a>,
    one: VectorOperator<'a>,
    groups: Vec<MatchGroup>,
    cells: Vec<Cell>,
    series: Vec<Series>,
}

impl Operator for Joined<'_> {
    fn series(&self) -> &[Series] {
        &self.series
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        let Cell { group, many, one } = self.cells[index];
        let (op, swapped) = (self.join.op, self.join.swapped());
        // A filter keeps the value of the left operand.
        let keep = if swapped { Keep::Other } else { Keep::This };
        let operation = Operation {
            op,
            swapped,
            keep,
            annotations: &self.context.annotations,
            place: self.join.place,
            pair: index,
        };
        let group = &self.groups[group];
        match (many, one) {
            (Some(many), Some(one)) => {
                let mut other = scratch.take_column();
                self.many.column(many, scratch, out)?;
                self.one.column(one, scratch, &mut other)?;
                apply(&operation, out, &Other::Column(&other));
                scratch.give_column(other);
            }
            (Some(many), None) => {
                self.many.column(many, scratch, out)?;
                self.without(&self.one, &group.rhs, scratch, out)?;
                let fill = Other::Constant(self.join.fill_one.unwrap_or(f64::NAN));
                apply(&operation, out, &fill);
            }
            (None, Some(one)) => {
                self.one.column(one, scratch, out)?;
                self.without(&self.many, &group.lhs, scratch, out)?;
                let fill = Other::Constant(self.join.fill_many.unwrap_or(f64::NAN));
                let keep = if swapped { Keep::This } else { Keep::Other };
                apply(&Operation { swapped: !swapped, keep, ..operation }, out, &fill);
            }
            (None, None) => out.reset(self.join.steps),
        }
        Ok(())
    }

    fn depth(&self) -> usize {
        self.many.depth().max(self.one.depth()) + 1
    }

    /// Histograms, which may be there, have no meaning for most operators.
    fn has_effects(&self) -> bool {
        true
    }
}

impl Joined<'_> {
    /// Removes the steps at which any of these series has an element.
    fn without(
        &self,
        side: &VectorOperator<'_>,
        series: &[usize],
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        let mut other = scratch.take_column();
        for &index in series {
            side.column(index, scratch, &mut other)?;
            out.subtract(&other.present());
        }
        scratch.give_column(other);
        Ok(())
    }
}
