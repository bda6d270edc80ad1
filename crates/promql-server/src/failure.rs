//! Why a request has no answer, in the words and with the status of Prometheus.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use promql_engine::EngineError;

use crate::writer::string;

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BadData,
    Execution,
    Canceled,
    Timeout,
    Internal,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::BadData => "bad_data",
            Kind::Execution => "execution",
            Kind::Canceled => "canceled",
            Kind::Timeout => "timeout",
            Kind::Internal => "internal",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Kind::BadData => StatusCode::BAD_REQUEST,
            Kind::Execution => StatusCode::UNPROCESSABLE_ENTITY,
            // The client went away; nobody reads this.
            Kind::Canceled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
            Kind::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Why a request has no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Failure {
        Failure { kind, message: message.into() }
    }

    /// Something is wrong with what the client sent.
    pub(crate) fn bad_data(message: impl Into<String>) -> Failure {
        Failure::new(Kind::BadData, message)
    }

    /// Something is wrong with a parameter.
    pub(crate) fn parameter(name: &str, message: impl std::fmt::Display) -> Failure {
        Failure::bad_data(format!("invalid parameter \"{name}\": {message}"))
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let kind = match &error {
            EngineError::Invalid { .. } => Kind::BadData,
            EngineError::Timeout { .. } => Kind::Timeout,
            EngineError::Cancelled => Kind::Canceled,
            EngineError::Storage(_) => Kind::Internal,
            _ => Kind::Execution,
        };
        Failure::new(kind, with_causes(&error))
    }
}

impl From<promql_engine::StorageError> for Failure {
    fn from(error: promql_engine::StorageError) -> Self {
        Failure::new(Kind::Internal, with_causes(&error))
    }
}

/// An error with what caused it, since that says which file is damaged or which server is down.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let own = error.to_string();
        if !text.contains(&own) {
            text.push_str(": ");
            text.push_str(&own);
        }
        cause = error.source();
    }
    text
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut body = format!("{{\"status\":\"error\",\"errorType\":\"{}\",", self.kind.name());
        body.push_str("\"error\":");
        string(&mut body, &self.message);
        body.push('}');
        (self.kind.status(), [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}
