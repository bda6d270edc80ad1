//! The operation between two elements of which at least one is a native histogram.
//!
//! [`apply`] does what there is to do at the steps with histograms, and then leaves the floats to the
//! loops of [`super::element`]. Columns without histograms come to those at once.

use std::collections::HashMap;
use std::sync::Arc;

use promql_model::{Combined, CounterResetHint, FloatHistogram, Severity};
use promql_syntax::query::{ArithmeticOp, ComparisonOp, ElementOp, TrimOp};

use super::element::{self, Keep, Other};
use crate::annotations::{Annotations, Place};
use crate::column::{Bitmap, Column};
use crate::over_range::{collision, reconciled};

/// An operation as it is applied to columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation<'a> {
    pub(super) op: ElementOp,
    /// Whether the column that is changed is the right operand.
    pub(super) swapped: bool,
    pub(super) keep: Keep,
    pub(super) annotations: &'a Annotations,
    pub(super) place: Place,
    /// The number of the pair among those that the operation goes over at each step.
    pub(super) pair: usize,
}

/// Applies an operation to each step of `this` and the other operand.
pub(super) fn apply(operation: &Operation<'_>, this: &mut Column, other: &Other<'_>) {
    let &Operation { op, swapped, keep, .. } = operation;
    let others = match other {
        Other::Column(other) => other.has_histograms(),
        Other::Values(_) | Other::Constant(_) => false,
    };
    if !this.has_histograms() && !others {
        let trims = matches!(op, ElementOp::Trim(_));
        if !trims || !floats_meet(this, other) {
            element::apply(op, this, other, swapped, keep);
            return;
        }
    }
    let mixed = Mixed::of(operation, this, other);
    element::apply(op, this, other, swapped, keep);
    mixed.put_into(this);
}

/// Whether there is a step with a float on both sides.
fn floats_meet(this: &Column, other: &Other<'_>) -> bool {
    match other {
        Other::Column(other) => this.valid.intersects(&other.valid),
        Other::Values(_) | Other::Constant(_) => !this.valid.is_empty(),
    }
}

/// Which side of a pair.
#[derive(Clone, Copy)]
enum Element<'a> {
    Float(f64),
    Histogram(&'a FloatHistogram),
}

impl Element<'_> {
    fn is_histogram(self) -> bool {
        matches!(self, Element::Histogram(_))
    }
}

/// What an operation gives for a pair.
enum Outcome {
    Nothing,
    Float(f64),
    Histogram(FloatHistogram),
    /// The element of the left operand.
    Left,
}

/// What an operation gives at the steps with histograms.
struct Mixed {
    results: Vec<(usize, Outcome)>,
    /// The elements of the left operand, if they are needed.
    left: Option<Column>,
}

/// What there is to say about a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Said {
    /// The operation has no meaning for what the left and the right one are.
    Incompatible {
        lhs_is_histogram: bool,
        rhs_is_histogram: bool,
    },
    Layout,
    Collided,
    Reconciled,
}

impl Mixed {
    fn of(operation: &Operation<'_>, this: &Column, other: &Other<'_>) -> Mixed {
        let mut steps = this.present().into_owned();
        if let Other::Column(other) = other {
            steps.intersect(&other.present());
        }
        let is_trim = matches!(operation.op, ElementOp::Trim(_));
        let mut texts: HashMap<Said, Arc<str>> = HashMap::new();
        let mut results = Vec::new();
        let mut left = None;
        for step in steps.iter() {
            let a = element_of(this, step);
            let b = match other {
                Other::Column(other) => element_of(other, step),
                Other::Values(values) => Some(Element::Float(values[step])),
                Other::Constant(value) => Some(Element::Float(*value)),
            };
            let (Some(a), Some(b)) = (a, b) else { continue };
            if !a.is_histogram() && !b.is_histogram() && !is_trim {
                continue;
            }
            let (lhs, rhs) = if operation.swapped { (b, a) } else { (a, b) };
            let (outcome, said) = evaluate(operation.op, lhs, rhs);
            if let Some(said) = said {
                let text = texts.entry(said).or_insert_with(|| operation.text(said).into());
                let severity = said.severity();
                let of = (step, operation.pair);
                operation.annotations.at_step(operation.place, of, severity, text);
            }
            if matches!(outcome, Outcome::Left) {
                left = Some(());
            }
            results.push((step, outcome));
        }
        let left = left.map(|()| match other {
            Other::Column(other) if operation.swapped => (*other).clone(),
            _ => this.clone(),
        });
        Mixed { results, left }
    }

    /// Replaces what the loops for floats made of the steps with histograms.
    fn put_into(self, column: &mut Column) {
        let mut floats = Bitmap::empty(column.len());
        self.results.iter().for_each(|(step, _)| floats.insert(*step));
        column.valid.subtract(&floats);
        column.drop_histograms();
        for (step, outcome) in self.results {
            match outcome {
                Outcome::Nothing => {}
                Outcome::Float(value) => column.set(step, value),
                Outcome::Histogram(histogram) => column.set_histogram(step, histogram),
                Outcome::Left => {
                    if let Some(left) = &self.left {
                        column.take(step, left);
                    }
                }
            }
        }
    }
}

fn element_of(column: &Column, step: usize) -> Option<Element<'_>> {
    let histogram = column.histogram(step).map(Element::Histogram);
    histogram.or_else(|| column.get(step).map(Element::Float))
}

/// What an operation gives for a pair, and what there is to say about that.
fn evaluate(op: ElementOp, lhs: Element<'_>, rhs: Element<'_>) -> (Outcome, Option<Said>) {
    use Element::{Float, Histogram};
    let incompatible = || {
        let (lhs_is_histogram, rhs_is_histogram) = (lhs.is_histogram(), rhs.is_histogram());
        (Outcome::Nothing, Some(Said::Incompatible { lhs_is_histogram, rhs_is_histogram }))
    };
    let scaled = |histogram: &FloatHistogram, scale: fn(&mut FloatHistogram, f64), by: f64| {
        let mut result = histogram.clone();
        scale(&mut result, by);
        result.compact(0);
        (Outcome::Histogram(result), None)
    };
    match (op, lhs, rhs) {
        (ElementOp::Arithmetic(ArithmeticOp::Mul), Histogram(histogram), Float(factor))
        | (ElementOp::Arithmetic(ArithmeticOp::Mul), Float(factor), Histogram(histogram)) => {
            scaled(histogram, FloatHistogram::multiply, factor)
        }
        (ElementOp::Arithmetic(ArithmeticOp::Div), Histogram(histogram), Float(divisor)) => {
            scaled(histogram, FloatHistogram::divide, divisor)
        }
        (
            ElementOp::Arithmetic(op @ (ArithmeticOp::Add | ArithmeticOp::Sub)),
            Histogram(lhs),
            Histogram(rhs),
        ) => combine(op, lhs, rhs),
        (ElementOp::Trim(op), Histogram(histogram), Float(value)) => {
            let mut result = histogram.clone();
            match op {
                TrimOp::Upper => result.trim_above(value),
                TrimOp::Lower => result.trim_below(value),
            }
            (Outcome::Histogram(result), None)
        }
        (ElementOp::Filter(op), Histogram(lhs), Histogram(rhs)) => match equality(op, lhs, rhs) {
            Some(true) => (Outcome::Left, None),
            Some(false) => (Outcome::Nothing, None),
            None => incompatible(),
        },
        (ElementOp::Bool(op), Histogram(lhs), Histogram(rhs)) => match equality(op, lhs, rhs) {
            Some(equal) => (Outcome::Float(if equal { 1.0 } else { 0.0 }), None),
            None => incompatible(),
        },
        _ => incompatible(),
    }
}

fn equality(op: ComparisonOp, lhs: &FloatHistogram, rhs: &FloatHistogram) -> Option<bool> {
    match op {
        ComparisonOp::Eq => Some(lhs == rhs),
        ComparisonOp::Ne => Some(lhs != rhs),
        ComparisonOp::Lt | ComparisonOp::Le | ComparisonOp::Gt | ComparisonOp::Ge => None,
    }
}

/// The sum or the difference. Nothing comes of both kinds of buckets, nor of hints that contradict
/// each other.
fn combine(
    op: ArithmeticOp,
    lhs: &FloatHistogram,
    rhs: &FloatHistogram,
) -> (Outcome, Option<Said>) {
    let mut result = lhs.clone();
    let combined = match op {
        ArithmeticOp::Sub => result.subtract(rhs),
        _ => result.add(rhs),
    };
    let said = match combined {
        Err(_) => return (Outcome::Nothing, Some(Said::Layout)),
        Ok(Combined { hint_collision: true, .. }) => {
            return (Outcome::Nothing, Some(Said::Collided));
        }
        Ok(combined) => combined.bounds_reconciled.then_some(Said::Reconciled),
    };
    if op == ArithmeticOp::Sub {
        result.hint = CounterResetHint::Gauge;
    }
    result.compact(0);
    (Outcome::Histogram(result), said)
}

/// The steps at which two columns have elements for which an operation has a meaning; without a second
/// one, at which the first has an element for which it has a meaning with a float. `swapped` says that
/// the first column is the right operand.
pub(super) fn meaningful(
    op: ElementOp,
    column: &Column,
    other: Option<&Column>,
    swapped: bool,
) -> Bitmap {
    let meet = |a: Option<&Bitmap>, b: Option<&Bitmap>| {
        let mut both = a.cloned().unwrap_or_else(|| Bitmap::empty(column.len()));
        match (other, b) {
            (None, _) => {}
            (Some(_), Some(b)) => both.intersect(b),
            (Some(_), None) => both.reset(column.len()),
        }
        both
    };
    let (floats, histograms) = (Some(&column.valid), column.histogram_steps());
    let other_floats = other.map(|other| &other.valid);
    let other_histograms = other.and_then(Column::histogram_steps);
    let mut steps = match op {
        ElementOp::Trim(_) => Bitmap::empty(column.len()),
        _ => meet(floats, other_floats),
    };
    let products = matches!(op, ElementOp::Arithmetic(ArithmeticOp::Mul));
    let scales =
        products || matches!(op, ElementOp::Arithmetic(ArithmeticOp::Div) | ElementOp::Trim(_));
    if scales && (products || !swapped) {
        steps.union(&meet(histograms, other_floats));
    }
    if scales && (products || swapped) && other.is_some() {
        steps.union(&meet(floats, other_histograms));
    }
    let alike = matches!(
        op,
        ElementOp::Arithmetic(ArithmeticOp::Add | ArithmeticOp::Sub)
            | ElementOp::Filter(ComparisonOp::Eq | ComparisonOp::Ne)
            | ElementOp::Bool(ComparisonOp::Eq | ComparisonOp::Ne)
    );
    if alike && other.is_some() {
        steps.union(&meet(histograms, other_histograms));
    }
    steps
}

impl Said {
    fn severity(self) -> Severity {
        match self {
            Said::Layout | Said::Collided => Severity::Warning,
            Said::Incompatible { .. } | Said::Reconciled => Severity::Info,
        }
    }
}

impl Operation<'_> {
    fn text(&self, said: Said) -> String {
        let name = |is_histogram| if is_histogram { "histogram" } else { "float" };
        let op = self.op.symbol();
        let operation = match self.op {
            ElementOp::Arithmetic(ArithmeticOp::Sub) => "subtraction",
            _ => "addition",
        };
        match said {
            Said::Incompatible { lhs_is_histogram, rhs_is_histogram } => format!(
                "incompatible sample types encountered for binary operator \"{op}\": {} {op} {}",
                name(lhs_is_histogram),
                name(rhs_is_histogram)
            ),
            Said::Layout => {
                format!("incompatible bucket layout encountered for binary operator {op}")
            }
            Said::Collided => collision(operation),
            Said::Reconciled => reconciled(operation),
        }
    }
}
