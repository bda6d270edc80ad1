//! The Prometheus data model: labels and matchers, timestamps, samples and query results.
//!
//! Invariant: nothing here parses a query or does I/O.

mod matcher;

pub use matcher::MatchOp;
