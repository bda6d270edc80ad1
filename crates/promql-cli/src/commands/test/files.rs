//! Which scripts are run.

use std::path::{Path, PathBuf};

use promql_rules::{FileKind, file_kind};

use super::Stop;
use crate::inputs::{InputError, read_stdin};
use crate::paths;

/// A script that was read.
pub(super) struct Input {
    /// What it is called in the report.
    pub(super) name: String,
    /// Nothing for standard input.
    pub(super) path: Option<PathBuf>,
    pub(super) text: Vec<u8>,
}

impl Input {
    /// Whether it is a unit-test file, and no script. Of standard input the keys tell.
    pub(super) fn is_unit_test(&self) -> bool {
        match &self.path {
            Some(path) => paths::is_yaml(path),
            None => is_unit_test(&self.text),
        }
    }
}

/// Reads all scripts that the arguments name, each once, in order of the arguments and then of the
/// paths.
///
/// # Errors
/// When a file or a folder can't be read, or nothing is found.
pub(super) fn find(arguments: &[String]) -> Result<Vec<Input>, Stop> {
    let mut inputs: Vec<Input> = Vec::new();
    for argument in arguments {
        if argument == "-" {
            if inputs.iter().any(|input| input.path.is_none()) {
                return Err(InputError::StdinTwice.into());
            }
            let text = read_stdin()?;
            inputs.push(Input { name: "standard input".to_string(), path: None, text });
            continue;
        }
        for path in named(argument)? {
            if inputs.iter().any(|input| input.path.as_ref() == Some(&path)) {
                continue;
            }
            let error = |error| InputError::File { path: path.clone(), error };
            let text = std::fs::read(&path).map_err(error)?;
            inputs.push(Input { name: path.display().to_string(), path: Some(path), text });
        }
    }
    Ok(inputs)
}

/// The files that an argument names. Of folders these are test scripts and unit tests: there are rule
/// files beside them.
fn named(argument: &str) -> Result<Vec<PathBuf>, InputError> {
    let has_tests =
        |path: &Path| paths::is_yaml(path) && paths::is_of_kind(path, FileKind::UnitTests);
    let files = paths::named(argument, |path| is_script(path) || has_tests(path))?;
    paths::some_of(files, argument, "test script or unit test")
}

/// Whether a path is called like a test script.
pub(super) fn is_script(path: &Path) -> bool {
    paths::ends_in(path, &["test"])
}

/// Whether a text is a unit-test file, by its keys.
fn is_unit_test(text: &[u8]) -> bool {
    file_kind(&String::from_utf8_lossy(text)) == FileKind::UnitTests
}
