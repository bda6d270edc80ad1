//! The `promql` command: arguments, rendering and exit codes around the library crates.
//!
//! Invariant: nothing here that a user of the libraries would want. What a query means is in
//! `promql-syntax` and `promql-engine`, where series come from in `promql-storage`; this crate
//! turns arguments into their calls and their answers into text.

pub mod graph;
pub mod render;
pub mod time;
pub mod visible;
