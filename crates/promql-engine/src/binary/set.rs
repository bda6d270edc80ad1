//! `and`, `or` and `unless`. Values are not touched; what counts is at which steps the other side
//! has an element with the same signature.

use promql_syntax::query::SetOp;

use super::join::compute_for_effects;
use super::signature::{MatchGroup, MatchLabels, match_groups};
use crate::EngineError;
use crate::column::{Bitmap, Column};
use crate::context::Context;
use crate::operator::{Kept, Operator, Series, VectorOperator};
use crate::workers::Scratch;

/// A set operation between two vectors.
pub(crate) fn set_operation<'a>(
    context: &'a Context<'a>,
    op: SetOp,
    matching: &MatchLabels,
    lhs: VectorOperator<'a>,
    rhs: VectorOperator<'a>,
    steps: usize,
) -> Result<VectorOperator<'a>, EngineError> {
    if op == SetOp::Or {
        // The left side decides which elements of the right one are added, and is a part of the
        // result itself.
        let lhs = Kept::all_of(context, &*lhs, steps)?;
        let (groups, of_lhs, of_rhs) =
            match_groups(&context.limits, matching, &lhs.series, rhs.series())?;
        context.limits.keep_bytes(groups.len().saturating_mul(steps.div_ceil(64) * 8))?;
        let mut presence = vec![Bitmap::empty(steps); groups.len()];
        for (column, group) in lhs.columns.iter().zip(of_lhs) {
            presence[group].union(&column.present());
        }
        let series = context.limits.collect(lhs.series.iter().chain(rhs.series()).cloned())?;
        return Ok(Box::new(Or { lhs, rhs, series, presence, of_rhs }));
    }
    let (groups, of_lhs, of_rhs) =
        match_groups(&context.limits, matching, lhs.series(), rhs.series())?;
    if groups.iter().all(|group| group.lhs.len() < 2 || group.rhs.is_empty()) {
        return one_by_one(context, op, groups, of_lhs, (lhs, rhs), steps);
    }
    // Of each group, then of each series of the left side.
    let masks = (groups.len() + lhs.series().len()).saturating_mul(steps.div_ceil(64) * 8);
    context.limits.keep_bytes(masks)?;
    let mut presence = vec![Bitmap::empty(steps); groups.len()];
    let compute = |index: usize, scratch: &mut Scratch| {
        if groups[of_rhs[index]].lhs.is_empty() && !rhs.has_effects() {
            return Ok(None);
        }
        let mut column = scratch.take_column();
        rhs.column(index, scratch, &mut column)?;
        let valid = column.present().into_owned();
        scratch.give_column(column);
        Ok(Some(valid))
    };
    context.workers.run(rhs.series().len(), steps, compute, |index, valid: Option<Bitmap>| {
        if let Some(valid) = valid {
            presence[of_rhs[index]].union(&valid);
        }
        Ok(())
    })?;
    Ok(match op {
        SetOp::And | SetOp::Or => {
            let masks = of_lhs.iter().map(|&group| presence[group].clone()).collect();
            Box::new(Masked { input: lhs, masks })
        }
        SetOp::Unless => {
            presence.iter_mut().for_each(Bitmap::complement);
            let masks = of_lhs.iter().map(|&group| presence[group].clone()).collect();
            Box::new(Masked { input: lhs, masks })
        }
    })
}

/// No series of the right side decides about several on the left: each is computed when its partner
/// is, and nothing is kept.
fn one_by_one<'a>(
    context: &'a Context<'a>,
    op: SetOp,
    groups: Vec<MatchGroup>,
    of_lhs: Vec<usize>,
    (lhs, rhs): (VectorOperator<'a>, VectorOperator<'a>),
    steps: usize,
) -> Result<VectorOperator<'a>, EngineError> {
    if rhs.has_effects() {
        let unmatched = groups.iter().filter(|group| group.lhs.is_empty());
        let unmatched = unmatched.flat_map(|group| group.rhs.iter().copied()).collect();
        compute_for_effects(context, &*rhs, unmatched, steps)?;
    }
    let partners = groups.into_iter().map(|group| group.rhs).collect();
    Ok(Box::new(OneByOne { lhs, rhs, keeps_matches: op == SetOp::And, partners, of_lhs, steps }))
}

struct OneByOne<'a> {
    lhs: VectorOperator<'a>,
    rhs: VectorOperator<'a>,
    /// Whether the steps remain at which there is an element on the right, or the others.
    keeps_matches: bool,
    /// The series of the right side by group.
    partners: Vec<Vec<usize>>,
    of_lhs: Vec<usize>,
    steps: usize,
}

impl Operator for OneByOne<'_> {
    fn series(&self) -> &[Series] {
        self.lhs.series()
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        let mut mask = Bitmap::empty(self.steps);
        let mut other = scratch.take_column();
        for &partner in &self.partners[self.of_lhs[index]] {
            self.rhs.column(partner, scratch, &mut other)?;
            mask.union(&other.present());
        }
        scratch.give_column(other);
        if !self.keeps_matches {
            mask.complement();
        }
        if mask.is_empty() && !self.lhs.has_effects() {
            out.reset(self.steps);
            return Ok(());
        }
        self.lhs.column(index, scratch, out)?;
        out.intersect(&mask);
        Ok(())
    }

    fn depth(&self) -> usize {
        self.lhs.depth().max(self.rhs.depth()) + 1
    }

    fn has_effects(&self) -> bool {
        self.lhs.has_effects() || self.rhs.has_effects()
    }
}

/// Some steps of each series.
struct Masked<'a> {
    input: VectorOperator<'a>,
    masks: Vec<Bitmap>,
}

impl Operator for Masked<'_> {
    fn series(&self) -> &[Series] {
        self.input.series()
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        let mask = &self.masks[index];
        if mask.is_empty() && !self.input.has_effects() {
            out.reset(mask.len());
            return Ok(());
        }
        self.input.column(index, scratch, out)?;
        out.intersect(mask);
        Ok(())
    }

    fn depth(&self) -> usize {
        self.input.depth() + 1
    }

    fn has_effects(&self) -> bool {
        self.input.has_effects()
    }
}

/// All series of the left side, then those of the right side at the steps at which no element of
/// the left one has their signature.
struct Or<'a> {
    lhs: Kept<'a>,
    rhs: VectorOperator<'a>,
    series: Vec<Series>,
    presence: Vec<Bitmap>,
    of_rhs: Vec<usize>,
}

impl Operator for Or<'_> {
    fn series(&self) -> &[Series] {
        &self.series
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        let Some(index) = index.checked_sub(self.lhs.series().len()) else {
            return self.lhs.column(index, scratch, out);
        };
        self.rhs.column(index, scratch, out)?;
        out.subtract(&self.presence[self.of_rhs[index]]);
        Ok(())
    }

    fn depth(&self) -> usize {
        self.rhs.depth() + 1
    }

    fn has_effects(&self) -> bool {
        self.rhs.has_effects()
    }
}
