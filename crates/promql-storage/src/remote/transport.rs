//! HTTP: sends a request and gives back the answer's bytes, or says why not.
//!
//! The callers are synchronous, so a thread of its own drives the connections. A caller waits for
//! it and looks at the switch for cancellation meanwhile; a request that nobody waits for any more
//! is dropped, which closes its connection, which is how a server learns that it may stop.

use std::error::Error;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use promql_engine::Cancellation;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::{Client, Method, StatusCode, Url, redirect};
use tokio::runtime::{Builder, Runtime};

use super::RemoteOptions;
use super::base_url::without_parameters;
use super::credentials::Credentials;
use super::error::RemoteErrorKind;

/// How often a waiting caller looks whether it was cancelled.
const CANCELLATION_INTERVAL: Duration = Duration::from_millis(20);

/// The first pause before a repetition; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How many redirects are followed.
const MOST_REDIRECTS: usize = 10;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) url: Url,
    /// Form parameters in order.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// Whether the endpoint takes POST.
    pub(super) post: bool,
    /// What the answer should be written in.
    pub(super) accept: &'static str,
    /// How long all of it may take.
    pub(super) timeout: Duration,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    /// In lower case, empty if there is none.
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
    retry_after: Option<Duration>,
}

/// Connections to one server.
pub(super) struct Transport {
    client: Client,
    headers: HeaderMap,
    most_bytes: usize,
    repetitions: u32,
    /// POST was refused once, so GET is used.
    get_only: AtomicBool,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl Transport {
    pub(super) fn new(
        options: &RemoteOptions,
        credentials: Option<&Credentials>,
    ) -> Result<Transport, RemoteErrorKind> {
        let refuse = |reason: String| RemoteErrorKind::Options { reason };
        // reqwest takes the process's default provider of cryptography and panics if there is
        // none. Another part of the program may have set one already, which is then used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("promql/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.connect_timeout)
            .redirect(redirect::Policy::none())
            .pool_idle_timeout(Duration::from_secs(300))
            .tcp_nodelay(true)
            .tls_danger_accept_invalid_certs(options.skip_certificate_check);
        if !options.certificate_authorities.is_empty() {
            let certificates =
                reqwest::Certificate::from_pem_bundle(&options.certificate_authorities)
                    .ok()
                    .filter(|certificates| !certificates.is_empty())
                    .ok_or_else(|| {
                        refuse("the certificate authorities are not PEM certificates".to_owned())
                    })?;
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(|error| refuse(innermost(&error)))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("promql-http")
            .enable_all()
            .build()
            .map_err(|error| refuse(format!("no thread for connections: {error}")))?;
        Ok(Transport {
            client,
            headers: headers(options, credentials)?,
            most_bytes: options.most_bytes,
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
        let mut pause = FIRST_PAUSE;
        let mut repetitions = self.repetitions;
        loop {
            let answer = self.send_as_allowed(request, deadline, cancellation);
            let wait = match &answer {
                Ok(response) if is_passing(response) => response.retry_after.unwrap_or(pause),
                Err(RemoteErrorKind::Disconnected { .. }) => pause,
                _ => return answer,
            };
            if repetitions == 0 || Instant::now() + wait >= deadline {
                return answer;
            }
            repetitions -= 1;
            pause *= 2;
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
        let post = request.post && !self.get_only.load(Ordering::Relaxed);
        let method = if post { Method::POST } else { Method::GET };
        let answer = self.send_once(request, method, deadline, cancellation)?;
        if !post || !refuses_post(&answer) {
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
        let exchange = Exchange {
            client: self.client.clone(),
            headers: self.headers.clone(),
            most_bytes: self.most_bytes,
            timeout: request.timeout,
        };
        let (answer, waiting) = mpsc::sync_channel(1);
        let request_of_task = request.clone();
        let time_left = deadline.saturating_duration_since(Instant::now());
        let task = runtime.spawn(async move {
            let timeout = RemoteErrorKind::Timeout { after: request_of_task.timeout };
            let done = tokio::time::timeout(time_left, exchange.run(request_of_task, method)).await;
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

/// What a request needs on the thread of the connections.
struct Exchange {
    client: Client,
    headers: HeaderMap,
    most_bytes: usize,
    timeout: Duration,
}

impl Exchange {
    /// Sends, follows redirects, and reads the body.
    async fn run(
        mut self,
        mut request: Request,
        method: Method,
    ) -> Result<Response, RemoteErrorKind> {
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.ask(&request, &method).await;
            let answer = answer.map_err(|error| self.failure(&error, &request.url))?;
            let status = answer.status();
            let Some(to) = redirect_target(&request.url, status, answer.headers()) else {
                return self.read(answer).await;
            };
            if !may_follow(&request.url, &to, status, &method) {
                return Err(RemoteErrorKind::Redirected {
                    status: status.as_u16(),
                    login: is_login(&to),
                    to: without_parameters(&to),
                });
            }
            if !stays_with_host(&request.url, &to) {
                self.headers.clear();
            }
            request.url = to;
            // A redirect of a GET repeats its parameters.
            if method == Method::GET {
                request.parameters.clear();
            }
        }
        let reason = format!("more than {MOST_REDIRECTS} redirects");
        Err(RemoteErrorKind::NotConnected { reason })
    }

    async fn ask(
        &self,
        request: &Request,
        method: &Method,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let mut url = request.url.clone();
        let mut builder;
        if *method == Method::POST {
            builder = self.client.request(Method::POST, url);
            builder = builder
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form(&request.parameters));
        } else {
            if !request.parameters.is_empty() {
                url.query_pairs_mut().extend_pairs(&request.parameters);
            }
            builder = self.client.request(Method::GET, url);
        }
        builder.headers(self.headers.clone()).header(ACCEPT, request.accept).send().await
    }

    /// Reads a body piece by piece, so that its size is known before it fills the memory.
    async fn read(&self, mut answer: reqwest::Response) -> Result<Response, RemoteErrorKind> {
        let status = answer.status().as_u16();
        let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after =
            seconds.and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
        let content_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(None) => return Ok(Response { status, content_type, body, retry_after }),
                Ok(Some(piece)) if body.len() + piece.len() > self.most_bytes => {
                    return Err(RemoteErrorKind::TooLarge { limit: self.most_bytes });
                }
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Err(error) if error.is_timeout() => {
                    return Err(RemoteErrorKind::Timeout { after: self.timeout });
                }
                Err(_) => return Err(RemoteErrorKind::Truncated { received: body.len() }),
            }
        }
    }

    /// Why a request found no answer. The error's own text is not used: it has the address in it.
    fn failure(&self, error: &reqwest::Error, url: &Url) -> RemoteErrorKind {
        let host = url.host_str().unwrap_or_default().to_owned();
        if let Some(tls) = cause::<rustls::Error>(error) {
            return RemoteErrorKind::Tls { reason: tls.to_string() };
        }
        let system = cause::<io::Error>(error).map(io::Error::kind);
        match system {
            _ if error.is_dns() => RemoteErrorKind::UnknownHost { host },
            Some(io::ErrorKind::ConnectionRefused) => RemoteErrorKind::Refused,
            _ if error.is_timeout() => RemoteErrorKind::Timeout { after: self.timeout },
            _ if error.is_connect() => RemoteErrorKind::NotConnected { reason: innermost(error) },
            _ => RemoteErrorKind::Disconnected { reason: innermost(error) },
        }
    }
}

fn headers(
    options: &RemoteOptions,
    credentials: Option<&Credentials>,
) -> Result<HeaderMap, RemoteErrorKind> {
    let mut headers = HeaderMap::new();
    let mut insert = |name: HeaderName, shown: &str, text: &str| {
        let Ok(mut value) = HeaderValue::from_str(text) else {
            let reason = format!("{shown} holds a line break or another control character");
            return Err(RemoteErrorKind::Options { reason });
        };
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    };
    for (name, value) in &options.headers {
        let Ok(known) = HeaderName::from_bytes(name.as_bytes()) else {
            let reason = format!("`{}` is not the name of a header", name.escape_debug());
            return Err(RemoteErrorKind::Options { reason });
        };
        insert(known, &format!("the header {name}"), value.reveal())?;
    }
    match credentials {
        None => {}
        Some(Credentials::Basic { user, password }) => {
            let text = format!("Basic {}", base64(format!("{user}:{}", password.reveal())));
            insert(AUTHORIZATION, "the password", &text)?;
        }
        Some(Credentials::Bearer(token)) => {
            insert(AUTHORIZATION, "the token", &format!("Bearer {}", token.reveal()))?;
        }
    }
    Ok(headers)
}

/// RFC 4648, with padding.
fn base64(text: String) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(text.len().div_ceil(3) * 4);
    for three in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let six = (bits >> (18 - 6 * digit)) & 63;
            out.push(if digit <= three.len() { char::from(ALPHABET[six as usize]) } else { '=' });
        }
    }
    out
}

fn form(parameters: &[(&'static str, String)]) -> String {
    let mut url = Url::parse("form:").ok();
    if let Some(url) = &mut url {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    url.as_ref().and_then(Url::query).unwrap_or_default().to_owned()
}

/// Where an answer sends to.
fn redirect_target(from: &Url, status: StatusCode, headers: &HeaderMap) -> Option<Url> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let to = from.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    matches!(to.scheme(), "http" | "https").then_some(to)
}

/// 307 and 308 keep method and body. The others would turn a POST into a GET without parameters.
/// A page to log in is no answer, and nothing goes from a safe to an open connection.
fn may_follow(from: &Url, to: &Url, status: StatusCode, method: &Method) -> bool {
    let keeps_method = matches!(status.as_u16(), 307 | 308) || *method == Method::GET;
    let stays_safe = from.scheme() == to.scheme() || to.scheme() == "https";
    keeps_method && stays_safe && !is_login(to)
}

fn is_login(to: &Url) -> bool {
    ["/login", "/oauth2/", "/dex/", "/signin", "/auth/realms/"]
        .iter()
        .any(|page| to.path().contains(page))
}

/// Whether what proves who asks may go along: to the same host, or one below it.
fn stays_with_host(from: &Url, to: &Url) -> bool {
    let (Some(from), Some(to)) = (from.domain(), to.domain()) else {
        return from.host() == to.host();
    };
    to == from || to.strip_suffix(from).is_some_and(|rest| rest.ends_with('.'))
}

/// Whether an answer says that POST is not taken: by its status, or because a proxy forbids it.
fn refuses_post(answer: &Response) -> bool {
    match answer.status {
        405 | 501 => true,
        403 | 404 => !answer.body.trim_ascii_start().starts_with(b"{"),
        _ => false,
    }
}

/// Whether an answer is about a state that passes. A Prometheus that gave up a query for its
/// length says so in JSON, and would do so again.
fn is_passing(answer: &Response) -> bool {
    match answer.status {
        429 | 502 | 504 => true,
        503 => !answer.body.trim_ascii_start().starts_with(b"{"),
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

/// The first cause of a type.
fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|error| error.downcast_ref::<T>())
}

/// The cause of all, which has no address in it.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

/// An error and what caused it. The standard library's I/O error passes over the error that it
/// carries and names that one's cause, hence the look inside.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inside) => Some(inside as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}
