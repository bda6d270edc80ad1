//! `and`, `or` and `unless`. Values are not touched; what counts is at which steps the other side
//! has an element with the same signature.

use promql_syntax::query::SetOp;

use super::signature::{MatchLabels, match_groups};
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
        let (groups, of_lhs, of_rhs) = match_groups(matching, &lhs.series, rhs.series());
        context.limits.keep_bytes(groups.len().saturating_mul(steps.div_ceil(64) * 8))?;
        let mut presence = vec![Bitmap::empty(steps); groups.len()];
        for (column, group) in lhs.columns.iter().zip(of_lhs) {
            presence[group].union(&column.present());
        }
        let series = lhs.series.iter().chain(rhs.series()).cloned().collect();
        return Ok(Box::new(Or { lhs, rhs, series, presence, of_rhs }));
    }
    let (groups, of_lhs, of_rhs) = match_groups(matching, lhs.series(), rhs.series());
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
