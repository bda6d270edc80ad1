//! `promql capture`: the series that expressions and rules need, as a fixture.

mod align;
mod unit_test;

use std::io::Write;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum, ValueHint};
use promql_engine::{Cancellation, QueryOptions, Storage};
use promql_model::{Labels, QueryResult, QueryValue, SeriesSamples};
use promql_storage::exposition::{self, Format as TextFormat, write_openmetrics};
use promql_storage::fixture::{read_script, write_script};
use promql_storage::{Columns, LabelledSource, MemoryBuilder, OpenOptions, RecordingStorage};
use promql_syntax::{Features, Query};

use super::Stop;
use super::query::evaluate::QueryFailure;
use super::query::history;
use super::query::limits::LimitFlags;
use super::query::server::ServerFlags;
use super::query::source::{self, Opened};
use super::query::{Evaluator, usage};
use super::rules::{RuleFlags, RulesFailure};
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::{Input, InputError};
use crate::progress::Progress;
use crate::render::timestamps::rfc3339;
use crate::time::{Clock, Times, When, range};
use crate::{interrupt, visible};

const AFTER: &str = "\
Samples are read from the sources and the expressions evaluated here; what they read
is the fixture. It is checked: the same expressions over the fixture must give the
same. For rules it holds what they need to stand at the end as they do.

Examples:
  promql capture -s http://localhost:9090 'sum(rate(http_requests_total[5m]))' > incident.test
  promql query -s incident.test --time 2026-11-23T10:00:00Z 'sum(rate(http_requests_total[5m]))'
  promql capture -s http://localhost:9090 --last 1h --rules alerts.yml -O alerts.test
  promql capture --align 15s -o unit-test 'up == 0' > tests.yml
  promql capture -s /var/lib/prometheus --time 03:12 -f page.promql -O page.test";

/// Arguments of `promql capture`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Capture {
    /// Expressions whose series are wanted; `-` reads one from standard input
    #[arg(value_name = "EXPR")]
    pub expressions: Vec<String>,
    /// A file with an expression; may be given several times
    #[arg(short = 'f', long = "file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Where the series are; several are one view
    #[arg(short, long = "source", value_name = "SOURCE", value_hint = ValueHint::AnyPath)]
    #[arg(env = "PROMQL_SOURCE", hide_env_values = true)]
    pub sources: Vec<String>,
    /// What is written
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "test", value_enum)]
    pub format: Format,
    /// The file to write instead of standard output; it must not exist yet
    #[arg(short = 'O', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Write over a file that exists
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Move samples to the nearest multiple of a step, which makes shorter fixtures of scrapes that
    /// came late, and unit tests possible; results may differ then, which is said
    #[arg(long, value_name = "STEP")]
    pub align: Option<String>,

    /// When expressions are evaluated.
    #[command(flatten)]
    pub times: Times,
    /// Which rules are evaluated.
    #[command(flatten)]
    pub rules: RuleFlags,
    /// What an evaluation may take.
    #[command(flatten)]
    pub limits: LimitFlags,
    /// How the server is asked.
    #[command(flatten)]
    pub server: ServerFlags,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A test script: all samples at their times, with runs as runs
    Test,
    /// A promtool unit test: times count from 0, and it expects what the expressions give
    UnitTest,
    /// OpenMetrics text with timestamps, for floats
    #[value(alias = "om")]
    Openmetrics,
    /// The samples as an answer of the API to a range selector
    Json,
}

/// An expression with what it gives.
struct Answered<'a> {
    input: &'a Input,
    query: Query,
    result: QueryResult,
}

/// Why there is no fixture.
enum Failure {
    Stop(Stop),
    /// It was told.
    Told(Exit),
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Failure::Stop(stop)
    }
}

impl Capture {
    /// Captures the series.
    ///
    /// # Errors
    /// When the arguments don't fit together, an input can't be read, or the fixture can't be
    /// written.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        match self.capture(console) {
            Ok(exit) | Err(Failure::Told(exit)) => Ok(exit),
            Err(Failure::Stop(stop)) => Err(stop),
        }
    }

    fn capture(&self, console: &Console) -> Result<Exit, Failure> {
        let is_needed = self.rules.rules.is_empty();
        let has_any = !self.files.is_empty() || !self.expressions.is_empty();
        let inputs = match is_needed || has_any {
            true => super::inputs(&self.files, &self.expressions)?,
            false => Vec::new(),
        };
        let align = self.align.as_ref().map(|text| range::duration("align", text));
        let align = align.transpose().map_err(usage)?;
        if let Some(path) = self.out.as_deref().filter(|path| path.exists() && !self.force) {
            let message = format!("{} is there already: add --force to replace it", path.display());
            return Err(Stop::Usage(message).into());
        }
        let cancellation = interrupt::listen(*console);
        let mut clock = Clock::system();
        let open = OpenOptions {
            remote: self.server.options(self.limits.timeout()?)?,
            union: self.server.union(),
            cancellation: cancellation.clone(),
            ..OpenOptions::default()
        };
        let opened = match source::open(&self.sources, Some(Evaluator::Local), &open, console) {
            Ok(opened) => opened,
            Err(failure) => return Err(Failure::Told(failure.tell(console)?)),
        };
        let flags = (&self.times, &self.limits);
        let when = history::when(&opened, &inputs, flags, &mut clock, &cancellation, console)?;
        let Some(when) = when else { return Err(Failure::Told(Exit::Interrupted)) };
        let mut options = QueryOptions::from(when);
        self.limits.apply(&mut options)?;
        options.cancellation = cancellation.clone();
        let Opened::Local { storage, .. } = opened else {
            return Err(Stop::Usage("a server is read as --eval local reads it".to_owned()).into());
        };
        let recording = Arc::new(RecordingStorage::new(storage));
        let answered = answer(&inputs, &*recording, &options, console)?;
        self.evaluate_rules(Arc::clone(&recording), &options, when, &cancellation, console)?;
        let mut series = recording.recorded();
        let written = match align {
            None => self.write(&series, &answered, &options, when)?,
            Some(step) => {
                series.iter_mut().for_each(|(_, columns)| align::align(columns, step));
                // A unit test shall hold over the fixture that it has.
                let expected = answer(&inputs, &stored(&series), &options, console)?;
                self.write(&series, &expected, &options, when)?
            }
        };
        self.put(&written.text, console)?;
        Ok(check(&series, &answered, &options, &written, console))
    }

    /// Evaluates the rules, so that what they read is remembered.
    fn evaluate_rules(
        &self,
        storage: Arc<RecordingStorage<Box<dyn Storage>>>,
        options: &QueryOptions,
        when: When,
        cancellation: &Cancellation,
        console: &Console,
    ) -> Result<(), Failure> {
        let engine = options.engine.clone();
        match self.rules.evaluate(storage, engine, times(when), cancellation, console) {
            Ok(_) if cancellation.is_cancelled() => Err(Failure::Told(Exit::Interrupted)),
            Ok(_) => Ok(()),
            Err(RulesFailure::Stop(stop)) => Err(stop.into()),
            Err(RulesFailure::Invalid) => Err(Failure::Told(Exit::Usage)),
        }
    }

    fn write(
        &self,
        series: &[(Labels, Columns)],
        answered: &[Answered<'_>],
        options: &QueryOptions,
        when: When,
    ) -> Result<Written, Stop> {
        let unfit = |what: String| Stop::Usage(format!("{what}; write a script (-o test)"));
        match self.format {
            Format::Test => {
                let text = format!("{}\n{}", self.header(answered, when), write_script(series));
                Ok(Written { text, read_back: ReadBack::Script, origin: 0 })
            }
            Format::Openmetrics => {
                let text = write_openmetrics(series).map_err(|error| unfit(error.to_string()))?;
                Ok(Written { text, read_back: ReadBack::OpenMetrics, origin: 0 })
            }
            Format::UnitTest => unit_test::write(series, answered, options, &self.rules.rules),
            Format::Json => Ok(Written {
                text: promql_server::answer::query(&matrix(series), b"", None) + "\n",
                read_back: ReadBack::Not,
                origin: 0,
            }),
        }
    }

    /// Where the fixture comes from, and how it is asked.
    fn header(&self, answered: &[Answered<'_>], when: When) -> String {
        let sources = self.sources.iter().filter_map(|text| LabelledSource::parse(text).ok());
        let sources = sources.map(|labelled| visible::escape(&labelled.source.to_string()).into());
        let sources: Vec<String> = sources.collect();
        let mut header = format!("# Captured from {}.\n", sources.join(" and "));
        let asked = match when {
            When::At(time) => format!("--time {}", rfc3339(time)),
            When::Over(range) => format!(
                "--start {} --end {} --step {}",
                rfc3339(range.start),
                rfc3339(range.end),
                range::written(range.step)
            ),
        };
        for one in answered {
            let text = String::from_utf8_lossy(&one.input.text);
            let line = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
            let line = line.trim().replace('\'', "'\\''");
            let line = visible::escape(&line);
            header.push_str(&format!("# promql query -s THIS.test {asked} '{line}'\n"));
        }
        for rules in &self.rules.rules {
            let (rules, now) = (visible::escape(rules), rfc3339(*times(when).end()));
            header.push_str(&format!("# promql serve -s THIS.test --rules {rules} --now {now}\n"));
        }
        header
    }

    fn put(&self, text: &str, console: &Console) -> Result<(), Stop> {
        let Some(path) = &self.out else { return Ok(console.print(text)?) };
        let write = |path: &Path| match path.exists() {
            true => crate::atomic::replace(path, text.as_bytes()),
            false => std::fs::File::create_new(path)?.write_all(text.as_bytes()),
        };
        write(path).map_err(|error| InputError::Write { path: path.clone(), error }.into())
    }
}

/// A fixture as it is written.
struct Written {
    text: String,
    read_back: ReadBack,
    /// The time that is time 0 of the fixture, in milliseconds since the epoch.
    origin: i64,
}

/// How a fixture is read to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadBack {
    Script,
    OpenMetrics,
    UnitTest,
    Not,
}

/// The first and the last time of an evaluation.
fn times(when: When) -> RangeInclusive<i64> {
    match when {
        When::At(time) => time..=time,
        When::Over(range) => range.start..=range.end,
    }
}

fn answer<'a>(
    inputs: &'a [Input],
    storage: &dyn Storage,
    options: &QueryOptions,
    console: &Console,
) -> Result<Vec<Answered<'a>>, Failure> {
    let mut answered = Vec::with_capacity(inputs.len());
    for input in inputs {
        let compiled = promql_syntax::compile(&input.text, &Features::ALL);
        let query = compiled.map_err(QueryFailure::Syntax).and_then(|query| {
            let _progress = Progress::start(console, "evaluating".to_owned());
            let result =
                interrupt::while_stoppable(|| promql_engine::evaluate(&query, storage, options));
            result.map(|result| (query, result)).map_err(QueryFailure::Engine)
        });
        match query {
            Ok((query, result)) => answered.push(Answered { input, query, result }),
            Err(failure) => return Err(Failure::Told(failure.tell(input, false, console)?)),
        }
    }
    Ok(answered)
}

/// Evaluates over the fixture, and says whether it gives the same.
fn check(
    series: &[(Labels, Columns)],
    answered: &[Answered<'_>],
    options: &QueryOptions,
    written: &Written,
    console: &Console,
) -> Exit {
    let samples = series.iter().map(|(_, c)| c.timestamps.len() + c.histogram_timestamps.len());
    let size = format!("{} series, {} samples", series.len(), samples.sum::<usize>());
    let text = written.text.as_bytes();
    let storage = match written.read_back {
        ReadBack::Script => read_script("fixture", text, None).map(|fixture| fixture.storage),
        ReadBack::OpenMetrics => {
            let read = exposition::read("fixture", text, TextFormat::OpenMetrics, 0);
            read.map(|exposition| exposition.storage)
        }
        ReadBack::UnitTest => {
            let read = promql_storage::fixture::read_unit_test("fixture", text, None);
            read.map(|fixture| fixture.storage)
        }
        ReadBack::Not => Ok(stored(series)),
    };
    let Ok(storage) = storage else {
        console.error("the fixture can't be read back, which should not happen: please report it");
        return Exit::Failed;
    };
    let shifted = unit_test::shifted(options, written.origin);
    let mut exit = Exit::Ok;
    for one in answered {
        let now = promql_engine::evaluate(&one.query, &storage, &shifted);
        let same = now.is_ok_and(|mut now| {
            unit_test::shift(&mut now.value, written.origin);
            let json =
                |result: &QueryResult| promql_server::answer::query(result, &one.input.text, None);
            json(&now) == json(&one.result)
        });
        if !same {
            let text = String::from_utf8_lossy(&one.input.text);
            console.error(&format!(
                "over the fixture `{}` does not give what it gave",
                visible::value(text.trim())
            ));
            exit = Exit::Failed;
        }
    }
    let verdict = match (answered.len(), exit) {
        (0, _) | (_, Exit::Failed) => "",
        _ => ", which give the same",
    };
    console.remark(&format!("{size}{verdict}\n"));
    exit
}

fn stored(series: &[(Labels, Columns)]) -> promql_storage::MemoryStorage {
    let mut builder = MemoryBuilder::default();
    for (labels, columns) in series {
        builder.insert(labels.clone(), columns.clone());
    }
    builder.build()
}

/// The samples as the result of a range selector.
fn matrix(series: &[(Labels, Columns)]) -> QueryResult {
    let samples = |(labels, columns): &(Labels, Columns)| {
        let Columns { timestamps, values, histogram_timestamps, histograms, .. } = columns;
        SeriesSamples {
            labels: labels.clone(),
            floats: timestamps.iter().copied().zip(values.iter().copied()).collect(),
            histograms: histogram_timestamps
                .iter()
                .copied()
                .zip(histograms.iter().cloned())
                .collect(),
        }
    };
    let value = QueryValue::Matrix(series.iter().map(samples).collect());
    QueryResult { value, annotations: Vec::new() }
}
