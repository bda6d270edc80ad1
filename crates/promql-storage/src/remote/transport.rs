//! HTTP: sends a request and gives back the answer's bytes, or says why not.
//!
//! The callers are synchronous, so a thread of its own drives the connections. A caller waits for
//! it and looks at the switch for cancellation meanwhile; a request that nobody waits for any more
//! is dropped, which closes its connection, which is how a server learns that it may stop.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use promql_engine::Cancellation;
use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HOST, RETRY_AFTER};
use reqwest::{Client, Method, Url};
use tokio::runtime::{Builder, Runtime};

use super::RemoteOptions;
use super::base_url::without_parameters;
use super::client::{cause, client, innermost};
use super::credentials::Credentials;
use super::encoding::form;
use super::error::RemoteErrorKind;
use super::identity::{Identity, Proof};
use super::redirect::{self, MOST_REDIRECTS};
use super::retry::{Pauses, is_passing, retry_after};

/// How often a waiting caller looks whether it was cancelled.
const CANCELLATION_INTERVAL: Duration = Duration::from_millis(20);

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) url: Url,
    /// Form parameters in order.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// What is sent, and how.
    pub(super) content: Content,
    /// What the answer should be written in.
    pub(super) accept: &'static str,
    /// How long all of it may take.
    pub(super) timeout: Duration,
}

/// What is sent with a request, and how.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Parameters in the address.
    Get,
    /// Parameters as a form, or in the address if the server or a proxy wants it so.
    Form,
    /// A message of the remote-read protocol.
    Message(Arc<[u8]>),
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    /// In lower case, empty if there is none.
    pub(super) content_type: String,
    /// How the body is packed, if the connection did not unpack it. In lower case.
    pub(super) content_encoding: String,
    pub(super) body: Vec<u8>,
    /// How long the server wants to be left alone.
    pub(super) retry_after: Option<Duration>,
}

/// Connections to one server.
pub(super) struct Transport {
    connection: Arc<Connection>,
    repetitions: u32,
    /// POST was refused once, so GET is used.
    get_only: AtomicBool,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

/// What a request needs on the thread of the connections.
struct Connection {
    client: Client,
    identity: Identity,
    most_bytes: usize,
    follow_redirects: bool,
    /// The host, and the name by which it is greeted instead.
    server_name: Option<(String, String)>,
}

impl Transport {
    pub(super) fn new(
        server: &Url,
        options: &RemoteOptions,
        credentials: Option<&Credentials>,
    ) -> Result<Transport, RemoteErrorKind> {
        let refuse = |reason: String| RemoteErrorKind::Options { reason };
        let RemoteOptions { http, connect_timeout, .. } = options;
        let client =
            client(&http.tls, &http.proxy, http.http2, *connect_timeout, server).map_err(refuse)?;
        let identity = Identity::new(http, credentials, *connect_timeout).map_err(refuse)?;
        let host = server.host_str().unwrap_or_default().to_owned();
        let server_name = http.tls.server_name.clone().map(|name| (host, name));
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("promql-http")
            .enable_all()
            .build()
            .map_err(|error| refuse(format!("no thread for connections: {error}")))?;
        Ok(Transport {
            connection: Arc::new(Connection {
                client,
                identity,
                most_bytes: options.most_bytes,
                follow_redirects: http.follow_redirects,
                server_name,
            }),
            repetitions: options.repetitions,
            get_only: AtomicBool::new(options.get_only),
            runtime: Some(runtime),
        })
    }

    /// Asks until there is an answer that is worth having.
    ///
    /// A request is repeated when it surely had no effect or can have had none: the connection
    /// broke before an answer began, or a proxy says that the server is busy or away. A refused
    /// connection and an unknown host are not asked again: they don't get better in a second.
    pub(super) fn send(
        &self,
        request: &Request,
        cancellation: &Cancellation,
    ) -> Result<Response, RemoteErrorKind> {
        let deadline = Instant::now() + request.timeout;
        let mut pauses = Pauses::new();
        let mut repetitions = self.repetitions;
        loop {
            let answer = self.send_as_allowed(request, deadline, cancellation);
            let wait = match &answer {
                Ok(response) if is_passing(response.status, &response.body) => {
                    response.retry_after.unwrap_or_else(|| pauses.next())
                }
                Err(RemoteErrorKind::Disconnected { .. }) => pauses.next(),
                _ => return answer,
            };
            if repetitions == 0 || Instant::now() + wait >= deadline {
                return answer;
            }
            repetitions -= 1;
            sleep(wait, cancellation)?;
        }
    }

    /// POST, or GET if that is what the server or a proxy in between wants.
    fn send_as_allowed(
        &self,
        request: &Request,
        deadline: Instant,
        cancellation: &Cancellation,
    ) -> Result<Response, RemoteErrorKind> {
        let form = matches!(request.content, Content::Form);
        let form = form && !self.get_only.load(Ordering::Relaxed);
        let post = form || matches!(request.content, Content::Message(_));
        let method = if post { Method::POST } else { Method::GET };
        let answer = self.send_once(request, method, deadline, cancellation)?;
        if !form || !refuses_post(&answer) {
            return Ok(answer);
        }
        let second = self.send_once(request, Method::GET, deadline, cancellation)?;
        if refuses_post(&second) {
            return Ok(answer);
        }
        self.get_only.store(true, Ordering::Relaxed);
        Ok(second)
    }

    /// Hands a request to the thread of the connections and waits for what becomes of it.
    fn send_once(
        &self,
        request: &Request,
        method: Method,
        deadline: Instant,
        cancellation: &Cancellation,
    ) -> Result<Response, RemoteErrorKind> {
        let Some(runtime) = &self.runtime else {
            return Err(RemoteErrorKind::Cancelled);
        };
        let connection = Arc::clone(&self.connection);
        let (answer, waiting) = mpsc::sync_channel(1);
        let time_left = deadline.saturating_duration_since(Instant::now());
        let request = request.clone();
        let task = runtime.spawn(async move {
            let timeout = RemoteErrorKind::Timeout { after: request.timeout };
            let done = tokio::time::timeout(time_left, connection.exchange(request, method)).await;
            // The caller may be gone.
            let _ = answer.send(done.unwrap_or(Err(timeout)));
        });
        loop {
            if cancellation.is_cancelled() {
                task.abort();
                return Err(RemoteErrorKind::Cancelled);
            }
            match waiting.recv_timeout(CANCELLATION_INTERVAL) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let reason = "the thread of the connections ended".to_owned();
                    return Err(RemoteErrorKind::Disconnected { reason });
                }
            }
        }
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        // A runtime that is simply dropped waits for its thread, and panics in a task of another.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Connection {
    /// Sends, follows redirects, and reads the body.
    async fn exchange(
        &self,
        mut request: Request,
        method: Method,
    ) -> Result<Response, RemoteErrorKind> {
        let first = request.url.clone();
        let mut trusted = true;
        let mut renewed = false;
        let mut redirects = 0;
        loop {
            let (answer, proof) = self.ask(&request, &method, trusted).await?;
            let status = answer.status();
            // A token may have been called back before its time.
            if status == 401 && !renewed && self.identity.renew(&proof) {
                renewed = true;
                continue;
            }
            let Some(to) = redirect::target(&request.url, status, answer.headers()) else {
                return self.read(answer, request.timeout).await;
            };
            let may_follow = redirect::may_follow(&request.url, &to, status, &method);
            if !self.follow_redirects || !may_follow {
                return Err(RemoteErrorKind::Redirected {
                    status: status.as_u16(),
                    login: redirect::is_login(&to),
                    to: without_parameters(&to),
                });
            }
            redirects += 1;
            if redirects > MOST_REDIRECTS {
                let reason = format!("more than {MOST_REDIRECTS} redirects");
                return Err(RemoteErrorKind::NotConnected { reason });
            }
            // What left the host once is not trusted again, even if it comes back.
            trusted &= redirect::stays_with_host(&first, &to);
            request.url = to;
            // A redirect of a GET repeats its parameters.
            if method == Method::GET {
                request.parameters.clear();
            }
        }
    }

    async fn ask(
        &self,
        request: &Request,
        method: &Method,
        trusted: bool,
    ) -> Result<(reqwest::Response, Proof), RemoteErrorKind> {
        let mut url = request.url.clone();
        let (content_type, body) = match &request.content {
            Content::Message(message) => ("application/x-protobuf", message.to_vec()),
            _ if *method == Method::POST => {
                ("application/x-www-form-urlencoded", form(&request.parameters).into_bytes())
            }
            _ if request.parameters.is_empty() => ("", Vec::new()),
            _ => {
                url.query_pairs_mut().extend_pairs(&request.parameters);
                ("", Vec::new())
            }
        };
        let proof = match trusted {
            true => self.identity.prove(method.as_str(), &url, &body).await?,
            false => Proof::default(),
        };
        let mut builder = self.client.request(method.clone(), self.connected_to(&url));
        if let Some(host) = self.renamed(&url) {
            builder = builder.header(HOST, host);
        }
        if let Content::Message(_) = request.content {
            builder = builder
                .header(CONTENT_ENCODING, "snappy")
                .header("X-Prometheus-Remote-Read-Version", "0.1.0");
        }
        if *method == Method::POST {
            builder = builder.header(CONTENT_TYPE, content_type).body(body);
        }
        builder = builder.headers(proof.headers.clone()).header(ACCEPT, request.accept);
        match builder.send().await {
            Ok(answer) => Ok((answer, proof)),
            Err(error) => Err(failure(&error, &request.url, request.timeout)),
        }
    }

    /// The `Host` of a server that is greeted by another name.
    fn renamed(&self, url: &Url) -> Option<String> {
        let (host, _) = self.server_name.as_ref()?;
        let is_it = url.scheme() == "https" && url.host_str() == Some(host);
        is_it.then(|| url.port().map_or(host.clone(), |port| format!("{host}:{port}")))
    }

    fn connected_to(&self, url: &Url) -> Url {
        let mut url = url.clone();
        if let (Some(_), Some((_, name))) = (self.renamed(&url), &self.server_name) {
            // A name that is none fails when the certificate is looked at.
            let _ = url.set_host(Some(name));
        }
        url
    }

    /// Reads a body piece by piece, so that its size is known before it fills the memory.
    async fn read(
        &self,
        mut answer: reqwest::Response,
        timeout: Duration,
    ) -> Result<Response, RemoteErrorKind> {
        let status = answer.status().as_u16();
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = header(RETRY_AFTER).and_then(|text| retry_after(text, SystemTime::now()));
        let content_type = header(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        let content_encoding = header(CONTENT_ENCODING).unwrap_or_default().to_ascii_lowercase();
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(None) => {
                    return Ok(Response {
                        status,
                        content_type,
                        content_encoding,
                        body,
                        retry_after,
                    });
                }
                Ok(Some(piece)) if body.len() + piece.len() > self.most_bytes => {
                    return Err(RemoteErrorKind::TooLarge { limit: self.most_bytes });
                }
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Err(error) if error.is_timeout() => {
                    return Err(RemoteErrorKind::Timeout { after: timeout });
                }
                Err(error) if is_mispacked(&error) => {
                    let reason = "it is not packed as it says".to_owned();
                    return Err(RemoteErrorKind::Malformed { reason, said: String::new() });
                }
                Err(_) => return Err(RemoteErrorKind::Truncated { received: body.len() }),
            }
        }
    }
}

/// Why a request found no answer. The error's own text is not used: it has the address in it.
fn failure(error: &reqwest::Error, url: &Url, timeout: Duration) -> RemoteErrorKind {
    let host = url.host_str().unwrap_or_default().to_owned();
    if let Some(tls) = cause::<rustls::Error>(error) {
        return RemoteErrorKind::Tls { reason: tls.to_string() };
    }
    let system = cause::<io::Error>(error).map(io::Error::kind);
    match system {
        _ if error.is_dns() => RemoteErrorKind::UnknownHost { host },
        Some(io::ErrorKind::ConnectionRefused) => RemoteErrorKind::Refused,
        _ if error.is_timeout() => RemoteErrorKind::Timeout { after: timeout },
        _ if error.is_connect() => RemoteErrorKind::NotConnected { reason: innermost(error) },
        _ => RemoteErrorKind::Disconnected { reason: innermost(error) },
    }
}

/// Whether a body was packed in another way than its head says. One that ends early is not.
fn is_mispacked(error: &reqwest::Error) -> bool {
    let kind = cause::<io::Error>(error).map(io::Error::kind);
    matches!(kind, Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput))
}

/// Whether an answer says that POST is not taken: by its status, or because a proxy forbids it.
fn refuses_post(answer: &Response) -> bool {
    match answer.status {
        405 | 501 => true,
        403 | 404 => !answer.body.trim_ascii_start().starts_with(b"{"),
        _ => false,
    }
}

fn sleep(pause: Duration, cancellation: &Cancellation) -> Result<(), RemoteErrorKind> {
    let end = Instant::now() + pause;
    while Instant::now() < end {
        if cancellation.is_cancelled() {
            return Err(RemoteErrorKind::Cancelled);
        }
        let left = end.saturating_duration_since(Instant::now());
        std::thread::sleep(left.min(CANCELLATION_INTERVAL));
    }
    Ok(())
}
