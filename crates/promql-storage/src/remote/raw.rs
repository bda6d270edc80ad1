//! The raw samples of a server, for evaluation here.
//!
//! There are three ways to get them. Which one a server knows is found out by the first question
//! and kept.
//!
//! | way | who has it | what gets lost |
//! |---|---|---|
//! | remote read | Prometheus, Mimir, Cortex | nothing |
//! | `/api/v1/export` | VictoriaMetrics | values that are no number, which it does not keep; start timestamps |
//! | an instant query for `selector[window]` | all | staleness markers, which are found again as [`gaps`](super::gaps) says; the schema of native histograms; start timestamps |

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use promql_engine::{
    Cancellation, LabelQuery, MetricMetadata, SelectRequest, SelectedSeries, Storage, StorageError,
    TimeRange,
};
use promql_model::{Labels, LabelsBuilder, Matcher};
use promql_yaml::Node;

use super::error::{RemoteErrorKind, first_words};
use super::transport::{Content, Request};
use super::{JSON, LabelRequest, RemoteError, RemoteServer, export, read, seconds, selectors};
use crate::fetched::Fetched;

/// A server as a place that holds series, for evaluation here.
#[derive(Debug)]
pub struct RemoteStorage {
    server: RemoteServer,
    external_labels: OnceLock<Labels>,
    /// The way that was found, as its number among [`WAYS`], and 0 as long as none was.
    way: AtomicU8,
}

/// How samples are got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    RemoteRead,
    Export,
    Selectors,
}

/// In the order in which they are tried.
const WAYS: [Way; 3] = [Way::RemoteRead, Way::Export, Way::Selectors];

impl RemoteServer {
    /// The server's raw samples, for evaluation here. Each selector of a query is one request.
    ///
    /// What remote read adds to all series, the server's external labels, is taken off again, so
    /// that series are called as in answers to queries. That needs the server's configuration; if
    /// it is not shown the labels stay. See
    /// [`RemoteOptions::keep_external_labels`](super::RemoteOptions::keep_external_labels).
    pub fn into_storage(self) -> RemoteStorage {
        RemoteStorage { server: self, external_labels: OnceLock::new(), way: AtomicU8::new(0) }
    }
}

impl RemoteStorage {
    /// The labels to take off again.
    fn external_labels(&self, cancellation: &Cancellation) -> Labels {
        if self.server.options.keep_external_labels {
            return Labels::empty();
        }
        if let Some(labels) = self.external_labels.get() {
            return labels.clone();
        }
        // A server may keep its configuration to itself.
        let configuration = self.server.configuration(cancellation);
        let labels = configuration.map_or_else(|_| Labels::empty(), |text| external_labels(&text));
        self.external_labels.get_or_init(|| labels).clone()
    }

    /// Asks in one way; nothing if the server does not know it.
    fn ask(
        &self,
        way: Way,
        request: &SelectRequest<'_>,
    ) -> Result<Option<Box<dyn SelectedSeries>>, RemoteError> {
        match way {
            Way::RemoteRead => self.remote_read(request),
            Way::Export => self.export(request),
            Way::Selectors => {
                let fetched = selectors::select(&self.server, request)?;
                Ok(Some(Box::new(fetched)))
            }
        }
    }

    fn remote_read(
        &self,
        request: &SelectRequest<'_>,
    ) -> Result<Option<Box<dyn SelectedSeries>>, RemoteError> {
        let server = &self.server;
        let response = server.send(
            &Request {
                url: server.base.endpoint(&["read"]),
                parameters: Vec::new(),
                content: Content::Message(read::request(request).into()),
                accept: read::ACCEPT,
                timeout: server.options.timeout,
            },
            request.cancellation,
        )?;
        let external = match response.status {
            200..300 => self.external_labels(request.cancellation),
            _ => Labels::empty(),
        };
        let naming = read::Naming { external: &external, matchers: request.matchers };
        let answer = read::answer(response, &naming, server.options.most_bytes);
        match answer.map_err(|kind| server.failed(kind))? {
            read::Answer::Series(series) => Ok(Some(series)),
            read::Answer::Unknown => Ok(None),
        }
    }

    fn export(
        &self,
        request: &SelectRequest<'_>,
    ) -> Result<Option<Box<dyn SelectedSeries>>, RemoteError> {
        let server = &self.server;
        let response = server.send(
            &Request {
                url: server.base.endpoint(&["export"]),
                parameters: vec![
                    ("match[]", selector(request.matchers)),
                    ("start", seconds(request.range.start)),
                    ("end", seconds(request.range.end)),
                ],
                content: Content::Form,
                accept: JSON,
                timeout: server.options.timeout,
            },
            request.cancellation,
        )?;
        let is_page = response.body.trim_ascii_start().starts_with(b"<");
        match response.status {
            200..300 if !is_page => {}
            // The next way tells what else is wrong.
            501 | 200..=299 | 400..=499 => return Ok(None),
            status => {
                let said = first_words(&response.body);
                let retry_after = response.retry_after;
                return Err(server.failed(RemoteErrorKind::Http { status, said, retry_after }));
            }
        }
        match export::read(&response.body) {
            Ok(fetched) => Ok(Some(Box::new(fetched))),
            Err(_) if self.way.load(Ordering::Relaxed) == 0 => Ok(None),
            Err(reason) => Err(server.malformed(reason, &response)),
        }
    }
}

impl Storage for RemoteStorage {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        let TimeRange { start, end } = request.range;
        if end < start {
            return Ok(Box::new(Fetched::from(BTreeMap::new())));
        }
        let known = usize::from(self.way.load(Ordering::Relaxed));
        let ways = match known.checked_sub(1).and_then(|at| WAYS.get(at..=at)) {
            Some(known) => known,
            None => &WAYS,
        };
        for way in ways {
            let found = self.ask(*way, request).map_err(|e| failed("samples", e))?;
            if let Some(series) = found {
                let number = WAYS.iter().position(|other| other == way).unwrap_or(0) + 1;
                self.way.store(u8::try_from(number).unwrap_or(0), Ordering::Relaxed);
                return Ok(series);
            }
        }
        // What was known once is so no more; a server may have been replaced.
        self.way.store(0, Ordering::Relaxed);
        Err(StorageError::new(format!(
            "{} does not answer any more with samples in the way it did; ask again",
            self.server.address()
        )))
    }

    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        let selectors = selectors_of(query);
        let answer = self.server.label_names(&label_request(&selectors, query));
        Ok(answer.map_err(|e| failed("label names", e))?.data)
    }

    fn label_values(
        &self,
        name: &str,
        query: &LabelQuery<'_>,
    ) -> Result<Vec<String>, StorageError> {
        let selectors = selectors_of(query);
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

fn selectors_of(query: &LabelQuery<'_>) -> Vec<String> {
    query.selectors.iter().map(|matchers| selector(matchers)).collect()
}

fn label_request<'a>(selectors: &'a [String], query: &LabelQuery<'_>) -> LabelRequest<'a> {
    let range = (query.range != TimeRange::ALL).then_some(query.range);
    LabelRequest { selectors, range, ..LabelRequest::default() }
}

/// Matchers as the language writes them.
pub(super) fn selector(matchers: &[Matcher]) -> String {
    let matchers: Vec<String> = matchers.iter().map(Matcher::to_string).collect();
    format!("{{{}}}", matchers.join(","))
}

/// `global.external_labels` of a server's configuration.
fn external_labels(config: &str) -> Labels {
    let mut builder = LabelsBuilder::default();
    let stream = promql_yaml::parse(config);
    let root = stream.documents.first().and_then(|document| document.root.as_ref());
    let labels = root.and_then(|root| root.get("global")?.get("external_labels"));
    for entry in labels.map_or(&[][..], Node::entries) {
        let value = entry.value.text().filter(|_| !entry.value.is_null());
        builder.set(entry.key.text().unwrap_or_default(), value.unwrap_or_default());
    }
    builder.build()
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

    #[test]
    fn external_labels_are_in_the_configuration() {
        let text =
            "global:\n  scrape_interval: 15s\n  external_labels:\n    region: eu\n    n: 1\n";
        let expected = Labels::from_pairs([("n", "1"), ("region", "eu")]);
        assert_eq!(external_labels(text), expected);
        assert_eq!(external_labels("global: {}\n"), Labels::empty());
        assert_eq!(external_labels(": no"), Labels::empty());
    }
}
