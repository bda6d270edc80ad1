//! The type checker: from the syntax tree to the typed tree.
//!
//! One pass over the nodes, children first, gives each its type and its node in the typed tree.
//! When that pass meets anything wrong, [`rules`] walks the tree in upstream's order and reports
//! all of it.

mod lower;
mod rules;

use crate::ast::{Expr, NodeId, NodeKind};
use crate::error::{Error, Errors};
use crate::query::Query;
use crate::types::ValueType;

/// Checks types and meaning, and gives the typed tree. The only way to a [`Query`].
///
/// ```
/// use promql_syntax::{Features, ValueType, check, parse};
/// let expr = parse("sum(up) > 3", &Features::default())?;
/// assert_eq!(check(&expr)?.value_type(), ValueType::InstantVector);
/// # Ok::<(), promql_syntax::Errors>(())
/// ```
///
/// # Errors
/// All the rules that the expression breaks, in upstream's order.
pub fn check(expr: &Expr) -> Result<Query, Errors> {
    if let Some(query) = lower::lower(expr, true) {
        return Ok(query);
    }
    let errors = rules::broken(expr, &[]);
    if errors.is_empty()
        && let Some(query) = lower::lower(expr, false)
    {
        return Ok(query);
    }
    let count = errors.len();
    Err(Errors::new(expr.source(), errors, count))
}

/// The errors of a tree in which some nodes stand for something that could not be read.
pub(crate) fn type_errors(expr: &Expr, unknown: &[NodeId]) -> Vec<Error> {
    rules::broken(expr, unknown)
}

/// The type of each node, by its index. An operation between an operand that is no scalar and
/// anything else counts as an instant vector, also where that is an error.
pub fn value_types(expr: &Expr) -> Vec<ValueType> {
    let mut types: Vec<ValueType> = Vec::with_capacity(expr.nodes().len());
    for node in expr.nodes() {
        let of = |id: NodeId| types[id.index()];
        types.push(match node.kind {
            NodeKind::Number { .. } => ValueType::Scalar,
            NodeKind::String(_) => ValueType::String,
            NodeKind::VectorSelector(_) | NodeKind::Aggregate { .. } => ValueType::InstantVector,
            NodeKind::MatrixSelector { .. } | NodeKind::Subquery(_) => ValueType::RangeVector,
            NodeKind::Call { function, .. } => function.returns,
            NodeKind::Binary { lhs, rhs, .. } => binary_type(of(lhs), of(rhs)),
            NodeKind::Unary { expr, .. } | NodeKind::Paren(expr) => of(expr),
        });
    }
    types
}

fn binary_type(lhs: ValueType, rhs: ValueType) -> ValueType {
    match (lhs, rhs) {
        (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
        _ => ValueType::InstantVector,
    }
}
