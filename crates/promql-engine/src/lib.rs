//! Evaluates a type-checked query over any [`Storage`](promql_model).
//!
//! Invariant: no concrete storage, no HTTP, no files.
