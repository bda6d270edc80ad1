//! Divisors that a product takes away again: `100 / x * x{mode="idle"}` is 100.

use promql_syntax::ast::{BinaryModifiers, BinaryOp, NodeId, NodeKind};

use super::{Presence, Range, Walk, is_narrower};

/// So much, as a part of it, rounding can take away.
const ROUNDING: f64 = 1e-9;
/// Of numbers beyond these bounds the reciprocals of samples may lose more.
const NUMBERS: std::ops::Range<f64> = 1e-6..1e6;

impl Walk<'_> {
    /// What a product of two vectors is, if one is a positive number divided by what the other one is some
    /// of. Each element then meets its own: two that differ in the name alone would fail the division. What
    /// is so small that its reciprocal is infinite stays infinite.
    pub(super) fn cancelled(
        &self,
        lhs: NodeId,
        rhs: NodeId,
        modifiers: &BinaryModifiers,
    ) -> Option<Range> {
        let is_plain = modifiers.matching.is_none()
            && modifiers.group.is_none()
            && modifiers.fill_left.is_none()
            && modifiers.fill_right.is_none();
        if !is_plain {
            return None;
        }
        let number = self.quotient(lhs, rhs).or_else(|| self.quotient(rhs, lhs))?;
        let range = Range { lo: number * (1.0 - ROUNDING), ..Range::nonnegative() };
        Some(range.with_nan(true))
    }

    /// The number that a quotient divides, if it divides it by what another node is some of.
    fn quotient(&self, quotient: NodeId, part: NodeId) -> Option<f64> {
        let NodeKind::Binary { op: BinaryOp::Div, lhs, rhs, .. } =
            self.expr.kind(self.bare(quotient))
        else {
            return None;
        };
        let number = self.scalar_range(lhs)?.constant().filter(|n| NUMBERS.contains(n))?;
        let divides = self.flow(rhs).nonempty != Presence::Never;
        (divides && is_narrower(self.expr, part, rhs)).then_some(number)
    }
}
