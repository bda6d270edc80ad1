//! One expression and its answer.

use promql_engine::{EngineError, QueryOptions, QueryStatistics, evaluate_with_statistics};
use promql_model::QueryResult;
use promql_storage::remote::{RemoteError, RemoteErrorKind, ServerCost};
use promql_syntax::ast::NodeKind;
use promql_syntax::{Aggregator, Errors, Features, Function};

use super::source::Opened;
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::Input;
use crate::interrupt;
use crate::progress::Progress;

/// Why a query has no answer.
#[derive(Debug)]
pub(in crate::commands) enum QueryFailure {
    /// The expression is wrong.
    Syntax(Errors),
    /// The evaluation failed.
    Engine(EngineError),
    /// The server gave no answer.
    Server(Box<RemoteError>),
}

/// What an evaluation took.
#[derive(Clone, Debug)]
pub(in crate::commands) enum Measured {
    /// As this program counts.
    Here(Box<QueryStatistics>),
    /// As the server says.
    Server(ServerCost),
}

/// Answers an expression.
///
/// A server gets it as it was written: it may know a dialect that this program does not. Where it
/// refuses an expression that is wrong here, too, the diagnostics of this program are shown, which
/// say more. What the evaluation took is measured, or asked for, if `measure`.
///
/// # Errors
/// When there is no answer.
pub(in crate::commands) fn answer(
    opened: &Opened,
    input: &Input,
    options: &QueryOptions,
    measure: bool,
    console: &Console,
) -> Result<(QueryResult, Option<Measured>), QueryFailure> {
    let storage = match opened {
        Opened::Local { storage, .. } => storage,
        Opened::Server(server) => {
            let _progress = Progress::start(console, format!("asking {}", server.address()));
            let text = String::from_utf8_lossy(&input.text);
            let answer = interrupt::while_stoppable(|| match measure {
                false => server.query(text.trim_end(), options).map(|result| (result, None)),
                true => {
                    let answer = server.query_with_cost(text.trim_end(), options);
                    answer.map(|(result, cost)| (result, Some(Measured::Server(cost))))
                }
            });
            return answer.map_err(|error| {
                match promql_syntax::compile(&input.text, &Features::ALL) {
                    Err(errors) if is_refused(&error) => QueryFailure::Syntax(errors),
                    _ => QueryFailure::Server(Box::new(error)),
                }
            });
        }
    };
    let query =
        promql_syntax::compile(&input.text, &Features::ALL).map_err(QueryFailure::Syntax)?;
    let _progress = Progress::start(console, "evaluating".to_string());
    let storage = storage.as_ref();
    let answer = interrupt::while_stoppable(|| match measure {
        false => promql_engine::evaluate(&query, storage, options).map(|result| (result, None)),
        true => {
            let (result, statistics) = evaluate_with_statistics(&query, storage, options);
            result.map(|result| (result, Some(Measured::Here(Box::new(statistics)))))
        }
    });
    answer.map_err(QueryFailure::Engine)
}

/// Whether a server says that the expression is wrong.
fn is_refused(error: &RemoteError) -> bool {
    matches!(&*error.kind, RemoteErrorKind::Api { place: Some(_), .. })
}

impl QueryFailure {
    /// Whether Ctrl-C was the reason.
    pub(in crate::commands) fn is_cancelled(&self) -> bool {
        match self {
            QueryFailure::Syntax(_) => false,
            QueryFailure::Engine(error) => matches!(error, EngineError::Cancelled),
            QueryFailure::Server(error) => error.is_cancelled(),
        }
    }

    /// How that counts: a source that gives no answer is an input that can't be read; a server's own
    /// refusal is a query that failed.
    pub(in crate::commands) fn exit(&self) -> Exit {
        match self {
            QueryFailure::Syntax(_) => Exit::Failed,
            QueryFailure::Engine(EngineError::Storage(_)) => Exit::Usage,
            QueryFailure::Engine(_) => Exit::Failed,
            QueryFailure::Server(error) => match &*error.kind {
                RemoteErrorKind::Api { .. } => Exit::Failed,
                _ => Exit::Usage,
            },
        }
    }

    /// The reason as the HTTP API's `error`; a server's in the server's words.
    pub(super) fn api_message(&self) -> String {
        match self {
            QueryFailure::Syntax(errors) => errors.to_string(),
            QueryFailure::Engine(error) => error.to_string(),
            QueryFailure::Server(error) => match &*error.kind {
                RemoteErrorKind::Api { message, .. } => message.clone(),
                _ => error.to_string(),
            },
        }
    }

    /// The reason in the words of the HTTP API's `errorType`.
    pub(super) fn api_type(&self) -> &str {
        match self {
            QueryFailure::Syntax(_) => "bad_data",
            QueryFailure::Engine(EngineError::Timeout { .. }) => "timeout",
            QueryFailure::Engine(EngineError::Cancelled) => "canceled",
            QueryFailure::Engine(EngineError::Storage(_)) => "internal",
            QueryFailure::Engine(EngineError::Invalid { .. }) => "bad_data",
            QueryFailure::Engine(_) => "execution",
            QueryFailure::Server(error) => match &*error.kind {
                RemoteErrorKind::Api { error_type, .. } => error_type,
                RemoteErrorKind::Timeout { .. } => "timeout",
                _ => "unavailable",
            },
        }
    }
}

/// Whether the order of an expression's answer means something: its outermost part sorts.
pub(in crate::commands) fn sorts(expression: &[u8]) -> bool {
    let Ok(expr) = promql_syntax::parse(expression, &Features::ALL) else { return false };
    let mut id = expr.root();
    while let NodeKind::Paren(inner) = expr.kind(id) {
        id = inner;
    }
    match expr.kind(id) {
        NodeKind::Aggregate { op, .. } => matches!(op, Aggregator::Topk | Aggregator::Bottomk),
        NodeKind::Call { function, .. } => matches!(
            function.function,
            Function::Sort | Function::SortDesc | Function::SortByLabel | Function::SortByLabelDesc
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sorts() {
        assert!(sorts(b"sort(up)"));
        assert!(sorts(b"(topk(3, up))"));
        assert!(!sorts(b"sort(up) + 1"));
        assert!(!sorts(b"up"));
        assert!(!sorts(b"up{"));
    }
}
