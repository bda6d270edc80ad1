//! The HTTP API of Prometheus over any storage.
//!
//! Whatever asks a Prometheus server, Grafana above all, can ask this one: answers are the same byte
//! for byte, errors have the same texts and status codes. The evaluation runs on threads of its own
//! and ends when the client goes away.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use promql_server::{Api, Settings};
//! use promql_storage::MemoryBuilder;
//!
//! # async fn example() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:9090").await?;
//! let storage = MemoryBuilder::default().build();
//! let api = Api::new(Arc::new(storage), Settings::default());
//! promql_server::serve(listener, api, std::future::pending()).await
//! # }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`answer`] | results as the API writes them |
//! | `endpoints/` | one file for each family of endpoints |
//! | `parameters.rs` | what a client sent: times, durations, selectors, limits |
//! | `failure.rs` | errors with their kinds and status codes |
//! | `rules.rs` | how rules stand, which others evaluate |
//! | `run.rs` | work that a client can abandon, so many at a time |
//!
//! Invariant: the engine and the storage are used as anybody could use them.

pub mod answer;
mod endpoints;
mod failure;
mod parameters;
mod rules;
mod run;
mod writer;

pub use rules::Rules;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use promql_engine::{EngineOptions, Storage};
use promql_storage::UnionStorage;
use promql_syntax::Features;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};

/// How a server behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How queries are evaluated. The timeout is the longest one that a client may ask for.
    pub engine: EngineOptions,
    /// Which experimental parts of the language are accepted.
    pub features: Features,
    /// How many queries run at the same time; others wait.
    pub concurrency: usize,
    /// How many bytes a request may have.
    pub max_request: usize,
    /// The time that counts as the present, in milliseconds since the epoch. Nothing stands for
    /// the clock; fixtures and folders have a present of their own.
    pub now: Option<i64>,
    /// Whether a page of any origin may ask, or only pages that this server gave.
    pub any_origin: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let timeout = Some(Duration::from_secs(120));
        Settings {
            engine: EngineOptions { timeout, ..EngineOptions::default() },
            features: Features::ALL,
            concurrency: 20,
            max_request: 10 << 20,
            now: None,
            any_origin: true,
        }
    }
}

/// The API over a storage. Cloning is cheap: clones share the storage.
#[derive(Clone)]
pub struct Api {
    storage: Arc<dyn Storage>,
    rules: Option<Arc<Rules>>,
    settings: Arc<Settings>,
    permits: Arc<Semaphore>,
}

impl Api {
    /// The API over a storage.
    pub fn new(storage: Arc<dyn Storage>, settings: Settings) -> Api {
        let permits = Arc::new(Semaphore::new(settings.concurrency.max(1)));
        Api { storage, rules: None, settings: Arc::new(settings), permits }
    }

    /// Shows how rules stand, and what they wrote besides the series of the storage. Where both have
    /// a sample of a series at one time, that of the rules counts.
    #[must_use]
    pub fn with_rules(mut self, rules: Arc<Rules>) -> Api {
        self.rules = Some(rules);
        self
    }

    /// The API as a service, to be put into a server together with others.
    pub fn router(self) -> Router {
        let limit = DefaultBodyLimit::max(self.settings.max_request);
        let cors = match self.settings.any_origin {
            true => CorsLayer::new().allow_origin(Any).allow_methods(Any).allow_headers(Any),
            false => CorsLayer::new(),
        };
        endpoints::router()
            .layer(limit)
            .layer(CatchPanicLayer::new())
            .layer(CompressionLayer::new())
            .layer(cors)
            .with_state(self)
    }

    /// What is asked: the storage, and what rules wrote.
    fn storage(&self) -> Arc<dyn Storage> {
        match &self.rules {
            None => Arc::clone(&self.storage),
            Some(rules) => {
                let storages: [Box<dyn Storage>; 2] =
                    [Box::new(rules.written()), Box::new(Arc::clone(&self.storage))];
                Arc::new(UnionStorage::new(storages))
            }
        }
    }

    /// The present, in milliseconds since the epoch.
    fn now(&self) -> i64 {
        self.settings.now.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond())
    }
}

/// Answers requests until `shutdown` is ready and those that are under way are answered.
///
/// # Errors
/// What keeps the listener from accepting connections.
pub async fn serve(
    listener: TcpListener,
    api: Api,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    use axum::serve::ListenerExt;

    // An answer is written as a whole, and nobody gains by waiting for more. Where it can't be set,
    // answers are as right and a bit later.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, api.router()).with_graceful_shutdown(shutdown).await
}
