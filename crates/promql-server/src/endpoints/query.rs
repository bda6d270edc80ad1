//! Queries.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use promql_engine::{EngineError, EngineOptions, EvaluationTime, QueryOptions};
use promql_model::{Annotation, QueryResult, QueryValue, Severity};
use promql_syntax::Query;
use promql_syntax::ast::{Node, NodeKind};

use super::json;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::{Api, answer};

/// More points than this, and one, a range query must not give for each series.
const MOST_POINTS: i64 = 11_000;

/// What a query asks for besides its time.
struct Request {
    text: String,
    query: Query,
    engine: EngineOptions,
    /// At most so many series; 0 is no limit.
    limit: usize,
    with_statistics: bool,
}

impl Request {
    fn new(api: &Api, parameters: &Parameters, limit: usize) -> Result<Request, Failure> {
        let mut engine = api.settings.engine.clone();
        if let Some(nanoseconds) = parameters.duration("timeout")? {
            let wanted = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or_default());
            engine.timeout = Some(engine.timeout.map_or(wanted, |longest| longest.min(wanted)));
        }
        if let Some(lookback) = parameters.lookback()? {
            engine.lookback_delta = lookback;
        }
        let text = parameters.get("query").unwrap_or_default().to_owned();
        let query = promql_syntax::compile(&text, &api.settings.features)
            .map_err(|errors| Failure::parameter("query", errors))?;
        let with_statistics = parameters.get("stats").is_some();
        Ok(Request { text, query, engine, limit, with_statistics })
    }

    /// Evaluates the query when there is room for it.
    async fn answer(self, api: &Api, time: EvaluationTime) -> Result<Response, Failure> {
        let body = api.run(move |api, cancellation| {
            let options = QueryOptions { time, engine: self.engine, cancellation };
            let storage = api.storage();
            let (result, statistics) = match self.with_statistics {
                true => {
                    let (result, statistics) =
                        promql_engine::evaluate_with_statistics(&self.query, &*storage, &options);
                    (result, Some(statistics))
                }
                false => (promql_engine::evaluate(&self.query, &*storage, &options), None),
            };
            let mut result = result.map_err(|error| match error {
                EngineError::Invalid { message, .. } => Failure::parameter("query", message),
                error => error.into(),
            })?;
            truncate(&mut result, self.limit);
            Ok(answer::query(&result, self.text.as_bytes(), statistics.as_ref()))
        });
        body.await.map(json)
    }
}

/// Leaves out all but the first series, and says so.
fn truncate(result: &mut QueryResult, limit: usize) {
    let count = match &result.value {
        QueryValue::Vector(elements) => elements.len(),
        QueryValue::Matrix(series) => series.len(),
        _ => 0,
    };
    if limit == 0 || count <= limit {
        return;
    }
    match &mut result.value {
        QueryValue::Vector(elements) => elements.truncate(limit),
        QueryValue::Matrix(series) => series.truncate(limit),
        _ => {}
    }
    result.annotations.push(Annotation {
        severity: Severity::Warning,
        message: super::labels::TRUNCATED.to_owned(),
        span: None,
    });
}

pub(super) async fn instant(
    State(api): State<Api>,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let limit = parameters.limit("limit")?;
    let time = parameters.instant(api.now())?;
    let request = Request::new(&api, &parameters, limit)?;
    request.answer(&api, EvaluationTime::Instant(time)).await
}

pub(super) async fn range(
    State(api): State<Api>,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let limit = parameters.limit("limit")?;
    let (start, end) = (parameters.time("start")?, parameters.time("end")?);
    if end < start {
        return Err(Failure::parameter("end", "end timestamp must not be before start time"));
    }
    let step = match parameters.duration("step")? {
        Some(step) => step,
        None => {
            let message = "cannot parse \"\" to a valid duration";
            return Err(Failure::parameter("step", message));
        }
    };
    if step <= 0 {
        let message = "zero or negative query resolution step widths are not accepted. Try a \
                       positive integer";
        return Err(Failure::parameter("step", message));
    }
    let points = (i128::from(end) - i128::from(start)) * 1_000_000 / i128::from(step);
    if points > i128::from(MOST_POINTS) {
        return Err(Failure::bad_data(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the \
             query resolution (?step=XX)",
        ));
    }
    let request = Request::new(&api, &parameters, limit)?;
    let step = Duration::from_nanos(step as u64);
    request.answer(&api, EvaluationTime::Range { start, end, step }).await
}

/// No storage here has exemplars.
pub(super) async fn exemplars(
    State(api): State<Api>,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let range = parameters.range()?;
    if range.end < range.start {
        return Err(Failure::bad_data("end timestamp must not be before start timestamp"));
    }
    let text = parameters.get("query").unwrap_or_default();
    let query = promql_syntax::compile(text, &api.settings.features)
        .map_err(|errors| Failure::parameter("query", errors))?;
    let is_selector = |node: &Node| matches!(node.kind, NodeKind::VectorSelector(_));
    Ok(match query.expr().nodes().iter().any(is_selector) {
        true => json(answer::data("[]", &[])),
        false => StatusCode::NO_CONTENT.into_response(),
    })
}
