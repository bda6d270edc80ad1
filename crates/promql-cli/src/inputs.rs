//! Expressions from the command line, from files and from standard input.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::paths::ends_in;

/// An expression as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it is called in reports.
    pub name: Name,
    /// The text; any bytes.
    pub text: Vec<u8>,
}

/// Where an expression comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// An argument, counted from 1.
    Argument(usize),
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
    /// What was written in a session.
    Session,
    /// A condition of `--fail-if`.
    FailIf,
}

/// An input that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A file or a folder.
    #[error("can't read {}: {error}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file that can't be written back.
    #[error("can't write {}: {error}; it is as it was", path.display())]
    Write {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Standard input.
    #[error("can't read standard input: {0}")]
    Stdin(io::Error),
    /// Standard input was named more than once.
    #[error("`-` stands for standard input, which can be read only once")]
    StdinTwice,
    /// A pattern that is none.
    #[error("`{pattern}` is no pattern for files: {reason}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A pattern that names no file.
    #[error("no file is called like `{pattern}`")]
    NoMatch {
        /// The pattern.
        pattern: String,
    },
    /// A folder without any file of the wanted kind.
    #[error("there is no {wanted} in {}", folder.display())]
    EmptyFolder {
        /// Its path.
        folder: PathBuf,
        /// What was looked for, as `rule file or unit test`.
        wanted: &'static str,
    },
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Name::Argument(number) => write!(f, "argument {number}"),
            Name::Stdin => f.write_str("standard input"),
            Name::Session => f.write_str("expression"),
            Name::FailIf => f.write_str("--fail-if"),
            Name::File(path) => path.display().fmt(f),
        }
    }
}

/// Collects inputs and reads each of them.
#[derive(Debug, Default)]
pub struct Reader {
    arguments: usize,
    stdin_read: bool,
    inputs: Vec<Input>,
}

impl Reader {
    /// Adds an argument: `-` is standard input, anything else an expression.
    ///
    /// # Errors
    /// When standard input can't be read.
    pub fn argument(&mut self, text: &str) -> Result<(), InputError> {
        if text == "-" {
            return self.stdin();
        }
        self.expression(text);
        Ok(())
    }

    /// Adds an expression, whatever it looks like.
    pub fn expression(&mut self, text: &str) {
        self.arguments += 1;
        let name = Name::Argument(self.arguments);
        self.inputs.push(Input { name, text: text.as_bytes().to_vec() });
    }

    /// Adds standard input, all of it as one expression.
    ///
    /// # Errors
    /// When it can't be read or was read before.
    pub fn stdin(&mut self) -> Result<(), InputError> {
        if std::mem::replace(&mut self.stdin_read, true) {
            return Err(InputError::StdinTwice);
        }
        self.inputs.push(Input { name: Name::Stdin, text: read_stdin()? });
        Ok(())
    }

    /// Adds a file as one expression; `-` is standard input.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn file(&mut self, path: &Path) -> Result<(), InputError> {
        if path == Path::new("-") {
            return self.stdin();
        }
        let error = |error| InputError::File { path: path.to_path_buf(), error };
        let text = fs::read(path).map_err(error)?;
        self.inputs.push(Input { name: Name::File(path.to_path_buf()), text });
        Ok(())
    }

    /// Adds an input that was read already.
    pub fn add(&mut self, input: Input) {
        self.inputs.push(input);
    }

    /// What was added, in order.
    pub fn into_inputs(self) -> Vec<Input> {
        self.inputs
    }
}

/// All of standard input.
///
/// # Errors
/// When it can't be read.
pub fn read_stdin() -> Result<Vec<u8>, InputError> {
    let mut text = Vec::new();
    io::stdin().lock().read_to_end(&mut text).map_err(InputError::Stdin)?;
    Ok(text)
}

/// Whether a path is called like a file with an expression.
pub fn is_promql(path: &Path) -> bool {
    ends_in(path, &["promql"])
}
