//! `promql serve`: the API of Prometheus over any source.

mod live;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use promql_engine::{Cancellation, QueryOptions, Storage};
use promql_server::{Api, Rules, Settings};
use promql_storage::OpenOptions;

use super::Stop;
use super::query::Evaluator;
use super::query::limits::{LimitFlags, size_or_none};
use super::query::server::ServerFlags;
use super::query::source::{self, Opened};
use super::rules::{RuleFlags, RulesFailure};
use crate::console::Console;
use crate::exit::Exit;
use crate::interrupt;
use crate::time::Clock;

const AFTER: &str = "\
The address can be given to whatever asks a Prometheus server: a data source of
Grafana, `promql query -s`, promtool. Nothing is scraped or written, and the source
is read once, when the server starts. Rules are evaluated at multiples of their
interval: up to the last sample over files, and on and on over servers.

Examples:
  promql serve -s fixture.test
  promql serve -s /var/lib/prometheus --listen 127.0.0.1:9099
  promql serve -s http://old-server:9090        # a newer PromQL over an older server
  promql serve -s backup/ -s metrics.prom       # several sources as one view
  promql serve -s fixture.test --rules alerts/  # which alerts would fire?

Ctrl-C ends it.";

/// How long a query may take unless something else is said.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Arguments of `promql serve`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Serve {
    /// Where the series are; several are one view
    #[arg(short, long = "source", value_name = "SOURCE", value_hint = ValueHint::AnyPath)]
    #[arg(env = "PROMQL_SOURCE", hide_env_values = true)]
    pub sources: Vec<String>,
    /// Where to listen; port 0 takes one that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090", value_parser = address)]
    pub listen: SocketAddr,
    /// What counts as the present, for requests that don't say a time [default: the last sample, or
    /// the clock for a server]
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// How many queries run at the same time; others wait
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub concurrency: usize,
    /// How much memory may keep samples of data folders that queries decoded, so that the next ones
    /// find them; 0 keeps none
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = size_or_none)]
    pub hot_columns: usize,
    /// Which pages of a browser may ask
    #[arg(long, value_name = "WHICH", default_value = "any", value_enum)]
    pub origins: Origins,
    /// How to say that it listens
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "text", value_enum)]
    pub format: Format,

    /// Which rules are evaluated.
    #[command(flatten)]
    pub rules: RuleFlags,
    /// What an evaluation may take.
    #[command(flatten)]
    pub limits: LimitFlags,
    /// How the server is asked.
    #[command(flatten)]
    pub server: ServerFlags,
}

/// Which pages of a browser may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Origins {
    /// All
    Any,
    /// None but those of this server
    Same,
}

/// How `promql serve` says that it listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A line for people, on standard error
    Text,
    /// {"listening":"http://…"} on standard output
    Json,
}

/// Reads an address. A port alone is one of this machine.
fn address(text: &str) -> Result<SocketAddr, String> {
    let local = || Some(SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port(text)?));
    let named = || {
        let (host, number) = text.rsplit_once(':')?;
        let host = if host == "localhost" { IpAddr::from([127, 0, 0, 1]) } else { return None };
        Some(SocketAddr::new(host, port(number)?))
    };
    text.parse().ok().or_else(local).or_else(named).ok_or_else(|| {
        "expected an address and a port, as 127.0.0.1:9090, 0.0.0.0:9090, [::1]:9090 or 9090"
            .to_owned()
    })
}

fn port(text: &str) -> Option<u16> {
    text.strip_prefix(':').unwrap_or(text).parse().ok()
}

impl Serve {
    /// Serves until it is interrupted.
    ///
    /// # Errors
    /// When the arguments don't fit together, or the address is not to be had.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        let cancellation = interrupt::listen(*console);
        let clock = Clock::system();
        let open = OpenOptions {
            remote: self.server.options(self.limits.timeout()?)?,
            union: self.server.union(),
            cancellation: cancellation.clone(),
            hot_columns: self.hot_columns,
            ..OpenOptions::default()
        };
        let opened = match source::open(&self.sources, Some(Evaluator::Local), &open, console) {
            Ok(opened) => opened,
            Err(failure) => return failure.tell(console),
        };
        let is_live = self.sources.iter().any(|source| source.contains("://"));
        let latest = opened.latest(&clock);
        let now_error = |error| Stop::Usage(format!("--now: {error}"));
        let now = match &self.now {
            Some(text) => Some(clock.read(text).map_err(now_error)?),
            None => (!is_live).then_some(latest),
        };
        let Opened::Local { storage, .. } = opened else {
            return Err(Stop::Usage("a server is read as --eval local reads it".to_owned()));
        };
        let mut options = QueryOptions::instant(0);
        self.limits.apply(&mut options)?;
        let mut engine = options.engine;
        engine.timeout = engine.timeout.or(Some(TIMEOUT));
        let settings = Settings {
            engine,
            concurrency: self.concurrency,
            now,
            any_origin: self.origins == Origins::Any,
            ..Settings::default()
        };
        let storage: Arc<dyn Storage> = Arc::from(storage);
        let present = now.unwrap_or(clock.now);
        let engine = settings.engine.clone();
        let over = Arc::clone(&storage);
        let manager =
            match self.rules.evaluate(over, engine, present..=present, &cancellation, console) {
                Ok(manager) => manager,
                Err(RulesFailure::Stop(stop)) => return Err(stop),
                Err(RulesFailure::Invalid) => return Ok(Exit::Usage),
            };
        if cancellation.is_cancelled() {
            return Ok(Exit::Interrupted);
        }
        let mut api = Api::new(storage, settings);
        if let Some(manager) = manager {
            let rules = Arc::new(Rules::default());
            rules.tell(&manager, present);
            api = api.with_rules(Arc::clone(&rules));
            if now.is_none() {
                live::keep_evaluating(manager, rules, cancellation.clone())
                    .map_err(|error| Stop::Usage(format!("cannot evaluate rules: {error}")))?;
            }
        }
        self.serve(api, cancellation, console)
    }

    fn serve(&self, api: Api, cancellation: Cancellation, console: &Console) -> Result<Exit, Stop> {
        let failed = |error: std::io::Error| {
            Stop::Usage(format!("cannot listen at {}: {error}", self.listen))
        };
        let runtime = tokio::runtime::Runtime::new().map_err(failed)?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(self.listen).await.map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            match self.format {
                Format::Text => console.remark(&format!("listening at http://{address}\n")),
                Format::Json => {
                    console.print(&format!("{{\"listening\":\"http://{address}\"}}\n"))?;
                }
            }
            let stopped = async move {
                while !cancellation.is_cancelled() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            interrupt::until_stopped(promql_server::serve(listener, api, stopped))
                .await
                .map_err(failed)
        })?;
        Ok(Exit::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses() {
        let shown = |text: &str| address(text).map(|address| address.to_string());
        assert_eq!(shown("9099"), Ok("127.0.0.1:9099".to_owned()));
        assert_eq!(shown(":9099"), Ok("127.0.0.1:9099".to_owned()));
        assert_eq!(shown("localhost:80"), Ok("127.0.0.1:80".to_owned()));
        assert_eq!(shown("0.0.0.0:80"), Ok("0.0.0.0:80".to_owned()));
        assert_eq!(shown("[::1]:80"), Ok("[::1]:80".to_owned()));
        assert!(shown("example.com:80").is_err());
        assert!(shown("127.0.0.1").is_err());
        assert!(shown("99999").is_err());
    }
}
