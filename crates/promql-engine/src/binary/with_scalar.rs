//! Operations between a vector and a scalar.

use promql_syntax::query::ElementOp;

use super::element::{Keep, Other};
use super::histograms::{Operation, apply};
use crate::EngineError;
use crate::annotations::Place;
use crate::column::{Column, ScalarColumn};
use crate::context::Context;
use crate::operator::{Operator, Series, VectorOperator};
use crate::workers::Scratch;

/// An operation between a vector and a scalar. A filter keeps the elements of the vector as they
/// are, whichever side it is on.
pub(crate) struct WithScalar<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) op: ElementOp,
    pub(crate) vector: VectorOperator<'a>,
    pub(crate) scalar: ScalarColumn,
    pub(crate) scalar_is_left: bool,
    /// The label sets of the output.
    pub(crate) series: Vec<Series>,
    pub(crate) place: Place,
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
