//! The server that checks ask: from `--source` to answers.

mod keep;
mod remote;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use promql_engine::Cancellation;
use promql_lint::live::{
    About, Live, LiveOptions, LocalServer, NamedServer, Question, Refusal, Reply, Server,
};
use promql_lint::{Input, Outcome, Settings, Timings, lint_live};
use promql_rules::ServerConfig;
use promql_storage::{OpenOptions, UnionOptions};

use self::keep::Keeping;
use self::remote::Remote;
use super::configuration::Configurations;
use super::since::Before;
use crate::commands::Stop;
use crate::commands::query::server::ServerFlags;
use crate::commands::query::source::{self, Opened};
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::InputError;
use crate::interrupt;
use crate::progress::Progress;
use crate::time::Clock;

/// Flags about the server that checks ask.
#[derive(Debug, Args, Default)]
pub struct LiveFlags {
    /// A server that the rules run on, or other series, to ask whether they fit: the checks of the
    /// category `live` look then; or the name of one of promql.toml
    #[arg(short, long = "source", value_name = "SOURCE", help_heading = "Server")]
    #[arg(conflicts_with_all = ["fix", "diff"])]
    pub sources: Vec<String>,
    /// Ask the servers that promql.toml names, each about the files that it is for
    #[arg(long, help_heading = "Server", conflicts_with_all = ["sources", "fix", "diff"])]
    pub servers: bool,
    /// The most questions to ask [default: 2000]
    #[arg(long, value_name = "COUNT", help_heading = "Server")]
    pub max_requests: Option<usize>,
    /// For how many seconds to ask [default: 60]
    #[arg(long, value_name = "SECONDS", help_heading = "Server")]
    pub max_seconds: Option<u64>,
    /// Ask again what was answered a moment ago
    #[arg(long, help_heading = "Server")]
    pub fresh: bool,
    /// How the server is asked.
    #[command(flatten)]
    pub server: ServerFlags,
}

/// What came of a run.
pub(super) enum Linted {
    /// What was found.
    Found(Box<Outcome>),
    /// The run has ended otherwise, and that was told.
    Ended(Exit),
}

impl LiveFlags {
    /// How much is asked: what the arguments say counts more than what a configuration says.
    fn options(&self, configurations: &Configurations<'_>) -> Result<LiveOptions, Stop> {
        let mut options = configurations.live();
        if let Some(path) = configurations.prometheus_config() {
            let error = |error| InputError::File { path: path.clone(), error };
            let text = std::fs::read_to_string(&path).map_err(error)?;
            let (config, _) = ServerConfig::load(&text);
            options.about = options.about.clone().or(About::of_config(&config));
        }
        self.limit(&mut options);
        Ok(options)
    }

    /// Sets what the arguments say about how much is asked.
    fn limit(&self, options: &mut LiveOptions) {
        options.max_requests = self.max_requests.unwrap_or(options.max_requests);
        if let Some(seconds) = self.max_seconds {
            options.max_time = Duration::from_secs(seconds);
        }
    }

    /// Looks at files, with the server if one is named, which is asked about rules that were not there before.
    ///
    /// # Errors
    /// When the flags don't fit together, or a file that a configuration names can't be read.
    pub(super) fn lint(
        &self,
        inputs: Vec<Input>,
        before: Option<&Before>,
        configurations: &Configurations<'_>,
        timings: Option<&Timings>,
        console: &Console,
    ) -> Result<Linted, Stop> {
        let options = self.options(configurations)?;
        let settings = Settings::default();
        let wanted = self.wanted(configurations, &options)?;
        if wanted.is_empty() {
            let live =
                Live { named: None, server: None, options: &options, wanted: None, progress: None };
            let what = match inputs.len() {
                1 => "looking at a file".to_owned(),
                count => format!("looking at {count} files"),
            };
            let _progress = Progress::start(console, what);
            return Ok(Linted::Found(Box::new(lint_live(inputs, &settings, &[live], timings))));
        }
        let cancellation = interrupt::listen(*console);
        let clock = Clock::system();
        let mut opened = Vec::new();
        for wanted in &wanted {
            let open = OpenOptions {
                remote: self.server.options(Some(wanted.options.max_time))?,
                union: UnionOptions { ..self.server.union() },
                cancellation: cancellation.clone(),
                ..OpenOptions::default()
            };
            match source::open(&wanted.sources, None, &open, console) {
                Ok(source) => {
                    let now = source.latest(&clock);
                    opened.push((wanted, source, now));
                }
                Err(failure) => return failure.tell(console).map(Linted::Ended),
            }
        }
        let doors: Vec<Door<'_>> = opened
            .iter()
            .map(|(wanted, source, now)| {
                Door::new(source, *now, self, &wanted.options, &cancellation)
            })
            .collect();
        let is_new = |text: &str| before.is_none_or(|before| !before.has_rule(text));
        let running: Mutex<Option<Progress>> = Mutex::default();
        let advance = |done: usize, of: usize| {
            let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
            let what = || Progress::counting(console, "asking about rules".to_owned(), of);
            running.get_or_insert_with(what).advance();
            // The next server begins anew.
            if done == of {
                *running = None;
            }
        };
        let mut servers = Vec::new();
        for (wanted, door) in wanted.iter().zip(&doors) {
            servers.push(Live {
                named: wanted.named.as_ref(),
                server: Some(door as &dyn Server),
                options: &wanted.options,
                wanted: Some(&is_new),
                progress: Some(&advance),
            });
        }
        let outcome =
            interrupt::while_stoppable(|| lint_live(inputs, &settings, &servers, timings));
        doors.iter().for_each(Door::save);
        if is_over(&cancellation) {
            return Ok(Linted::Ended(Exit::Interrupted));
        }
        Ok(Linted::Found(Box::new(outcome)))
    }

    /// Who is asked: what `--source` names, a server of a configuration among that; or with `--servers` all
    /// servers of the configurations.
    fn wanted(
        &self,
        configurations: &Configurations<'_>,
        options: &LiveOptions,
    ) -> Result<Vec<Wanted>, Stop> {
        let known = configurations.servers();
        let named = |server: &NamedServer| {
            let mut options = server.options(options);
            self.limit(&mut options);
            let sources = vec![server.source.clone()];
            Wanted { named: Some(server.clone()), sources, options }
        };
        if self.servers {
            if known.is_empty() {
                let text = "--servers asks the servers that promql.toml names, and it names none: write `[[lint.server]]`";
                return Err(Stop::Usage(text.to_owned()));
            }
            return Ok(known.iter().map(named).collect());
        }
        let name = match &self.sources[..] {
            [] => return Ok(Vec::new()),
            [name] => known.iter().find(|server| server.name == *name),
            _ => None,
        };
        let plain =
            || Wanted { named: None, sources: self.sources.clone(), options: options.clone() };
        Ok(vec![name.map_or_else(plain, named)])
    }
}

/// Somebody to ask.
struct Wanted {
    /// What a configuration says about it.
    named: Option<NamedServer>,
    sources: Vec<String>,
    options: LiveOptions,
}

/// A source that checks can ask.
enum Door<'o> {
    /// Series that are here.
    Local(LocalServer<'o>),
    /// A server, whose answers are kept.
    Remote(Keeping<Remote<'o>>),
}

impl<'o> Door<'o> {
    fn new(
        opened: &'o Opened,
        now: i64,
        flags: &LiveFlags,
        options: &LiveOptions,
        cancellation: &Cancellation,
    ) -> Door<'o> {
        match opened {
            Opened::Local { storage, .. } => Door::Local(LocalServer::new(&**storage, now)),
            Opened::Server(server) => {
                let remote = Remote::new(server, now, options.per_second, cancellation.clone());
                Door::Remote(Keeping::open(remote, &server.address(), flags, options, now))
            }
        }
    }

    /// Keeps the answers for the next run.
    fn save(&self) {
        if let Door::Remote(keeping) = self {
            keeping.save();
        }
    }
}

impl Server for Door<'_> {
    fn ask(&self, question: &Question) -> Result<Reply, Refusal> {
        match self {
            Door::Local(server) => server.ask(question),
            Door::Remote(server) => server.ask(question),
        }
    }
}

/// Whether somebody has pressed Ctrl-C.
fn is_over(cancellation: &Cancellation) -> bool {
    cancellation.is_cancelled()
}
