//! From `--source` to something that can be asked.

use std::sync::Arc;

use promql_engine::Storage;
use promql_model::Labels;
use promql_storage::remote::RemoteServer;
use promql_storage::{
    LabelledSource, OpenOptions, OpenSource, Scraper, SourceError, UnionPart, UnionStorage,
};

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
        /// The exporters among the sources.
        scrapers: Vec<Arc<Scraper>>,
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
    let sources: Vec<(&str, &OpenOptions)> =
        sources.iter().map(|source| (source.as_str(), options)).collect();
    open_each(&sources, eval, console)
}

/// The same, where each source is opened in a way of its own. They are put together as the first one says.
///
/// # Errors
/// See [`open`].
pub(in crate::commands) fn open_each(
    sources: &[(&str, &OpenOptions)],
    eval: Option<Evaluator>,
    console: &Console,
) -> Result<Opened, SourceFailure> {
    let Some((_, first)) = sources.first() else {
        return Err(SourceFailure::Usage(NO_SOURCE.to_string()));
    };
    let mut found = Vec::new();
    let mut failed = None;
    for (text, options) in sources {
        let LabelledSource { labels, source } =
            LabelledSource::parse(text).map_err(SourceFailure::Source)?;
        let name = source.to_string();
        let amount = Arc::clone(&options.amount);
        let progress = Progress::reading(console, format!("reading {name}"), amount);
        let opened = source.open(options);
        drop(progress);
        match opened {
            Ok(source) => found.push(Found { name, labels, source }),
            Err(error) if first.union.leave_out_failing => {
                console.remark(&format!("{name} is left out:\n{}", report::draw(&error, console)));
                failed = Some(error);
            }
            Err(error) => return Err(SourceFailure::Source(error)),
        }
    }
    if found.is_empty()
        && let Some(error) = failed
    {
        return Err(SourceFailure::Source(error));
    }
    let is_server = |found: &&Found| matches!(found.source, OpenSource::Remote(_));
    match (found.iter().filter(is_server).count(), eval) {
        (0, Some(Evaluator::Server)) => {
            return Err(SourceFailure::Usage(
                "--eval server: there is no server among the sources".to_string(),
            ));
        }
        (0, _) | (_, Some(Evaluator::Local)) => return Ok(union(found, first, console)),
        _ => {}
    }
    let is_plain =
        first.union.replica_labels.is_empty() && found.iter().all(|found| found.labels.is_empty());
    match found.pop() {
        Some(Found { source: OpenSource::Remote(server), .. })
            if sources.len() == 1 && is_plain =>
        {
            Ok(Opened::Server(server))
        }
        _ if is_plain => Err(SourceFailure::Usage(
            "a server evaluates only over its own series; to evaluate over all of these sources \
             together add --eval local"
                .to_string(),
        )),
        _ => Err(SourceFailure::Usage(
            "a server evaluates over its series as they are; for labels before a source and for \
             --replica-label add --eval local"
                .to_string(),
        )),
    }
}

/// A source that was opened.
struct Found {
    name: String,
    labels: Labels,
    source: OpenSource,
}

/// All sources as one, in the order in which they were named.
fn union(found: Vec<Found>, options: &OpenOptions, console: &Console) -> Opened {
    let now = Clock::system().now;
    let mut last = None;
    let mut scrapers = Vec::new();
    let mut parts = Vec::new();
    for Found { name, labels, source } in found {
        let (storage, time): (Box<dyn Storage>, _) = match source {
            OpenSource::Remote(server) => (Box::new(server.into_storage()), Some(now)),
            OpenSource::Local(local) => {
                for warning in &local.warnings {
                    console.remark(&report::draw(&**warning, console));
                }
                scrapers.extend(local.scraper);
                (local.storage, local.default_time)
            }
        };
        last = last.max(time);
        parts.push(UnionPart { storage, name, labels });
    }
    let alone = parts.len() == 1 && options.union.replica_labels.is_empty();
    let storage = match parts.pop() {
        Some(only) if alone && only.labels.is_empty() => only.storage,
        popped => {
            parts.extend(popped);
            Box::new(UnionStorage::of_parts(parts, options.union.clone()))
        }
    };
    Opened::Local { storage, last, scrapers }
}

impl Opened {
    /// The time that a query is at when none is said.
    pub(in crate::commands) fn latest(&self, clock: &Clock) -> i64 {
        match self {
            Opened::Local { last, scrapers, .. } => {
                let scraped = scrapers.iter().filter_map(|scraper| scraper.last_scrape()).max();
                (*last).max(scraped).unwrap_or(clock.now)
            }
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
