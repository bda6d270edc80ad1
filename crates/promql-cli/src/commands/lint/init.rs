//! `promql lint --init`: a configuration to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use promql_lint::{Baseline, Outcome, Settings, lint};

use super::configuration::{Configurations, NAME};
use super::{Lint, Stop, files};
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::InputError;

/// The file with what is found today.
const BASELINE: &str = "promql-baseline.toml";

/// The configuration, but for the baseline.
const TEXT: &str = r#"# What `promql lint` looks for here and below. A key that is not known is an error.
# Paths are relative to this file; patterns are globs, or regular expressions between slashes.

[lint]
# Which checks look: names, codes, categories, "default" or "all". `promql lint --list` shows all.
select = ["default"]
# extend-select = ["nonempty-regex"]
# ignore = ["for-zero"]

# How bad findings are: error, warning, info, off.
# severity = { regex-literal = "error", naming = "off" }

# From which severity on the command ends with 1.
fail-on = "error"

# Files of folders that are not looked at.
# exclude = ["vendor/**"]

# Which names are allowed: utf8, legacy.
# names = "utf8"

# The configuration of the server that the rules run on.
# prometheus-config = "prometheus.yml"
"#;

/// What else can be said.
const MORE: &str = r#"
# Where other things count. All conditions have to hold; of several the last one counts.
# [[lint.override]]
# paths = ["teams/shop/**"]
# kinds = ["alert"]
# ignore = ["long-range"]

# What all rules have to have.
# [[lint.policy]]
# check = "required-label"
# labels = ["severity"]
# kinds = ["alert"]
"#;

/// Writes a configuration into the current folder, and if something is found there today a baseline with it.
///
/// # Errors
/// When there is a configuration already, or a file can't be written.
pub(super) fn run(
    flags: &Lint,
    configurations: &mut Configurations<'_>,
    console: &Console,
) -> Result<Exit, Stop> {
    if Path::new(NAME).exists() {
        return Err(Stop::Usage(format!("there is a {NAME} here already; it is as it was")));
    }
    let here = [".".to_owned()];
    let paths = if flags.paths.is_empty() { &here[..] } else { &flags.paths };
    let outcome = match files::find(paths, configurations) {
        Ok(inputs) => Some(lint(inputs, &Settings::default())),
        // A configuration may come before the first rule.
        Err(Stop::Input(InputError::EmptyFolder { .. })) => None,
        Err(stop) => return Err(stop),
    };
    let known = outcome.as_ref().map(Baseline::of).filter(|known| !known.is_empty());
    let baseline = match &known {
        Some(_) => format!(
            "\n# Findings that were there at first, and are not told.\nbaseline = \"{BASELINE}\"\n"
        ),
        None => {
            format!("\n# Findings that are known, and are not told.\n# baseline = \"{BASELINE}\"\n")
        }
    };
    if let Some(known) = &known {
        create(Path::new(BASELINE), &known.text())?;
    }
    create(Path::new(NAME), &format!("{TEXT}{baseline}{MORE}"))?;
    let mut told = format!("{NAME} is written");
    if let Some(known) = known {
        let many = if known.len() == 1 { "finding of today" } else { "findings of today" };
        told.push_str(&format!(", and {BASELINE} with {} {many}", known.len()));
    }
    console.print(&format!("{told}\n"))?;
    Ok(match outcome.as_ref().is_some_and(has_errors) {
        // What is invalid is in no baseline.
        true => Exit::Failed,
        false => Exit::Ok,
    })
}

/// Whether some file is invalid.
fn has_errors(outcome: &Outcome) -> bool {
    let findings = outcome.files.iter().flat_map(|file| &file.findings);
    findings.into_iter().any(|finding| {
        finding.check.code.starts_with('E') && finding.severity == promql_lint::Severity::Error
    })
}

/// Writes a file that is not there yet.
fn create(path: &Path, text: &str) -> Result<(), Stop> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Stop::Usage(format!("there is a {} here already; it is as it was", path.display()))
        }
        _ => InputError::Write { path: path.to_path_buf(), error }.into(),
    })
}
