//! Which scripts are run.

use std::path::{Path, PathBuf};

use super::Stop;
use crate::inputs::{InputError, files_below, read_stdin};

/// A script that was read.
pub(super) struct Input {
    /// What it is called in the report.
    pub(super) name: String,
    /// Nothing for standard input.
    pub(super) path: Option<PathBuf>,
    pub(super) text: Vec<u8>,
}

impl Input {
    /// Whether it is a unit-test file, and no script. Standard input is one if it begins as YAML does.
    pub(super) fn is_unit_test(&self) -> bool {
        match &self.path {
            Some(path) => is_yaml(path),
            None => {
                let keys: [&[u8]; 5] = [
                    b"rule_files:",
                    b"tests:",
                    b"evaluation_interval:",
                    b"group_eval_order:",
                    b"{",
                ];
                let lines = self.text.split(|byte| *byte == b'\n').take(200);
                lines.into_iter().any(|line| keys.iter().any(|key| line.starts_with(key)))
            }
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
        for path in paths(argument)? {
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

/// The files that an argument names. What is there counts first: a file whose name has brackets is
/// no pattern.
fn paths(argument: &str) -> Result<Vec<PathBuf>, Stop> {
    let path = Path::new(argument);
    if path.is_dir() {
        let files = files_below(path, |path| is_script(path) || is_yaml(path) && has_tests(path))?;
        return match files.is_empty() {
            true => {
                let folder = path.to_path_buf();
                Err(InputError::EmptyFolder { folder, ending: "test" }.into())
            }
            false => Ok(files),
        };
    }
    if path.exists() || !argument.contains(['*', '?', '[']) {
        return Ok(vec![path.to_path_buf()]);
    }
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
    let found = glob::glob_with(argument, options)
        .map_err(|error| Stop::Usage(format!("`{argument}` is no pattern for files: {error}")))?;
    let mut files = Vec::new();
    for path in found {
        let path = path.map_err(|error| InputError::File {
            path: error.path().to_path_buf(),
            error: error.into(),
        })?;
        if path.is_file() {
            files.push(path);
        }
    }
    match files.is_empty() {
        true => Err(Stop::Usage(format!("no file is called like `{argument}`"))),
        false => Ok(files),
    }
}

/// Whether a path is called like a test script.
pub(super) fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("test"))
}

/// Whether a path is called like a unit-test file, which JSON files can be too.
fn is_yaml(path: &Path) -> bool {
    let endings = ["yml", "yaml", "json"];
    let is_one = |ending: &std::ffi::OsStr| endings.iter().any(|e| ending.eq_ignore_ascii_case(e));
    path.extension().is_some_and(is_one)
}

/// Whether a YAML file of a folder has tests: there are rule files beside them.
fn has_tests(path: &Path) -> bool {
    let Ok(text) = std::fs::read(path) else { return true };
    let begins = |line: &[u8]| {
        line.starts_with(b"tests:") || line.trim_ascii_start().starts_with(b"\"tests\":")
    };
    text.split(|byte| *byte == b'\n').any(begins)
}
