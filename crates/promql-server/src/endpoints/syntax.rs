//! Expressions as text and as trees.

use axum::extract::State;
use axum::response::Response;

use super::json;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::{Api, answer};

fn expression(api: &Api, parameters: &Parameters) -> Result<promql_syntax::Expr, Failure> {
    let text = parameters.get("query").unwrap_or_default();
    let wrong = |errors| Failure::parameter("query", errors);
    let expr = promql_syntax::parse(text, &api.settings.features).map_err(wrong)?;
    promql_syntax::check(&expr).map_err(wrong)?;
    Ok(expr)
}

/// The canonical text.
pub(super) async fn format(
    State(api): State<Api>,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let mut data = String::new();
    answer::string(&mut data, &expression(&api, &parameters)?.pretty(promql_syntax::DEFAULT_WIDTH));
    Ok(json(answer::data(&data, &[])))
}

/// The tree.
pub(super) async fn parse(
    State(api): State<Api>,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let tree = expression(&api, &parameters)?.to_json(false);
    Ok(json(answer::data(&tree, &[])))
}
