//! `promql query`: asks a server, or evaluates over files here.

mod again;
pub(in crate::commands) mod empty;
pub(in crate::commands) mod evaluate;
pub(in crate::commands) mod history;
pub mod limits;
pub(in crate::commands) mod remarks;
pub mod server;
pub(in crate::commands) mod source;
mod stats;

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use miette::Diagnostic;
use promql_engine::{EvaluationTime, QueryOptions};
use promql_model::{QueryResult, QueryValue, Severity};
use promql_repl::Units;
use promql_storage::OpenOptions;

use self::evaluate::{Measured, QueryFailure};
use self::limits::LimitFlags;
use self::server::ServerFlags;
use self::source::Opened;
use super::Stop;
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::{Input, Name};
use crate::render::{self, Format, View, grid, number, unit};
use crate::time::{Clock, Times, When, range};
use crate::{interrupt, report};

const AFTER: &str = "\
Sources (-s):
  http://localhost:9090     a server with Prometheus' API (also https://, with a path prefix)
  fixture.test              the `load` blocks of a test script
  tests.yml                 the input_series of a promtool unit test
  metrics.prom, .txt, .om   what an exporter answers: exposition text, OpenMetrics
  /var/lib/prometheus       the data folder of a server, a snapshot, or a block
  scrape+http://localhost:9100/metrics   an exporter, scraped as long as the query looks back
  {env='prod'}SOURCE        any of these, with labels for its series
  -                         one of these texts from standard input
  Without -s the environment variable PROMQL_SOURCE says where to ask.

Times:
  now, now-1h, now+5m       relative to now
  2026-11-23T10:00:00Z      RFC 3339
  1795428000.5              seconds since the epoch
  10:00, 2026-11-23 10:00   local time; today, yesterday: its midnight
  A query of files is by default at the time of their last sample.

Examples:
  promql query -s http://localhost:9090 up
  promql query --last 1h 'sum by (job) (rate(http_requests_total[5m]))'
  promql query --time now-1d -o json 'up == 0' | jq '.data.result[].metric.instance'
  promql query -s a.test -s b.prom --start 0 --end 300 --step 60 -o csv x
  promql query --watch=1s -o graph 'sum(rate(http_requests_total[1m]))'
  promql query --diff=1h 'sum by (job) (rate(http_requests_total[5m]))'
  promql query --fail-if '> 0.9' 'disk_used_ratio'
  curl -s localhost:9100/metrics | promql query -s - node_load1";

/// Arguments of `promql query`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Query {
    /// Expressions, each answered on its own; `-` reads one from standard input
    #[arg(value_name = "EXPR")]
    pub expressions: Vec<String>,
    /// A file with an expression; may be given several times
    #[arg(short = 'f', long = "file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Where the series are; several files are one view
    #[arg(short, long = "source", value_name = "SOURCE", value_hint = ValueHint::AnyPath)]
    #[arg(env = "PROMQL_SOURCE", hide_env_values = true)]
    pub sources: Vec<String>,
    /// How to show the answer [default: graph for a range on a terminal, else table]
    #[arg(short = 'o', long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,

    /// When it is evaluated.
    #[command(flatten)]
    pub times: Times,

    /// Who evaluates: the server, or this program from the server's raw samples
    #[arg(long, value_name = "WHERE", value_enum, help_heading = "Evaluation")]
    #[arg(env = "PROMQL_EVAL", hide_env_values = true)]
    pub eval: Option<Evaluator>,
    /// What an evaluation may take.
    #[command(flatten)]
    pub limits: LimitFlags,
    /// Say on standard error what the evaluation took; with -o json under `stats`
    #[arg(long, help_heading = "Evaluation")]
    pub stats: bool,
    /// Exit with 1 when an answer has no series
    #[arg(long, help_heading = "Evaluation")]
    pub fail_empty: bool,
    /// Exit with 1 when there is a warning
    #[arg(long, help_heading = "Evaluation")]
    pub warn_as_error: bool,
    /// Exit with 1 when this holds: an expression that gives a series or a number other than 0, or the
    /// end of a comparison with the answer, as '> 0.9'; may be given several times
    #[arg(long, value_name = "CONDITION", help_heading = "Evaluation", allow_hyphen_values = true)]
    pub fail_if: Vec<String>,

    /// Ask again and again, and show what changed
    #[arg(long, value_name = "INTERVAL", help_heading = "Again and beside")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "5s")]
    pub watch: Option<String>,
    /// End --watch after so many times
    #[arg(long, value_name = "COUNT", help_heading = "Again and beside", requires = "watch")]
    pub rounds: Option<usize>,
    /// Compare with the answer so long before (1h) or of another source, or without a value the answers
    /// of two expressions
    #[arg(long, value_name = "1h|SOURCE", help_heading = "Again and beside")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "watch")]
    pub diff: Option<String>,
    /// Leave out differences of --diff up to this part of the value, as 1%, and exit with 1 when there
    /// are larger ones
    #[arg(long, value_name = "PART", help_heading = "Again and beside", requires = "diff")]
    #[arg(value_parser = tolerance)]
    pub tolerance: Option<f64>,

    /// How the server is asked.
    #[command(flatten)]
    pub server: ServerFlags,

    /// Rows of a table before its middle is left out; 0 shows all [default: 40 on a terminal]
    #[arg(long, value_name = "COUNT", help_heading = "Display")]
    pub max_rows: Option<usize>,
    /// In which unit values are, as bytes or seconds/s: off, auto, or one of them [default: auto on a
    /// terminal, which is what the expression says, else off]
    #[arg(long, value_name = "UNIT", help_heading = "Display", value_parser = units)]
    pub units: Option<Units>,
    /// Columns to use [default: those of the terminal]
    #[arg(long, value_name = "COLUMNS", help_heading = "Display")]
    pub width: Option<usize>,
    /// Lines of a graph [default: half of the terminal's]
    #[arg(long, value_name = "LINES", help_heading = "Display")]
    pub height: Option<usize>,
    /// Draw with ASCII characters only
    #[arg(long, help_heading = "Display")]
    pub ascii: bool,
    /// Show times in UTC instead of the local zone, and read them so
    #[arg(long, help_heading = "Display")]
    pub utc: bool,
}

/// Who evaluates a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Evaluator {
    /// The server
    Server,
    /// This program
    Local,
}

/// A table on a terminal has so many rows at most.
const MOST_ROWS: usize = 40;

impl Query {
    /// Answers the expressions.
    ///
    /// # Errors
    /// When the arguments don't fit together, an input can't be read, or the answer can't be
    /// written.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        if let Some(interval) = &self.watch {
            return self.watch(interval, console);
        }
        if let Some(what) = &self.diff {
            return self.diff(what, console);
        }
        let inputs = self.inputs()?;
        let cancellation = interrupt::listen(*console);
        let mut clock = Clock::system();
        if self.utc {
            clock.zone = jiff::tz::TimeZone::UTC;
        }
        let open = OpenOptions {
            remote: self.server.options(self.limits.timeout()?)?,
            union: self.server.union(),
            cancellation: cancellation.clone(),
            ..OpenOptions::default()
        };
        let opened = match source::open(&self.sources, self.eval, &open, console) {
            Ok(opened) => opened,
            Err(failure) => return failure.tell(console),
        };
        if self.stats && matches!(opened, Opened::Server(_)) {
            return Err(Stop::Usage(
                "--stats tells what an evaluation by this program takes, and the server is asked to \
                 evaluate: add --eval local"
                    .to_string(),
            ));
        }
        let flags = (&self.times, &self.limits);
        let when = history::when(&opened, &inputs, flags, &mut clock, &cancellation, console)?;
        let Some(when) = when else { return Ok(Exit::Interrupted) };
        if let (When::Over(range), Opened::Server(_)) = (when, &opened) {
            range::check_steps(range).map_err(usage)?;
        }
        let mut options = QueryOptions::from(when);
        self.limits.apply(&mut options)?;
        options.cancellation = cancellation;

        let mut exit = Exit::Ok;
        let format = self.format.unwrap_or(match when {
            When::Over(_) if console.is_terminal => Format::Graph,
            _ => Format::Table,
        });
        let several = inputs.len() > 1;
        for (at, input) in inputs.iter().enumerate() {
            if several && matches!(format, Format::Table | Format::Vertical | Format::Graph) {
                console.print(&heading(input, at, console))?;
            }
            let answered = evaluate::answer(&opened, input, &options, self.stats, console);
            exit = exit.and(match answered {
                Ok((result, measured)) => {
                    let statistics = match measured {
                        Some(Measured::Here(statistics)) => Some(*statistics),
                        Some(Measured::Server(_)) | None => None,
                    };
                    let view = View { statistics, ..self.view(input, &options, &clock, console) };
                    let shown = self.show(&result, input, format, &view, console)?;
                    let for_people = matches!(
                        format,
                        Format::Table | Format::Vertical | Format::Graph | Format::Md
                    );
                    if for_people && result.value.is_empty() {
                        self.explain_empty(&opened, input, &options, console);
                    }
                    shown.and(self.conditions(&opened, input, &options, console)?)
                }
                Err(failure) => failure.tell(input, format == Format::Json, console)?,
            });
            if exit == Exit::Interrupted {
                break;
            }
        }
        Ok(exit)
    }

    fn inputs(&self) -> Result<Vec<Input>, Stop> {
        if self.sources.iter().any(|s| s == "-") {
            let dash = |text: &String| text == "-";
            if self.expressions.iter().any(dash) || self.files.iter().any(|f| f.as_os_str() == "-")
            {
                return Err(Stop::Usage(
                    "`-` is given as source and as expression, and standard input can be read \
                     only once"
                        .to_string(),
                ));
            }
        }
        super::inputs(&self.files, &self.expressions)
    }

    /// Shows an answer, and says how that counts.
    fn show(
        &self,
        result: &QueryResult,
        input: &Input,
        format: Format,
        view: &View,
        console: &Console,
    ) -> Result<Exit, Stop> {
        match render::render(format, result, view) {
            Ok(text) => console.print(&text)?,
            Err(error) => return Err(Stop::Usage(error.to_string())),
        }
        if format != Format::Json {
            remarks::tell(&result.annotations, input, console);
            if let Some(statistics) = &view.statistics {
                console.remark(&stats::text(statistics));
            }
        }
        let mut exit = Exit::Ok;
        if self.fail_empty && result.value.is_empty() {
            console.error("the answer has no series (--fail-empty)");
            exit = Exit::Failed;
        }
        if self.warn_as_error && result.annotations.iter().any(|a| a.severity == Severity::Warning)
        {
            console.error("there are warnings (--warn-as-error)");
            exit = Exit::Failed;
        }
        Ok(exit)
    }

    /// Says why there are no series, if that costs little: a server is asked for it only when
    /// somebody looks.
    fn explain_empty(
        &self,
        opened: &Opened,
        input: &Input,
        options: &QueryOptions,
        console: &Console,
    ) {
        let is_cheap = matches!(opened, Opened::Local { .. }) && self.eval.is_none();
        if !is_cheap && !console.stderr_is_terminal {
            return;
        }
        if let Some(reason) = empty::explain(opened, input, options, console) {
            console.remark(&format!("{}\n", reason.text));
            for fix in reason.fixes.iter().take(1) {
                let expression = crate::visible::escape_lines(&fix.expression);
                console.remark(&format!("try: {expression}\n"));
            }
        }
    }

    /// Asks for the conditions of `--fail-if`, and says how that counts.
    fn conditions(
        &self,
        opened: &Opened,
        input: &Input,
        options: &QueryOptions,
        console: &Console,
    ) -> Result<Exit, Stop> {
        let mut exit = Exit::Ok;
        for condition in &self.fail_if {
            let text = condition.trim_start();
            let question = match text.starts_with(['<', '>', '=', '!']) {
                true => {
                    let front = String::from_utf8_lossy(&input.text);
                    // A comment at the end of the expression ends with its line.
                    format!("({}\n) {text}", front.trim_end())
                }
                false => text.to_string(),
            };
            let question = Input { name: Name::FailIf, text: question.into_bytes() };
            let answer = evaluate::answer(opened, &question, options, false, console);
            exit = exit.and(match answer {
                Err(failure) => failure.tell(&question, false, console)?,
                Ok((result, _)) => match holds(&result.value) {
                    None => Exit::Ok,
                    Some(example) => {
                        let condition = crate::visible::value(condition);
                        console.error(&format!("--fail-if {condition}: it holds for {example}"));
                        Exit::Failed
                    }
                },
            });
        }
        Ok(exit)
    }

    fn max_rows_on(&self, console: &Console) -> Option<usize> {
        match self.max_rows {
            Some(0) => None,
            None if console.is_terminal => Some(MOST_ROWS),
            rows => rows,
        }
    }

    fn units_on(&self, console: &Console) -> Units {
        self.units.unwrap_or(if console.is_terminal { Units::Auto } else { Units::Off })
    }

    fn view(
        &self,
        input: &Input,
        options: &QueryOptions,
        clock: &Clock,
        console: &Console,
    ) -> View {
        let mut screen = console.screen();
        screen.width = self.width.or(screen.width);
        screen.graph_rows = self.height.map(|rows| rows.clamp(1, 1000));
        screen.unicode &= !self.ascii;
        screen.max_rows = self.max_rows_on(console);
        let range = match options.time {
            EvaluationTime::Instant(_) => None,
            EvaluationTime::Range { start, end, step } => {
                let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
                Some(render::Range { start, end, step })
            }
        };
        View {
            expression: String::from_utf8_lossy(&input.text).into_owned(),
            range,
            keep_order: evaluate::sorts(&input.text),
            zone: clock.zone.clone(),
            unit: unit::chosen(self.units_on(console), &String::from_utf8_lossy(&input.text)),
            screen,
            statistics: None,
        }
    }
}

/// What a condition holds for, if it does: its first series, with how many there are.
fn holds(value: &QueryValue) -> Option<String> {
    let (count, first) = match value {
        QueryValue::Scalar { value, .. } => {
            return (*value != 0.0).then(|| format!("the number {}", number::readable(*value)));
        }
        QueryValue::String { .. } => return None,
        QueryValue::Vector(elements) => (elements.len(), elements.first().map(|e| &e.labels)),
        QueryValue::Matrix(series) => (series.len(), series.first().map(|s| &s.labels)),
    };
    let first = crate::render::labels::selector(first?);
    Some(match count {
        1 => first,
        count => format!("{count} series, {first} among them"),
    })
}

/// Reads the tolerance of a comparison.
fn tolerance(text: &str) -> Result<f64, String> {
    promql_repl::diff::tolerance(text).ok_or_else(|| "write it as 1% or 0.01".to_string())
}

/// Reads the name of a unit.
fn units(text: &str) -> Result<Units, String> {
    Units::named(text).ok_or_else(|| format!("there are {}", Units::all()))
}

/// What says which of several answers is which.
fn heading(input: &Input, at: usize, console: &Console) -> String {
    let mut out = String::new();
    if at > 0 {
        out.push('\n');
    }
    let text = String::from_utf8_lossy(&input.text);
    let line = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let line = format!("> {}", crate::visible::value(line.trim()));
    grid::push_styled(&mut out, &line, grid::BOLD, console.color);
    out.push('\n');
    out
}

pub(in crate::commands) fn usage(error: range::RangeError) -> Stop {
    Stop::Usage(error.to_string())
}

impl QueryFailure {
    /// Says why a query has no answer, and how that counts.
    ///
    /// # Errors
    /// When standard output can't be written.
    pub(in crate::commands) fn tell(
        &self,
        input: &Input,
        as_json: bool,
        console: &Console,
    ) -> Result<Exit, Stop> {
        if self.is_cancelled() {
            return Ok(Exit::Interrupted);
        }
        console.remark(&self.drawn(input, console));
        if as_json {
            console.print(&match self {
                QueryFailure::Syntax(errors) => report::errors_envelope(errors),
                QueryFailure::Engine(error) => self.envelope(&limits::WithFlags(error)),
                QueryFailure::Server(error) => self.envelope(&**error),
            })?;
        }
        Ok(self.exit())
    }

    /// Why a query has no answer, as it is shown on standard error.
    pub(in crate::commands) fn drawn(&self, input: &Input, console: &Console) -> String {
        let name = input.name.to_string();
        match self {
            QueryFailure::Syntax(errors) => report::draw_errors(errors, &name, console),
            QueryFailure::Engine(error) => {
                let error = limits::WithFlags(error);
                let located = report::WithSource::new(&error, &name, &input.text);
                report::draw(&located, console)
            }
            // It knows the expression where it is about it.
            QueryFailure::Server(error) => report::draw(&**error, console),
        }
    }

    fn envelope(&self, diagnostic: &dyn Diagnostic) -> String {
        report::error_envelope(self.api_type(), &self.api_message(), [diagnostic])
    }
}
