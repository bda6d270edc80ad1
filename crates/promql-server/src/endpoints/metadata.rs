//! What is known about metrics.

use axum::extract::State;
use axum::response::Response;
use promql_engine::MetricMetadata;

use super::json;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::writer::{list, string};
use crate::{Api, answer};

pub(super) async fn metadata(
    State(api): State<Api>,
    parameters: Parameters,
) -> Result<Response, Failure> {
    // Unlike elsewhere a limit of 0 gives nothing, and one below 0 everything.
    let limit = |name: &str| match parameters.get(name).map(str::parse::<i64>) {
        None => Ok(usize::MAX),
        Some(Ok(limit)) => Ok(usize::try_from(limit).unwrap_or(usize::MAX)),
        Some(Err(_)) => Err(Failure::bad_data(format!("{name} must be a number"))),
    };
    let (families, entries) = (limit("limit")?, limit("limit_per_metric")?);
    let metric = parameters.get("metric").map(str::to_owned);
    let known = api.run(move |api, _| Ok(api.storage().metadata(metric.as_deref())?)).await?;
    let mut data = String::from("{");
    for (at, (family, metadata)) in known.iter().take(families).enumerate() {
        if at > 0 {
            data.push(',');
        }
        string(&mut data, family);
        data.push(':');
        list(&mut data, metadata.iter().take(entries), entry);
    }
    data.push('}');
    Ok(json(answer::data(&data, &[])))
}

fn entry(out: &mut String, metadata: &MetricMetadata) {
    let fields =
        [("type", &metadata.metric_type), ("help", &metadata.help), ("unit", &metadata.unit)];
    for (at, (key, text)) in fields.into_iter().enumerate() {
        out.push(if at == 0 { '{' } else { ',' });
        string(out, key);
        out.push(':');
        string(out, text);
    }
    out.push('}');
}
