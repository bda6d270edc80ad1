//! The endpoints, one file for each family.

mod federate;
mod labels;
mod metadata;
mod query;
mod rules;
mod status;
mod syntax;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::Api;

/// All endpoints.
pub(crate) fn router() -> Router<Api> {
    let api = Router::new()
        .route("/query", get(query::instant).post(query::instant))
        .route("/query_range", get(query::range).post(query::range))
        .route("/query_exemplars", get(query::exemplars).post(query::exemplars))
        .route("/format_query", get(syntax::format).post(syntax::format))
        .route("/parse_query", get(syntax::parse).post(syntax::parse))
        .route("/series", get(labels::series).post(labels::series))
        .route("/labels", get(labels::names).post(labels::names))
        .route("/label/{name}/values", get(labels::values))
        .route("/metadata", get(metadata::metadata))
        .route("/rules", get(rules::rules))
        .route("/alerts", get(rules::alerts))
        .route("/alertmanagers", get(rules::alertmanagers))
        .route("/targets", get(status::targets))
        .route("/status/buildinfo", get(status::build_info))
        .route("/status/runtimeinfo", get(status::runtime_info))
        .route("/status/flags", get(status::flags))
        .route("/status/config", get(status::config));
    Router::new()
        .nest("/api/v1", api)
        .route("/federate", get(federate::federate))
        .route("/-/healthy", get(async || "promql is Healthy.\n"))
        .route("/-/ready", get(async || "promql is Ready.\n"))
        .route("/", get(async || Redirect::to("/api/v1/status/buildinfo")))
        .method_not_allowed_fallback(async || {
            (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n")
        })
        .fallback(async || (StatusCode::NOT_FOUND, "404 page not found\n"))
}

/// An answer of the API.
pub(crate) fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
