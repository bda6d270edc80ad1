//! What the server says about itself, and lists that are empty here.

use axum::extract::State;
use axum::response::Response;

use super::json;
use crate::writer::string;
use crate::{Api, answer};

/// The version whose behaviour this has. Clients look at it to know what they can ask for.
const BEHAVES_AS: &str = "3.14.0";

/// An object of texts.
fn object(fields: &[(&str, &str)]) -> Response {
    let mut data = String::new();
    for (at, (key, text)) in fields.iter().enumerate() {
        data.push(if at == 0 { '{' } else { ',' });
        string(&mut data, key);
        data.push(':');
        string(&mut data, text);
    }
    data.push('}');
    json(answer::data(&data, &[]))
}

pub(super) async fn build_info() -> Response {
    object(&[
        ("version", BEHAVES_AS),
        ("revision", env!("CARGO_PKG_VERSION")),
        ("branch", "promql"),
        ("buildUser", ""),
        ("buildDate", ""),
        ("goVersion", ""),
    ])
}

pub(super) async fn flags(State(api): State<Api>) -> Response {
    let engine = &api.settings.engine;
    let seconds = |duration: std::time::Duration| {
        let nanoseconds = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        promql_model::FormatDuration(nanoseconds).to_string()
    };
    object(&[
        ("query.lookback-delta", &seconds(engine.lookback_delta)),
        ("query.max-concurrency", &api.settings.concurrency.to_string()),
        ("query.max-samples", &engine.max_samples.to_string()),
        ("query.timeout", &engine.timeout.map_or_else(String::new, seconds)),
    ])
}

pub(super) async fn runtime_info(State(api): State<Api>) -> Response {
    let now = jiff::Timestamp::from_millisecond(api.now()).unwrap_or(jiff::Timestamp::MAX);
    let now = now.to_string();
    let mut fields = vec![("serverTime", &*now), ("storageRetention", "")];
    let numbers = api.storage.kept_columns().map(|kept| {
        [kept.budget as u64, kept.bytes as u64, kept.found, kept.decoded].map(|n| n.to_string())
    });
    if let Some(numbers) = &numbers {
        let names = ["hotColumnsBudget", "hotColumnsBytes", "hotColumnsFound", "hotColumnsDecoded"];
        fields.extend(names.into_iter().zip(numbers.iter().map(String::as_str)));
    }
    object(&fields)
}

pub(super) async fn config() -> Response {
    object(&[("yaml", "")])
}

/// Nothing is scraped here.
pub(super) async fn targets() -> Response {
    let data = "{\"activeTargets\":[],\"droppedTargets\":[],\"droppedTargetCounts\":null}";
    json(answer::data(data, &[]))
}
