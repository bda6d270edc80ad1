//! Configurations of other linters, as a `promql.toml`.

mod hcl;
mod pint;

pub use pint::import_pint;
