//! Everything that holds series.
//!
//! Invariant: no evaluation of expressions.
