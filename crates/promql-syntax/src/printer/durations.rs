//! Durations: ranges, steps, offsets, and numbers that were written as durations.

use std::fmt::Write;

use promql_model::FormatDuration;
use promql_model::number::Decimal;

use crate::ast::{Duration, DurationId, DurationKind, Modifiers, NodeId, Sign};

use super::{Fidelity, Owner, Printer};

impl Printer<'_> {
    pub(super) fn offset(&mut self, id: NodeId, modifiers: &Modifiers) {
        if modifiers.offset == 0 && modifiers.offset_expr.is_none() {
            return;
        }
        let own = Owner::Offset(id);
        self.space();
        self.token(own, "offset");
        self.space();
        match modifiers.offset_expr {
            None => self.nanoseconds(own, modifiers.offset),
            Some(expr) => {
                if self.fidelity == Fidelity::Exact {
                    (0..self.missing_signs(expr)).for_each(|_| self.token(own, "+"));
                }
                self.duration_expr(own, expr);
            }
        }
    }

    /// How many signs an offset lacks to be read again as a whole. Only one that begins with a
    /// parenthesis or two signs takes in arithmetic; but `offset --5 * 2` is printed without its
    /// signs, and what is read from that is the selector multiplied. Pluses in front change nothing
    /// else.
    fn missing_signs(&self, offset: DurationId) -> usize {
        use DurationKind::{Binary, Literal, Unary};
        let kind = |id: DurationId| self.expr.duration(id).kind;
        let is_wrapped = |id: DurationId| self.expr.duration(id).wrapped;
        let is_one_operand = match kind(offset) {
            Binary(..) => false,
            Unary(_, operand) => is_wrapped(operand) || !matches!(kind(operand), Binary(..)),
            _ => true,
        };
        if is_one_operand || is_wrapped(offset) {
            return 0;
        }
        let (mut first, mut signs) = (offset, 0usize);
        while signs < 2 {
            if is_wrapped(first) {
                return if signs == 0 { 0 } else { 2 - signs };
            }
            match kind(first) {
                Binary(_, lhs, _) => first = lhs,
                Unary(sign, operand) => {
                    signs += usize::from(sign == Sign::Minus);
                    first = operand;
                }
                Literal { value, .. } => {
                    signs += usize::from(value.is_sign_negative());
                    break;
                }
                _ => break,
            }
        }
        2usize.saturating_sub(signs)
    }

    pub(super) fn duration(&mut self, owner: Owner, duration: Duration) {
        match duration {
            Duration::Literal(nanoseconds) => self.nanoseconds(owner, nanoseconds),
            Duration::Expr(expr) => self.duration_expr(owner, expr),
        }
    }

    /// A literal duration that is stored in nanoseconds.
    fn nanoseconds(&mut self, owner: Owner, value: i64) {
        let whole = value % 1_000_000 == 0;
        let exact = self.fidelity == Fidelity::Exact;
        self.token_by(owner, |out| {
            _ = if exact && !whole {
                write!(out, "{}", Decimal(value as f64 / 1e9))
            } else if value < 0 {
                // Of the smallest value the negation is itself, so upstream prints two signs.
                write!(out, "-{}", FormatDuration(value.wrapping_neg()))
            } else {
                write!(out, "{}", FormatDuration(value))
            };
        });
    }

    /// A number, or a duration that stands for its seconds.
    pub(super) fn literal(&mut self, owner: Owner, seconds: f64, is_duration: bool) {
        let exact = self.fidelity == Fidelity::Exact;
        self.token_by(owner, |out| {
            if !is_duration {
                _ = write!(out, "{}", Decimal(seconds));
                return;
            }
            let sign = match seconds < 0.0 || (exact && seconds.is_sign_negative()) {
                true => "-",
                false => "",
            };
            let nanoseconds = seconds.abs() * 1e9;
            let nanoseconds = if exact { nanoseconds.round() } else { nanoseconds } as i64;
            _ = write!(out, "{sign}{}", FormatDuration(nanoseconds));
        });
    }

    /// An expression among durations, which may be as deep as any other.
    fn duration_expr(&mut self, owner: Owner, expr: DurationId) {
        enum Part {
            Node(DurationId),
            Token(&'static str),
            Space,
        }
        use Part::{Space, Token};
        let mut parts = vec![Part::Node(expr)];
        while let Some(part) = parts.pop() {
            let id = match part {
                Part::Node(id) => id,
                Token(text) => {
                    self.token(owner, text);
                    continue;
                }
                Space => {
                    self.space();
                    continue;
                }
            };
            let node = *self.expr.duration(id);
            if node.wrapped {
                self.token(owner, "(");
                parts.push(Token(")"));
            }
            match node.kind {
                DurationKind::Literal { value, is_duration } => {
                    self.literal(owner, value, is_duration);
                }
                DurationKind::Step => parts.extend([Token(")"), Token("("), Token("step")]),
                DurationKind::Range => parts.extend([Token(")"), Token("("), Token("range")]),
                DurationKind::Unary(Sign::Plus, operand) => parts.push(Part::Node(operand)),
                DurationKind::Unary(Sign::Minus, operand) => {
                    parts.extend([Part::Node(operand), Token("-")]);
                }
                DurationKind::Binary(op, lhs, rhs) => parts.extend([
                    Part::Node(rhs),
                    Space,
                    Token(op.symbol()),
                    Space,
                    Part::Node(lhs),
                ]),
                DurationKind::MinOf(a, b) | DurationKind::MaxOf(a, b) => {
                    let is_min = matches!(node.kind, DurationKind::MinOf(..));
                    parts.extend([Token(")"), Part::Node(b), Space, Token(","), Part::Node(a)]);
                    parts.extend([Token("("), Token(if is_min { "min_of" } else { "max_of" })]);
                }
            }
        }
    }
}
