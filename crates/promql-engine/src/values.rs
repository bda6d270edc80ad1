//! What operations give and take.

use crate::EngineError;
use crate::aggregate::{Aggregate, Streamed};
use crate::column::ScalarColumn;
use crate::operator::{RangeSource, VectorOperator};
use crate::over_range::Extension;
use crate::window::Windows;

/// The result of an operation.
pub(crate) enum Value<'a> {
    Vector(VectorOperator<'a>),
    Scalar(ScalarColumn),
    Range(RangeValue<'a>),
    /// An aggregation that is computed by the function of histograms that alone uses it: each group
    /// becomes floats when it is complete.
    Groups(Groups<'a>),
}

/// An aggregation that is not computed yet.
pub(crate) struct Groups<'a> {
    pub(crate) aggregate: Box<Aggregate<'a>>,
    pub(crate) op: Streamed,
    /// The position of its operation in the plan.
    pub(crate) operation: usize,
}

/// The operand of a function of histograms.
pub(crate) enum HistogramVector<'a> {
    Vector(VectorOperator<'a>),
    Groups(Groups<'a>),
}

/// A range vector with its windows.
pub(crate) struct RangeValue<'a> {
    pub(crate) source: Box<dyn RangeSource + 'a>,
    pub(crate) windows: Windows,
    /// The windows with the samples around them that `anchored` and `smoothed` need.
    pub(crate) loaded: Windows,
    pub(crate) extension: Option<Extension>,
}

/// The operands of an operation, the first one last.
pub(crate) struct Inputs<'a> {
    values: Vec<Value<'a>>,
}

impl<'a> Inputs<'a> {
    /// The operands in reverse order.
    pub(crate) fn new(values: Vec<Value<'a>>) -> Inputs<'a> {
        Inputs { values }
    }

    /// The next operand of any type.
    pub(crate) fn next(&mut self) -> Option<Value<'a>> {
        self.values.pop()
    }

    fn take(&mut self, wanted: impl Fn(&Value<'a>) -> bool) -> Option<Value<'a>> {
        let at = self.values.iter().rposition(wanted)?;
        Some(self.values.remove(at))
    }

    /// The next vector. The typed tree says how many there are, so there is one.
    pub(crate) fn vector(&mut self) -> Result<VectorOperator<'a>, EngineError> {
        match self.take(|value| matches!(value, Value::Vector(_))) {
            Some(Value::Vector(vector)) => Ok(vector),
            _ => Err(missing_operand("vector")),
        }
    }

    /// The next vector, which may be an aggregation that is to be computed yet.
    pub(crate) fn histograms(&mut self) -> Result<HistogramVector<'a>, EngineError> {
        match self.take(|value| matches!(value, Value::Vector(_) | Value::Groups(_))) {
            Some(Value::Vector(vector)) => Ok(HistogramVector::Vector(vector)),
            Some(Value::Groups(groups)) => Ok(HistogramVector::Groups(groups)),
            _ => Err(missing_operand("vector")),
        }
    }

    /// The next scalar.
    pub(crate) fn scalar(&mut self) -> Result<ScalarColumn, EngineError> {
        match self.take(|value| matches!(value, Value::Scalar(_))) {
            Some(Value::Scalar(scalar)) => Ok(scalar),
            _ => Err(missing_operand("scalar")),
        }
    }

    /// The next range vector.
    pub(crate) fn range(&mut self) -> Result<RangeValue<'a>, EngineError> {
        match self.take(|value| matches!(value, Value::Range(_))) {
            Some(Value::Range(range)) => Ok(range),
            _ => Err(missing_operand("range vector")),
        }
    }
}

/// A plan that doesn't fit its query: a mistake in this crate, reported rather than a crash.
pub(crate) fn missing_operand(kind: &str) -> EngineError {
    EngineError::Execution {
        message: format!("unexpected error: an operation has no {kind} operand"),
        span: None,
        help: Some("this is a mistake of the evaluator: please report the query".to_owned()),
    }
}
