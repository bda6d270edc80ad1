//! Operations between a vector and a scalar.

use promql_syntax::query::ElementOp;

use super::element::{Keep, Other};
use super::histograms::{Operation, apply};
use crate::EngineError;
use crate::annotations::Place;
use crate::column::{Column, ScalarColumn};
use crate::context::Context;
use crate::operator::{Operator, Series, VectorOperator, drop_names};
use crate::workers::Scratch;

/// An operation between a vector and a scalar. A filter keeps the elements of the vector as they
/// are, whichever side it is on.
pub(crate) fn with_scalar<'a>(
    context: &'a Context<'a>,
    op: ElementOp,
    vector: VectorOperator<'a>,
    scalar: ScalarColumn,
    scalar_is_left: bool,
    place: Place,
) -> Result<VectorOperator<'a>, EngineError> {
    let series = match op {
        ElementOp::Filter(_) | ElementOp::Trim(_) => vector.series().to_vec(),
        _ => drop_names(context, vector.series())?,
    };
    Ok(Box::new(WithScalar { context, op, vector, scalar, scalar_is_left, series, place }))
}

struct WithScalar<'a> {
    context: &'a Context<'a>,
    op: ElementOp,
    vector: VectorOperator<'a>,
    scalar: ScalarColumn,
    scalar_is_left: bool,
    series: Vec<Series>,
    place: Place,
}

impl Operator for WithScalar<'_> {
    fn series(&self) -> &[Series] {
        &self.series
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        self.vector.column(index, scratch, out)?;
        let other = match &self.scalar {
            ScalarColumn::Constant(value) => Other::Constant(*value),
            ScalarColumn::Steps(values) => Other::Values(values),
        };
        let operation = Operation {
            op: self.op,
            swapped: self.scalar_is_left,
            keep: Keep::This,
            annotations: &self.context.annotations,
            place: self.place,
            pair: index,
        };
        apply(&operation, out, &other);
        Ok(())
    }

    fn depth(&self) -> usize {
        self.vector.depth() + 1
    }

    /// Histograms, which may be there, have no meaning for most operators.
    fn has_effects(&self) -> bool {
        true
    }
}
