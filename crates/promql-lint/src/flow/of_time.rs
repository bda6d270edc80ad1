//! Values that are the time of the evaluation, or so many seconds before or after it.
//!
//! Of two such values it is known which is later, though of neither what it is. `timestamp` gives the time of
//! a sample for a selector only; of anything that is computed it gives the time of the evaluation.

use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};
use promql_syntax::{Expr, Function};

use super::{Flows, Range, Walk, bare};

/// Offsets beyond this, or such that are no whole numbers, are not exact when they are added to a time.
const MAX_OFFSET: f64 = (1_u64 << 40) as f64;

/// How many seconds after the evaluation the values of a node are, if they are so many at any time.
pub(crate) fn since_evaluation(expr: &Expr, flows: &Flows, node: NodeId) -> Option<f64> {
    let node = bare(expr, node);
    let offset = match expr.kind(node) {
        NodeKind::Call { function, args } => match (function.function, expr.arguments(args)) {
            (Function::Time, _) => 0.0,
            (Function::Timestamp, &[arg]) => {
                let is_sample = matches!(expr.kind(bare(expr, arg)), NodeKind::VectorSelector(_));
                (!is_sample).then_some(0.0)?
            }
            (Function::Vector | Function::Scalar, &[arg]) => since_evaluation(expr, flows, arg)?,
            _ => return None,
        },
        NodeKind::Binary { op, lhs, rhs, .. } => {
            let number = |node| flows.scalar_range(node).and_then(Range::constant);
            match op {
                BinaryOp::Add => match number(rhs) {
                    Some(number) => since_evaluation(expr, flows, lhs)? + number,
                    None => since_evaluation(expr, flows, rhs)? + number(lhs)?,
                },
                BinaryOp::Sub => since_evaluation(expr, flows, lhs)? - number(rhs)?,
                _ => return None,
            }
        }
        _ => return None,
    };
    (offset.fract() == 0.0 && offset.abs() < MAX_OFFSET).then_some(offset)
}

impl Walk<'_> {
    /// What is to be compared in place of two values that are both the time, give or take: their offsets.
    pub(super) fn offsets(&self, a: NodeId, b: NodeId) -> Option<(Range, Range)> {
        let offset = |node| since_evaluation(self.expr, &self.flows, node).map(Range::point);
        Some((offset(a)?, offset(b)?))
    }
}
