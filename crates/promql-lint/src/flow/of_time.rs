//! Values that are the time of the evaluation, or so many seconds before or after it.
//!
//! Of two such values it is known which is later, though of neither what it is. `timestamp` gives the time of
//! a sample for a selector only; of anything that is computed it gives the time of the evaluation.

use promql_syntax::Function;
use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};

use super::{Range, Walk};

/// Offsets beyond this, or such that are no whole numbers, are not exact when they are added to a time.
const MAX_OFFSET: f64 = (1_u64 << 40) as f64;

impl Walk<'_> {
    /// How many seconds after the evaluation the values of a node are, if they are so many at any time.
    fn since_evaluation(&self, node: NodeId) -> Option<f64> {
        let node = self.bare(node);
        let offset = match self.expr.kind(node) {
            NodeKind::Call { function, args } => {
                let args = self.expr.arguments(args);
                match (function.function, args) {
                    (Function::Time, _) => 0.0,
                    (Function::Timestamp, &[arg]) => {
                        let arg = self.bare(arg);
                        let is_sample = matches!(self.expr.kind(arg), NodeKind::VectorSelector(_));
                        (!is_sample).then_some(0.0)?
                    }
                    (Function::Vector | Function::Scalar, &[arg]) => self.since_evaluation(arg)?,
                    _ => return None,
                }
            }
            NodeKind::Binary { op, lhs, rhs, .. } => {
                let number = |node| self.scalar_range(node).and_then(Range::constant);
                match op {
                    BinaryOp::Add => match number(rhs) {
                        Some(number) => self.since_evaluation(lhs)? + number,
                        None => self.since_evaluation(rhs)? + number(lhs)?,
                    },
                    BinaryOp::Sub => self.since_evaluation(lhs)? - number(rhs)?,
                    _ => return None,
                }
            }
            _ => return None,
        };
        (offset.fract() == 0.0 && offset.abs() < MAX_OFFSET).then_some(offset)
    }

    /// What is to be compared in place of two values that are both the time, give or take: their offsets.
    pub(super) fn offsets(&self, a: NodeId, b: NodeId) -> Option<(Range, Range)> {
        Some((Range::point(self.since_evaluation(a)?), Range::point(self.since_evaluation(b)?)))
    }
}
