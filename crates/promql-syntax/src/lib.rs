//! The PromQL language: lexer, parser, type checker, printer and formatter.
//!
//! Invariant: nothing here evaluates a query or does I/O.

pub mod ast;
mod check;
pub mod docs;
mod error;
pub mod excerpt;
mod fixed_times;
mod formatter;
pub mod functions;
pub mod lexer;
mod outline;
mod parse_query;
mod parser;
mod pretty;
mod printer;
pub mod query;
mod series;
mod span;
mod spelling;
mod tree_text;
mod typed_text;
mod types;

pub use ast::Expr;
pub use check::{check, value_types};
pub use error::{Bound, Error, ErrorKind, Errors, Report, TypedPlace, line_and_column};
pub use excerpt::Excerpt;
pub use formatter::{FormatOptions, format};
pub use functions::{Aggregator, Function};
pub use parser::series::{MAX_SERIES_VALUES, parse_series};
pub use parser::{MAX_SOURCE_LEN, parse, parse_metric, parse_metric_selector};
pub use pretty::DEFAULT_WIDTH;
pub use query::Query;
pub use series::{SequenceValue, SeriesDescription};
pub use span::Span;
pub use types::{Features, ValueType};

/// [`parse`], then [`check`].
///
/// # Errors
/// As theirs.
pub fn compile(source: impl AsRef<[u8]>, features: &Features) -> Result<Query, Errors> {
    check(&parse(source, features)?)
}
