//! `promql test`: runs test scripts and unit tests.

mod coverage;
mod features;
mod files;
mod json;
pub(in crate::commands) mod junit;
mod report;
mod run;
mod table;
mod unit;

use clap::{Args, ValueEnum, ValueHint};
use promql_rules::rule_file::{Dialect, LoadOptions};
use promql_rules::script::RunOptions;
use promql_rules::unit_test;

use self::coverage::CoverageArgs;
use self::features::Settings;
use self::run::{Outcome, Selection, State};
use self::unit::{RuleCache, UnitSettings};
use super::Stop;
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::InputError;
use crate::progress::Progress;
use crate::time::range;
use crate::watch::Watch;
use crate::{atomic, interrupt, paths, visible};

const AFTER: &str = "\
A script loads series, evaluates queries over them, and says what must come out:

  load 30s
    up{job=\"api\"} 1 1 0

  eval instant at 1m sum by (job) (up)
    {job=\"api\"} 0

A unit-test file of promtool has input series too, and says what rules and expressions make
of them; the rule files stand in it. --run chooses its tests by their names.

Of scripts, --run chooses among lines such as `tests/up.test:4: eval instant at 1m sum(up)`:
those that contain the pattern, and those that match it as a regular expression.

Examples:
  promql test tests/                    # all .test files of a folder
  promql test --run 'up.test:4:' tests/ # one eval
  promql test --update tests/           # write what comes into the files as what must come
  promql test -o json tests/ | jq .counts
  promql test --explain rules-tests.yml # also what parts of failing expressions give
  promql test --coverage --coverage-min 80 rules-tests.yml
                                        # also what of the rules is tested, and is it enough

Exit codes: 0 all tests passed; 1 some did not, or too little is covered; 2 a file can't be
read or the command was not understood.";

/// Arguments of `promql test`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Test {
    /// Test scripts, unit-test files in YAML, folders with them, patterns such as
    /// 'tests/**/*.test', or `-`
    #[arg(value_name = "FILE|FOLDER|GLOB", required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<String>,
    /// Run only tests and evals like this; may be given several times
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub run: Vec<String>,
    /// Give promtool's verdicts on unit tests, in its words, and nothing more
    #[arg(long, conflicts_with = "update")]
    #[arg(conflicts_with_all = ["coverage", "coverage_listing", "coverage_min"])]
    #[arg(conflicts_with_all = ["coverage_rules", "coverage_lcov"])]
    pub strict_promtool: bool,
    /// Also run each unit test with its groups in so many other orders that promtool may choose, and
    /// fail those that come out differently
    #[arg(long, value_name = "COUNT", default_value_t = 0, conflicts_with = "strict_promtool")]
    pub shuffle_groups: u32,
    /// Let keys pass in rule files that nobody knows
    #[arg(long)]
    pub ignore_unknown_fields: bool,
    /// Also write a report as JUnit's XML
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub junit: Option<std::path::PathBuf>,
    /// Also show what each part of a failing expression gives
    #[arg(long, help_heading = "Display")]
    pub explain: bool,
    /// Show what failing tests give as lines that are missing or added
    #[arg(long, help_heading = "Display")]
    pub diff: bool,
    /// Also show the series that each unit test leaves behind, on standard error
    #[arg(long, help_heading = "Display")]
    pub debug: bool,
    /// Write what failing tests and evals give into their files as what they must give
    #[arg(long)]
    pub update: bool,
    /// Run again as files change, rule files too; Ctrl-C ends
    #[arg(long, conflicts_with = "update")]
    pub watch: bool,
    /// End with the first eval that fails
    #[arg(long, conflicts_with = "update")]
    pub fail_fast: bool,
    /// Also say what passed
    #[arg(long, short)]
    pub verbose: bool,
    /// How to answer
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "text", value_enum)]
    pub format: Format,

    /// Run instant queries as they are only, not also with @ and as range queries
    #[arg(long, help_heading = "Evaluation")]
    pub no_variants: bool,
    /// How old a sample may be that an instant selector takes [default: 5m]
    #[arg(long, value_name = "DURATION", help_heading = "Evaluation")]
    pub lookback: Option<String>,
    /// How long a query may take [default: 100s]
    #[arg(long, value_name = "DURATION", help_heading = "Evaluation")]
    pub timeout: Option<String>,
    /// How many samples a query may hold at once [default: 10000]
    #[arg(long, value_name = "COUNT", help_heading = "Evaluation")]
    pub max_samples: Option<usize>,
    /// Behave as a server with these features
    #[arg(long, value_name = "LIST", help_heading = "Evaluation")]
    #[arg(value_delimiter = ',', long_help = features::ENABLE_HELP)]
    pub enable_feature: Vec<String>,
    /// Behave as a server without these features
    #[arg(long, value_name = "LIST", help_heading = "Evaluation")]
    #[arg(value_delimiter = ',', long_help = features::DISABLE_HELP)]
    pub disable_feature: Vec<String>,

    /// Samples of a failure before its middle is left out; 0 shows all [default: 40]
    #[arg(long, value_name = "COUNT", help_heading = "Display")]
    pub max_rows: Option<usize>,
    /// Columns to use [default: those of the terminal]
    #[arg(long, value_name = "COLUMNS", help_heading = "Display")]
    pub width: Option<usize>,
    /// Draw with ASCII characters only
    #[arg(long, help_heading = "Display")]
    pub ascii: bool,

    /// What is asked for about coverage.
    #[command(flatten)]
    pub coverage: CoverageArgs,
}

/// How `promql test` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// What failed, expected and actual side by side, and a summary
    Text,
    /// One object: {"success","counts","files"}
    Json,
}

impl Test {
    /// Runs the scripts.
    ///
    /// # Errors
    /// When the arguments don't fit together, a script can't be read or written, or the answer can't
    /// be written.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        if !self.watch {
            return self.run_once(console).map(|(exit, _)| exit);
        }
        if self.paths.iter().any(|path| path == "-") {
            let text = "--watch looks at files, and standard input is none";
            return Err(Stop::Usage(text.to_string()));
        }
        let watch = Watch {
            arguments: &self.paths,
            is_wanted: |path| files::is_script(path) || paths::is_yaml(path),
            is_for_programs: self.format == Format::Json,
        };
        watch.run(console, || {
            let (exit, outcomes) = self.run_once(console)?;
            let patterns = |outcome: Outcome| match outcome.state {
                State::UnitTests(run) => run.patterns,
                _ => Vec::new(),
            };
            Ok((exit, outcomes.into_iter().flat_map(patterns).collect()))
        })
    }

    fn run_once(&self, console: &Console) -> Result<(Exit, Vec<Outcome>), Stop> {
        let settings = self.settings()?;
        let inputs = files::find(&self.paths)?;
        if self.update && inputs.iter().any(|input| input.path.is_none()) {
            let text = "--update changes files, and standard input is none";
            return Err(Stop::Usage(text.to_string()));
        }
        let selection = Selection::new(&self.run, self.fail_fast);
        let cancellation = interrupt::listen(*console);
        let start = jiff::Zoned::now();
        let options = RunOptions { cancellation: cancellation.clone(), ..settings.options };
        let unit = UnitSettings {
            options: unit_test::RunOptions {
                features: settings.features,
                traps: !self.strict_promtool,
                shuffles: self.shuffle_groups,
                keep_series: self.debug,
                coverage: self.coverage.is_wanted(),
                cancellation: cancellation.clone(),
                engine: settings.unit_engine,
            },
            rules: RuleCache::new(LoadOptions {
                dialect: self.strict_promtool.then_some(Dialect::Prometheus),
                features: settings.features,
                ignore_unknown_keys: self.ignore_unknown_fields,
                ..LoadOptions::default()
            }),
            explain: self.explain && !self.strict_promtool,
            extensions: !self.strict_promtool,
        };
        let total = inputs.len();
        let mut outcomes = {
            let progress = Progress::counting(console, "running test scripts".to_string(), total);
            interrupt::while_stoppable(|| {
                run::run_all(
                    inputs,
                    &settings.features,
                    &options,
                    &unit,
                    &selection,
                    self.update,
                    &progress,
                )
            })
        };
        if cancellation.is_cancelled() {
            return Ok((Exit::Interrupted, outcomes));
        }
        if !self.strict_promtool && selection.leaves_nothing(&outcomes) {
            return Err(Stop::Usage(format!(
                "no eval is like {}; --verbose without --run lists them",
                self.run.join(" or ")
            )));
        }
        let mut exit = Exit::Ok;
        for outcome in &mut outcomes {
            if let Err(error) = write(outcome) {
                console.error(&error.to_string());
                outcome.forget_update();
                exit = Exit::Usage;
            }
            exit = exit.and(outcome.exit());
        }
        if let Some(path) = &self.junit {
            let report = junit::render(&outcomes, &start);
            std::fs::write(path, report)
                .map_err(|error| InputError::Write { path: path.clone(), error })?;
        }
        let coverage = match self.coverage.is_wanted() {
            true => Some(self.coverage.collect(&outcomes, &unit.rules, console)?),
            false => None,
        };
        if let Some(coverage) = &coverage {
            self.coverage.write(coverage)?;
            if self.coverage.shortfall(coverage).is_some() {
                exit = exit.and(Exit::Failed);
            }
        }
        if self.strict_promtool && exit == Exit::Usage {
            exit = Exit::Failed;
        }
        if self.debug {
            for outcome in &outcomes {
                if let State::UnitTests(run) = &outcome.state {
                    console.remark(&unit::debug::tell(run, &unit.options));
                }
            }
        }
        match self.format {
            Format::Text if self.strict_promtool => unit::promtool::tell(&outcomes, console)?,
            Format::Text => report::tell(&outcomes, coverage.as_ref(), self, console)?,
            Format::Json => {
                let coverage = coverage.map(|coverage| self.coverage.entry(&coverage));
                console.print(&json::render(&outcomes, coverage, exit == Exit::Ok))?;
            }
        }
        Ok((exit, outcomes))
    }

    fn settings(&self) -> Result<Settings, Stop> {
        let mut settings = Settings::default();
        settings.options.variants = !self.no_variants;
        for name in &self.enable_feature {
            settings.switch(name, true).map_err(Stop::Usage)?;
        }
        for name in &self.disable_feature {
            settings.switch(name, false).map_err(Stop::Usage)?;
        }
        let duration = |flag, text: &Option<String>| {
            let read = |text: &String| {
                range::duration(flag, text).map_err(|error| Stop::Usage(error.to_string()))
            };
            let milliseconds = text.as_ref().map(read).transpose()?;
            Ok::<_, Stop>(
                milliseconds.map(|ms| std::time::Duration::from_millis(ms.unsigned_abs())),
            )
        };
        let lookback = duration("lookback", &self.lookback)?;
        let timeout = duration("timeout", &self.timeout)?;
        for engine in [&mut settings.options.engine, &mut settings.unit_engine] {
            engine.lookback_delta = lookback.unwrap_or(engine.lookback_delta);
            engine.timeout = timeout.or(engine.timeout);
            engine.max_samples = self.max_samples.unwrap_or(engine.max_samples);
        }
        Ok(settings)
    }
}

/// Writes a file that was brought up to date, unless somebody else wrote to it in the meantime.
fn write(outcome: &Outcome) -> Result<(), InputError> {
    let Some(path) = &outcome.path else { return Ok(()) };
    let (old, new) = match &outcome.state {
        State::Ran { script, update: Some(update), .. } if !update.changes.is_empty() => {
            (script.text(), &update.text)
        }
        State::UnitTests(run) => match &run.update {
            Some(updated) => (&*run.file.text, &updated.update.text),
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    let error = |error| InputError::Write { path: path.clone(), error };
    if std::fs::read(path).map_err(error)? != old.as_bytes() {
        return Err(error(std::io::Error::other("it was changed while it ran")));
    }
    atomic::replace(path, new.as_bytes()).map_err(error)
}

/// What a script is called in the report.
fn shown_name(name: &str) -> String {
    visible::escape(name).into_owned()
}
