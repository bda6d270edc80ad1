//! The PromQL language: lexer, parser, type checker, printer and formatter.
//!
//! Invariant: nothing here evaluates a query or does I/O.

pub mod ast;
pub mod functions;
pub mod query;
mod span;
mod types;

pub use ast::Expr;
pub use functions::{Aggregator, Function};
pub use query::Query;
pub use span::Span;
pub use types::{Features, ValueType};
