//! What the session asks of this program.

use std::io::IsTerminal;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Parser, ValueEnum};
use promql_engine::Cancellation;
use promql_repl::{Answer, Connection, Failure, Form, Host, Look, Reason, Target, Terminal};
use promql_storage::remote::{Credentials, Secret};
use promql_storage::{LabelledSource, OpenOptions};

use super::Repl;
use super::connection::{CliConnection, input};
use crate::cli::{self, Cli};
use crate::commands::query::limits::LimitFlags;
use crate::commands::query::remarks;
use crate::commands::query::source::{self, SourceFailure};
use crate::console::Console;
use crate::exit::Exit;
use crate::render::{self, Format, Range, Screen, View, number, timestamps};
use crate::time::Clock;
use crate::{interrupt, report};

/// This program around a session.
pub(super) struct CliHost<'a> {
    arguments: &'a Repl,
    console: Console,
    /// The flags for other commands that ask the same source.
    flags: Mutex<Vec<String>>,
}

impl CliHost<'_> {
    pub(super) fn new(arguments: &Repl, console: Console) -> CliHost<'_> {
        CliHost { arguments, console, flags: Mutex::default() }
    }

    fn clock(&self) -> Clock {
        let mut clock = Clock::system();
        if self.arguments.utc {
            clock.zone = jiff::tz::TimeZone::UTC;
        }
        clock
    }

    /// How a source is opened: by the flags, and over them by its profile.
    fn options(&self, target: &Target) -> Result<OpenOptions, Failure> {
        let arguments = self.arguments;
        let stopped = |stop: crate::commands::Stop| Failure::new(stop);
        let timeout = arguments.limits.timeout().map_err(stopped)?;
        let mut remote = match &target.http {
            Some(path) => {
                let flags = crate::commands::query::server::ServerFlags {
                    http_config: Some(path.into()),
                    ..Default::default()
                };
                flags.options(timeout).map_err(stopped)?
            }
            None => arguments.server.options(timeout).map_err(stopped)?,
        };
        for (name, value) in &target.headers {
            remote.http.headers.push((name.clone(), Secret::from(value.clone())));
        }
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
            remote.http.credentials = Some(Credentials::bearer(token));
        }
        Ok(OpenOptions {
            remote,
            union: arguments.server.union(),
            cancellation: interrupt::listen_anew(self.console),
            ..OpenOptions::default()
        })
    }
}

impl Host for CliHost<'_> {
    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn connect(&self, target: &Target) -> Result<Arc<dyn Connection>, Failure> {
        let options = self.options(target)?;
        let sources = [target.source.clone()];
        let opened = source::open(&sources, self.arguments.eval, &options, &self.console);
        let opened = opened.map_err(|failure| match failure {
            SourceFailure::Usage(text) => Failure::new(text),
            SourceFailure::Source(error) => Failure {
                text: report::draw(&error, &self.console),
                cancelled: false,
                is_input: true,
            },
        })?;
        let mut flags: Vec<String> = Vec::new();
        flags.extend(target.http.iter().map(|path| format!("--http-config={path}")));
        flags
            .extend(target.headers.iter().map(|(name, value)| format!("--header={name}: {value}")));
        *self.flags.lock().unwrap_or_else(PoisonError::into_inner) = flags;
        // What can be named without secrets names itself.
        let name = LabelledSource::parse(&target.source)
            .map_or_else(|_| target.source.clone(), |source| source.source.to_string());
        let limits = &self.arguments.limits;
        Ok(Arc::new(CliConnection {
            opened,
            name,
            source: target.source.clone(),
            limits: LimitFlags {
                lookback: limits.lookback.clone(),
                timeout: limits.timeout.clone(),
                max_samples: limits.max_samples,
                max_memory: limits.max_memory,
            },
            clock: self.clock(),
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
            zone: self.clock().zone,
            screen,
            statistics: None,
        };
        render::render(format, &answer.result, &view).map_err(Failure::new)
    }

    fn number(&self, value: f64) -> String {
        number::readable(value)
    }

    fn time(&self, milliseconds: i64) -> String {
        timestamps::civil(milliseconds, &self.clock().zone, false)
    }

    fn remarks(&self, answer: &Answer) -> String {
        remarks::drawn(&answer.result.annotations, &input(&answer.request), &self.console)
    }

    fn lint(&self, expression: &str) -> Reason {
        crate::commands::lint::expression::look(expression, &self.console)
    }

    fn run(&self, arguments: &[String]) -> Result<(), Failure> {
        let quiet = |is_input| Failure { text: String::new(), cancelled: false, is_input };
        let mut all = vec!["promql".to_owned()];
        all.extend(arguments.iter().take(1).cloned());
        if arguments.first().is_some_and(|name| name != "parse") {
            all.extend(self.flags.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        }
        all.extend(arguments.iter().skip(1).cloned());
        let cli = Cli::try_parse_from(&all)
            .map_err(|error| Failure { text: error.to_string(), ..quiet(true) })?;
        let Some(command) = cli.command else { return Err(quiet(true)) };
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

    fn terminal(&self) -> Terminal {
        let screen = self.console.screen();
        let is_interactive = self.console.is_terminal && std::io::stdin().is_terminal();
        Terminal {
            is_interactive: is_interactive && self.arguments.statements.is_empty(),
            size: screen.width.zip(screen.height),
            color: screen.color,
            unicode: screen.unicode,
        }
    }
}

fn run(command: &cli::Command, console: &Console) -> Exit {
    command.run(console).unwrap_or_else(|stop| stop.tell(console))
}
