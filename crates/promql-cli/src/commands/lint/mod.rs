//! `promql lint`: what is wrong with rules that are valid.

mod baseline;
mod catalogue;
mod ci;
mod concise;
mod configuration;
mod counts;
pub(in crate::commands) mod expression;
mod files;
mod init;
mod json;
mod live;
mod report;
mod sarif;
mod show;
mod since;
mod statistics;
mod timings;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum, ValueHint};
use promql_lint::{Config, Fixed, Outcome, Safety, Settings, Severity, Timings};
use promql_rules::rule_file::{LoadOptions, NameScheme};

use self::baseline::Known;
use self::configuration::Configurations;
use self::counts::Counts;
use self::live::Linted;
pub use self::live::LiveFlags;
use self::since::Before;
use super::Stop;
use super::check::{DialectChoice, Names};
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::InputError;
use crate::watch::{Pattern, Watch};
use crate::{atomic, paths, visible};

const AFTER: &str = "\
All files are looked at together, as the rules of one server. Of a folder all files that end
in .yml, .yaml or .json are looked at if they hold rules or are Grafana dashboards.

A CHECK is a name (`regex-literal`), a code (`M001`), the front of a code (`M`), a category
(`matcher`), `default` or `all`; `promql lint --list` shows them.

Examples:
  promql lint rules/
  promql lint --select matcher,alerting --ignore for-zero rules/
  promql lint --severity regex-literal=error --fail-on warning rules/
  promql lint --diff rules/            # what --fix would change
  promql lint -o json rules/ | jq '.findings[]'
  promql lint --explain regex-literal
  helm template CHART | promql lint -
  promql lint -s http://localhost:9090 rules/    # does what they read exist there?
  promql lint --since origin/main rules/         # only what this branch brings

A promql.toml says which checks look, where, and how bad what they find is; the nearest one
upwards from each file counts.

Exit codes: 0 nothing as bad as --fail-on was found; 1 something was; 2 a file can't be read
or the command was not understood.";

/// Arguments of `promql lint`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Lint {
    /// Rule files, dashboards, folders, patterns such as 'rules/**/*.yml', or `-` for standard input, which is
    /// also read if there is none
    #[arg(value_name = "FILE|FOLDER|GLOB", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<String>,
    /// Only these checks look
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub select: Vec<String>,
    /// These checks look too
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub extend_select: Vec<String>,
    /// These checks don't look
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// How bad the findings of checks are: CHECK=error, CHECK=warning, CHECK=info, CHECK=off
    #[arg(long, value_name = "CHECK=SEVERITY", value_delimiter = ',')]
    pub severity: Vec<String>,
    /// From which severity on the command ends with 1; `error` unless a promql.toml says otherwise
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub fail_on: Option<Level>,
    /// Show nothing less than this
    #[arg(long, value_name = "SEVERITY", default_value = "info", value_enum)]
    pub min_severity: Level,
    /// End with 0 whatever is found
    #[arg(long)]
    pub exit_zero: bool,
    /// Whose rule files these are; `auto` unless a promql.toml says otherwise
    #[arg(long, value_name = "WHOSE", value_enum)]
    pub dialect: Option<DialectChoice>,
    /// Which names of metrics, labels and annotations are allowed; `utf8` unless a promql.toml says
    /// otherwise
    #[arg(long, value_name = "SCHEME", value_enum)]
    pub names: Option<Names>,
    /// The configuration, in place of the promql.toml that is nearest upwards from each file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "isolated")]
    pub config: Option<PathBuf>,
    /// Read no configuration
    #[arg(long)]
    pub isolated: bool,
    /// A file with findings that are known and not told; written by --write-baseline
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
    /// Write all findings into the baseline, so that later runs tell new ones only
    #[arg(long, conflicts_with_all = ["fix", "diff"])]
    pub write_baseline: bool,
    /// Take out of the baseline what is not found any more
    #[arg(long, conflicts_with_all = ["fix", "diff", "write_baseline"])]
    pub prune_baseline: bool,
    /// Tell only what a branch brought: findings that were not there in the commit from which it and
    /// REV began to differ
    #[arg(long, value_name = "REV", conflicts_with_all = ["fix", "diff", "write_baseline"])]
    pub since: Option<String>,
    /// Look at the files as they are staged for the next commit, and tell only what that brings
    #[arg(long, conflicts_with_all = ["fix", "diff", "write_baseline"])]
    pub staged: bool,
    /// Make the changes in the files that keep all results, and tell what is left
    #[arg(long)]
    pub fix: bool,
    /// With --fix or --diff, changes too that may change results
    #[arg(long)]
    pub unsafe_fixes: bool,
    /// Show the changes that --fix would make, and change nothing; ends with 1 if there are any
    #[arg(long, conflicts_with = "fix")]
    pub diff: bool,
    /// Write comments into the files that silence what is found in them, with this reason; nothing is told
    /// but what can't be silenced so
    #[arg(long, value_name = "REASON", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "", conflicts_with_all = ["fix", "diff", "write_baseline", "staged", "watch"])]
    pub add_suppressions: Option<String>,
    /// Show what a check looks for, why, and with which examples
    #[arg(long, value_name = "CHECK", conflicts_with = "paths")]
    pub explain: Option<String>,
    /// Show what counts for a file, and who says so: the configuration, and which checks look
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["paths", "explain"])]
    pub show_config: Option<String>,
    /// Show all checks
    #[arg(long, conflicts_with_all = ["paths", "explain", "show_config"])]
    pub list: bool,
    /// Show how often each check found something, in place of what it found
    #[arg(long)]
    pub statistics: bool,
    /// Show how long each check took, in place of what it found
    #[arg(long, conflicts_with_all = ["statistics", "fix", "diff"])]
    pub timings: bool,
    /// With --since or --staged, tell all that is found in rules that are new or were changed, and nothing
    /// else; what was there before is not looked at, which is faster
    #[arg(long, conflicts_with_all = ["fix", "diff", "write_baseline"])]
    pub changed_only: bool,
    /// Run again whenever a file changes
    #[arg(short, long, conflicts_with_all = ["explain", "list", "init", "fix", "diff", "write_baseline", "prune_baseline"])]
    pub watch: bool,
    /// Write a promql.toml into this folder to begin with, and a baseline of what is found in it today
    #[arg(long, conflicts_with_all = ["explain", "list", "fix", "diff", "statistics", "config"])]
    pub init: bool,
    /// Write a promql.toml to standard output that demands what a configuration of pint does, as far as it can
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["paths", "explain", "list", "init", "show_config"])]
    pub import_pint: Option<PathBuf>,
    /// The server that checks ask.
    #[command(flatten)]
    pub live: LiveFlags,
    /// How to answer
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "text", value_enum)]
    pub format: Format,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Worth to know
    Info,
    /// Most likely not what was meant
    Warning,
    /// For certain not what was meant
    Error,
}

impl Level {
    fn severity(self) -> Severity {
        match self {
            Level::Info => Severity::Info,
            Level::Warning => Severity::Warning,
            Level::Error => Severity::Error,
        }
    }
}

/// How `promql lint` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Each finding in its file, and a summary
    Text,
    /// A line for each finding: `FILE:LINE:COLUMN: SEVERITY[CODE] NAME: MESSAGE`
    Concise,
    /// One object: {"success","counts","findings"}
    Json,
    /// SARIF 2.1.0, for code hosts
    Sarif,
    /// Workflow commands of GitHub
    Github,
    /// GitLab's report on code quality
    Gitlab,
    /// JUnit's XML: a suite for each file, a case for each rule
    Junit,
    /// Checkstyle's XML
    Checkstyle,
}

impl Lint {
    /// Looks at the files, or shows checks.
    ///
    /// # Errors
    /// When the arguments don't fit together, a file can't be read, or the answer can't be written.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        let mut configurations = Configurations::new(self)?;
        if let Some(word) = &self.explain {
            console.print(&catalogue::explain(word, self.format)?)?;
            return Ok(Exit::Ok);
        }
        if let Some(path) = &self.show_config {
            if !matches!(self.format, Format::Text | Format::Json) {
                return Err(Stop::Usage("--show-config answers as text or json".to_owned()));
            }
            console.print(&show::run(self, path, &mut configurations)?)?;
            return Ok(Exit::Ok);
        }
        if let Some(path) = &self.import_pint {
            let error = |error| InputError::File { path: path.clone(), error };
            let text = std::fs::read_to_string(path).map_err(error)?;
            let name = path.display().to_string();
            let name = visible::escape(&name);
            let made = promql_lint::import_pint(&text)
                .map_err(|error| Stop::Usage(format!("{name} can't be read: {error}")))?;
            console.print(&made)?;
            return Ok(Exit::Ok);
        }
        if self.list {
            let here = configurations.of(Path::new("x"))?;
            console.print(&catalogue::list(&here.settings, self.format, console))?;
            return Ok(Exit::Ok);
        }
        if self.init {
            return init::run(self, &mut configurations, console);
        }
        if self.watch {
            return self.watch(console);
        }
        self.run_once(console).map(|(exit, _)| exit)
    }

    /// Looks at the files whenever one of them changes, or a configuration.
    fn watch(&self, console: &Console) -> Result<Exit, Stop> {
        if self.staged || self.paths.is_empty() || self.paths.iter().any(|path| path == "-") {
            let text = "--watch looks at files of folders: name them; standard input and what is staged are none";
            return Err(Stop::Usage(text.to_owned()));
        }
        let watch = Watch {
            arguments: &self.paths,
            is_wanted: paths::is_yaml,
            is_for_programs: !matches!(self.format, Format::Text | Format::Concise),
        };
        watch.run(console, || self.run_once(console))
    }

    /// Looks at the files. Says how that ended, and which files count besides them.
    fn run_once(&self, console: &Console) -> Result<(Exit, Vec<Pattern>), Stop> {
        let start = Instant::now();
        let mut configurations = Configurations::new(self)?;
        if (self.statistics || self.timings) && !matches!(self.format, Format::Text | Format::Json)
        {
            let flag = if self.timings { "--timings" } else { "--statistics" };
            return Err(Stop::Usage(format!("{flag} answers as text or json")));
        }
        if self.changed_only && self.since.is_none() && !self.staged {
            let text = "--changed-only needs to know since when: --since REV, or --staged";
            return Err(Stop::Usage(text.to_owned()));
        }
        let mut before = Before::read(self, &mut configurations)?;
        let mut inputs = match self.staged {
            true => since::staged(self, &mut configurations)?,
            false => files::find(&self.paths, &mut configurations)?,
        };
        if let Some(before) = &mut before {
            before.tell(&mut inputs, &mut configurations)?;
        }
        let known = Known::read(self, &configurations)?;
        let settings = Settings::default();
        let up_to = if self.unsafe_fixes { Safety::Unsafe } else { Safety::Safe };
        if self.diff {
            let (fixed, mut outcome) = promql_lint::fix(inputs, &settings, up_to);
            let mut is_changed = self.show_changes(fixed, console)?;
            if let Some(known) = known {
                is_changed |=
                    known.compare(self, &mut outcome, None, &mut configurations, console)?;
            }
            let exit = if is_changed { Exit::Failed } else { Exit::Ok };
            return Ok((exit, configurations.watched(self)));
        }
        let timings = self.timings.then(Timings::default);
        let mut outcome = match self.fix {
            true => {
                let (fixed, outcome) = promql_lint::fix(inputs, &settings, up_to);
                self.write(&fixed, console)?;
                outcome
            }
            false => match self.live.lint(
                inputs,
                before.as_ref(),
                &configurations,
                timings.as_ref(),
                console,
            )? {
                Linted::Found(outcome) => *outcome,
                Linted::Ended(exit) => return Ok((exit, configurations.watched(self))),
            },
        };
        if let Some(known) = known {
            if self.write_baseline {
                return Ok((known.write(&outcome, console)?, Vec::new()));
            }
            known.compare(self, &mut outcome, before.as_ref(), &mut configurations, console)?;
        }
        if let Some(before) = &before {
            before.take_out(&mut outcome);
        }
        if let Some(reason) = &self.add_suppressions {
            self.silence(&mut outcome, reason, console)?;
        }
        let fail_on = self.fail_on.map(Level::severity).or(configurations.fail_on());
        let fail_on = fail_on.unwrap_or(Severity::Error);
        let exit = self.exit(&outcome, fail_on);
        for file in &mut outcome.files {
            file.findings.retain(|finding| finding.severity >= self.min_severity.severity());
        }
        let counts = Counts::of(&outcome);
        let is_ok = exit == Exit::Ok;
        let timed = timings.as_ref().map(|timings| match self.format {
            Format::Json => timings::json(timings, start.elapsed(), is_ok),
            _ => timings::text(timings, start.elapsed()),
        });
        let answer = match self.format {
            _ if timed.is_some() => timed.unwrap_or_default(),
            Format::Text if self.statistics => statistics::text(&outcome),
            Format::Json if self.statistics => statistics::json(&outcome, is_ok),
            Format::Text => report::text(&outcome, &counts, console),
            Format::Concise => concise::render(&outcome),
            Format::Json => json::render(&outcome, counts, is_ok),
            Format::Sarif => sarif::render(&outcome),
            Format::Github => ci::github(&outcome),
            Format::Gitlab => ci::gitlab(&outcome),
            Format::Junit => ci::junit(&outcome, fail_on),
            Format::Checkstyle => ci::checkstyle(&outcome),
        };
        console.print(&answer)?;
        // The process ends now; to give back the parts of ten thousand rules one by one takes time.
        if !self.watch {
            std::mem::forget(outcome);
        }
        Ok((exit, configurations.watched(self)))
    }

    /// Shows what would be changed. Says whether there is something.
    fn show_changes(&self, fixed: Vec<Fixed>, console: &Console) -> Result<bool, Stop> {
        let mut is_changed = false;
        for file in fixed.iter().filter(|file| file.before != file.after) {
            is_changed = true;
            let diff =
                super::fmt::diff(&file.name, file.before.as_bytes(), &file.after, console.color);
            console.print(&diff)?;
        }
        Ok(is_changed)
    }

    /// Writes what was changed; what came from standard input isn't.
    fn write(&self, fixed: &[Fixed], console: &Console) -> Result<(), Stop> {
        for file in fixed.iter().filter(|file| file.before != file.after) {
            if file.name == files::STDIN {
                let text =
                    "--fix changes files, and standard input is none; --diff shows the changes";
                return Err(Stop::Usage(text.to_owned()));
            }
            let path = Path::new(&file.name);
            let error = |error| InputError::Write { path: path.to_path_buf(), error };
            atomic::replace(path, file.after.as_bytes()).map_err(error)?;
            let times = file.done.len();
            let changes = if times == 1 { "change" } else { "changes" };
            console.remark(&format!("{}: {times} {changes}\n", visible::escape(&file.name)));
        }
        for file in fixed {
            if let Some(reason) = file.refused {
                console
                    .remark(&format!("{}: not changed: {reason}\n", visible::escape(&file.name)));
            }
        }
        Ok(())
    }

    /// Writes comments that silence what is found, and leaves what can't be silenced in the outcome.
    fn silence(&self, outcome: &mut Outcome, reason: &str, console: &Console) -> Result<(), Stop> {
        for (number, comments) in promql_lint::silence(outcome, reason) {
            let Some(file) = outcome.files.get(number) else { continue };
            if file.name == files::STDIN {
                let text = "--add-suppressions changes files, and standard input is none";
                return Err(Stop::Usage(text.to_owned()));
            }
            let path = Path::new(&file.name);
            let error = |error| InputError::Write { path: path.to_path_buf(), error };
            atomic::replace(path, file.text.as_bytes()).map_err(error)?;
            let word = if comments == 1 { "comment" } else { "comments" };
            console.remark(&format!(
                "{}: {comments} {word}
",
                visible::escape(&file.name)
            ));
        }
        Ok(())
    }

    fn exit(&self, outcome: &Outcome, fail_on: Severity) -> Exit {
        let counts = |severity: Severity| severity >= fail_on;
        let findings = outcome.files.iter().flat_map(|file| &file.findings);
        match findings.map(|finding| finding.severity).any(counts) && !self.exit_zero {
            true => Exit::Failed,
            false => Exit::Ok,
        }
    }

    /// How rule files are read.
    fn load_options(&self, config: &Config) -> LoadOptions {
        let dialect = match self.dialect {
            Some(choice) => choice.dialect(),
            None => config.dialect,
        };
        let names = match self.names {
            Some(Names::Utf8) => Some(NameScheme::Utf8),
            Some(Names::Legacy) => Some(NameScheme::Legacy),
            None => config.names,
        };
        LoadOptions { dialect, names: names.unwrap_or(NameScheme::Utf8), ..LoadOptions::default() }
    }

    /// Which checks look, by a configuration and then by the arguments.
    fn settings(&self, configured: &Settings) -> Result<Settings, Stop> {
        let mut settings = configured.clone();
        if !self.select.is_empty() {
            settings.spoken_by("--select");
            settings.select("all", false);
        }
        let words = [
            ("--select", &self.select, true),
            ("--extend-select", &self.extend_select, true),
            ("--ignore", &self.ignore, false),
        ];
        let words = words
            .iter()
            .flat_map(|(flag, words, is_on)| words.iter().map(|word| (*flag, word, *is_on)));
        for (flag, word, is_on) in words {
            settings.spoken_by(flag);
            if !is_on {
                switch_off(word)?;
            }
            if !settings.select(word, is_on) {
                return Err(unknown(word));
            }
        }
        settings.spoken_by("--severity");
        for pair in &self.severity {
            let Some((word, level)) = pair.split_once('=') else {
                let text = format!("`{pair}` is not of the form CHECK=SEVERITY");
                return Err(Stop::Usage(text));
            };
            let severity = Severity::ALL.into_iter().find(|severity| severity.name() == level);
            let is_known = match severity {
                Some(severity) => settings.set_severity(word, severity),
                None if level == "off" => {
                    switch_off(word)?;
                    settings.select(word, false)
                }
                None => {
                    let text = format!("`{level}` is no severity: error, warning, info or off");
                    return Err(Stop::Usage(text));
                }
            };
            if !is_known {
                return Err(unknown(word));
            }
        }
        Ok(settings)
    }
}

/// Complains if a word is the name of a check that can't be switched off.
fn switch_off(word: &str) -> Result<(), Stop> {
    match promql_lint::check(word).is_some_and(promql_lint::Check::is_always_on) {
        true => Err(Stop::Usage(format!(
            "`{word}` can't be switched off: it says that a file is invalid; --severity {word}=info makes less of it"
        ))),
        false => Ok(()),
    }
}

fn unknown(word: &str) -> Stop {
    let like = catalogue::like(word).map(|name| format!("; did you mean `{name}`?"));
    let like = like.unwrap_or_else(|| "; `promql lint --list` shows all".to_owned());
    Stop::Usage(format!("no check is called `{word}`{like}"))
}
