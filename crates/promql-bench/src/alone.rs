//! What is measured of `promql` alone: the command from start to exit, decoding, writing numbers.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use promql_engine::{
    Cancellation, EvaluationTime, QueryOptions, SampleBuffer, SelectHints, SelectRequest, Storage,
    TimeRange,
};
use promql_model::{MatchOp, Matcher, QueryValue};
use promql_storage::tsdb::TsdbStorage;
use serde::Serialize;

use crate::data::Size;
use crate::error::Error;
use crate::measure::median;
use crate::programs;
use crate::progress::Progress;
use crate::queries::Span;

/// Something with a limit.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    /// The middle one of several runs, and the least.
    pub(crate) median: f64,
    pub(crate) least: f64,
    /// How long threads worked, on average, where the system tells: what else the machine does doesn't
    /// count there.
    pub(crate) worked: Option<f64>,
    /// The most it may be, for the least: on a machine that has other things to do the least is
    /// nearest to what the work takes. Given for size M.
    pub(crate) gate: f64,
}

impl Figure {
    fn new(
        what: &'static str,
        unit: &'static str,
        all: &[f64],
        worked: Option<f64>,
        gate: f64,
    ) -> Figure {
        let times: Vec<Duration> = all.iter().map(|ms| Duration::from_secs_f64(ms / 1e3)).collect();
        let least = all.iter().copied().fold(f64::INFINITY, f64::min);
        Figure { what, unit, median: median(&times), least, worked, gate }
    }

    pub(crate) fn is_met(&self) -> bool {
        self.least <= self.gate
    }
}

/// How long this thread worked so far, in seconds.
fn of_thread() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split(' ').next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

/// How long the processes worked that this one started and that have ended, in seconds. To hundredths
/// of it, so that many runs have to be taken together.
fn of_children() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in brackets, may have spaces.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(13)? + ticks(14)?) / 100.0)
}

/// The difference of two readings of a clock, divided.
fn per(before: Option<f64>, after: Option<f64>, count: f64) -> Option<f64> {
    Some((after? - before?) / count)
}

/// Runs the command on the blocks.
pub(crate) fn command(
    promql: &Path,
    blocks: &Path,
    size: Size,
    rounds: usize,
) -> Result<Vec<Figure>, Error> {
    let _progress = Progress::new("running the command");
    let seconds = |ms: i64| (ms / 1000).to_string();
    let (start, end, _) = Span::Full.times(size);
    let (start, end) = (seconds(start), seconds(end));
    let full =
        ["sum(rate(http_requests_total[5m]))", "--step", "15s", "--start", &start, "--end", &end];
    let runs: [(&'static str, &[&str], f64); 2] = [
        ("promql query 'count(up)'", &["count(up)"], 10.0),
        ("promql query 'sum(rate(http_requests_total[5m]))'", &full, 60.0),
    ];
    let mut figures = Vec::new();
    for (what, arguments, gate) in runs {
        let mut times = Vec::new();
        let worked = of_children();
        for _ in 0..=rounds.max(10) {
            programs::check()?;
            let before = Instant::now();
            let status = Command::new(promql)
                .args(["query", "-o", "json", "-s"])
                .arg(blocks)
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .map_err(Error::file("start", promql))?;
            times.push(before.elapsed().as_secs_f64() * 1e3);
            if !status.success() {
                let program = format!("{} query {}", promql.display(), arguments.join(" "));
                return Err(Error::Ended {
                    program,
                    status: status.to_string(),
                    words: String::new(),
                });
            }
        }
        let worked = per(worked, of_children(), times.len() as f64 / 1e3);
        figures.push(Figure::new(what, "ms", &times[1..], worked, gate));
    }
    Ok(figures)
}

/// Decodes the chunks of 4,000 counters (of size M) on one thread, and writes an answer of many
/// points.
pub(crate) fn kernels(blocks: &Path, size: Size, rounds: usize) -> Result<Vec<Figure>, Error> {
    let _progress = Progress::new("decoding and writing");
    let broken = |error: &dyn std::error::Error| Error::Storage(error.to_string());
    let (storage, _) = TsdbStorage::open(blocks).map_err(|error| broken(&error))?;
    let metric = Matcher::new("__name__", MatchOp::Equal, "http_requests_total")
        .map_err(|error| broken(&error))?;
    let request = SelectRequest {
        matchers: &[metric],
        range: TimeRange::ALL,
        hints: SelectHints::default(),
        cancellation: &Cancellation::default(),
    };
    let selected = storage.select(&request).map_err(|error| broken(&error))?;
    let mut buffer = SampleBuffer::default();
    let (mut decoding, mut count) = (Vec::new(), 0);
    let worked = of_thread();
    for _ in 0..=rounds.max(10) {
        programs::check()?;
        let (before, mut samples) = (Instant::now(), 0);
        for series in 0..selected.labels().len() {
            let read = selected.read(series, &mut buffer).map_err(|error| broken(&error))?;
            samples += read.timestamps.len();
        }
        decoding.push(before.elapsed().as_secs_f64() * 1e9 / samples as f64);
        count += samples;
    }
    let decoding_worked = per(worked, of_thread(), count as f64 / 1e9);
    let text = "rate(http_requests_total{job=\"api\"}[5m])";
    let query = promql_syntax::compile(text, &promql_syntax::Features::ALL)
        .map_err(|errors| Error::Storage(errors.to_string()))?;
    let (start, end, step) = Span::Hour.times(size);
    let step = Duration::from_millis(step.unsigned_abs());
    let time = EvaluationTime::Range { start, end, step };
    let options = QueryOptions { time, ..QueryOptions::instant(0) };
    let result =
        promql_engine::evaluate(&query, &storage, &options).map_err(|error| broken(&error))?;
    let points = match &result.value {
        QueryValue::Matrix(all) => all.iter().map(|series| series.floats.len()).sum::<usize>(),
        _ => 0,
    };
    let mut writing = Vec::new();
    let worked = of_thread();
    for _ in 0..=rounds.max(10) {
        programs::check()?;
        let before = Instant::now();
        let written = promql_server::answer::query(&result, text.as_bytes(), None);
        writing.push(before.elapsed().as_secs_f64() * 1e9 / points as f64);
        std::hint::black_box(written);
    }
    let writing_worked = per(worked, of_thread(), (writing.len() * points) as f64 / 1e9);
    let (decoding, writing) = (&decoding[1..], &writing[1..]);
    Ok(vec![
        Figure::new("decoding XOR chunks", "ns a sample", decoding, decoding_worked, 8.0),
        Figure::new("writing rates with all digits", "ns a point", writing, writing_worked, 40.0),
    ])
}
