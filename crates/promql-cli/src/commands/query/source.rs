//! From `--source` to something that can be asked.

use std::sync::Arc;

use promql_engine::Storage;
use promql_storage::remote::RemoteServer;
use promql_storage::{LocalSource, OpenOptions, OpenSource, Source, SourceError, UnionStorage};

use super::Evaluator;
use crate::commands::Stop;
use crate::console::Console;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::report;
use crate::time::Clock;

/// What was opened.
pub(in crate::commands) enum Opened {
    /// Series that this program evaluates over.
    Local {
        /// The series.
        storage: Box<dyn Storage>,
        /// The time of the last sample, in milliseconds since the epoch.
        last: Option<i64>,
    },
    /// A server that evaluates.
    Server(Box<RemoteServer>),
}

/// Why there is nothing to ask.
pub(in crate::commands) enum SourceFailure {
    /// The flags don't fit together.
    Usage(String),
    /// A source can't be had.
    Source(SourceError),
}

/// What is said when there is no source.
const NO_SOURCE: &str = "\
no source: say where the series are, for example
  promql query -s http://localhost:9090 …    a Prometheus, or whatever has its API
  promql query -s metrics.prom …             what an exporter answers, saved to a file
  promql query -s fixture.test …             the `load` blocks of a test script
  export PROMQL_SOURCE=http://localhost:9090 for all commands that follow
`promql query --help` lists all kinds";

/// Opens what the flags name: one server, or any number of sources that are read as one.
///
/// # Errors
/// When there is no source, one can't be had, or they don't go together.
pub(in crate::commands) fn open(
    sources: &[String],
    eval: Option<Evaluator>,
    options: &OpenOptions,
    console: &Console,
) -> Result<Opened, SourceFailure> {
    if sources.is_empty() {
        return Err(SourceFailure::Usage(NO_SOURCE.to_string()));
    }
    let mut servers = Vec::new();
    let mut locals = Vec::new();
    for text in sources {
        let source = Source::parse(text).map_err(SourceFailure::Source)?;
        let amount = Arc::clone(&options.amount);
        let _progress = Progress::reading(console, format!("reading {source}"), amount);
        match source.open(options).map_err(SourceFailure::Source)? {
            OpenSource::Remote(server) => servers.push(server),
            OpenSource::Local(local) => locals.push(local),
        }
    }
    for warning in locals.iter().flat_map(|local| &local.warnings) {
        console.remark(&report::draw(&**warning, console));
    }
    match (servers.pop(), &servers[..], &locals[..], eval) {
        (None, ..) if eval == Some(Evaluator::Server) => Err(SourceFailure::Usage(
            "--eval server: there is no server among the sources".to_string(),
        )),
        (None, ..) => Ok(union(locals, None)),
        (Some(server), [], [], Some(Evaluator::Server) | None) => Ok(Opened::Server(server)),
        (Some(server), _, _, Some(Evaluator::Local)) => {
            servers.push(server);
            let now = Clock::system().now;
            let remote = servers.into_iter().map(|server| server.into_storage());
            let remote = remote.map(|storage| LocalSource {
                storage: Box::new(storage),
                default_time: Some(now),
                warnings: Vec::new(),
            });
            locals.extend(remote);
            Ok(union(locals, Some(now)))
        }
        (Some(_), ..) => Err(SourceFailure::Usage(
            "a server evaluates only over its own series; to evaluate over all of these sources \
             together add --eval local"
                .to_string(),
        )),
    }
}

fn union(mut locals: Vec<LocalSource>, last: Option<i64>) -> Opened {
    let last = last.or_else(|| locals.iter().filter_map(|local| local.default_time).max());
    let storage = match locals.pop() {
        Some(only) if locals.is_empty() => only.storage,
        popped => {
            locals.extend(popped);
            Box::new(UnionStorage::new(locals.into_iter().map(|local| local.storage)))
        }
    };
    Opened::Local { storage, last }
}

impl Opened {
    /// The time that a query is at when none is said.
    pub(in crate::commands) fn latest(&self, clock: &Clock) -> i64 {
        match self {
            Opened::Local { last, .. } => last.unwrap_or(clock.now),
            Opened::Server(_) => clock.now,
        }
    }
}

impl SourceFailure {
    /// Tells why there is nothing to ask.
    ///
    /// # Errors
    /// Flags that don't fit together, told by the caller.
    pub(in crate::commands) fn tell(self, console: &Console) -> Result<Exit, Stop> {
        match self {
            SourceFailure::Usage(text) => Err(Stop::Usage(text)),
            SourceFailure::Source(error) => {
                console.remark(&report::draw(&error, console));
                Ok(Exit::Usage)
            }
        }
    }
}
