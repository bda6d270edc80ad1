//! Everything that holds series.
//!
//! Invariant: no evaluation of expressions.

mod diagnostics;
pub mod exposition;
pub mod fixture;
mod memory;
pub mod remote;

pub use diagnostics::{Excerpt, Problem, Problems};
pub use memory::{Columns, MemoryBuilder, MemoryStorage};
