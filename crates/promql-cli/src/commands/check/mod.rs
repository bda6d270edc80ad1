//! `promql check`: whether rule files are valid.

mod examine;
mod files;
mod json;
mod promtool;
mod report;

use clap::{Args, ValueEnum, ValueHint};
use promql_rules::rule_file::{Dialect, LoadOptions, NameScheme};
use promql_syntax::Features;

use self::examine::Outcome;
use super::Stop;
use crate::console::Console;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::watch::Watch;
use crate::{features, interrupt, paths};

const AFTER: &str = "\
What a file is follows from its keys: a rule file, unit tests of rules, or the
configuration of a server (prometheus.yml), of which the rule files that it names are
checked as well. Kubernetes objects of the kind PrometheusRule are read as they are. Of a
folder all files that end in .yml, .yaml or .json are checked if they are one of these.

Examples:
  promql check rules/
  promql check 'rules/**/*.yml' prometheus.yml
  helm template CHART | promql check
  promql check -o json rules/ | jq '.files[].diagnostics[]'
  promql check -o promtool rules.yml    # exactly what `promtool check rules` says

Exit codes: 0 all files are valid; 1 some are not; 2 a file can't be read or the command
was not understood; 3 there are only warnings, and --lint-fatal was given.";

/// Arguments of `promql check`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Check {
    /// Rule files, unit tests, configurations, folders, patterns such as 'rules/**/*.yml', or `-`
    /// for standard input, which is also read if there is none
    #[arg(value_name = "FILE|FOLDER|GLOB", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<String>,
    /// Whose files these are
    #[arg(long, value_name = "WHOSE", default_value = "auto", value_enum)]
    pub dialect: DialectChoice,
    /// Let keys pass that nobody knows
    #[arg(long)]
    pub ignore_unknown_fields: bool,
    /// Which names of metrics, labels and annotations are allowed
    #[arg(long, value_name = "SCHEME", default_value = "utf8", value_enum)]
    pub names: Names,
    /// What to look for beyond what makes a file invalid
    #[arg(long, value_name = "LIST", default_value = "duplicate-rules", value_enum)]
    #[arg(value_delimiter = ',')]
    pub lint: Vec<Lint>,
    /// End with 3 if there are warnings but no errors
    #[arg(long)]
    pub lint_fatal: bool,
    /// How far back instant selectors of the server look
    #[arg(long, alias = "query.lookback-delta", value_name = "DURATION", default_value = "5m")]
    #[arg(value_parser = lookback)]
    pub lookback: Lookback,
    /// Don't open the rule files that unit tests and configurations name
    #[arg(long)]
    pub syntax_only: bool,
    /// Which experimental parts of the language are accepted.
    #[arg(long, alias = "enable-feature", value_name = "LIST", default_value = "all")]
    #[arg(value_parser = features::parse, help = features::HELP)]
    pub features: Features,
    /// Check again as files change, those too that others name; Ctrl-C ends
    #[arg(long)]
    pub watch: bool,
    /// Also say which files are valid
    #[arg(long, short)]
    pub verbose: bool,
    /// How to answer
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "text", value_enum)]
    pub format: Format,
}

/// How far back instant selectors look, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookback(pub i64);

fn lookback(text: &str) -> Result<Lookback, promql_model::DurationError> {
    promql_model::parse_duration(text).map(Lookback)
}

/// Whose rule files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DialectChoice {
    /// Whatever the keys of a file tell
    Auto,
    /// Prometheus, and nothing that it would refuse
    Prometheus,
    /// Mimir, Cortex, Grafana Cloud
    Mimir,
    /// Thanos Ruler
    Thanos,
    /// VictoriaMetrics' vmalert; expressions may be MetricsQL
    Vmalert,
    /// The Prometheus operator: Kubernetes objects only
    Operator,
}

impl DialectChoice {
    /// The dialect, if it isn't to be found out.
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            DialectChoice::Auto => None,
            DialectChoice::Prometheus => Some(Dialect::Prometheus),
            DialectChoice::Mimir => Some(Dialect::Mimir),
            DialectChoice::Thanos => Some(Dialect::Thanos),
            DialectChoice::Vmalert => Some(Dialect::Vmalert),
            DialectChoice::Operator => Some(Dialect::Operator),
        }
    }
}

/// Which names are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Names {
    /// Any text, as Prometheus 3 has it
    Utf8,
    /// Letters, digits and underscores
    Legacy,
}

/// What to look for beyond what makes a file invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lint {
    /// Everything
    All,
    /// Rules with the same name and labels
    DuplicateRules,
    /// Jobs of a configuration that are scraped less often than selectors look back
    TooLongScrapeInterval,
    /// Nothing
    None,
}

/// How `promql check` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// What is wrong, each in its file, and a summary
    Text,
    /// One object: {"success","counts","files"}
    Json,
    /// The words of `promtool check rules`, for programs that know these
    Promtool,
}

impl Check {
    /// Checks the files.
    ///
    /// # Errors
    /// When the arguments don't fit together, a file can't be read, or the answer can't be written.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        if !self.watch {
            let (exit, outcomes) = self.run_once(console)?;
            // The process ends now; to give back the parts of ten thousand rules one by one takes a
            // tenth of the time that reading them took.
            std::mem::forget(outcomes);
            return Ok(exit);
        }
        if self.paths.is_empty() || self.paths.iter().any(|path| path == "-") {
            let text = "--watch looks at files, and standard input is none";
            return Err(Stop::Usage(text.to_string()));
        }
        let watch = Watch {
            arguments: &self.paths,
            is_wanted: paths::is_yaml,
            is_for_programs: self.format == Format::Json,
        };
        watch.run(console, || {
            let (exit, outcomes) = self.run_once(console)?;
            let patterns = outcomes.into_iter().flat_map(|outcome| outcome.patterns);
            Ok((exit, patterns.collect()))
        })
    }

    fn run_once(&self, console: &Console) -> Result<(Exit, Vec<Outcome>), Stop> {
        let inputs = files::find(&self.paths)?;
        let cancellation = interrupt::listen(*console);
        let total = inputs.len();
        let outcomes = {
            let progress = Progress::counting(console, "checking files".to_string(), total);
            interrupt::while_stoppable(|| examine::all(inputs, self, &cancellation, &progress))
        };
        if cancellation.is_cancelled() {
            return Ok((Exit::Interrupted, outcomes));
        }
        let exit = outcomes.iter().map(|outcome| outcome.exit(self)).fold(Exit::Ok, Exit::and);
        match self.format {
            Format::Text => report::tell(&outcomes, self, console)?,
            Format::Json => console.print(&json::render(&outcomes, exit == Exit::Ok))?,
            Format::Promtool => promtool::tell(&outcomes, self, console)?,
        }
        Ok((exit, outcomes))
    }

    /// How rule files are read. Upstream's tool knows upstream's files only.
    fn load_options(&self) -> LoadOptions {
        let dialect = match (self.dialect, self.format) {
            (DialectChoice::Auto, Format::Promtool) => Some(Dialect::Prometheus),
            (choice, _) => choice.dialect(),
        };
        LoadOptions {
            dialect,
            features: self.features,
            names: match self.names {
                Names::Utf8 => NameScheme::Utf8,
                Names::Legacy => NameScheme::Legacy,
            },
            ignore_unknown_keys: self.ignore_unknown_fields,
            keep_queries: false,
        }
    }

    /// Whether jobs are looked for that scrape rarely, which upstream doesn't do unless it is told to;
    /// `none` keeps it from doing so.
    fn finds_rare_scrapes(&self) -> bool {
        let asks = |lint: &Lint| matches!(lint, Lint::All | Lint::TooLongScrapeInterval);
        self.lint.iter().any(asks) && !self.lint.contains(&Lint::None)
    }

    /// Whether duplicate rules are looked for. `none` adds nothing, as upstream has it.
    fn finds_duplicates(&self) -> bool {
        self.lint.iter().any(|lint| matches!(lint, Lint::All | Lint::DuplicateRules))
    }
}
