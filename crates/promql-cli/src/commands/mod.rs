//! One file for each command: its arguments, and what it does.

pub mod capture;
pub mod check;
pub mod completions;
pub mod explain;
pub mod fmt;
pub mod lint;
pub mod man;
pub mod parse;
pub mod query;
pub mod repl;
mod rule_files;
pub mod rules;
pub mod serve;
pub mod test;

use std::path::PathBuf;

use miette::Diagnostic;

use crate::console::{Console, OutputError};
use crate::exit::Exit;
use crate::inputs::{Input, InputError, Reader};
use crate::report;

/// What ends a command before its time. Nothing was told yet.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The arguments don't fit together.
    #[error("{0}")]
    Usage(String),
    /// The same, with a place to show.
    #[error("{0}")]
    Report(Box<dyn Diagnostic + Send + Sync>),
    /// An input can't be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The answer can't be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl Stop {
    /// Tells what happened, and how the run ends.
    pub fn tell(&self, console: &Console) -> Exit {
        match self {
            // Whoever closed the pipe has what they wanted.
            Stop::Output(error) if error.is_closed_pipe() => return Exit::Ok,
            Stop::Report(report) => console.remark(&report::draw(&**report, console)),
            _ => console.error(&self.to_string()),
        }
        match self {
            Stop::Usage(_) | Stop::Report(_) | Stop::Input(_) => Exit::Usage,
            Stop::Output(_) => Exit::Failed,
        }
    }
}

/// The expressions of files, then those of arguments. There is at least one.
fn inputs(files: &[PathBuf], expressions: &[String]) -> Result<Vec<Input>, Stop> {
    let mut reader = Reader::default();
    files.iter().try_for_each(|path| reader.file(path))?;
    expressions.iter().try_for_each(|text| reader.argument(text))?;
    let inputs = reader.into_inputs();
    if inputs.is_empty() {
        return Err(Stop::Usage(
            "no expression: give one as an argument, a file with -f, or - for standard input"
                .to_string(),
        ));
    }
    Ok(inputs)
}
