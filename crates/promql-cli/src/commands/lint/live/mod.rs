//! The server that checks ask: from `--source` to answers.

mod keep;
mod remote;

use std::sync::OnceLock;
use std::time::Duration;

use clap::Args;
use promql_engine::Cancellation;
use promql_lint::live::{About, Live, LiveOptions, LocalServer, Server};
use promql_lint::{Input, Outcome, Settings, lint_live};
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
    /// category `live` look then
    #[arg(short, long = "source", value_name = "SOURCE", help_heading = "Server")]
    #[arg(conflicts_with_all = ["fix", "diff"])]
    pub sources: Vec<String>,
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
        options.max_requests = self.max_requests.unwrap_or(options.max_requests);
        if let Some(seconds) = self.max_seconds {
            options.max_time = Duration::from_secs(seconds);
        }
        Ok(options)
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
        console: &Console,
    ) -> Result<Linted, Stop> {
        let options = self.options(configurations)?;
        let settings = Settings::default();
        if self.sources.is_empty() {
            let live = Live { server: None, options: &options, wanted: None, progress: None };
            return Ok(Linted::Found(Box::new(lint_live(inputs, &settings, &live))));
        }
        let cancellation = interrupt::listen(*console);
        let open = OpenOptions {
            remote: self.server.options(Some(options.max_time))?,
            union: UnionOptions { ..self.server.union() },
            cancellation: cancellation.clone(),
            ..OpenOptions::default()
        };
        let opened = match source::open(&self.sources, None, &open, console) {
            Ok(opened) => opened,
            Err(failure) => return failure.tell(console).map(Linted::Ended),
        };
        let clock = Clock::system();
        let now = opened.latest(&clock);
        let ask = |server: &dyn Server| {
            let progress: OnceLock<Progress> = OnceLock::new();
            let advance = |_: usize, of: usize| {
                let what = "asking about rules".to_owned();
                progress.get_or_init(|| Progress::counting(console, what, of)).advance();
            };
            let is_new = |text: &str| before.is_none_or(|before| !before.has_rule(text));
            let server = Some(server);
            let (wanted, progress) = (Some(&is_new as _), Some(&advance as _));
            let live = Live { server, options: &options, wanted, progress };
            interrupt::while_stoppable(|| lint_live(inputs, &settings, &live))
        };
        let outcome = match &opened {
            Opened::Local { storage, .. } => ask(&LocalServer::new(&**storage, now)),
            Opened::Server(server) => {
                let remote = Remote::new(server, now, options.per_second, cancellation.clone());
                let keeping = Keeping::open(remote, &server.address(), self, &options, now);
                let outcome = ask(&keeping);
                keeping.save();
                outcome
            }
        };
        if is_over(&cancellation) {
            return Ok(Linted::Ended(Exit::Interrupted));
        }
        Ok(Linted::Found(Box::new(outcome)))
    }
}

/// Whether somebody has pressed Ctrl-C.
fn is_over(cancellation: &Cancellation) -> bool {
    cancellation.is_cancelled()
}
