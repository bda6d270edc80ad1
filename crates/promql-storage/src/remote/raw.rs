//! The raw samples of a server, for evaluation here.
//!
//! The query API has no call for raw samples, but an instant query for `selector[window]` answers
//! with them. What gets lost on that way: staleness markers, so a series that ended is still seen
//! until the lookback delta is over; the buckets of native histograms; and start timestamps.

use promql_engine::{
    LabelQuery, MetricMetadata, QueryOptions, SampleBuffer, Samples, SelectRequest, SelectedSeries,
    Storage, StorageError, TimeRange,
};
use promql_model::{Labels, Matcher, QueryValue, SeriesSamples};

use std::collections::BTreeMap;

use super::{LabelRequest, RemoteError, RemoteServer};

/// A server as a place that holds series, for evaluation here.
#[derive(Debug)]
pub struct RemoteStorage {
    server: RemoteServer,
}

impl RemoteServer {
    /// The server's raw samples, for evaluation here. Each selector of a query is one request.
    pub fn into_storage(self) -> RemoteStorage {
        RemoteStorage { server: self }
    }
}

impl Storage for RemoteStorage {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        let TimeRange { start, end } = request.range;
        if end < start {
            return Ok(Box::new(Fetched::default()));
        }
        // The window is open at its start, and one millisecond longer therefore.
        let window = end.saturating_sub(start).saturating_add(1);
        let expression = format!("{}[{window}ms]", selector(request.matchers));
        let mut options = QueryOptions::instant(end);
        options.cancellation = request.cancellation.clone();
        let result = self.server.query(&expression, &options).map_err(|e| failed("samples", e))?;
        let QueryValue::Matrix(mut series) = result.value else {
            return Err(StorageError::new(format!(
                "{} did not answer `{expression}` with samples over time",
                self.server.address()
            )));
        };
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        series.dedup_by(|a, b| a.labels == b.labels);
        Ok(Box::new(Fetched::from(series)))
    }

    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        let selectors = selectors(query);
        let answer = self.server.label_names(&label_request(&selectors, query));
        Ok(answer.map_err(|e| failed("label names", e))?.data)
    }

    fn label_values(
        &self,
        name: &str,
        query: &LabelQuery<'_>,
    ) -> Result<Vec<String>, StorageError> {
        let selectors = selectors(query);
        let answer = self.server.label_values(name, &label_request(&selectors, query));
        Ok(answer.map_err(|e| failed("label values", e))?.data)
    }

    fn metadata(
        &self,
        metric: Option<&str>,
    ) -> Result<BTreeMap<String, Vec<MetricMetadata>>, StorageError> {
        let answer = self.server.metadata(metric, &Default::default());
        answer.map_err(|e| failed("metadata", e))
    }
}

fn failed(what: &str, error: RemoteError) -> StorageError {
    StorageError::caused_by(format!("cannot get {what}: {error}"), error)
}

fn selectors(query: &LabelQuery<'_>) -> Vec<String> {
    query.selectors.iter().map(|matchers| selector(matchers)).collect()
}

fn label_request<'a>(selectors: &'a [String], query: &LabelQuery<'_>) -> LabelRequest<'a> {
    let range = (query.range != TimeRange::ALL).then_some(query.range);
    LabelRequest { selectors, range, ..LabelRequest::default() }
}

/// Matchers as the language writes them.
fn selector(matchers: &[Matcher]) -> String {
    let matchers: Vec<String> = matchers.iter().map(Matcher::to_string).collect();
    format!("{{{}}}", matchers.join(","))
}

/// Samples that came from a server.
#[derive(Default)]
struct Fetched {
    labels: Vec<Labels>,
    columns: Vec<SampleBuffer>,
}

impl From<Vec<SeriesSamples>> for Fetched {
    fn from(series: Vec<SeriesSamples>) -> Self {
        let mut fetched = Fetched::default();
        for one in series {
            let mut columns = SampleBuffer::default();
            (columns.timestamps, columns.values) = one.floats.into_iter().unzip();
            (columns.histogram_timestamps, columns.histograms) = one.histograms.into_iter().unzip();
            fetched.labels.push(one.labels);
            fetched.columns.push(columns);
        }
        fetched
    }
}

impl SelectedSeries for Fetched {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read<'b>(
        &'b self,
        index: usize,
        _: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError> {
        Ok(self.columns[index].samples())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use promql_model::MatchOp;

    #[test]
    fn matchers_are_written_as_a_selector() {
        let matchers = [
            Matcher::new("__name__", MatchOp::Equal, "up").unwrap(),
            Matcher::new("my.job", MatchOp::NotMatches, "a\"|b").unwrap(),
        ];
        assert_eq!(selector(&matchers), r#"{__name__="up","my.job"!~"a\"|b"}"#);
    }
}
