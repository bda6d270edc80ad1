//! `promql man`.

use clap::{Args, CommandFactory};

use super::Stop;
use crate::cli::Cli;
use crate::console::{Console, OutputError};
use crate::exit::Exit;

const AFTER: &str = "\
Examples:
  promql man > promql.1
  promql man query | man -l -";

/// Arguments of `promql man`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Man {
    /// The command that the page is about; all in all without it
    pub command: Option<String>,
}

impl Man {
    /// Prints the page.
    ///
    /// # Errors
    /// For an unknown command, and when the page can't be written.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        let mut all = Cli::command();
        all.build();
        let command = match &self.command {
            None => all,
            Some(name) => match all.find_subcommand(name) {
                Some(command) => command.clone(),
                None => {
                    return Err(Stop::Usage(format!(
                        "there is no command `{name}`; `promql help` lists them"
                    )));
                }
            },
        };
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(OutputError)?;
        console.print(&String::from_utf8_lossy(&page))?;
        Ok(Exit::Ok)
    }
}
