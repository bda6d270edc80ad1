//! The raw samples of a VictoriaMetrics: lines of JSON, a series or a part of one in each.
//!
//! `{"metric":{…},"values":[1,null,"Infinity"],"timestamps":[1700000000000,…]}`, times in
//! milliseconds. A value that is no number, of which staleness markers are the usual ones, is `null`,
//! and read as a staleness marker.

use std::collections::BTreeMap;

use promql_engine::SampleBuffer;
use promql_model::{Labels, stale_nan};
use serde::Deserialize;

use super::answer::Metric;
use crate::columns::sort;
use crate::fetched::Fetched;

#[derive(Deserialize)]
struct Line {
    metric: Metric,
    values: Vec<Option<Value>>,
    timestamps: Vec<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Text(String),
}

/// Reads the lines. The reason of a failure is a sentence about the answer.
pub(super) fn read(body: &[u8]) -> Result<Fetched, String> {
    let mut series: BTreeMap<Labels, SampleBuffer> = BTreeMap::new();
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    for (at, line) in lines.enumerate() {
        let wrong = |what: String| format!("line {} of the export {what}", at + 1);
        let line: Line = serde_json::from_slice(line)
            .map_err(|error| wrong(format!("is no series: {error}")))?;
        if line.values.len() != line.timestamps.len() {
            return Err(wrong("has not as many values as timestamps".to_owned()));
        }
        let columns = series.entry(line.metric.0).or_default();
        columns.timestamps.extend(line.timestamps);
        for value in line.values {
            columns.values.push(match value {
                None => stale_nan(),
                Some(Value::Number(number)) => number,
                Some(Value::Text(text)) => match &*text {
                    "Infinity" | "+Infinity" | "Inf" | "+Inf" => f64::INFINITY,
                    "-Infinity" | "-Inf" => f64::NEG_INFINITY,
                    other => other
                        .parse()
                        .map_err(|_| wrong(format!("has the value `{}`", other.escape_debug())))?,
                },
            });
        }
    }
    series.values_mut().for_each(sort);
    Ok(Fetched::from(series))
}

/// What the fuzz target calls: an export, read to its end. How many series it has.
#[doc(hidden)]
pub fn read_whole_export(body: &[u8]) -> Result<usize, String> {
    use promql_engine::SelectedSeries;
    read(body).map(|fetched| fetched.labels().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use promql_engine::SelectedSeries;

    #[test]
    fn lines_become_series() {
        let text =
            br#"{"metric":{"__name__":"up","job":"a"},"values":[1,null],"timestamps":[20,30]}

            {"metric":{"__name__":"up","job":"a"},"values":["-Infinity"],"timestamps":[10]}"#;
        let fetched = read(text).unwrap();
        assert_eq!(fetched.labels().len(), 1);
        let mut buffer = SampleBuffer::default();
        let samples = fetched.read(0, &mut buffer).unwrap();
        assert_eq!(samples.timestamps, [10, 20, 30]);
        assert_eq!(samples.values[..2], [f64::NEG_INFINITY, 1.0]);
        assert!(promql_model::is_stale_nan(samples.values[2]));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |text: &str| read(text.as_bytes()).unwrap_err();
        assert!(said("{}").starts_with("line 1 of the export is no series: missing field"));
        let uneven = r#"{"metric":{},"values":[1],"timestamps":[]}"#;
        assert_eq!(said(uneven), "line 1 of the export has not as many values as timestamps");
        let text = r#"{"metric":{},"values":["x"],"timestamps":[1]}"#;
        assert_eq!(said(text), "line 1 of the export has the value `x`");
    }
}
