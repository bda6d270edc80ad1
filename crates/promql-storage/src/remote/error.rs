//! What can go wrong between here and a server.

use std::fmt;
use std::time::Duration;

use miette::{Diagnostic, LabeledSpan, SourceCode, SourceSpan};

use crate::diagnostics::one_line;

/// Why a server gave no answer that can be used. Nothing in it shows a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteError {
    /// The server's address without user, password and parameters.
    pub server: String,
    /// What went wrong. Boxed, for it is rare and large.
    pub kind: Box<RemoteErrorKind>,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RemoteErrorKind {
    /// The address is none.
    Address {
        /// Why not.
        reason: String,
    },
    /// The options cannot be used.
    Options {
        /// Which, and why not.
        reason: String,
    },
    /// No such host.
    UnknownHost {
        /// The host.
        host: String,
    },
    /// Nothing listens there.
    Refused,
    /// The connection could not be made for another reason.
    NotConnected {
        /// The reason in the system's words.
        reason: String,
    },
    /// There is no token to ask with.
    Token {
        /// The address of the server that gives tokens.
        from: String,
        /// Why not.
        reason: String,
    },
    /// TLS failed.
    Tls {
        /// The reason in the TLS library's words.
        reason: String,
    },
    /// No answer in time.
    Timeout {
        /// How long was waited.
        after: Duration,
    },
    /// The connection ended before an answer began.
    Disconnected {
        /// The reason in the system's words.
        reason: String,
    },
    /// The answer ended early.
    Truncated {
        /// How many bytes came.
        received: usize,
    },
    /// The answer is larger than allowed.
    TooLarge {
        /// How many bytes are allowed.
        limit: usize,
    },
    /// The caller ended it.
    Cancelled,
    /// The server sends elsewhere, where a query is not followed.
    Redirected {
        /// The status.
        status: u16,
        /// Where to, without parameters.
        to: String,
        /// The page there looks like one where people log in.
        login: bool,
    },
    /// The API's own error.
    Api {
        /// The HTTP status.
        status: u16,
        /// As `bad_data`, `execution` or `timeout`.
        error_type: String,
        /// The server's words.
        message: String,
        /// The expression with the byte offset that the message is about, if there is one.
        place: Option<(String, usize)>,
    },
    /// An HTTP error without the API's form.
    Http {
        /// The status.
        status: u16,
        /// The first line of the answer.
        said: String,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// An exporter answers with an HTTP error.
    Scrape {
        /// The status.
        status: u16,
        /// The first line of the answer.
        said: String,
    },
    /// A page for browsers.
    Html {
        /// The status.
        status: u16,
        /// The page's title or first words.
        said: String,
    },
    /// The answer is not JSON, or not JSON of the API's form.
    Malformed {
        /// What is wrong with it.
        reason: String,
        /// How it begins.
        said: String,
    },
}

impl RemoteError {
    pub(super) fn new(server: impl Into<String>, kind: RemoteErrorKind) -> Self {
        RemoteError { server: server.into(), kind: Box::new(kind) }
    }

    /// Whether the caller ended it.
    pub fn is_cancelled(&self) -> bool {
        matches!(*self.kind, RemoteErrorKind::Cancelled)
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use RemoteErrorKind::*;
        let server = &self.server;
        match &*self.kind {
            Address { reason } => write!(f, "`{server}` is not the address of a server: {reason}"),
            Options { reason } => write!(f, "cannot ask {server}: {reason}"),
            UnknownHost { host } => write!(f, "cannot reach {server}: no host named `{host}`"),
            Refused => write!(f, "cannot reach {server}: connection refused"),
            NotConnected { reason } => write!(f, "cannot reach {server}: {reason}"),
            Token { from, reason } => {
                write!(f, "cannot ask {server}: {from} gives no token: {reason}")
            }
            Tls { reason } => write!(f, "no trusted connection to {server}: {reason}"),
            Timeout { after } => write!(f, "{server} gave no answer within {}", Seconds(*after)),
            Disconnected { reason } => {
                write!(f, "{server} closed the connection without an answer: {reason}")
            }
            Truncated { received } => {
                write!(f, "the answer of {server} broke off after {received} bytes")
            }
            TooLarge { limit } => {
                write!(f, "the answer of {server} is larger than {}", Bytes(*limit))
            }
            Cancelled => write!(f, "the query to {server} was cancelled"),
            Redirected { status, to, .. } => {
                write!(f, "{server} sends to {to} instead of answering (status {status})")
            }
            Api { message, .. } => write!(f, "{server} says: {message}"),
            Http { status, said, .. } if said.is_empty() => {
                write!(f, "{server} answered with status {status}")
            }
            Http { status, said, .. } => {
                write!(f, "{server} answered with status {status}: {said}")
            }
            Scrape { status, said } if said.is_empty() => {
                write!(f, "{server} answered a scrape with status {status}")
            }
            Scrape { status, said } => {
                write!(f, "{server} answered a scrape with status {status}: {said}")
            }
            Html { status, .. } => {
                write!(f, "{server} answered with a web page (status {status})")
            }
            Malformed { reason, .. } => {
                write!(f, "the answer of {server} is not that of a Prometheus API: {reason}")
            }
        }
    }
}

impl std::error::Error for RemoteError {}

impl Diagnostic for RemoteError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        use RemoteErrorKind::*;
        Some(Box::new(match &*self.kind {
            Address { .. } => "remote::address",
            Options { .. } => "remote::options",
            UnknownHost { .. } => "remote::unknown-host",
            Refused => "remote::refused",
            NotConnected { .. } => "remote::not-connected",
            Token { .. } => "remote::token",
            Tls { .. } => "remote::tls",
            Timeout { .. } => "remote::timeout",
            Disconnected { .. } => "remote::disconnected",
            Truncated { .. } => "remote::truncated",
            TooLarge { .. } => "remote::too-large",
            Cancelled => "remote::cancelled",
            Redirected { .. } => "remote::redirected",
            Api { .. } => "remote::api",
            Http { .. } => "remote::http",
            Scrape { .. } => "remote::scrape",
            Html { .. } => "remote::html",
            Malformed { .. } => "remote::malformed",
        }))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.advice()?))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        match &*self.kind {
            RemoteErrorKind::Api { place: Some((expression, _)), .. } => Some(expression),
            _ => None,
        }
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let RemoteErrorKind::Api { place: Some((_, offset)), .. } = &*self.kind else {
            return None;
        };
        let span = SourceSpan::from((*offset, 0));
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some("here".to_owned()), span))))
    }
}

impl RemoteError {
    /// What to do about it.
    fn advice(&self) -> Option<String> {
        use RemoteErrorKind::*;
        Some(match &*self.kind {
            Address { .. } => "write `http://HOST:PORT`, with the path under which the server is reached if it has one".into(),
            Options { .. } | Cancelled => return None,
            UnknownHost { .. } => "check the spelling of the host and the network's name service".into(),
            Refused => "check host and port, and that the server runs; a Prometheus listens on port 9090 unless told otherwise".into(),
            NotConnected { .. } => "check host, port and network; proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY".into(),
            Token { .. } => "check token_url, client_id and what proves it in the configuration of the client".into(),
            Tls { reason } if reason.contains("InvalidContentType") || reason.contains("corrupt message") => {
                "the server speaks no TLS at this port: write `http://` instead of `https://`".into()
            }
            Tls { .. } => "name the certificate authority that signed the server's certificate, or check that the address has the name in the certificate".into(),
            Timeout { .. } => "ask for a shorter range, a longer step or fewer series, or allow more time".into(),
            Disconnected { .. } => "if this is a server with TLS, write `https://`; else look into the server's log".into(),
            Truncated { .. } => "a proxy in between may limit the size or the time of an answer; ask for less, or again".into(),
            TooLarge { .. } => "aggregate the series, ask for a shorter range or a longer step, or raise the limit".into(),
            Redirected { login: true, .. } => "this server wants people to log in with a browser; use a token, or an address behind the login".into(),
            Redirected { .. } => "give the address that it sends to".into(),
            Api { status: 401 | 403, .. } | Http { status: 401 | 403, .. } => "give user and password or a token, and check that they may query".into(),
            Api { error_type, .. } if error_type == "timeout" => "ask for a shorter range, a longer step or fewer series; the server's own limit is its flag --query.timeout".into(),
            Api { error_type, message, .. } if error_type == "execution" && message.contains("too many samples") => {
                "ask for a shorter range or fewer series; the server's limit is its flag --query.max-samples".into()
            }
            Api { message, .. } if message.contains("exceeded maximum resolution") => "ask for a longer step or a shorter range".into(),
            Api { .. } => return None,
            Http { retry_after: Some(wait), .. } if !wait.is_zero() => {
                format!("the server asks to be left alone for {}; ask again then, or allow more time by --timeout", Seconds(*wait))
            }
            Http { status: 404 | 405 | 400, .. } => "check the path of the address: `/api/v1/query` must be found below it".into(),
            Http { status: 429, .. } => "the server limits how often it is asked; wait, and ask less often".into(),
            Http { status: 502..=504, .. } => "the server, or what is behind a proxy, is not ready; a Prometheus that starts reads its log first".into(),
            Http { .. } => "look into the server's log".into(),
            Scrape { status: 404, .. } => "check the path; most exporters have their metrics at `/metrics`".into(),
            Scrape { status: 401 | 403, .. } => "give user and password or a token".into(),
            Scrape { .. } => "look into the exporter's log".into(),
            Html { said, .. } if said.is_empty() => "check the address; a login page or a user interface answers there".into(),
            Html { said, .. } => format!("check the address; the page is \"{said}\", perhaps a login or a user interface"),
            Malformed { said, .. } if said.is_empty() => "check the address".into(),
            Malformed { said, .. } => format!("check the address; the answer begins with `{said}`"),
        })
    }
}

/// A time span as people say it.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            ms if ms < 1000 => write!(f, "{ms} ms"),
            ms if ms % 60_000 == 0 => write!(f, "{} min", ms / 60_000),
            ms => write!(f, "{} s", ms as f64 / 1000.0),
        }
    }
}

/// A size as people say it.
struct Bytes(usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 4] = ["bytes", "KiB", "MiB", "GiB"];
        let mut size = self.0;
        let mut unit = 0;
        while size >= 1024 && size.is_multiple_of(1024) && unit + 1 < UNITS.len() {
            size /= 1024;
            unit += 1;
        }
        write!(f, "{size} {}", UNITS[unit])
    }
}

/// The first words of an answer that is not what was asked for, safe to show.
pub(super) fn first_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(2000)]);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    one_line(line, 200)
}

/// The title of a page, or the first of its text.
pub(super) fn page_title(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(8000)]);
    let lower = text.to_ascii_lowercase();
    if let Some(start) = lower.find("<title>").map(|at| at + "<title>".len()) {
        let end = lower[start..].find('<').map_or(text.len(), |length| start + length);
        return one_line(text[start..end].trim(), 80);
    }
    let mut words = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                words.push(' ');
            }
            _ if !inside => words.push(c),
            _ => {}
        }
    }
    let words: Vec<&str> = words.split_whitespace().collect();
    one_line(&words.join(" "), 80)
}
