//! The targets that a server scrapes, and the exemplars that it found there.

use std::collections::BTreeMap;

use promql_engine::{Cancellation, TimeRange};
use promql_model::Labels;
use serde::{Deserialize, Deserializer};

use super::answer::{Metric, Number};
use super::{RemoteError, RemoteServer, seconds};

/// A target of a server, with what its last scrape was like.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "camelCase")]
pub struct ServerTarget {
    /// Its labels, `job` and `instance` among them.
    pub labels: BTreeMap<String, String>,
    /// The name of the `scrape_config`.
    pub scrape_pool: String,
    /// What is scraped.
    pub scrape_url: String,
    /// `up`, `down`, or `unknown` before the first scrape.
    pub health: String,
    /// Why the last scrape failed; nothing if it didn't.
    pub last_error: String,
    /// When the last scrape began, in RFC 3339.
    pub last_scrape: String,
    /// How long the last scrape took, in seconds.
    pub last_scrape_duration: f64,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Targets {
    active_targets: Vec<ServerTarget>,
}

/// An exemplar: a sample of a series with a reference to what lies behind it, as a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// The series that it stands for.
    pub series: Labels,
    /// Its own labels, as `trace_id`.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
    /// When it was taken, in milliseconds since the epoch.
    pub timestamp: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExemplarSeries {
    #[serde(default)]
    series_labels: Metric,
    #[serde(default)]
    exemplars: Vec<ExemplarItem>,
}

#[derive(Deserialize)]
struct ExemplarItem {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    value: Number,
    #[serde(deserialize_with = "milliseconds")]
    timestamp: i64,
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let Number(seconds) = Number::deserialize(deserializer)?;
    Ok((seconds * 1e3).round() as i64)
}

impl RemoteServer {
    /// The targets that the server scrapes now.
    ///
    /// # Errors
    /// See [`super::RemoteErrorKind`]. Not every server scrapes.
    pub fn targets(&self, cancellation: &Cancellation) -> Result<Vec<ServerTarget>, RemoteError> {
        let response =
            self.get(&["targets"], vec![("state", "active".to_owned())], cancellation)?;
        Ok(self.read::<Targets>(&response, None)?.data.unwrap_or_default().active_targets)
    }

    /// The exemplars of the series that an expression selects, in the order of their series.
    ///
    /// # Errors
    /// See [`super::RemoteErrorKind`]. Not every server keeps exemplars.
    pub fn exemplars(
        &self,
        expression: &str,
        range: TimeRange,
        cancellation: &Cancellation,
    ) -> Result<Vec<Exemplar>, RemoteError> {
        let parameters = vec![
            ("query", expression.to_owned()),
            ("start", seconds(range.start)),
            ("end", seconds(range.end)),
        ];
        let response = self.get(&["query_exemplars"], parameters, cancellation)?;
        let series = self.read::<Vec<ExemplarSeries>>(&response, Some(expression))?.data;
        let of_series = |ExemplarSeries { series_labels, exemplars }: ExemplarSeries| {
            exemplars.into_iter().map(move |item| Exemplar {
                series: series_labels.0.clone(),
                labels: item.labels,
                value: item.value.0,
                timestamp: item.timestamp,
            })
        };
        Ok(series.unwrap_or_default().into_iter().flat_map(of_series).collect())
    }
}
