//! The present value of each series, as exposition text.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use promql_engine::{SampleBuffer, SelectHints, SelectRequest, TimeRange};
use promql_model::number::General;
use promql_model::{Labels, METRIC_NAME, is_stale_nan};

use crate::Api;
use crate::parameters::Parameters;

/// A sample with its time, by the labels of its series, for each metric.
type Metrics = BTreeMap<String, BTreeMap<Labels, (i64, f64)>>;

pub(super) async fn federate(
    State(api): State<Api>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Response> {
    let refused = |message: String| (StatusCode::BAD_REQUEST, message + "\n").into_response();
    let selectors = parameters.selectors(&api.settings.features).map_err(refused)?;
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let any_name = accepts.is_some_and(|accept| accept.contains("escaping=allow-utf-8"));
    let now = api.now();
    let lookback = i64::try_from(api.settings.engine.lookback_delta.as_millis());
    let range = TimeRange { start: now.saturating_sub(lookback.unwrap_or(i64::MAX)) + 1, end: now };
    let metrics = api.run(move |api, cancellation| {
        let storage = api.storage();
        let mut metrics = Metrics::new();
        let mut buffer = SampleBuffer::default();
        for matchers in &selectors {
            let hints = SelectHints::default();
            let request = SelectRequest { matchers, range, hints, cancellation: &cancellation };
            let selected = storage.select(&request)?;
            for (index, labels) in selected.labels().iter().enumerate() {
                let samples = selected.read(index, &mut buffer)?;
                let count = samples.timestamps.partition_point(|time| *time <= range.end);
                let Some(last) = count.checked_sub(1) else { continue };
                let (time, value) = (samples.timestamps[last], samples.values[last]);
                if time < range.start || is_stale_nan(value) {
                    continue;
                }
                let name = labels.metric_name().unwrap_or_default().to_owned();
                metrics.entry(name).or_default().insert(labels.clone(), (time, value));
            }
        }
        Ok(metrics)
    });
    let metrics = metrics.await.map_err(IntoResponse::into_response)?;
    let mut text = String::new();
    for (name, series) in &metrics {
        let name = shown_name(name, any_name);
        let _ = writeln!(text, "# TYPE {name} untyped");
        for (labels, (time, value)) in series {
            write_series(&mut text, &name, labels, any_name);
            let _ = writeln!(text, " {} {time}", General(*value));
        }
    }
    let escaping = if any_name { "allow-utf-8" } else { "underscores" };
    let kind = format!("text/plain; version=0.0.4; charset=utf-8; escaping={escaping}");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// A name as the client wants it: any text, or letters, digits and underscores.
fn shown_name(name: &str, any_name: bool) -> String {
    let fits = |(at, c): (usize, char)| {
        c.is_ascii_alphabetic() || c == '_' || c == ':' || at > 0 && c.is_ascii_digit()
    };
    if any_name || name.char_indices().all(fits) {
        return name.to_owned();
    }
    name.char_indices().map(|(at, c)| if fits((at, c)) { c } else { '_' }).collect()
}

fn write_series(text: &mut String, name: &str, labels: &Labels, any_name: bool) {
    let bare = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    let mut separator = match bare(name) {
        true => {
            text.push_str(name);
            "{"
        }
        false => {
            let _ = write!(text, "{{\"{}\"", escaped(name));
            ","
        }
    };
    let mut has_instance = false;
    for (label, value) in labels.iter().filter(|(label, _)| *label != METRIC_NAME) {
        has_instance |= label == "instance";
        text.push_str(separator);
        separator = ",";
        let label = shown_name(label, any_name);
        let _ = match bare(&label) {
            true => write!(text, "{label}=\"{}\"", escaped(value)),
            false => write!(text, "\"{}\"=\"{}\"", escaped(&label), escaped(value)),
        };
    }
    // So that the one who scrapes this puts no instance of its own.
    if !has_instance {
        text.push_str(separator);
        text.push_str("instance=\"\"");
    }
    text.push('}');
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
