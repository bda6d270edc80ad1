//! The parameters of aggregations: one value at each step, checked for the whole grid at once.

use promql_model::number::General;

use super::Aggregate;
use crate::EngineError;
use crate::arithmetic::{max2, min2};
use crate::column::ScalarColumn;

/// The extremes of a parameter over the grid. NaN makes both NaN.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) any_nan: bool,
}

impl Extent {
    pub(super) fn of(parameter: &ScalarColumn, steps: usize) -> Extent {
        let values = || parameter.iter(steps);
        let first = values().next().unwrap_or(f64::NAN);
        Extent {
            min: values().fold(first, min2),
            max: values().fold(first, max2),
            any_nan: values().any(f64::is_nan),
        }
    }
}

/// 2^63 minus 1024: the largest float that upstream converts to an integer.
const TOO_LARGE: f64 = 9_223_372_036_854_774_784.0;
const TOO_SMALL: f64 = -9_223_372_036_854_775_808.0;

/// How many elements each step may have, or nothing if no step may have any.
pub(super) fn counts(
    aggregate: &Aggregate<'_>,
    parameter: &ScalarColumn,
) -> Result<Option<Vec<usize>>, EngineError> {
    let steps = aggregate.grid.len;
    let extent = Extent::of(parameter, steps);
    if steps == 0 || extent.max < 1.0 {
        return Ok(None);
    }
    if extent.any_nan {
        return Err(bad(aggregate, "Parameter value is NaN".to_owned()));
    }
    if extent.min <= TOO_SMALL {
        let text = format!("Scalar value {} underflows int64", General(extent.min));
        return Err(bad(aggregate, text));
    }
    if extent.max >= TOO_LARGE {
        let text = format!("Scalar value {} overflows int64", General(extent.max));
        return Err(bad(aggregate, text));
    }
    let most = aggregate.input.series().len();
    // Out of range the conversion takes the nearest number, which is what is wanted.
    Ok(Some(parameter.iter(steps).map(|k| (k as usize).min(most)).collect()))
}

/// The failure for a parameter that is none.
pub(super) fn bad(aggregate: &Aggregate<'_>, message: String) -> EngineError {
    EngineError::Execution { message, span: Some(aggregate.span.into()), help: None }
}
