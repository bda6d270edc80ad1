//! How a server is asked.

use std::time::Duration;

use super::credentials::{Credentials, Secret};

/// How a server is asked.
#[derive(Clone, Debug)]
pub struct RemoteOptions {
    /// Who asks, and by what way.
    pub http: HttpOptions,
    /// How long a query may take; [`EngineOptions::timeout`](promql_engine::EngineOptions::timeout)
    /// goes before. Two minutes by default, as promtool has it. The server is told the same limit,
    /// and five seconds more are waited for its answer.
    pub timeout: Duration,
    /// How long it may take to connect. Five seconds by default.
    pub connect_timeout: Duration,
    /// How large an unpacked answer may be, in bytes. 256 MiB by default.
    pub most_bytes: usize,
    /// How often a request is repeated when the connection breaks before an answer, or a proxy
    /// says that the server is busy (429, 502, 503, 504). Twice by default.
    pub repetitions: u32,
    /// Use GET where POST would do. POST is tried first by default, as expressions may be longer
    /// than an address may be, and left alone once it was refused.
    pub get_only: bool,
    /// Leave the labels that a server adds to all of its series where they are when its raw samples
    /// are read, which tells the series of several servers apart. Only remote read shows them. They
    /// are taken off by default, so that series are called as in answers to queries.
    pub keep_external_labels: bool,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        RemoteOptions {
            http: HttpOptions::default(),
            timeout: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(5),
            most_bytes: 256 << 20,
            repetitions: 2,
            get_only: false,
            keep_external_labels: false,
        }
    }
}

/// Who asks, and by what way: what an HTTP client configuration file of Prometheus can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// Who asks. User and password in the address do the same; both together are an error unless
    /// they are equal.
    pub credentials: Option<Credentials>,
    /// Headers that are sent with every request, as `X-Scope-OrgID`. A name may occur twice.
    pub headers: Vec<(String, Secret)>,
    /// How the connection is protected.
    pub tls: TlsOptions,
    /// How the server is reached.
    pub proxy: Proxy,
    /// Whether redirects are followed, as far as that is safe. True by default.
    pub follow_redirects: bool,
    /// Whether HTTP/2 is spoken with servers that offer it. True by default.
    pub http2: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        HttpOptions {
            credentials: None,
            headers: Vec::new(),
            tls: TlsOptions::default(),
            proxy: Proxy::default(),
            follow_redirects: true,
            http2: true,
        }
    }
}

/// How connections are protected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Certificate authorities to trust: PEM.
    pub authorities: Option<Secret>,
    /// Whether these are trusted alone, as Prometheus has it, or besides the system's.
    pub only_these_authorities: bool,
    /// What proves to the server who asks: certificates in PEM, and the private key.
    pub certificate: Option<(Secret, Secret)>,
    /// The name that the server's certificate must have, and that is asked for, instead of the
    /// host's.
    pub server_name: Option<String>,
    /// Talk to servers that cannot prove who they are.
    pub skip_verification: bool,
    /// The lowest version that is spoken.
    pub min_version: Option<TlsVersion>,
    /// The highest version that is spoken.
    pub max_version: Option<TlsVersion>,
}

/// A version of TLS. The two oldest are not spoken any more; as a lower limit they mean the oldest
/// that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.0.
    Tls10,
    /// TLS 1.1.
    Tls11,
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// By what way a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// By the proxy that the environment variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
    Environment {
        /// What the proxy itself is told when a connection through it is wanted.
        headers: Vec<(String, Secret)>,
    },
    /// Without one.
    None,
    /// By this one.
    Server {
        /// Its address, which may hold user and password: `http://…`, `https://…` or `socks5://…`.
        address: Secret,
        /// Hosts, domains and address ranges that are reached without it, with commas between.
        except: String,
        /// What the proxy itself is told when a connection through it is wanted.
        headers: Vec<(String, Secret)>,
    },
}

impl Default for Proxy {
    fn default() -> Self {
        Proxy::Environment { headers: Vec::new() }
    }
}
