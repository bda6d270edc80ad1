//! Rules that are evaluated over sources.

use std::ops::RangeInclusive;
use std::sync::Arc;

use clap::{Args, ValueHint};
use promql_engine::{Cancellation, EngineOptions, Storage};
use promql_rules::evaluate::{EvaluateOptions, ManagerOptions, PreparedFile, RuleManager};
use promql_rules::rule_file::LoadOptions;

use super::Stop;
use super::query::usage;
use crate::console::Console;
use crate::inputs::InputError;
use crate::progress::Progress;
use crate::time::range;
use crate::{paths, report, visible};

/// Which rules are evaluated, and when.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules")]
pub struct RuleFlags {
    /// Rule files, folders or patterns, evaluated over the sources; may be given several times
    #[arg(long, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub rules: Vec<String>,
    /// How far back rules are evaluated first [default: until no alert waits for longer]
    #[arg(long, value_name = "DURATION", requires = "rules")]
    pub rules_since: Option<String>,
    /// How often groups are evaluated that don't say it
    #[arg(long, value_name = "DURATION", default_value = "1m", requires = "rules")]
    pub evaluation_interval: String,
}

/// Why rules can't be evaluated.
pub(in crate::commands) enum RulesFailure {
    /// The flags, or what they name.
    Stop(Stop),
    /// A file that no server would load, which was told.
    Invalid,
}

impl From<Stop> for RulesFailure {
    fn from(stop: Stop) -> Self {
        RulesFailure::Stop(stop)
    }
}

impl RuleFlags {
    /// Reads the files and evaluates their rules at times, in milliseconds since the epoch, and before
    /// them until no alert waits for longer. Nothing if there are no files.
    ///
    /// # Errors
    /// When a file can't be read, or is none that a server would load.
    pub(in crate::commands) fn evaluate(
        &self,
        storage: Arc<dyn Storage>,
        engine: EngineOptions,
        times: RangeInclusive<i64>,
        cancellation: &Cancellation,
        console: &Console,
    ) -> Result<Option<RuleManager>, RulesFailure> {
        if self.rules.is_empty() {
            return Ok(None);
        }
        let milliseconds = |flag, text: &str| range::duration(flag, text).map_err(usage);
        let interval = milliseconds("evaluation-interval", &self.evaluation_interval)?;
        let since = self.rules_since.as_ref();
        let since = since.map(|text| milliseconds("rules-since", text)).transpose()?;
        let files = load(&self.rules, console)?;
        let evaluate = EvaluateOptions {
            engine,
            cancellation: cancellation.clone(),
            ..EvaluateOptions::default()
        };
        let options =
            ManagerOptions { evaluate, interval: interval.max(1), ..ManagerOptions::default() };
        let mut manager = RuleManager::new(files, storage, options);
        let before = since.unwrap_or_else(|| manager.settling_time());
        manager.start(times.start().saturating_sub(before));
        let _progress = Progress::start(console, "evaluating rules".to_owned());
        crate::interrupt::while_stoppable(|| {
            while !cancellation.is_cancelled() && manager.step(*times.end()).is_some() {}
        });
        Ok(Some(manager))
    }
}

/// The rule files that arguments name, each once. Of folders only what looks like one.
fn load(arguments: &[String], console: &Console) -> Result<Vec<PreparedFile>, RulesFailure> {
    let mut paths = Vec::new();
    for argument in arguments {
        paths.extend(paths::rule_files(argument).map_err(Stop::from)?);
    }
    let mut seen = std::collections::HashSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    let mut files = Vec::with_capacity(paths.len());
    let mut is_valid = true;
    for path in paths {
        let name = path.display().to_string();
        let text = std::fs::read(&path)
            .map_err(|error| Stop::from(InputError::File { path: path.clone(), error }))?;
        let (file, findings) = match PreparedFile::load(&name, &text, &LoadOptions::default()) {
            Ok(file) => {
                files.push(file);
                continue;
            }
            Err(refused) => refused,
        };
        is_valid = false;
        for finding in findings.iter().filter(|finding| finding.is_error()) {
            let located = finding.located(&visible::escape(&name), &file.text);
            console.remark(&report::draw(&located, console));
        }
    }
    if is_valid { Ok(files) } else { Err(RulesFailure::Invalid) }
}
