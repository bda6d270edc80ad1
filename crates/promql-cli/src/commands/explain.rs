//! `promql explain`: what is done to evaluate an expression, and what that takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use promql_engine::{
    NodeStatistics, PlanLineKind, PlanPart, PlanTree, QueryOptions, QueryStatistics, Storage,
    evaluate_with_statistics, plan,
};
use promql_model::QueryValue;
use promql_storage::OpenOptions;
use promql_syntax::{Features, ValueType};

use super::Stop;
use super::query::evaluate::QueryFailure;
use super::query::history;
use super::query::limits::{LimitFlags, written_size};
use super::query::server::ServerFlags;
use super::query::source::{self, Opened};
use super::query::{Evaluator, usage};
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::Input;
use crate::progress::Progress;
use crate::render::grid::{BOLD, DIM, push_styled};
use crate::time::{Clock, Times};
use crate::{interrupt, visible};

const AFTER: &str = "\
What is shown:
  Each operation with its type, what it keeps while it works, and the labels its
  result can have; below them what is read from the storage. With a source the
  query is evaluated here, and each operation shows its own time on all threads,
  its series, their samples, and how many values each label has.

Examples:
  promql explain 'sum by (job) (rate(http_requests_total[5m]))'
  promql explain -s fixture.test --last 1h 'topk(3, rate(http_requests_total[5m]))'
  promql explain -s http://localhost:9090 'up == 0'     # reads the series, evaluates here
  promql explain -o json 'a / on (job) b' | jq '.plan.nodes[].operation'";

/// Arguments of `promql explain`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Explain {
    /// Expressions; `-` reads one from standard input
    #[arg(value_name = "EXPR")]
    pub expressions: Vec<String>,
    /// A file with an expression; may be given several times
    #[arg(short = 'f', long = "file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Where the series are; without it the plan is shown alone
    #[arg(short, long = "source", value_name = "SOURCE", value_hint = ValueHint::AnyPath)]
    #[arg(env = "PROMQL_SOURCE", hide_env_values = true)]
    pub sources: Vec<String>,
    /// Show the plan alone, also where a source is given
    #[arg(long)]
    pub plan_only: bool,
    /// Leave out how long things took, so that equal runs show equal texts
    #[arg(long)]
    pub no_times: bool,
    /// How to show it
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "text", value_enum)]
    pub format: Format,

    /// When it is evaluated.
    #[command(flatten)]
    pub times: Times,

    /// What an evaluation may take.
    #[command(flatten)]
    pub limits: LimitFlags,
    /// How the server is asked.
    #[command(flatten)]
    pub server: ServerFlags,
}

/// How `promql explain` shows a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A tree, at most 80 columns wide as far as names allow
    Text,
    /// {"plan":{…},"statistics":{…}}
    Json,
}

impl Explain {
    /// Shows the plans.
    ///
    /// # Errors
    /// When the arguments don't fit together, an input can't be read, or the answer can't be
    /// written.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        let inputs = super::inputs(&self.files, &self.expressions)?;
        let cancellation = interrupt::listen(*console);
        let mut clock = Clock::system();
        let open = OpenOptions {
            remote: self.server.options(self.limits.timeout()?)?,
            union: self.server.union(),
            cancellation: cancellation.clone(),
            ..OpenOptions::default()
        };
        let opened = match self.sources.is_empty() || self.plan_only {
            true => None,
            false => {
                // A server says nothing about the parts of a query, so its series are read and the
                // query is evaluated here.
                match source::open(&self.sources, Some(Evaluator::Local), &open, console) {
                    Ok(opened) => Some(opened),
                    Err(failure) => return failure.tell(console),
                }
            }
        };
        let when = match &opened {
            None => self.times.when(&clock, clock.now).map_err(usage)?,
            Some(opened) => {
                let flags = (&self.times, &self.limits);
                let when =
                    history::when(opened, &inputs, flags, &mut clock, &cancellation, console)?;
                let Some(when) = when else { return Ok(Exit::Interrupted) };
                when
            }
        };
        let mut options = QueryOptions::from(when);
        self.limits.apply(&mut options)?;
        options.cancellation = cancellation;
        let storage = match &opened {
            Some(Opened::Local { storage, .. }) => Some(storage.as_ref()),
            _ => None,
        };
        let mut exit = Exit::Ok;
        for (at, input) in inputs.iter().enumerate() {
            if at > 0 && self.format == Format::Text {
                console.print("\n")?;
            }
            exit = exit.and(self.explain(input, storage, &options, console)?);
            if exit == Exit::Interrupted {
                break;
            }
        }
        Ok(exit)
    }

    fn explain(
        &self,
        input: &Input,
        storage: Option<&dyn Storage>,
        options: &QueryOptions,
        console: &Console,
    ) -> Result<Exit, Stop> {
        let as_json = self.format == Format::Json;
        let query = match promql_syntax::compile(&input.text, &Features::ALL) {
            Ok(query) => query,
            Err(errors) => return QueryFailure::Syntax(errors).tell(input, as_json, console),
        };
        let plan = match plan(&query, options) {
            Ok(plan) => plan,
            Err(error) => return QueryFailure::Engine(error).tell(input, as_json, console),
        };
        let Some(storage) = storage else {
            console.print(&self.show(&plan, None, console))?;
            return Ok(Exit::Ok);
        };
        let progress = Progress::start(console, "evaluating".to_string());
        let (result, statistics) =
            interrupt::while_stoppable(|| evaluate_with_statistics(&query, storage, options));
        drop(progress);
        match result {
            Ok(result) => {
                let evaluated = Evaluated {
                    statistics: &statistics,
                    series: count(&result.value),
                    times: !self.no_times,
                };
                console.print(&self.show(&plan, Some(&evaluated), console))?;
                Ok(Exit::Ok)
            }
            Err(error) => {
                // How far it came is part of the explanation; as JSON there is one answer.
                if !as_json {
                    let evaluated =
                        Evaluated { statistics: &statistics, series: None, times: !self.no_times };
                    console.print(&self.show(&plan, Some(&evaluated), console))?;
                }
                QueryFailure::Engine(error).tell(input, as_json, console)
            }
        }
    }

    fn show(
        &self,
        plan: &PlanTree,
        evaluated: Option<&Evaluated<'_>>,
        console: &Console,
    ) -> String {
        match self.format {
            Format::Text => text(plan, evaluated, console),
            Format::Json => {
                let mut value = serde_json::json!({"plan": plan.to_json()});
                if let Some(evaluated) = evaluated {
                    value["statistics"] = evaluated.statistics.to_json();
                }
                format!("{value}\n")
            }
        }
    }
}

/// What an evaluation took.
struct Evaluated<'a> {
    statistics: &'a QueryStatistics,
    /// The number of series of the result, if it has series.
    series: Option<usize>,
    /// Whether it is said how long things took.
    times: bool,
}

fn count(value: &QueryValue) -> Option<usize> {
    match value {
        QueryValue::Vector(elements) => Some(elements.len()),
        QueryValue::Matrix(series) => Some(series.len()),
        QueryValue::Scalar { .. } | QueryValue::String { .. } => None,
    }
}

/// The plan as a tree, with what its evaluation took.
fn text(plan: &PlanTree, evaluated: Option<&Evaluated<'_>>, console: &Console) -> String {
    let more = |part: PlanPart| -> Vec<String> {
        let Some(evaluated) = evaluated else { return Vec::new() };
        let statistics = evaluated.statistics;
        match part {
            PlanPart::Node(at) => match (plan.nodes.get(at), statistics.nodes.get(at)) {
                (Some(node), Some(statistics)) => {
                    of_node(node.value_type, statistics, evaluated.times)
                }
                _ => Vec::new(),
            },
            PlanPart::Read(at) => statistics.reads.get(at).map_or_else(Vec::new, |read| {
                let (series, samples) = (of_many(read.series, "series"), read.samples);
                let mut text = format!("{series}, {samples} samples read");
                if evaluated.times {
                    text.push_str(&format!(", found in {}", time(read.time)));
                }
                vec![text]
            }),
        }
    };
    let mut out = String::new();
    for line in plan.lines(more) {
        let branch = match console.unicode {
            true => line.branch,
            false => line.branch.replace(['│', '├'], "|").replace('└', "`").replace('─', "-"),
        };
        push_styled(&mut out, &branch, DIM, console.color);
        let style = match line.kind {
            PlanLineKind::Operation => BOLD,
            PlanLineKind::Steps | PlanLineKind::Detail | PlanLineKind::Read => DIM,
        };
        let text = visible::escape(&line.text);
        let (written, padding) = text.split_at(text.trim_end().len());
        push_styled(&mut out, written, style, console.color);
        if !line.value_type.is_empty() {
            out.push_str(padding);
            out.push_str("  ");
            out.push_str(line.value_type);
        }
        out.push('\n');
    }
    if let Some(Evaluated { statistics, series, times }) = evaluated {
        let mut parts: Vec<String> = series.iter().map(|n| of_many(*n, "series")).collect();
        if *times {
            parts.push(format!("{} in all", time(statistics.total_time)));
            parts.push(format!("{} for planning", time(statistics.planning_time)));
            parts.push(format!("{} for selecting", time(statistics.selecting_time)));
        }
        if !parts.is_empty() {
            out.push_str(&format!("result: {}\n", parts.join(", ")));
        }
        out.push_str(&format!(
            "samples: {} read, {} looked at; held at most {} and {}\n",
            statistics.samples_read,
            statistics.samples_queried,
            statistics.peak_samples,
            written_size(statistics.peak_bytes),
        ));
    }
    out
}

/// What an operation took and gave.
fn of_node(value_type: ValueType, node: &NodeStatistics, times: bool) -> Vec<String> {
    let mut parts: Vec<String> = times.then(|| time(node.time)).into_iter().collect();
    if !matches!(value_type, ValueType::Scalar | ValueType::String) {
        parts.push(match node.candidates == node.series {
            true => of_many(node.series, "series"),
            false => format!("{} of {}", node.series, of_many(node.candidates, "series")),
        });
        parts.push(format!("{} samples", node.samples));
        let labels = node.labels.iter().map(|(name, values)| format!("{name} {values}"));
        let labels = labels.collect::<Vec<_>>().join(", ");
        if let Some(last) = parts.last_mut().filter(|_| !labels.is_empty()) {
            last.push_str(&format!("; {labels}"));
        }
    }
    match parts.is_empty() {
        true => Vec::new(),
        false => vec![format!("→ {}", parts.join(", "))],
    }
}

fn of_many(count: usize, what: &str) -> String {
    format!("{count} {what}")
}

/// A time with three digits or fewer.
fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s >= 1.0 => format!("{s:.2}s"),
        s if s >= 1e-3 => format!("{:.1}ms", s * 1e3),
        s => format!("{:.0}us", s * 1e6),
    }
}
