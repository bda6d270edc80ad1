//! Results that several operations use.
//!
//! What was computed and kept is handed to each of them. What streams can be asked by each of them,
//! and a thread remembers the last column that it computed where two uses ask for the same one in a
//! row: `rate(x[5m]) / (rate(x[5m]) + rate(y[5m]))` needs the first column of `rate(x[5m])` twice,
//! then the second one.

use std::collections::HashMap;
use std::sync::Arc;

use crate::EngineError;
use crate::column::Column;
use crate::operator::{Operator, RangeSource, Series, VectorOperator};
use crate::plan::Operation;
use crate::storage::Samples;
use crate::values::{RangeValue, Value};
use crate::workers::{RangeBuffer, Scratch};

/// The results of operations that are yet to be used, by the operation's position in the plan.
pub(crate) struct Results<'a> {
    slots: Vec<Slot<'a>>,
    /// Those of operations whose turn comes later.
    along: HashMap<usize, Value<'a>>,
}

enum Slot<'a> {
    Empty,
    /// A result with a single use.
    Single(Value<'a>),
    /// A result with so many uses left.
    Shared(SharedValue<'a>, usize),
}

/// A value that can be handed out several times.
enum SharedValue<'a> {
    Vector(Arc<dyn Operator + 'a>),
    Scalar(crate::column::ScalarColumn),
    Range(RangeValue<'a>, Arc<dyn RangeSource + 'a>),
}

impl<'a> Results<'a> {
    pub(crate) fn new(operations: usize) -> Results<'a> {
        Results { slots: Vec::with_capacity(operations), along: HashMap::new() }
    }

    /// Adds the result of the next operation.
    pub(crate) fn push(&mut self, value: Value<'a>, index: usize, operation: &Operation) {
        self.slots.push(match operation.uses {
            0 | 1 => Slot::Single(value),
            uses => match SharedValue::new(value, index, operation.remember) {
                Ok(shared) => Slot::Shared(shared, uses),
                Err(groups) => Slot::Single(groups),
            },
        });
    }

    /// Adds the result of an operation that was computed before its turn.
    pub(crate) fn add_along(&mut self, index: usize, value: Value<'a>) {
        self.along.insert(index, value);
    }

    /// The result of an operation whose turn it is, if it was computed before.
    pub(crate) fn computed_along(&mut self, index: usize) -> Option<Value<'a>> {
        self.along.remove(&index)
    }

    /// The result of an operation, for one of its uses.
    pub(crate) fn take(&mut self, index: usize) -> Option<Value<'a>> {
        let slot = self.slots.get_mut(index)?;
        match std::mem::replace(slot, Slot::Empty) {
            Slot::Empty => None,
            Slot::Single(value) => Some(value),
            Slot::Shared(shared, left) => {
                let value = shared.hand_out();
                if left > 1 {
                    *slot = Slot::Shared(shared, left - 1);
                }
                Some(value)
            }
        }
    }
}

impl<'a> SharedValue<'a> {
    /// Gives back what only one operation can use.
    fn new(value: Value<'a>, index: usize, remember: bool) -> Result<SharedValue<'a>, Value<'a>> {
        Ok(match value {
            Value::Vector(vector) if remember && !vector.is_kept() => {
                SharedValue::Vector(remembering(vector, index).into())
            }
            Value::Vector(vector) => SharedValue::Vector(vector.into()),
            Value::Scalar(scalar) => SharedValue::Scalar(scalar),
            Value::Range(RangeValue { source, windows, loaded, extension }) => {
                let source: Arc<dyn RangeSource + 'a> = source.into();
                let range = Box::new(SharedUse(source.clone()));
                SharedValue::Range(RangeValue { source: range, windows, loaded, extension }, source)
            }
            groups @ Value::Groups(_) => return Err(groups),
        })
    }

    fn hand_out(&self) -> Value<'a> {
        match self {
            SharedValue::Vector(vector) => Value::Vector(Box::new(SharedUse(vector.clone()))),
            SharedValue::Scalar(scalar) => Value::Scalar(scalar.clone()),
            SharedValue::Range(range, source) => {
                Value::Range(RangeValue { source: Box::new(SharedUse(source.clone())), ..*range })
            }
        }
    }
}

/// One use of something.
struct SharedUse<T: ?Sized>(Arc<T>);

impl Operator for SharedUse<dyn Operator + '_> {
    fn series(&self) -> &[Series] {
        self.0.series()
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        self.0.column(index, scratch, out)
    }

    fn depth(&self) -> usize {
        self.0.depth() + 1
    }

    fn has_effects(&self) -> bool {
        self.0.has_effects()
    }

    fn is_kept(&self) -> bool {
        self.0.is_kept()
    }
}

impl RangeSource for SharedUse<dyn RangeSource + '_> {
    fn series(&self) -> &[Series] {
        self.0.series()
    }

    fn read<'b>(
        &'b self,
        index: usize,
        scratch: &mut Scratch,
        buffer: &'b mut RangeBuffer,
    ) -> Result<Samples<'b>, EngineError> {
        self.0.read(index, scratch, buffer)
    }

    fn depth(&self) -> usize {
        self.0.depth() + 1
    }

    fn has_effects(&self) -> bool {
        self.0.has_effects()
    }
}

/// The same operator, of which each thread remembers the last column. `operation` is the position in
/// the plan of what it belongs to.
pub(crate) fn remembering<'a>(inner: VectorOperator<'a>, operation: usize) -> VectorOperator<'a> {
    match inner.is_kept() {
        true => inner,
        false => Box::new(Remembering { inner, operation }),
    }
}

struct Remembering<'a> {
    inner: VectorOperator<'a>,
    operation: usize,
}

impl Operator for Remembering<'_> {
    fn series(&self) -> &[Series] {
        self.inner.series()
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        if let Some(column) = scratch.remembered(self.operation, index) {
            out.copy_from(column);
            return Ok(());
        }
        self.inner.column(index, scratch, out)?;
        scratch.remember(self.operation, index, out);
        Ok(())
    }

    fn depth(&self) -> usize {
        self.inner.depth() + 1
    }

    fn has_effects(&self) -> bool {
        self.inner.has_effects()
    }
}
