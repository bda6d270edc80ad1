//! `sort`, `sort_desc`, `sort_by_label` and `sort_by_label_desc`. They order an instant vector; the
//! result of a range query is ordered by labels whatever they do.

use std::cmp::Ordering;

use promql_model::Labels;

use crate::EngineError;
use crate::column::Column;
use crate::context::Context;
use crate::operator::{Kept, Operator, Series, VectorOperator};

/// Sorts by value, NaN last in either direction. Equal values keep their order. There are floats only.
pub(crate) fn by_value<'a>(
    context: &'a Context<'a>,
    input: VectorOperator<'a>,
    descending: bool,
) -> Result<VectorOperator<'a>, EngineError> {
    permuted(context, &*input, |a, b| {
        let (a, b) = (a.1.values[0], b.1.values[0]);
        let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
        a.is_nan().cmp(&b.is_nan()).then(if descending { order.reverse() } else { order })
    })
}

/// Sorts by labels, the first the most significant, then by all labels.
pub(crate) fn by_label<'a>(
    context: &'a Context<'a>,
    input: VectorOperator<'a>,
    names: &[String],
    descending: bool,
) -> Result<VectorOperator<'a>, EngineError> {
    permuted(context, &*input, |a, b| {
        let order = compare_labels(&a.0.labels, &b.0.labels, names);
        if descending { order.reverse() } else { order }
    })
}

/// The series of a vector with a single step, in another order.
fn permuted<'a>(
    context: &'a Context<'a>,
    input: &dyn Operator,
    compare: impl Fn(&(Series, Column), &(Series, Column)) -> Ordering,
) -> Result<VectorOperator<'a>, EngineError> {
    let (series, columns, held) = Kept::all_of(context, input, 1)?.into_parts();
    let mut elements: Vec<(Series, Column)> = series.into_iter().zip(columns).collect();
    context.limits.sort_by(&mut elements, compare)?;
    let (series, columns) = elements.into_iter().unzip();
    Ok(Box::new(Kept::counted(series, columns, held)))
}

fn compare_labels(a: &Labels, b: &Labels, names: &[String]) -> Ordering {
    let value = |labels: &'_ Labels, name: &str| labels.get(name).unwrap_or_default().to_owned();
    names
        .iter()
        .map(|name| natural(&value(a, name), &value(b, name)))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.cmp(b))
}

/// Natural order: numbers within texts compare as numbers. Upstream's order is none where numbers
/// have leading zeros; here such texts are ordered by their bytes at last.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    while !rest_a.is_empty() && !rest_b.is_empty() {
        let (run_a, run_b) = (first_run(rest_a), first_run(rest_b));
        let order = match (run_a.parse::<i64>(), run_b.parse::<i64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => run_a.cmp(run_b),
        };
        if order.is_ne() {
            return order;
        }
        (rest_a, rest_b) = (&rest_a[run_a.len()..], &rest_b[run_b.len()..]);
    }
    rest_a.len().cmp(&rest_b.len()).then_with(|| a.cmp(b))
}

/// The digits that a text begins with, or what precedes the first digit.
fn first_run(text: &str) -> &str {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natural_order_compares_numbers_as_numbers() {
        let sorted = ["", "a", "a1", "a1b", "a2", "a9", "a10", "a10b", "b", "b01", "b1", "b2"];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(natural(a, b), i.cmp(&j), "{a} {b}");
            }
        }
    }
}
