//! What the session asks of this program.

use std::io::IsTerminal;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Parser, ValueEnum};
use jiff::tz::TimeZone;
use promql_engine::Cancellation;
use promql_repl::{
    Answer, Connection, Failure, Form, Host, Look, Reason, Target, Terminal, Units, without_secrets,
};
use promql_storage::remote::Secret;
use promql_storage::{LabelledSource, OpenOptions};

use super::clipboard;
use super::connection::{CliConnection, input};
use crate::cli::{self, Cli};
use crate::commands::query::Evaluator;
use crate::commands::query::limits::LimitFlags;
use crate::commands::query::remarks;
use crate::commands::query::server::ServerFlags;
use crate::commands::query::source::{self, SourceFailure};
use crate::console::Console;
use crate::exit::Exit;
use crate::render::{self, Format, Range, Screen, View, number, timestamps, unit};
use crate::time::Clock;
use crate::{interrupt, report};

/// How this program asks sources for a session.
#[derive(Clone, Debug, Default)]
pub(in crate::commands) struct Setup {
    /// Whether times are in UTC.
    pub(in crate::commands) utc: bool,
    /// What an evaluation may take.
    pub(in crate::commands) limits: LimitFlags,
    /// How servers are asked.
    pub(in crate::commands) server: ServerFlags,
    /// Who evaluates.
    pub(in crate::commands) eval: Option<Evaluator>,
    /// Whether nobody sits at the terminal, if there is one.
    pub(in crate::commands) is_script: bool,
}

/// This program around a session.
pub(in crate::commands) struct CliHost {
    setup: Setup,
    console: Console,
    /// The zone of times.
    zone: Arc<Mutex<TimeZone>>,
}

impl CliHost {
    pub(in crate::commands) fn new(setup: Setup, console: Console) -> CliHost {
        let zone = if setup.utc { TimeZone::UTC } else { Clock::system().zone };
        CliHost { setup, console, zone: Arc::new(Mutex::new(zone)) }
    }

    fn zone_now(&self) -> TimeZone {
        self.zone.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How a target's server is asked: by the flags, and over them by its profile.
    fn flags(&self, target: &Target) -> Result<ServerFlags, Failure> {
        let mut flags = self.setup.server.clone();
        if let Some(path) = &target.http {
            flags.http_config = Some(path.into());
        }
        let headers = target.headers.iter();
        flags.headers.extend(headers.map(|(name, value)| format!("{name}: {value}")));
        if let [program, rest @ ..] = &target.token_command[..] {
            let output = Command::new(program).args(rest).output();
            let output = output.map_err(|error| {
                Failure::new(format!("can't run token_command `{program}`: {error}"))
            })?;
            let token = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            if !output.status.success() || token.is_empty() {
                let status = output.status;
                return Err(Failure::new(format!(
                    "token_command `{program}` printed no token ({status})"
                )));
            }
            flags.token = Some(Secret::from(token));
        }
        Ok(flags)
    }

    fn options(&self, target: &Target) -> Result<OpenOptions, Failure> {
        let flags = self.flags(target)?;
        let timeout = self.setup.limits.timeout().map_err(Failure::new)?;
        Ok(OpenOptions {
            remote: flags.options(timeout).map_err(Failure::new)?,
            union: flags.union(),
            cancellation: interrupt::listen_anew(self.console),
            ..OpenOptions::default()
        })
    }
}

impl Host for CliHost {
    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn connect(&self, target: &Target) -> Result<Arc<dyn Connection>, Failure> {
        let all: Vec<&Target> = std::iter::once(target).chain(&target.others).collect();
        let options =
            all.iter().map(|target| self.options(target)).collect::<Result<Vec<_>, _>>()?;
        let sources: Vec<(&str, &OpenOptions)> =
            all.iter().map(|target| &*target.source).zip(&options).collect();
        // A server evaluates over its own series alone.
        let eval = match all.len() {
            1 => self.setup.eval,
            _ => Some(Evaluator::Local),
        };
        let opened = source::open_each(&sources, eval, &self.console);
        let opened = opened.map_err(|failure| match failure {
            SourceFailure::Usage(text) => Failure::new(text),
            SourceFailure::Source(error) => Failure {
                text: report::draw(&error, &self.console),
                cancelled: false,
                is_input: true,
            },
        })?;
        // What can be named without secrets names itself.
        let name = |target: &&Target| {
            LabelledSource::parse(&target.source).map_or_else(
                |_| without_secrets(&target.source),
                |source| source.source.to_string(),
            )
        };
        Ok(Arc::new(CliConnection {
            opened,
            name: all.iter().map(name).collect::<Vec<_>>().join(" + "),
            sources: all.iter().map(|target| target.source.clone()).collect(),
            limits: self.setup.limits.clone(),
            zone: Arc::clone(&self.zone),
            console: self.console,
        }))
    }

    fn show(&self, answer: &Answer, form: Form, look: Look) -> Result<String, Failure> {
        let format = Format::from_str(form.name(), false).map_err(Failure::new)?;
        let mut screen = match look.to_file {
            true => Screen::PLAIN,
            false => self.console.screen(),
        };
        if look.is_wide {
            screen.width = None;
        }
        screen.max_rows = look.max_rows;
        let view = View {
            expression: answer.request.expression.clone(),
            range: answer.range.map(|(start, end, step)| Range { start, end, step }),
            keep_order: answer.ordered,
            zone: self.zone_now(),
            unit: unit::chosen(look.units, &answer.request.expression),
            screen,
            statistics: None,
        };
        render::render(format, &answer.result, &view).map_err(Failure::new)
    }

    fn zone(&self, name: Option<&str>) -> Result<String, Failure> {
        if let Some(name) = name {
            let zone = match name {
                "local" => Clock::system().zone,
                "utc" | "UTC" | "Z" => TimeZone::UTC,
                name => TimeZone::get(name).map_err(|_| {
                    Failure::new(format!(
                        "there is no zone `{name}`; write one as Europe/Berlin, UTC or local"
                    ))
                })?,
            };
            *self.zone.lock().unwrap_or_else(PoisonError::into_inner) = zone;
        }
        Ok(timestamps::zone_name(&self.zone_now(), Clock::system().now))
    }

    fn number(&self, value: f64) -> String {
        number::readable(value)
    }

    fn value(&self, value: f64, expression: &str, units: Units) -> String {
        match unit::chosen(units, expression) {
            Some(unit) => unit::write(value, unit, &self.zone_now()),
            None => number::readable(value),
        }
    }

    fn time(&self, milliseconds: i64) -> String {
        timestamps::civil(milliseconds, &self.zone_now(), false)
    }

    fn remarks(&self, answer: &Answer) -> String {
        remarks::drawn(&answer.result.annotations, &input(&answer.request), &self.console)
    }

    fn lint(&self, expression: &str) -> Reason {
        crate::commands::lint::expression::look(expression, &self.console)
    }

    fn run(&self, arguments: &[String], target: Option<&Target>) -> Result<(), Failure> {
        let quiet = |is_input| Failure { text: String::new(), cancelled: false, is_input };
        let all = std::iter::once("promql").chain(arguments.iter().map(String::as_str));
        let cli = Cli::try_parse_from(all)
            .map_err(|error| Failure { text: error.to_string(), ..quiet(true) })?;
        let Some(mut command) = cli.command else { return Err(quiet(true)) };
        let server = match &mut command {
            cli::Command::Explain(explain) => Some(&mut explain.server),
            cli::Command::Capture(capture) => Some(&mut capture.server),
            _ => None,
        };
        // Secrets go from here to there without a command line between.
        if let (Some(server), Some(target)) = (server, target) {
            if target.others.iter().any(|other| !target.is_asked_like(other)) {
                return Err(Failure::new(
                    "the sources are asked in different ways, and each would get the headers and tokens of \
                     the first: \\connect one of them alone",
                ));
            }
            *server = self.flags(target)?;
        }
        let _ = interrupt::listen_anew(self.console);
        match run(&command, &self.console) {
            Exit::Ok => Ok(()),
            Exit::Interrupted => Err(Failure { cancelled: true, ..quiet(false) }),
            exit => Err(quiet(exit == Exit::Usage)),
        }
    }

    fn cancellation(&self) -> Cancellation {
        interrupt::listen_anew(self.console)
    }

    fn print(&self, text: &str) {
        // Whoever closed the pipe has what they wanted; there is nobody to tell.
        let _ = self.console.print(text);
    }

    fn remark(&self, text: &str) {
        self.console.remark(text);
    }

    fn copy(&self, text: &str) -> Result<(), Failure> {
        if !promql_repl::Host::terminal(self).is_interactive {
            return Err(Failure::new("\\copy needs a terminal; `| csv FILE` writes a file"));
        }
        let terminal = clipboard::Surroundings::of_environment();
        let sequence = clipboard::sequence(text, &terminal).map_err(Failure::new)?;
        self.print(&sequence);
        if let Some(remark) = terminal.remark() {
            self.remark(remark);
        }
        Ok(())
    }

    fn terminal(&self) -> Terminal {
        let screen = self.console.screen();
        let is_interactive = self.console.is_terminal && std::io::stdin().is_terminal();
        Terminal {
            is_interactive: is_interactive && !self.setup.is_script,
            size: screen.width.zip(screen.height),
            color: screen.color,
            unicode: screen.unicode,
        }
    }
}

fn run(command: &cli::Command, console: &Console) -> Exit {
    command.run(console).unwrap_or_else(|stop| stop.tell(console))
}
