//! Compares `promql` with Prometheus and VictoriaMetrics: the same data, the same machine, in turn.
//!
//! ```text
//! data.rs ──► blocks.rs ──► servers.rs ──► measure.rs ──► report.rs
//!  text        promtool      all started    all asked      ratios, gates
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `data.rs`, `random.rs` | the series, the same each time |
//! | `blocks.rs` | the folder with the data |
//! | `programs.rs`, `http.rs` | running programs and asking them |
//! | `servers.rs` | the servers on their data |
//! | `queries.rs` | what they are asked, and how much faster an answer must be |
//! | `compare.rs` | whether answers are the same |
//! | `measure.rs` | taking turns |
//! | `alone.rs` | the command, decoding and writing |
//! | `report.rs` | all of it as text and JSON |

mod alone;
mod blocks;
mod compare;
mod data;
mod error;
mod http;
mod measure;
mod programs;
mod progress;
mod queries;
mod random;
mod report;
mod servers;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use blocks::Folder;
use error::Error;
use queries::{CLASSES, QUERIES, Query};
use report::{Report, ServerReport};
use servers::{Programs, Server, Subject};

/// Compare promql with Prometheus and VictoriaMetrics on the same data.
///
/// Makes the data on first use, which for size M takes minutes and some gigabytes for a while.
#[derive(Debug, Parser)]
#[command(name = "promql-bench", version)]
struct Arguments {
    /// How much data: 1,000 series and 6 h, 10,000 and 6 h, or 100,000 and 2 h
    #[arg(long, value_enum, default_value = "m", ignore_case = true)]
    size: SizeName,
    /// Where the data are, or are put [default: promql-bench-SIZE in the folder for temporary files]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Only the queries of some classes
    #[arg(long, value_name = "CLASS")]
    only: Vec<String>,
    /// How often each query is asked
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// What to measure
    #[arg(long, value_enum, default_values = ["queries", "command", "kernels"])]
    parts: Vec<Part>,
    /// The folder that holds prometheus, promtool and victoria-metrics
    #[arg(long, value_name = "DIR", env = "PROMQL_REFERENCE_BIN")]
    bin: Option<PathBuf>,
    /// Prometheus, if it is elsewhere
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
    /// promtool, if it is elsewhere
    #[arg(long, value_name = "FILE")]
    promtool: Option<PathBuf>,
    /// VictoriaMetrics, if it is elsewhere
    #[arg(long, value_name = "FILE")]
    victoria: Option<PathBuf>,
    /// The command that is measured [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    promql: Option<PathBuf>,
    /// The servers listen at this port and the three behind it
    #[arg(long, default_value_t = 19_400, value_parser = clap::value_parser!(u16).range(1..65_532))]
    port: u16,
    /// How to show the results
    #[arg(short = 'o', long, value_enum, default_value = "text")]
    format: Format,
    /// Fail if a gate is not met
    #[arg(long)]
    gates: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SizeName {
    S,
    M,
    L,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// All queries on all servers
    Queries,
    /// promql query, from start to exit
    Command,
    /// Decoding and writing, in this process
    Kernels,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    programs::listen();
    match run(&arguments) {
        Ok(report) => {
            let text = match arguments.format {
                Format::Text => report.text(),
                Format::Json => report.json(),
            };
            // Whoever read it may be gone.
            let _ = std::io::stdout().write_all(text.as_bytes());
            match report.agrees && (report.met || !arguments.gates) {
                true => ExitCode::SUCCESS,
                false => ExitCode::from(1),
            }
        }
        Err(Error::Interrupted) => ExitCode::from(130),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<Report, Error> {
    let size = data::SIZES[arguments.size as usize];
    let queries = chosen(&arguments.only)?;
    let find = |name, flag, given: &Option<PathBuf>| {
        programs::find(name, flag, given.as_deref(), arguments.bin.as_deref())
    };
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
    let promql =
        programs::find("promql", "--promql", arguments.promql.as_deref(), beside.as_deref())?;
    let promtool = find("promtool", "--promtool", &arguments.promtool)?;
    let default = || std::env::temp_dir().join(format!("promql-bench-{}", size.name));
    let path = arguments.data.clone().unwrap_or_else(default);
    let rounds = usize::from(arguments.rounds);
    let wants = |part| arguments.parts.contains(&part);
    let (mut servers, mut measured) = (Vec::new(), Vec::new());
    let programs = match wants(Part::Queries) {
        true => Some(Programs {
            prometheus: find("prometheus", "--prometheus", &arguments.prometheus)?,
            victoria: find("victoria-metrics", "--victoria", &arguments.victoria)?,
            promql: promql.clone(),
        }),
        false => None,
    };
    let folder = Folder::make(&path, size, &promtool)?;
    if let Some(programs) = &programs {
        for (at, subject) in (0..).zip(Subject::ALL) {
            let port = arguments.port + at;
            servers.push(Server::start(subject, programs, &folder, size, port)?);
        }
        measured = measure::measure(&mut servers, &queries, rounds, size)?;
    }
    let reports = servers.iter().map(|server| ServerReport {
        name: server.subject.name(),
        start: server.start.as_secs_f64() * 1000.0,
        peak_memory: server.peak_memory(),
        gate: report::memory_gate(server.subject, size.name),
    });
    let reports = reports.collect();
    // They are not in the way of what is measured alone.
    servers.clear();
    let mut figures = Vec::new();
    if wants(Part::Command) {
        figures.extend(alone::command(&promql, &folder.blocks(), size, rounds)?);
    }
    if wants(Part::Kernels) {
        figures.extend(alone::kernels(&folder.blocks(), size, rounds)?);
    }
    Ok(Report::new(size.name, rounds, reports, measured, figures))
}

/// The queries of some classes, or of all.
fn chosen(only: &[String]) -> Result<Vec<Query>, Error> {
    let known = |class: &str| CLASSES.iter().any(|known| known.name == class);
    if let Some(class) = only.iter().find(|class| !known(class)) {
        let known = CLASSES.map(|class| class.name).join(", ");
        return Err(Error::NoClass { class: class.clone(), known });
    }
    let wanted = |query: &Query| only.is_empty() || only.iter().any(|class| class == query.class);
    Ok(QUERIES.into_iter().filter(wanted).collect())
}
