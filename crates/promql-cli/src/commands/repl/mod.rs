//! `promql repl`: a session in a terminal, or a script from a pipe.
//!
//! The session itself is `promql-repl`; here are its arguments, and what it asks of the program around it:
//! sources, evaluation, rendering, the other commands.

mod clipboard;
mod connection;
pub(in crate::commands) mod host;
mod page;

use std::path::PathBuf;

use clap::{Args, Parser, ValueHint};
use promql_repl::{Config, Exit as SessionExit, History, Session};

use self::host::{CliHost, Setup};
use super::Stop;
use super::query::Evaluator;
use super::query::limits::LimitFlags;
use super::query::server::ServerFlags;
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs;

/// Where a session asks when nobody says where.
const DEFAULT_SOURCE: &str = "http://localhost:9090";

const AFTER: &str = "\
In the session \\help lists what can be written. Without a terminal statements are
read from standard input, with an empty line or `;` at the end of a line between
them, and the exit code is that of the worst.

Files:
  ~/.config/promql/config.toml   profiles: sources with names, headers, secrets by reference
  ~/.config/promql/queries.promql   what \\save saved
  ~/.config/promql/settings.toml what \\set --save saved
  ~/.local/state/promql/history  what was written, without secrets
  The variables PROMQL_CONFIG and PROMQL_HISTORY name others.

Examples:
  promql repl -s http://localhost:9090
  promql repl -s fixture.test
  promql repl --profile prod
  echo 'up [[1h:1m]] | csv' | promql repl -s http://localhost:9090
  promql repl -s fixture.test -c '\\metrics' -c 'sum(up)'";

/// Arguments of `promql repl`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Repl {
    /// Where the series are; several are one view, evaluated here [default: the default profile, else
    /// http://localhost:9090]
    #[arg(short, long = "source", value_name = "SOURCE", value_hint = ValueHint::AnyPath)]
    #[arg(env = "PROMQL_SOURCE", hide_env_values = true)]
    pub sources: Vec<String>,
    /// A profile of the configuration
    #[arg(long, value_name = "NAME", conflicts_with = "sources")]
    pub profile: Option<String>,
    /// The configuration
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Begin with an option as \set takes it, as maxrows=20; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
    /// Do this instead of reading statements; may be given several times
    #[arg(short = 'c', long = "command", value_name = "STATEMENT")]
    pub statements: Vec<String>,
    /// Neither read nor write a history
    #[arg(long)]
    pub no_history: bool,
    /// Exit with 1 when an answer has a warning, such as that a part of the data is missing
    #[arg(long)]
    pub warn_as_error: bool,
    /// No line about the session at its beginning
    #[arg(short, long)]
    pub quiet: bool,

    /// Who evaluates: the server, or this program from the server's raw samples
    #[arg(long, value_name = "WHERE", value_enum, help_heading = "Evaluation")]
    #[arg(env = "PROMQL_EVAL", hide_env_values = true)]
    pub eval: Option<Evaluator>,
    /// What an evaluation may take.
    #[command(flatten)]
    pub limits: LimitFlags,
    /// How the server is asked.
    #[command(flatten)]
    pub server: ServerFlags,
    /// Show times in UTC instead of the local zone, and read them so
    #[arg(long, help_heading = "Display")]
    pub utc: bool,
}

/// The arguments alone, to have them with their defaults and the environment.
#[derive(Parser)]
struct Alone {
    #[command(flatten)]
    repl: Repl,
}

impl Repl {
    /// Those of a session for which nothing was said.
    pub fn alone() -> Repl {
        Alone::parse_from(["promql"]).repl
    }

    /// Begins the session.
    ///
    /// # Errors
    /// When the configuration or standard input can't be read, or there is no such profile.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        let path = self.config.clone().or_else(Config::default_path);
        let config = match &path {
            Some(path) => Config::read(path).map_err(|error| Stop::Usage(error.to_string()))?,
            None => Config::default(),
        };
        let target = config.targets(&self.source_names(&config)?).unwrap_or_default();
        let setup = Setup {
            utc: self.utc,
            limits: self.limits.clone(),
            server: self.server.clone(),
            eval: self.eval,
            is_script: !self.statements.is_empty(),
        };
        let host = CliHost::new(setup, *console);
        let is_interactive =
            self.statements.is_empty() && promql_repl::Host::terminal(&host).is_interactive;
        let history = match Config::history_path() {
            Some(path) if is_interactive && !self.no_history => match History::open(&path) {
                Ok(history) => history,
                Err(error) => {
                    let path = path.display();
                    console.remark(&format!("the history {path} can't be read: {error}\n"));
                    History::default()
                }
            },
            _ => History::default(),
        };
        let mut session = Session::new(&host, config, history);
        if self.warn_as_error {
            session.warn_as_error();
        }
        // A script does the same for everybody.
        if is_interactive && let Err(failure) = session.begin_with_settings() {
            console.remark(&failure.text);
        }
        for setting in &self.settings {
            let Some((name, value)) = setting.split_once('=') else {
                return Err(Stop::Usage(format!(
                    "--set wants a name and a value with `=` between, as maxrows=20, not `{setting}`"
                )));
            };
            if let Err(failure) = session.set(name.trim(), value.trim()) {
                console.remark(&failure.text);
                return Ok(Exit::Usage);
            }
        }
        let connected = session.connect(target);
        if is_interactive {
            if let Err(failure) = &connected {
                console.remark(&failure.text);
            }
            if !self.quiet {
                console.remark(&session.banner());
            }
            return Ok(exit(session.converse()));
        }
        if let Err(failure) = connected {
            console.remark(&failure.text);
            return Ok(Exit::Usage);
        }
        let text = match self.statements.is_empty() {
            true => String::from_utf8_lossy(&inputs::read_stdin()?).into_owned(),
            false => self.statements.join("\n\n"),
        };
        Ok(exit(session.run_script(&text)))
    }

    fn source_names(&self, config: &Config) -> Result<Vec<String>, Stop> {
        let named = self.profile.as_ref();
        let named = named.or_else(|| {
            let default = config.default_profile.as_ref();
            default.filter(|_| self.sources.is_empty())
        });
        match named {
            Some(name) if config.profile.contains_key(name) => Ok(vec![name.clone()]),
            Some(name) => {
                let known: Vec<&str> = config.profile.keys().map(String::as_str).collect();
                let known = match known.is_empty() {
                    true => "the configuration has none".to_owned(),
                    false => format!("there are {}", known.join(", ")),
                };
                Err(Stop::Usage(format!("there is no profile `{name}`; {known}")))
            }
            None if self.sources.is_empty() => Ok(vec![DEFAULT_SOURCE.to_owned()]),
            None => Ok(self.sources.clone()),
        }
    }
}

fn exit(exit: SessionExit) -> Exit {
    match exit {
        SessionExit::Ok => Exit::Ok,
        SessionExit::Failed => Exit::Failed,
        SessionExit::Usage => Exit::Usage,
    }
}
