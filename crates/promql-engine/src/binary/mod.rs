//! Binary operators.

mod element;
mod histograms;
mod join;
mod set;
mod signature;
mod with_scalar;

pub(crate) use element::scalar_operation;
pub(crate) use join::{Join, join};
pub(crate) use set::set_operation;
pub(crate) use signature::MatchLabels;
pub(crate) use with_scalar::WithScalar;
