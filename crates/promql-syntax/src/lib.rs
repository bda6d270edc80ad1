//! The PromQL language: lexer, parser, type checker, printer and formatter.
//!
//! Invariant: nothing here evaluates a query or does I/O.

pub mod ast;
mod error;
pub mod functions;
pub mod query;
mod series;
mod span;
mod types;

pub use ast::Expr;
pub use error::{Error, ErrorKind, Errors};
pub use functions::{Aggregator, Function};
pub use query::Query;
pub use series::{SequenceValue, SeriesDescription};
pub use span::Span;
pub use types::{Features, ValueType};

/// Reads an expression.
///
/// # Errors
/// All the syntax errors that one pass finds. An ill-typed expression is none of them: that is
/// what [`check`] finds.
pub fn parse(source: impl AsRef<[u8]>, features: &Features) -> Result<Expr, Errors> {
    let _ = (source, features);
    todo!()
}

/// Checks types and meaning, and gives the typed tree. The only way to a [`Query`].
///
/// # Errors
/// All the rules that the expression breaks.
pub fn check(expr: &Expr) -> Result<Query, Errors> {
    let _ = expr;
    todo!()
}

/// [`parse`], then [`check`].
///
/// # Errors
/// As theirs.
pub fn compile(source: impl AsRef<[u8]>, features: &Features) -> Result<Query, Errors> {
    check(&parse(source, features)?)
}

/// Reads the notation for a series and its samples, `metric{label="value"} 1 2+3x4 _ stale`.
///
/// # Errors
/// The first error.
pub fn parse_series(text: &str) -> Result<SeriesDescription, Errors> {
    let _ = text;
    todo!()
}

/// Reads a label set as `metric{label="value"}`.
///
/// # Errors
/// The first error.
pub fn parse_metric(text: &str) -> Result<promql_model::Labels, Errors> {
    let _ = text;
    todo!()
}

/// Reads a selector without modifiers, as `match[]` takes it.
///
/// # Errors
/// The first error.
pub fn parse_metric_selector(text: impl AsRef<[u8]>) -> Result<Expr, Errors> {
    let _ = text;
    todo!()
}
