//! Functions of each element's value.

use std::cmp::Ordering;

use promql_syntax::query::{DatePart, MathFunction};

use crate::arithmetic::{max2, min2};
use crate::column::{Column, ScalarColumn};
use crate::dates::date_part;

/// Applies a mathematical function to each value.
pub(crate) fn math(function: MathFunction, column: &mut Column) {
    use std::f64::consts::PI;
    match function {
        MathFunction::Abs => column.map(f64::abs),
        MathFunction::Acos => column.map(f64::acos),
        MathFunction::Acosh => column.map(f64::acosh),
        MathFunction::Asin => column.map(f64::asin),
        MathFunction::Asinh => column.map(f64::asinh),
        MathFunction::Atan => column.map(f64::atan),
        MathFunction::Atanh => column.map(f64::atanh),
        MathFunction::Ceil => column.map(f64::ceil),
        MathFunction::Cos => column.map(f64::cos),
        MathFunction::Cosh => column.map(f64::cosh),
        MathFunction::Deg => column.map(|v| v * 180.0 / PI),
        MathFunction::Exp => column.map(f64::exp),
        MathFunction::Floor => column.map(f64::floor),
        MathFunction::Ln => column.map(f64::ln),
        MathFunction::Log10 => column.map(f64::log10),
        MathFunction::Log2 => column.map(f64::log2),
        MathFunction::Rad => column.map(|v| v * PI / 180.0),
        MathFunction::Sgn => column.map(sign),
        MathFunction::Sin => column.map(f64::sin),
        MathFunction::Sinh => column.map(f64::sinh),
        MathFunction::Sqrt => column.map(f64::sqrt),
        MathFunction::Tan => column.map(f64::tan),
        MathFunction::Tanh => column.map(f64::tanh),
    }
}

fn sign(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

/// Applies a function of the value and one scalar.
pub(crate) fn with_scalar(column: &mut Column, scalar: &ScalarColumn, f: impl Fn(f64, f64) -> f64) {
    for (step, value) in column.values.iter_mut().enumerate() {
        *value = f(*value, scalar.at(step));
    }
}

/// `clamp` and its relatives: without a limit there is none on that side. Where the limits are the
/// wrong way round there are no elements.
pub(crate) fn clamp(column: &mut Column, min: &ScalarColumn, max: &ScalarColumn) {
    column.valid.retain(|step| max.at(step).partial_cmp(&min.at(step)) != Some(Ordering::Less));
    for (step, value) in column.values.iter_mut().enumerate() {
        *value = max2(min.at(step), min2(max.at(step), *value));
    }
}

/// `round`: to the nearest multiple, halves up.
pub(crate) fn round(column: &mut Column, to_nearest: &ScalarColumn) {
    with_scalar(column, to_nearest, |value, to_nearest| {
        let inverse = 1.0 / to_nearest;
        (value * inverse + 0.5).floor() / inverse
    });
}

/// Takes a part of the date that each value stands for.
pub(crate) fn date(part: DatePart, column: &mut Column) {
    let Column { values, valid, .. } = column;
    valid.iter().for_each(|step| values[step] = date_part(part, values[step]));
}
