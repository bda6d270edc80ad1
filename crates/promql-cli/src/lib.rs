//! The `promql` command: arguments, rendering and exit codes around the library crates.
//!
//! Invariant: nothing here that a user of the libraries would want. What a query means is in
//! `promql-syntax` and `promql-engine`, where series come from in `promql-storage`; this crate
//! turns arguments into their calls and their answers into text.

pub mod atomic;
pub mod cli;
pub mod commands;
pub mod console;
pub mod exit;
pub mod features;
pub mod graph;
pub mod inputs;
pub mod interrupt;
pub mod memory;
pub mod paths;
pub mod progress;
pub mod render;
pub mod report;
pub mod time;
pub mod visible;
pub mod watch;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use commands::repl::Repl;
use console::Console;
use exit::Exit;

/// Runs the command with the arguments of this process.
pub fn main() -> ExitCode {
    memory::share_between_threads();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no failure. A closed pipe is none.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    let console = Console::new(cli.color);
    let command = cli.command.unwrap_or_else(|| Command::Repl(Box::new(Repl::alone())));
    command.run(&console).unwrap_or_else(|stop| stop.tell(&console)).into()
}
