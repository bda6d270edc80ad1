//! A server that speaks the HTTP API of Prometheus.
//!
//! Queries are evaluated there. A Prometheus, a VictoriaMetrics, a Mimir, a Thanos or whatever
//! else answers under `/api/v1` will do.

mod answer;
mod aws;
mod base_url;
mod client;
mod cost;
mod credentials;
mod encoding;
mod error;
mod export;
mod gaps;
mod histogram;
mod http_config;
mod identity;
mod oauth2;
mod options;
mod raw;
mod read;
mod redirect;
mod retry;
mod rules;
mod scrape;
mod selectors;
mod sigv4;
mod slices;
mod status;
mod targets;
mod transport;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use promql_engine::TimeRange;
use promql_engine::{Cancellation, EngineOptions, EvaluationTime, MetricMetadata, QueryOptions};
use promql_model::{Annotation, Labels, QueryResult};
use serde::Deserialize;

pub use answer::BuildInfo;
pub use cost::ServerCost;
pub use credentials::{Credentials, Grant, JwtBearer, OAuth2, RsaAlgorithm, Secret, SigV4};
pub use error::{RemoteError, RemoteErrorKind};
pub use http_config::read_http_config;
pub use options::{HttpOptions, Proxy, RemoteOptions, TlsOptions, TlsVersion};
pub use raw::RemoteStorage;
pub use rules::{ServerAlert, ServerRule};
pub use status::RuntimeInfo;
pub use targets::{Exemplar, ServerTarget};
#[doc(hidden)]
pub use {answer::read_whole_json, export::read_whole_export, read::read_whole_answer};

pub(crate) use base_url::redacted;
pub(crate) use scrape::{Body, Exporter};

use answer::{Envelope, Metadata, Metric, QueryData};
use base_url::BaseUrl;
use error::{first_words, page_title};
use transport::{Content, Request, Response, Transport};

/// The one format of the API.
const JSON: &str = "application/json";

/// An answer with what the server remarks about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T> {
    /// The answer.
    pub data: T,
    /// Remarks, as that the answer was cut at the limit.
    pub annotations: Vec<Annotation>,
}

/// What a question about series or labels is restricted to.
#[derive(Clone, Debug, Default)]
pub struct LabelRequest<'a> {
    /// Selectors, as `up{job="api"}`: series that one of them selects count. All count if there is
    /// none, except for [`RemoteServer::series`], which needs one.
    pub selectors: &'a [String],
    /// Only series that have samples there count, as far as the server knows at little cost.
    pub range: Option<TimeRange>,
    /// How many items are wanted at most; 0 is no limit. Servers before 2.51 don't know it.
    pub limit: usize,
    /// Lets another thread end the request.
    pub cancellation: Cancellation,
}

/// A server.
///
/// ```no_run
/// use promql_engine::QueryOptions;
/// use promql_storage::remote::{RemoteOptions, RemoteServer};
///
/// let server = RemoteServer::new("http://localhost:9090", RemoteOptions::default())?;
/// let result = server.query("sum(up)", &QueryOptions::instant(1_700_000_000_000))?;
/// println!("{:?}", result.value);
/// # Ok::<(), promql_storage::remote::RemoteError>(())
/// ```
pub struct RemoteServer {
    base: BaseUrl,
    options: RemoteOptions,
    transport: Transport,
}

impl fmt::Debug for RemoteServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteServer").field(&self.base).finish()
    }
}

impl RemoteServer {
    /// A server at an address, `http://` or `https://`, with the path before `/api/v1` if it has
    /// one. Nothing is sent yet.
    ///
    /// # Errors
    /// The address is none, or the options cannot be used.
    pub fn new(address: &str, options: RemoteOptions) -> Result<RemoteServer, RemoteError> {
        let (base, in_address) = BaseUrl::parse(address)?;
        let failed = |kind| RemoteError::new(base.to_string(), kind);
        let credentials = credentials_of(in_address.as_ref(), &options).map_err(failed)?;
        let transport = Transport::new(&base.url(), &options, credentials).map_err(failed)?;
        Ok(RemoteServer { base, options, transport })
    }

    /// The address without user, password and parameters.
    pub fn address(&self) -> String {
        self.base.to_string()
    }

    /// Lets the server evaluate an expression, as it is, at the options' time.
    ///
    /// Of the engine's settings the server is told the timeout and the lookback delta, the latter
    /// if it is not the usual one. Native histograms are put together again from the populated
    /// buckets that the API shows. The text of a remark keeps the position in the expression that
    /// it ends with, as `(1:6)`. A range of more than 11,000 steps is asked for in slices.
    ///
    /// # Errors
    /// See [`RemoteErrorKind`]. An error of the API about a place in the expression points there.
    pub fn query(
        &self,
        expression: &str,
        options: &QueryOptions,
    ) -> Result<QueryResult, RemoteError> {
        let slices = slices::slices(options);
        let ask = |slice: &QueryOptions| Ok(self.query_once(expression, slice, false)?.0);
        slices::ask(&slices, ask, |kind| self.failed(kind))
    }

    /// The same, and what it took there.
    ///
    /// # Errors
    /// As [`RemoteServer::query`].
    pub fn query_with_cost(
        &self,
        expression: &str,
        options: &QueryOptions,
    ) -> Result<(QueryResult, ServerCost), RemoteError> {
        let slices = slices::slices(options);
        let costs = Mutex::new(ServerCost::default());
        let ask = |slice: &QueryOptions| {
            let (result, cost) = self.query_once(expression, slice, true)?;
            let mut costs = costs.lock().unwrap_or_else(PoisonError::into_inner);
            *costs = costs.and(cost);
            Ok(result)
        };
        let result = slices::ask(&slices, ask, |kind| self.failed(kind))?;
        Ok((result, costs.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    fn query_once(
        &self,
        expression: &str,
        options: &QueryOptions,
        with_cost: bool,
    ) -> Result<(QueryResult, ServerCost), RemoteError> {
        let timeout = options.engine.timeout.unwrap_or(self.options.timeout);
        let mut parameters = vec![("query", expression.to_owned())];
        let endpoint = match options.time {
            EvaluationTime::Instant(timestamp) => {
                parameters.push(("time", seconds(timestamp)));
                "query"
            }
            EvaluationTime::Range { start, end, step } => {
                parameters.push(("start", seconds(start)));
                parameters.push(("end", seconds(end)));
                parameters.push(("step", duration(step)));
                "query_range"
            }
        };
        parameters.push(("timeout", duration(timeout)));
        let lookback = options.engine.lookback_delta;
        if !lookback.is_zero() && lookback != EngineOptions::default().lookback_delta {
            parameters.push(("lookback_delta", duration(lookback)));
        }
        if with_cost {
            parameters.push(("stats", "true".to_owned()));
        }
        let request = Request {
            url: self.base.endpoint(&[endpoint]),
            parameters,
            content: Content::Form,
            accept: JSON,
            timeout: timeout.saturating_add(Duration::from_secs(5)),
        };
        let response = self.send(&request, &options.cancellation)?;
        let (answer, beside) = self.read_with_stats::<QueryData>(&response, Some(expression))?;
        match answer.data {
            Some(QueryData { value, stats }) => {
                let cost = stats.or(beside).as_ref().map(ServerCost::read);
                let result = QueryResult { value, annotations: answer.annotations };
                Ok((result, cost.unwrap_or_default()))
            }
            None => Err(self.malformed("`data` is missing".to_owned(), &response)),
        }
    }

    /// The label sets of series, in the order of the server.
    ///
    /// # Errors
    /// See [`RemoteErrorKind`].
    pub fn series(&self, request: &LabelRequest<'_>) -> Result<Answer<Vec<Labels>>, RemoteError> {
        let answer: Answer<Vec<Metric>> = self.list(&["series"], Content::Form, request)?;
        let labels = answer.data.into_iter().map(|metric| metric.0).collect();
        Ok(Answer { data: labels, annotations: answer.annotations })
    }

    /// The names of labels, sorted.
    ///
    /// # Errors
    /// See [`RemoteErrorKind`].
    pub fn label_names(
        &self,
        request: &LabelRequest<'_>,
    ) -> Result<Answer<Vec<String>>, RemoteError> {
        self.list(&["labels"], Content::Form, request)
    }

    /// The values of a label, sorted.
    ///
    /// # Errors
    /// See [`RemoteErrorKind`].
    pub fn label_values(
        &self,
        name: &str,
        request: &LabelRequest<'_>,
    ) -> Result<Answer<Vec<String>>, RemoteError> {
        self.list(&["label", &escaped_label_name(name), "values"], Content::Get, request)
    }

    /// What targets say about metrics, by the name of the family: of one, or of all.
    ///
    /// # Errors
    /// See [`RemoteErrorKind`].
    pub fn metadata(
        &self,
        metric: Option<&str>,
        cancellation: &Cancellation,
    ) -> Result<BTreeMap<String, Vec<MetricMetadata>>, RemoteError> {
        let parameters = metric.map(|metric| ("metric", metric.to_owned())).into_iter().collect();
        let response = self.get(&["metadata"], parameters, cancellation)?;
        let answer = self.read::<Metadata>(&response, None)?;
        Ok(answer.data.map(|metadata| metadata.0).unwrap_or_default())
    }

    /// What the server says about itself.
    ///
    /// # Errors
    /// See [`RemoteErrorKind`]. Not every server has this.
    pub fn build_info(&self, cancellation: &Cancellation) -> Result<BuildInfo, RemoteError> {
        let response = self.get(&["status", "buildinfo"], Vec::new(), cancellation)?;
        Ok(self.read::<BuildInfo>(&response, None)?.data.unwrap_or_default())
    }

    /// A list restricted to some series.
    fn list<T: for<'de> Deserialize<'de>>(
        &self,
        path: &[&str],
        content: Content,
        request: &LabelRequest<'_>,
    ) -> Result<Answer<Vec<T>>, RemoteError> {
        let mut parameters: Vec<(&'static str, String)> =
            request.selectors.iter().map(|selector| ("match[]", selector.clone())).collect();
        if let Some(range) = request.range {
            parameters.push(("start", seconds(range.start)));
            parameters.push(("end", seconds(range.end)));
        }
        if request.limit > 0 {
            parameters.push(("limit", request.limit.to_string()));
        }
        let timeout = self.options.timeout;
        let url = self.base.endpoint(path);
        let response = self.send(
            &Request { url, parameters, content, accept: JSON, timeout },
            &request.cancellation,
        )?;
        let answer = self.read::<Vec<T>>(&response, None)?;
        Ok(Answer { data: answer.data.unwrap_or_default(), annotations: answer.annotations })
    }

    fn get(
        &self,
        path: &[&str],
        parameters: Vec<(&'static str, String)>,
        cancellation: &Cancellation,
    ) -> Result<Response, RemoteError> {
        let timeout = self.options.timeout;
        let url = self.base.endpoint(path);
        self.send(
            &Request { url, parameters, content: Content::Get, accept: JSON, timeout },
            cancellation,
        )
    }

    fn send(
        &self,
        request: &Request,
        cancellation: &Cancellation,
    ) -> Result<Response, RemoteError> {
        self.transport.send(request, cancellation).map_err(|kind| self.failed(kind))
    }

    fn failed(&self, kind: RemoteErrorKind) -> RemoteError {
        RemoteError::new(self.base.to_string(), kind)
    }

    fn malformed(&self, reason: String, response: &Response) -> RemoteError {
        self.failed(RemoteErrorKind::Malformed { reason, said: first_words(&response.body) })
    }

    /// Reads an answer of the API. Not the content type says whether it is JSON but its first
    /// character: servers and proxies label answers with all kinds of types.
    fn read<'a, T: Deserialize<'a>>(
        &self,
        response: &'a Response,
        expression: Option<&str>,
    ) -> Result<Answer<Option<T>>, RemoteError> {
        Ok(self.read_with_stats(response, expression)?.0)
    }

    /// The same with the `stats` that some servers write beside the data.
    fn read_with_stats<'a, T: Deserialize<'a>>(
        &self,
        response: &'a Response,
        expression: Option<&str>,
    ) -> Result<(Answer<Option<T>>, Option<serde_json::Value>), RemoteError> {
        let Response { status, body, .. } = response;
        let status = *status;
        if status == 204 || (body.is_empty() && status < 300) {
            return Ok((Answer { data: None, annotations: Vec::new() }, None));
        }
        match body.trim_ascii_start().first() {
            Some(b'{') => {}
            Some(b'<') => {
                return Err(self.failed(RemoteErrorKind::Html { status, said: page_title(body) }));
            }
            _ if status >= 300 => {
                return Err(self.failed(RemoteErrorKind::Http {
                    status,
                    said: first_words(body),
                    retry_after: response.retry_after,
                }));
            }
            _ => {
                let reason = match &*response.content_encoding {
                    "" | "identity" => "no JSON object".to_owned(),
                    other => format!(
                        "it is packed in a way that is not known (`{}`)",
                        first_words(other.as_bytes())
                    ),
                };
                return Err(self.malformed(reason, response));
            }
        }
        if status >= 400 {
            let mut kind = api_error(status, body, expression);
            if let RemoteErrorKind::Http { retry_after, .. } = &mut kind {
                *retry_after = response.retry_after;
            }
            return Err(self.failed(kind));
        }
        let mut envelope: Envelope<'_, T> = serde_json::from_slice(body).map_err(|error| {
            if error.is_eof() {
                return self.failed(RemoteErrorKind::Truncated { received: body.len() });
            }
            // `status` may say that it is an error, with data of whatever form.
            match api_error(status, body, expression) {
                RemoteErrorKind::Http { .. } => self.malformed(error.to_string(), response),
                api => self.failed(api),
            }
        })?;
        match &*envelope.status {
            "success" => {
                let annotations = envelope.annotations();
                Ok((Answer { data: envelope.data, annotations }, envelope.stats))
            }
            _ => Err(self.failed(api_error(status, body, expression))),
        }
    }
}

/// The credentials of the address or of the options.
fn credentials_of<'a>(
    in_address: Option<&'a Credentials>,
    options: &'a RemoteOptions,
) -> Result<Option<&'a Credentials>, RemoteErrorKind> {
    match (in_address, &options.http.credentials) {
        (Some(one), Some(other)) if one != other => {
            let reason = "the address has a user, and other credentials are given".to_owned();
            Err(RemoteErrorKind::Options { reason })
        }
        (one, other) => Ok(one.or(other.as_ref())),
    }
}

/// The error that a JSON answer holds: the API's, or that of a proxy, which says `message`.
fn api_error(status: u16, body: &[u8], expression: Option<&str>) -> RemoteErrorKind {
    #[derive(Deserialize)]
    struct Proxy<'a> {
        #[serde(borrow)]
        message: Cow<'a, str>,
    }
    let envelope = serde_json::from_slice::<Envelope<'_, serde::de::IgnoredAny>>(body);
    if let Ok(Envelope { error_type, error: Some(message), .. }) = envelope {
        let error_type = error_type.unwrap_or_default().into_owned();
        let (message, place) = placed(&message, expression);
        return RemoteErrorKind::Api { status, error_type, message, place };
    }
    let said = match serde_json::from_slice::<Proxy<'_>>(body) {
        Ok(proxy) => first_words(proxy.message.as_bytes()),
        Err(_) => first_words(body),
    };
    RemoteErrorKind::Http { status, said, retry_after: None }
}

/// Takes the position out of an error about an expression: `invalid parameter "query": 1:5: parse
/// error: …`. Lines and columns count from 1, columns in bytes.
fn placed(message: &str, expression: Option<&str>) -> (String, Option<(String, usize)>) {
    let plain = || (crate::diagnostics::one_line(message, 1000), None);
    let Some(expression) = expression else { return plain() };
    let text = message.strip_prefix("invalid parameter \"query\": ").unwrap_or(message);
    let mut parts = text.splitn(3, ':');
    let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok());
    let (Some(line), Some(column), Some(rest)) = (number(), number(), parts.next()) else {
        return plain();
    };
    let start = match line {
        0 => return plain(),
        1 => 0,
        _ => match expression.match_indices('\n').nth(line - 2) {
            Some((at, _)) => at + 1,
            None => return plain(),
        },
    };
    let offset = start.saturating_add(column.saturating_sub(1)).min(expression.len());
    let message = rest.trim_start().strip_prefix("parse error: ").unwrap_or(rest.trim_start());
    let message = crate::diagnostics::one_line(message, 1000);
    (message, Some((expression.to_owned(), offset)))
}

/// A time as the API takes it: seconds, with three decimals if there are milliseconds.
fn seconds(timestamp: i64) -> String {
    let (sign, ms) = (if timestamp < 0 { "-" } else { "" }, timestamp.unsigned_abs());
    match ms % 1000 {
        0 => format!("{sign}{}", ms / 1000),
        rest => format!("{sign}{}.{rest:03}", ms / 1000),
    }
}

/// A duration as the API takes it, likewise.
fn duration(span: Duration) -> String {
    seconds(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

/// A label name as it stands in a path. Names that are no identifiers are written `U__…`, where an
/// underscore is doubled and any other character is its code point in hexadecimal between two.
fn escaped_label_name(name: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.chars().all(is_plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return Cow::Borrowed(name);
    }
    let mut out = String::from("U__");
    for (at, c) in name.char_indices() {
        match c {
            '_' => out.push_str("__"),
            c if c.is_ascii_alphabetic() || (c.is_ascii_digit() && at > 0) => out.push(c),
            c => out.push_str(&format!("_{:x}_", c as u32)),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_names_are_escaped_for_a_path() {
        let table = [
            ("job", "job"),
            ("__name__", "__name__"),
            ("a.b", "U__a_2e_b"),
            ("a_b.c", "U__a__b_2e_c"),
            ("9a", "U___39_a"),
            ("é", "U___e9_"),
        ];
        for (name, expected) in table {
            assert_eq!(escaped_label_name(name), expected);
        }
    }

    #[test]
    fn times_are_written_in_seconds() {
        assert_eq!(seconds(1_795_410_570_500), "1795410570.500");
        assert_eq!(seconds(1_795_410_570_000), "1795410570");
        assert_eq!(seconds(-1500), "-1.500");
        assert_eq!(seconds(-500), "-0.500");
        assert_eq!(seconds(i64::MIN), "-9223372036854775.808");
    }

    #[test]
    fn a_position_in_an_error_is_that_of_the_expression() {
        let table = [
            ("invalid parameter \"query\": 1:4: parse error: no", "up{", Some(3)),
            ("2:3: parse error: no", "a +\n b c", Some(6)),
            ("1:99: parse error: no", "up", Some(2)),
            ("9:1: parse error: no", "up", None),
            ("0:1: parse error: no", "up", None),
            ("invalid parameter \"step\": no", "up", None),
            ("1:", "up", None),
        ];
        for (message, expression, expected) in table {
            let (_, place) = placed(message, Some(expression));
            assert_eq!(place.map(|(_, offset)| offset), expected, "{message}");
        }
    }
}
