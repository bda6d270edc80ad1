//! `promql completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Stop;
use crate::cli::Cli;
use crate::console::Console;
use crate::exit::Exit;

const AFTER: &str = "\
Examples:
  promql completions bash > ~/.local/share/bash-completion/completions/promql
  promql completions zsh > ~/.zfunc/_promql
  promql completions fish > ~/.config/fish/completions/promql.fish";

/// Arguments of `promql completions`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}

impl Completions {
    /// Prints the script.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "promql", &mut script);
        console.print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Ok)
    }
}
