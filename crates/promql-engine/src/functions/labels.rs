//! `label_join` and `label_replace`, which change labels and leave values alone.

use promql_model::{METRIC_NAME, Rewrite};
use promql_syntax::Query;
use promql_syntax::ast::Text;

use crate::EngineError;
use crate::context::Context;
use crate::operator::Series;

/// Joins the values of labels into another one.
pub(crate) fn join(
    context: &Context<'_>,
    series: &[Series],
    destination: Text,
    separator: Text,
    sources: &[Text],
) -> Result<Vec<Series>, EngineError> {
    let query = context.query;
    let sources: Vec<String> = sources
        .iter()
        .map(|&source| label_name(query, source, "source label name in label_join"))
        .collect::<Result<_, _>>()?;
    let destination = label_name(query, destination, "destination label name in label_join")?;
    let separator = String::from_utf8_lossy(query.text(separator)).into_owned();
    let mut value = String::new();
    let joined = series.iter().map(|series| {
        value.clear();
        for (at, source) in sources.iter().enumerate() {
            value.push_str(if at > 0 { &separator } else { "" });
            value.push_str(series.labels.get(source).unwrap_or_default());
        }
        relabelled(series, &destination, &value)
    });
    context.limits.collect(joined)
}

/// Rewrites the value of a label into another one, where a regular expression matches all of it.
pub(crate) fn replace(
    context: &Context<'_>,
    series: &[Series],
    destination: Text,
    replacement: Text,
    source: Text,
    regex: Text,
) -> Result<Vec<Series>, EngineError> {
    let query = context.query;
    let template = String::from_utf8_lossy(query.text(replacement));
    let pattern = query.text(regex);
    let rewrite = Rewrite::new(pattern, &template).map_err(|error| EngineError::Execution {
        message: format!(
            "invalid regular expression in label_replace(): {}",
            String::from_utf8_lossy(pattern)
        ),
        span: None,
        help: Some(error.to_string()),
    })?;
    let destination = label_name(query, destination, "destination label name in label_replace")?;
    let source = String::from_utf8_lossy(query.text(source));
    let replaced = series.iter().map(|series| {
        match rewrite.apply(series.labels.get(&source).unwrap_or_default()) {
            Some(value) => relabelled(series, &destination, &value),
            None => series.clone(),
        }
    });
    context.limits.collect(replaced)
}

/// The series with one label changed. Who writes the name wants to keep it.
fn relabelled(series: &Series, label: &str, value: &str) -> Series {
    let labels = series.labels.with(label, value);
    Series { labels, drop_name: series.drop_name && label != METRIC_NAME }
}

fn label_name(query: &Query, name: Text, what: &str) -> Result<String, EngineError> {
    match std::str::from_utf8(query.text(name)) {
        Ok(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(EngineError::Execution {
            message: format!("invalid {what}(): {}", String::from_utf8_lossy(query.text(name))),
            span: None,
            help: Some("a label's name is valid UTF-8 and not empty".to_owned()),
        }),
    }
}
