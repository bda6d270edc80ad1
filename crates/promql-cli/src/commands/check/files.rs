//! Which files are checked.

use std::path::{Path, PathBuf};

use promql_rules::{FileKind, file_kind};

use super::Stop;
use crate::inputs::{self, InputError};

/// A file that was read.
pub(super) struct Input {
    /// What it is called in the report.
    pub(super) name: String,
    /// Nothing for standard input.
    pub(super) path: Option<PathBuf>,
    pub(super) text: Vec<u8>,
    pub(super) kind: FileKind,
}

impl Input {
    fn new(path: Option<PathBuf>, text: Vec<u8>) -> Input {
        let name = path.as_ref().map_or("standard input".to_string(), |p| p.display().to_string());
        let kind = file_kind(&String::from_utf8_lossy(&text));
        Input { name, path, text, kind }
    }

    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Input, InputError> {
        let error = |error| InputError::File { path: path.to_path_buf(), error };
        Ok(Input::new(Some(path.to_path_buf()), std::fs::read(path).map_err(error)?))
    }
}

/// Reads all files that the arguments name, each once, in order of the arguments and then of the
/// paths. Of folders only what is known to be checked.
///
/// # Errors
/// When a file or a folder can't be read, or nothing is found.
pub(super) fn find(arguments: &[String]) -> Result<Vec<Input>, Stop> {
    let stdin = ["-".to_string()];
    let arguments = if arguments.is_empty() { &stdin } else { arguments };
    let mut found: Vec<Input> = Vec::new();
    for argument in arguments {
        if argument == "-" {
            if found.iter().any(|input| input.path.is_none()) {
                return Err(InputError::StdinTwice.into());
            }
            found.push(Input::new(None, inputs::read_stdin()?));
            continue;
        }
        let path = Path::new(argument);
        let is_new = |found: &[Input], path: &Path| {
            !found.iter().any(|input| input.path.as_deref() == Some(path))
        };
        if path.is_dir() {
            let before = found.len();
            for path in inputs::files_below(path, is_checkable)? {
                if is_new(&found, &path) {
                    let input = Input::read(&path)?;
                    if input.kind != FileKind::Unknown {
                        found.push(input);
                    }
                }
            }
            if found.len() == before {
                return Err(Stop::Usage(format!(
                    "there is no rule file, unit test or configuration in {argument}"
                )));
            }
            continue;
        }
        for path in inputs::paths_like(argument)? {
            if is_new(&found, &path) {
                found.push(Input::read(&path)?);
            }
        }
    }
    Ok(found)
}

/// Whether a path is called like a file that may be checked.
fn is_checkable(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["yml", "yaml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    })
}
