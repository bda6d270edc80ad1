//! Which files are looked at.

use std::path::{Path, PathBuf};

use promql_lint::Input;
use promql_rules::format::is_dashboard;
use promql_rules::{FileKind, file_kind};

use super::Stop;
use super::configuration::Configurations;
use crate::inputs::{self, InputError};
use crate::paths;

/// What standard input is called.
pub(super) const STDIN: &str = "standard input";

/// Reads all files that the arguments name, each once, in order of the arguments and then of the paths. Of
/// folders only rule files and dashboards.
///
/// # Errors
/// When a file or a folder can't be read, or nothing is found.
pub(super) fn find(
    arguments: &[String],
    configurations: &mut Configurations<'_>,
) -> Result<Vec<Input>, Stop> {
    let stdin = ["-".to_string()];
    let arguments = if arguments.is_empty() { &stdin } else { arguments };
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut found = Vec::new();
    for argument in arguments {
        if argument == "-" {
            if found.iter().any(|input: &Input| input.name == STDIN) {
                return Err(InputError::StdinTwice.into());
            }
            let text = inputs::read_stdin()?;
            let here = configurations.of(Path::new(STDIN))?;
            found.push(here.input(STDIN.to_owned(), text, Path::new(STDIN)));
            continue;
        }
        let is_folder = Path::new(argument).is_dir();
        let is_wanted = |path: &Path| paths::is_yaml(path) && (!is_folder || has_queries(path));
        let named = match is_folder {
            true => paths::some_of(
                paths::named(argument, is_wanted)?,
                argument,
                "rule file or dashboard",
            )?,
            false => paths::named(argument, |_| true)?,
        };
        for path in named {
            // A file under two names is looked at once.
            let same = path.canonicalize().unwrap_or_else(|_| path.clone());
            if seen.contains(&same) {
                continue;
            }
            seen.push(same);
            let here = configurations.of(&path)?;
            if is_folder && here.excludes(&path) {
                continue;
            }
            let error = |error| InputError::File { path: path.clone(), error };
            let text = std::fs::read(&path).map_err(error)?;
            found.push(here.input(path.display().to_string(), text, &path));
        }
    }
    Ok(found)
}

/// Whether a file is a rule file or a dashboard. One that can't be read counts, so that it is told.
fn has_queries(path: &Path) -> bool {
    std::fs::read(path).map_or(true, |text| has_queries_in(&text))
}

/// The same of a text.
pub(super) fn has_queries_in(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    file_kind(&text) == FileKind::Rules || is_dashboard(&text)
}
