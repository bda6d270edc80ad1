//! Operations with a scalar.

use promql_syntax::ast::{BinaryOp, NodeId};
use promql_syntax::query::ArithmeticOp;

use super::flags::{Basis, Conditions};
use super::quantity::{Base, Kind, Quantity, Unit};
use super::range_arithmetic::arithmetic;
use super::{
    Arm, Comparison, Dropped, Flow, Here, Presence, Range, Samples, Verdict, Walk, Why, drop_name,
    names_collide,
};

/// An operator between numbers, apart by what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Arithmetic(ArithmeticOp),
    Filter(Comparison),
    Bool(Comparison),
    Trim,
}

impl Operator {
    /// `None` for set operators.
    pub(super) fn of(op: BinaryOp, is_bool: bool) -> Option<Operator> {
        let arithmetic = match op {
            BinaryOp::Add => ArithmeticOp::Add,
            BinaryOp::Sub => ArithmeticOp::Sub,
            BinaryOp::Mul => ArithmeticOp::Mul,
            BinaryOp::Div => ArithmeticOp::Div,
            BinaryOp::Mod => ArithmeticOp::Mod,
            BinaryOp::Pow => ArithmeticOp::Pow,
            BinaryOp::Atan2 => ArithmeticOp::Atan2,
            BinaryOp::TrimUpper | BinaryOp::TrimLower => return Some(Operator::Trim),
            _ => {
                let comparison = comparison(op)?;
                return Some(match is_bool {
                    true => Operator::Bool(comparison),
                    false => Operator::Filter(comparison),
                });
            }
        };
        Some(Operator::Arithmetic(arithmetic))
    }

    /// Whether the name of the metric stays.
    pub(super) fn keeps_name(self) -> bool {
        matches!(self, Operator::Filter(_) | Operator::Trim)
    }

    /// Which samples come of two: numbers, histograms, both or none.
    pub(super) fn samples(self, left: Samples, right: Samples) -> Option<Samples> {
        use ArithmeticOp::{Add, Div, Mul, Sub};
        let floats = left.has_floats() && right.has_floats();
        let both = left.has_histograms() && right.has_histograms();
        let left_only = left.has_histograms() && right.has_floats();
        let right_only = left.has_floats() && right.has_histograms();
        let equality = |op| matches!(op, Comparison::Eq | Comparison::Ne);
        match self {
            Operator::Arithmetic(Add | Sub) => Samples::of(floats, both),
            Operator::Arithmetic(Mul) => Samples::of(floats, left_only || right_only),
            Operator::Arithmetic(Div) => Samples::of(floats, left_only),
            Operator::Arithmetic(_) => Samples::of(floats, false),
            Operator::Filter(op) => Samples::of(floats, both && equality(op)),
            Operator::Bool(op) => Samples::of(floats || (both && equality(op)), false),
            Operator::Trim => Samples::of(false, left_only),
        }
    }
}

/// A comparison operator.
pub(crate) fn comparison(op: BinaryOp) -> Option<Comparison> {
    Some(match op {
        BinaryOp::Eq => Comparison::Eq,
        BinaryOp::Ne => Comparison::Ne,
        BinaryOp::Lt => Comparison::Lt,
        BinaryOp::Le => Comparison::Le,
        BinaryOp::Gt => Comparison::Gt,
        BinaryOp::Ge => Comparison::Ge,
        _ => return None,
    })
}

/// The comparison with its sides exchanged.
pub(super) fn mirrored(op: Comparison) -> Comparison {
    match op {
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        Comparison::Eq | Comparison::Ne => op,
    }
}

/// 0 or 1, by what is known of the comparison.
pub(super) fn truth(verdict: Verdict) -> Range {
    match verdict {
        Verdict::Never => Range::point(0.0),
        Verdict::Always => Range::point(1.0),
        Verdict::Maybe => Range::integers(0.0, 1.0),
    }
}

impl Walk<'_> {
    pub(super) fn scalars(&self, op: BinaryOp, lhs: NodeId, rhs: NodeId, is_bool: bool) -> Flow {
        let range = |node| self.scalar_range(node).copied().unwrap_or(Range::ANY);
        let (a, b) = (&range(lhs), &range(rhs));
        let value = match Operator::of(op, is_bool) {
            Some(Operator::Arithmetic(op)) => arithmetic(op, a, b),
            Some(Operator::Filter(op) | Operator::Bool(op)) => {
                truth(a.compare(op, b)).on(a.basis.or(b.basis))
            }
            _ => Range::ANY,
        };
        Flow::scalar(value)
    }

    pub(super) fn with_scalar(
        &self,
        here: Here,
        op: BinaryOp,
        vector: NodeId,
        scalar: NodeId,
        scalar_is_left: bool,
        is_bool: bool,
    ) -> Flow {
        let flow = self.flow(vector);
        let Some(operator) = Operator::of(op, is_bool) else {
            return Flow::top(flow.value_type);
        };
        let number = &self.scalar_range(scalar).copied().unwrap_or(Range::ANY);
        let other = self.flow(scalar).arms.first().map_or(Quantity::UNKNOWN, |arm| arm.quantity);
        let offsets = self.offsets(vector, scalar);
        let mut mapped = flow.map(|arm| {
            let samples = match scalar_is_left {
                true => operator.samples(Samples::Float, arm.samples),
                false => operator.samples(arm.samples, Samples::Float),
            };
            let Some(samples) = samples else {
                return Err(Dropped { why: Why::Samples, basis: arm.quantity.basis });
            };
            if samples != arm.samples {
                arm.presence = arm.presence.min(Presence::Maybe);
                arm.samples = samples;
            }
            if !operator.keeps_name() {
                drop_name(arm, here);
            }
            match operator {
                Operator::Arithmetic(op) => {
                    let (a, b) = match scalar_is_left {
                        true => (number, &arm.value),
                        false => (&arm.value, number),
                    };
                    let value = arithmetic(op, a, b);
                    arm.quantity = with_number(op, arm.quantity, other, number, scalar_is_left);
                    arm.value = value;
                }
                Operator::Filter(op) => {
                    let op = if scalar_is_left { mirrored(op) } else { op };
                    let value = arm.value;
                    match &offsets {
                        Some((mine, other)) => {
                            arm.value = *mine;
                            filter(arm, op, other)?;
                            arm.value = value;
                        }
                        None => filter(arm, op, number)?,
                    }
                }
                Operator::Bool(op) => {
                    let op = if scalar_is_left { mirrored(op) } else { op };
                    let (value, other) = offsets.unwrap_or((arm.value, *number));
                    let basis = value.basis.or(other.basis);
                    arm.value = truth(value.compare(op, &other)).on(basis);
                    arm.quantity = Quantity::UNKNOWN;
                }
                Operator::Trim => {}
            }
            Ok(())
        });
        if !operator.keeps_name() {
            mapped.failures = names_collide(flow);
        }
        mapped
    }
}

/// Elements for which a comparison with a value of a range holds.
pub(super) fn filter(arm: &mut Arm, op: Comparison, other: &Range) -> Result<(), Dropped> {
    let basis = arm.value.basis.or(other.basis);
    match arm.value.compare(op, other) {
        Verdict::Never if !arm.samples.has_histograms() => {
            return Err(Dropped { why: Why::Comparison, basis });
        }
        // What always holds only by an assumption is a condition all the same.
        Verdict::Always if !arm.samples.has_histograms() && basis.is_empty() => {}
        _ => {
            arm.presence = arm.presence.min(Presence::Maybe);
            arm.conditions = arm.conditions.or(Conditions::VALUE);
        }
    }
    let known = arm.value.filtered(op, other);
    let alone = Range { basis: known.basis, ..Range::ANY.filtered(op, other) };
    // What the comparison by itself says needs no assumption about what is compared.
    arm.value = if known == alone { Range { basis: other.basis, ..known } } else { known };
    Ok(())
}

/// The quantity of something and a number.
fn with_number(
    op: ArithmeticOp,
    of: Quantity,
    number: Quantity,
    range: &Range,
    number_is_left: bool,
) -> Quantity {
    let same = |unit| Quantity { unit, ..of };
    match (op, range.constant()) {
        // From a point in time to another one is a duration.
        (ArithmeticOp::Sub, _) if of.kind == Kind::Timestamp && number.kind == Kind::Timestamp => {
            let unit = Some(Unit::of(Base::Second));
            Quantity { kind: Kind::Gauge, unit, window: None, basis: of.basis }
        }
        (ArithmeticOp::Add | ArithmeticOp::Sub, Some(_)) if !number_is_left => of,
        (ArithmeticOp::Sub, Some(_)) if of.unit.is_some_and(|unit| unit.base == Base::Ratio) => of,
        (ArithmeticOp::Mul, Some(factor)) => same(of.unit.and_then(|unit| unit.times(factor))),
        (ArithmeticOp::Div, Some(divisor)) if !number_is_left => {
            same(of.unit.and_then(|unit| unit.times(1.0 / divisor)))
        }
        _ => Quantity::UNKNOWN,
    }
}

/// The quantity of an operation between two that are measured.
pub(super) fn of_both(op: Operator, a: Quantity, b: Quantity) -> Quantity {
    let basis: Basis = a.basis.or(b.basis);
    match op {
        Operator::Filter(_) | Operator::Trim => a,
        Operator::Bool(_) => Quantity::UNKNOWN,
        Operator::Arithmetic(ArithmeticOp::Sub)
            if a.kind == Kind::Timestamp && b.kind == Kind::Timestamp =>
        {
            let unit = Some(Unit::of(Base::Second));
            Quantity { kind: Kind::Gauge, unit, window: None, basis }
        }
        Operator::Arithmetic(ArithmeticOp::Add | ArithmeticOp::Sub) if a.unit == b.unit => {
            a.join(b)
        }
        Operator::Arithmetic(ArithmeticOp::Div) => {
            let unit = match (a.unit, b.unit) {
                (Some(a), Some(b)) if a.base == Base::Second && b.base == Base::Number => {
                    Some(Unit { per_second: a.per_second - b.per_second, ..a })
                }
                (Some(a), Some(b)) if a.base == b.base && a.per_second == b.per_second => {
                    Some(Unit { scale: a.scale / b.scale, ..Unit::of(Base::Ratio) })
                }
                _ => None,
            };
            let kind = if unit.is_some() { Kind::Gauge } else { Kind::Unknown };
            Quantity { kind, unit, window: None, basis }
        }
        Operator::Arithmetic(_) => Quantity { basis, ..Quantity::UNKNOWN },
    }
}
