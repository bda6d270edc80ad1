//! The operation between two elements, over whole columns.

use promql_syntax::query::{ArithmeticOp, ComparisonOp, ElementOp};

use crate::arithmetic::power;
use crate::column::Column;

/// The function of an arithmetic operator as a type, so that each loop is compiled for its operator.
macro_rules! with_arithmetic {
    ($op:expr, $f:ident => $body:expr) => {
        match $op {
            ArithmeticOp::Add => {
                let $f = |a: f64, b: f64| a + b;
                $body
            }
            ArithmeticOp::Sub => {
                let $f = |a: f64, b: f64| a - b;
                $body
            }
            ArithmeticOp::Mul => {
                let $f = |a: f64, b: f64| a * b;
                $body
            }
            ArithmeticOp::Div => {
                let $f = |a: f64, b: f64| a / b;
                $body
            }
            ArithmeticOp::Mod => {
                let $f = |a: f64, b: f64| a % b;
                $body
            }
            ArithmeticOp::Pow => {
                let $f = power;
                $body
            }
            ArithmeticOp::Atan2 => {
                let $f = f64::atan2;
                $body
            }
        }
    };
}

/// The same for comparisons.
macro_rules! with_comparison {
    ($op:expr, $f:ident => $body:expr) => {
        match $op {
            ComparisonOp::Eq => {
                let $f = |a: f64, b: f64| a == b;
                $body
            }
            ComparisonOp::Ne => {
                let $f = |a: f64, b: f64| a != b;
                $body
            }
            ComparisonOp::Lt => {
                let $f = |a: f64, b: f64| a < b;
                $body
            }
            ComparisonOp::Le => {
                let $f = |a: f64, b: f64| a <= b;
                $body
            }
            ComparisonOp::Gt => {
                let $f = |a: f64, b: f64| a > b;
                $body
            }
            ComparisonOp::Ge => {
                let $f = |a: f64, b: f64| a >= b;
                $body
            }
        }
    };
}

/// An operation between two scalars. A comparison gives 0 or 1. The checker lets no trim operator
/// come here; it has no value.
pub(crate) fn scalar_operation(op: ElementOp, a: f64, b: f64) -> f64 {
    match op {
        ElementOp::Arithmetic(op) => with_arithmetic!(op, f => f(a, b)),
        ElementOp::Filter(op) | ElementOp::Bool(op) => {
            with_comparison!(op, f => if f(a, b) { 1.0 } else { 0.0 })
        }
        ElementOp::Trim(_) => f64::NAN,
    }
}

/// What the right operand of [`apply`] is.
pub(super) enum Other<'a> {
    /// A column: there is a result where both have a value.
    Column(&'a Column),
    /// A value for each step.
    Values(&'a [f64]),
    /// The same value at each step.
    Constant(f64),
}

/// Which element a comparison keeps as a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// That of the column that is changed.
    This,
    /// The other one.
    Other,
}

/// Applies an operation to each step of `this` and the other operand. `swapped` says that `this` is
/// the right operand.
pub(super) fn apply(
    op: ElementOp,
    this: &mut Column,
    other: &Other<'_>,
    swapped: bool,
    keep: Keep,
) {
    if let Other::Column(other) = other {
        this.valid.intersect(&other.valid);
    }
    match op {
        ElementOp::Arithmetic(op) => with_arithmetic!(op, f => match swapped {
            false => change(this, other, f),
            true => change(this, other, |a, b| f(b, a)),
        }),
        ElementOp::Bool(op) => with_comparison!(op, f => {
            let f = |a, b| if f(a, b) { 1.0 } else { 0.0 };
            match swapped {
                false => change(this, other, f),
                true => change(this, other, |a, b| f(b, a)),
            }
        }),
        ElementOp::Filter(op) => {
            with_comparison!(op, f => match swapped {
                false => filter(this, other, f),
                true => filter(this, other, |a, b| f(b, a)),
            });
            if keep == Keep::Other {
                change(this, other, |_, other| other);
            }
        }
        // Trimming needs a histogram on the left.
        ElementOp::Trim(_) => this.valid.reset(this.len()),
    }
}

fn change(this: &mut Column, other: &Other<'_>, f: impl Fn(f64, f64) -> f64) {
    match other {
        Other::Column(Column { values: others, .. }) => {
            this.values.iter_mut().zip(others).for_each(|(a, b)| *a = f(*a, *b));
        }
        Other::Values(others) => {
            this.values.iter_mut().zip(*others).for_each(|(a, b)| *a = f(*a, *b));
        }
        Other::Constant(b) => this.values.iter_mut().for_each(|a| *a = f(*a, *b)),
    }
}

fn filter(this: &mut Column, other: &Other<'_>, f: impl Fn(f64, f64) -> bool) {
    let Column { values, valid, .. } = this;
    match other {
        Other::Column(Column { values: others, .. }) => valid.retain_where(values, others, f),
        Other::Values(others) => valid.retain_where(values, others, f),
        Other::Constant(b) => valid.retain_where(values, values, |a, _| f(a, *b)),
    }
}
