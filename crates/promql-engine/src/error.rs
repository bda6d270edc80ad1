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
            "it came to {reached} samples and may hold {limit}: select fewer series, a shorter range or a larger step, or raise the limit (EngineOptions::max_samples)"
        )
    )]
    TooManySamples {
        /// The limit.
        limit: usize,
        /// How many samples the query came to when it was ended.
        reached: usize,
        /// Which part of the query was evaluated.
        #[label("while evaluating this")]
        span: Option<SourceRange>,
    },
    /// The query would hold more memory at one time than it may.
    #[error("query processing would use too much memory in query execution")]
    #[diagnostic(
        code(promql::engine::too_much_memory),
        help(
            "it came to {} and may hold {}: select fewer series, a shorter range or a larger step, or raise the limit (EngineOptions::max_bytes)",
            binary_size(*reached), binary_size(*limit)
        )
    )]
    TooManyBytes {
        /// The limit in bytes.
        limit: usize,
        /// How many bytes the query came to when it was ended.
        reached: usize,
        /// Which part of the query was evaluated.
        #[label("while evaluating this")]
        span: Option<SourceRange>,
    },
    /// The time for the query is over.
    #[error("query timed out in expression evaluation")]
    #[diagnostic(
        code(promql::engine::timeout),
        help(
            "it was ended after {:.1}s and may take {limit:?}: select less, or raise the limit (EngineOptions::timeout)",
            elapsed.as_secs_f64()
        )
    )]
    Timeout {
        /// The limit.
        limit: std::time::Duration,
        /// How long the query had taken when it was ended.
        elapsed: std::time::Duration,
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
            error => error.at_limits(part),
        }
    }

    /// The same for a failure that is one of a limit.
    pub(crate) fn at_limits(self, part: Span) -> EngineError {
        match self {
            EngineError::TooManySamples { limit, reached, span: None } => {
                EngineError::TooManySamples { limit, reached, span: Some(part.into()) }
            }
            EngineError::TooManyBytes { limit, reached, span: None } => {
                EngineError::TooManyBytes { limit, reached, span: Some(part.into()) }
            }
            error => error,
        }
    }
}

/// So many bytes in the largest binary unit that leaves a whole number before the point.
fn binary_size(bytes: usize) -> String {
    const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.into_iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", bytes as f64 / size as f64),
        None => format!("{bytes} bytes"),
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
