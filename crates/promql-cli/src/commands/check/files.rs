//! Which files are checked.

use std::path::{Path, PathBuf};

use promql_rules::{FileKind, file_kind};

use super::Stop;
use crate::inputs::{self, InputError};
use crate::paths;

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
        let is_config = |path: &PathBuf| {
            let stem = path.file_stem().is_some_and(|stem| stem == "prometheus");
            stem && path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml")
        };
        let kind = match file_kind(&String::from_utf8_lossy(&text)) {
            // One with nothing in it.
            FileKind::Unknown if path.as_ref().is_some_and(is_config) => FileKind::ServerConfig,
            kind => kind,
        };
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
        let is_folder = path.is_dir();
        let mut is_empty = true;
        for path in paths::named(argument, paths::is_yaml)? {
            if !is_new(&found, &path) {
                is_empty = false;
                continue;
            }
            let input = Input::read(&path)?;
            if !is_folder || input.kind != FileKind::Unknown {
                is_empty = false;
                found.push(input);
            }
        }
        if is_folder && is_empty {
            let wanted = "rule file, unit test or configuration";
            return Err(InputError::EmptyFolder { folder: path.to_path_buf(), wanted }.into());
        }
    }
    Ok(found)
}
