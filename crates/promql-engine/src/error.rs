//! Why a query has no result.

use miette::Diagnostic;
use promql_syntax::Span;
use thiserror::Error;

use crate::StorageError;

/// Why a query has no result. It displays as Prometheus' message where Prometheus has the same
/// error, and reports to miette with a code, the place in the query and what can be done. The
/// source text is attached by whoever has it.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum EngineError {
    /// The query cannot be evaluated at the given times, or a part of it is not valid there.
    #[error("{message}")]
    #[diagnostic(code(promql::engine::invalid))]
    Invalid {
        /// The message.
        message: String,
        /// Which part of the query it is about.
        #[label("here")]
        span: Option<SourceRange>,
        /// What to do about it.
        #[help]
        help: Option<String>,
    },
    /// The evaluation failed on the data it met.
    #[error("{message}")]
    #[diagnostic(code(promql::engine::execution))]
    Execution {
        /// The message.
        message: String,
        /// Which part of the query failed.
        #[label("while evaluating this")]
        span: Option<SourceRange>,
        /// What to do about it.
        #[help]
        help: Option<String>,
    },
    /// The query would hold more samples at one time than it may.
    #[error("query processing would load too many samples into memory in query execution")]
    #[diagnostic(
        code(promql::engine::too_many_samples),
        help(
            "the limit is {limit} samples: select fewer series, a shorter range or a larger step, or raise the limit"
        )
    )]
    TooManySamples {
        /// The limit.
        limit: usize,
    },
    /// The time for the query is over.
    #[error("query timed out in expression evaluation")]
    #[diagnostic(
        code(promql::engine::timeout),
        help("the limit is {limit:?}: select less, or raise the timeout")
    )]
    Timeout {
        /// The limit.
        limit: std::time::Duration,
    },
    /// Somebody called [`Cancellation::cancel`](crate::Cancellation::cancel).
    #[error("query was canceled in expression evaluation")]
    #[diagnostic(code(promql::engine::canceled))]
    Cancelled,
    /// The storage failed.
    #[error("expanding series: {0}")]
    #[diagnostic(code(promql::engine::storage))]
    Storage(#[from] StorageError),
}

impl EngineError {
    /// The same failure, of this part of the query unless it says of which.
    pub(crate) fn at(self, part: Span) -> EngineError {
        match self {
            EngineError::Execution { message, span: None, help } => {
                EngineError::Execution { message, span: Some(part.into()), help }
            }
            error => error,
        }
    }
}

/// A byte range of the query's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRange(pub Span);

impl From<SourceRange> for miette::SourceSpan {
    fn from(SourceRange(span): SourceRange) -> Self {
        (span.start as usize, span.len() as usize).into()
    }
}

impl From<Span> for SourceRange {
    fn from(span: Span) -> Self {
        SourceRange(span)
    }
}
