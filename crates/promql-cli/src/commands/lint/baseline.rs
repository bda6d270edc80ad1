//! The file with findings that are known: read, compared with, written.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use promql_lint::{Baseline, Outcome};

use super::configuration::Configurations;
use super::files::STDIN;
use super::since::Before;
use super::{Format, Lint, Stop};
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::InputError;
use crate::{atomic, visible};

/// A baseline in its file.
pub(super) struct Known {
    path: PathBuf,
    /// Nothing if the file isn't there yet.
    text: Option<String>,
    baseline: Baseline,
    /// The folders that paths are relative to.
    folders: Vec<PathBuf>,
    /// Whether files are looked at as the next commit has them, so that what lies in folders doesn't count.
    is_staged: bool,
}

impl Known {
    /// Reads the baseline that the arguments or a configuration name; nothing if none is named.
    ///
    /// # Errors
    /// When it can't be read or is none, or should be written and nobody says where.
    pub(super) fn read(
        flags: &Lint,
        configurations: &Configurations<'_>,
    ) -> Result<Option<Known>, Stop> {
        let Some(path) = flags.baseline.clone().or(configurations.baseline()) else {
            let wanted = [
                (flags.write_baseline, "--write-baseline"),
                (flags.prune_baseline, "--prune-baseline"),
            ];
            return match wanted.into_iter().find(|(is_wanted, _)| *is_wanted) {
                None => Ok(None),
                Some((_, flag)) => Err(Stop::Usage(format!(
                    "{flag} needs to know where: --baseline FILE, or `baseline` in promql.toml"
                ))),
            };
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            // A configuration may name it before it is first written.
            Err(error)
                if error.kind() == ErrorKind::NotFound
                    && (flags.write_baseline || flags.baseline.is_none()) =>
            {
                None
            }
            Err(error) => return Err(InputError::File { path, error }.into()),
        };
        let baseline = match &text {
            Some(text) => Baseline::parse(text),
            None => Ok(Baseline::default()),
        };
        let baseline = baseline.map_err(|error| {
            Stop::Usage(format!(
                "{} is no baseline: {error}",
                visible::escape(&path.display().to_string())
            ))
        })?;
        let (folders, is_staged) = (configurations.folders(), flags.staged);
        Ok(Some(Known { path, text, baseline, folders, is_staged }))
    }

    /// Writes all findings of an outcome into the file, with what is known of files and checks that it is not
    /// about.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn write(&self, outcome: &Outcome, console: &Console) -> Result<Exit, Stop> {
        let known = self.baseline.renewed(outcome, &|path| self.is_gone(path));
        std::fs::write(&self.path, known.text()).map_err(|error| self.error(error))?;
        let many = if known.len() == 1 { "finding is" } else { "findings are" };
        console.print(&format!("{} {many} known now, in {}\n", known.len(), self.name()))?;
        Ok(Exit::Ok)
    }

    /// Takes known findings out of an outcome. What is known and not found any more is told, as findings in
    /// the file of the baseline; with `--fix` and `--prune-baseline` it is taken out of that, with `--diff`
    /// that is shown. Says whether there was something to show.
    ///
    /// # Errors
    /// When the file can't be written, or the output.
    pub(super) fn compare(
        &self,
        flags: &Lint,
        outcome: &mut Outcome,
        before: Option<&Before>,
        configurations: &mut Configurations<'_>,
        console: &Console,
    ) -> Result<bool, Stop> {
        let mut compared = self.baseline.apply(outcome, &|path| self.is_gone(path));
        if let Some(before) = before {
            // Only what the change brought is told: what was there before it and is not any more.
            compared.stale.retain(|print| before.has_finding(print));
        }
        if compared.known > 0 && flags.format == Format::Text && !flags.diff {
            console.remark(&format!("known and not told: {}\n", compared.known));
        }
        let Some(text) = self.text.as_ref().filter(|_| !compared.stale.is_empty()) else {
            return Ok(false);
        };
        if flags.fix || flags.diff || flags.prune_baseline {
            let pruned = Baseline::pruned(text, &compared.stale).map_err(Stop::Usage)?;
            if flags.diff {
                let name = self.path.display().to_string();
                let diff =
                    crate::commands::fmt::diff(&name, text.as_bytes(), &pruned, console.color);
                console.print(&diff)?;
                return Ok(true);
            }
            atomic::replace(&self.path, pruned.as_bytes()).map_err(|error| self.error(error))?;
            let times = compared.stale.len();
            let changes = if times == 1 { "change" } else { "changes" };
            console.remark(&format!("{}: {times} {changes}\n", self.name()));
            return Ok(true);
        }
        let here = configurations.of(&self.path)?;
        let input =
            here.input(self.path.display().to_string(), text.clone().into_bytes(), &self.path);
        outcome.files.extend(Baseline::tell_stale(&compared.stale, input));
        Ok(false)
    }

    /// Whether the file of an entry is no more. That can be told only where a configuration says which folder
    /// its path is relative to.
    fn is_gone(&self, path: &str) -> bool {
        let exists = |folder: &PathBuf| folder.join(path).exists();
        !self.folders.is_empty()
            && !self.is_staged
            && path != STDIN
            && !Path::new(path).exists()
            && !self.folders.iter().any(exists)
    }

    fn name(&self) -> String {
        visible::escape(&self.path.display().to_string()).into_owned()
    }

    fn error(&self, error: std::io::Error) -> InputError {
        InputError::Write { path: self.path.clone(), error }
    }
}
