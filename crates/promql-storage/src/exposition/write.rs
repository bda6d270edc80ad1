//! Series written as OpenMetrics text.

use std::fmt::Write;

use promql_model::number::Json;
use promql_model::{Labels, METRIC_NAME, is_label_name, is_stale_nan};

use crate::memory::Columns;

/// Why series can't be written as OpenMetrics text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoOpenMetrics {
    /// Text has no native histograms.
    #[error("OpenMetrics text has no native histograms")]
    Histograms,
    /// Text can't say that a series ends.
    #[error("OpenMetrics text has no staleness markers")]
    Staleness,
    /// There is no series without a name.
    #[error("OpenMetrics text has no series without a metric name")]
    NoName,
}

/// Writes series as OpenMetrics text, each sample with its time. Start times are not written.
///
/// # Errors
/// When there is something that this text can't hold.
pub fn write_openmetrics(series: &[(Labels, Columns)]) -> Result<String, NoOpenMetrics> {
    let mut out = String::new();
    for (labels, columns) in series {
        if !columns.histograms.is_empty() {
            return Err(NoOpenMetrics::Histograms);
        }
        let labels = written(labels).ok_or(NoOpenMetrics::NoName)?;
        for (time, value) in columns.timestamps.iter().zip(&columns.values) {
            if is_stale_nan(*value) {
                return Err(NoOpenMetrics::Staleness);
            }
            let _ = writeln!(out, "{labels} {} {}", Json(*value), seconds(*time));
        }
    }
    out.push_str("# EOF\n");
    Ok(out)
}

/// A time in seconds. Readers multiply it by 1000 and cut the rest off, by which some times would be a
/// millisecond early; these are written with half a millisecond more.
fn seconds(time: i64) -> String {
    let sign = if time < 0 { "-" } else { "" };
    let (whole, rest) = (time.unsigned_abs() / 1000, time.unsigned_abs() % 1000);
    let text = format!("{sign}{whole}.{rest:03}");
    let read = text.parse::<f64>().map(|seconds| (seconds * 1000.0) as i64);
    if read == Ok(time) { text } else { text + "5" }
}

/// Name and labels without any blank between them.
fn written(labels: &Labels) -> Option<String> {
    let name = labels.metric_name()?;
    let is_plain = is_label_name(&name.replace(':', "_"));
    let mut items: Vec<String> = Vec::with_capacity(labels.len());
    if !is_plain {
        items.push(quoted(name));
    }
    for (label, value) in labels.iter().filter(|(label, _)| *label != METRIC_NAME) {
        let label = if is_label_name(label) { label.to_owned() } else { quoted(label) };
        items.push(format!("{label}={}", quoted(value)));
    }
    let name = if is_plain { name } else { "" };
    Some(match &items[..] {
        [] => name.to_owned(),
        items => format!("{name}{{{}}}", items.join(",")),
    })
}

/// There are three escapes, and everything else is written as it is.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
