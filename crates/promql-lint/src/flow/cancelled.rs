//! Divisors that a product takes away again: `100 / x * x{mode="idle"}` is 100.

use promql_syntax::Expr;
use promql_syntax::ast::{BinaryModifiers, BinaryOp, NodeId, NodeKind};

use super::{Flows, Presence, Range, Walk, bare, is_narrower};

/// So much, as a part of it, rounding can take away.
const ROUNDING: f64 = 1e-9;
/// Of numbers beyond these bounds the reciprocals of samples may lose more.
const NUMBERS: std::ops::Range<f64> = 1e-6..1e6;

/// The number that a product of two vectors is, if one is that number divided by what the other one is some
/// of. Each element then meets its own: two that differ in the name alone would fail the division.
pub(crate) fn cancelled(
    expr: &Expr,
    flows: &Flows,
    lhs: NodeId,
    rhs: NodeId,
    modifiers: &BinaryModifiers,
) -> Option<f64> {
    let is_plain = modifiers.matching.is_none()
        && modifiers.group.is_none()
        && modifiers.fill_left.is_none()
        && modifiers.fill_right.is_none();
    if !is_plain {
        return None;
    }
    let quotient = |quotient, part| quotient_by(expr, flows, quotient, part);
    quotient(lhs, rhs).or_else(|| quotient(rhs, lhs))
}

/// The number that a quotient divides, if it divides it by what another node is some of.
fn quotient_by(expr: &Expr, flows: &Flows, quotient: NodeId, part: NodeId) -> Option<f64> {
    let NodeKind::Binary { op: BinaryOp::Div, lhs, rhs, .. } = expr.kind(bare(expr, quotient))
    else {
        return None;
    };
    let number = flows.scalar_range(lhs)?.constant().filter(|n| NUMBERS.contains(n))?;
    let divides = flows.of(rhs).nonempty != Presence::Never;
    (divides && is_narrower(expr, part, rhs)).then_some(number)
}

impl Walk<'_> {
    /// What a product is that is a number, but for rounding. What is so small that its reciprocal is infinite
    /// stays infinite.
    pub(super) fn cancelled(
        &self,
        lhs: NodeId,
        rhs: NodeId,
        modifiers: &BinaryModifiers,
    ) -> Option<Range> {
        let number = cancelled(self.expr, &self.flows, lhs, rhs, modifiers)?;
        let range = Range { lo: number * (1.0 - ROUNDING), ..Range::nonnegative() };
        Some(range.with_nan(true))
    }
}
