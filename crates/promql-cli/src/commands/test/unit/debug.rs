//! `--debug`: what promtool prints of it, the series that a test leaves behind.

use std::fmt::Write;

use promql_engine::{EvaluationTime, QueryOptions, evaluate};
use promql_model::number::General;
use promql_model::{QueryValue, SeriesSamples};
use promql_rules::evaluate::SeriesStore;
use promql_rules::unit_test::{RunOptions, TestGroup};
use promql_syntax::{Features, compile};

use super::UnitRun;
use crate::time::range;

/// What is told of the tests of a file that were run.
pub(in super::super) fn tell(run: &UnitRun, options: &RunOptions) -> String {
    let mut out = String::new();
    for (number, test) in run.file.tests.iter().enumerate() {
        // Without its rule files no test is run, but promtool begins it.
        let is_begun = run.outcomes[number].is_some() || !run.faults.is_empty();
        if is_begun && run.chosen[number] {
            let (name, took) = (test.shown_name(number), run.took[number]);
            let _ = writeln!(out, "DEBUG: Starting test {name}");
            if let Some(store) = run.outcomes[number].as_ref().and_then(|o| o.store.as_ref()) {
                dump(&mut out, test, store, options);
            }
            let took = took.as_secs_f64() * 1000.0;
            let _ = writeln!(out, "DEBUG: Test {name} finished, took {took:.3}ms");
        }
    }
    out
}

/// All series at a second after the last test, cut to whole seconds.
fn dump(out: &mut String, test: &TestGroup, store: &SeriesStore, options: &RunOptions) {
    let length = (test.last_time() + 1000) / 1000 * 1000;
    let shown = go_duration(length);
    let _ = writeln!(out, "DEBUG: Dump of all data (input_series and rules) at {shown}:");
    let text = format!("{{__name__=~\".+\"}}[{}]", range::written(length));
    let query = QueryOptions {
        time: EvaluationTime::Instant(test.start.saturating_add(length)),
        engine: options.engine.clone(),
        cancellation: options.cancellation.clone(),
    };
    let result = compile(&text, &Features::ALL)
        .map_err(|errors| errors.to_string())
        .and_then(|q| evaluate(&q, store, &query).map_err(|error| error.to_string()));
    match result.map(|result| result.value) {
        Ok(QueryValue::Matrix(matrix)) if !matrix.is_empty() => {
            matrix.iter().for_each(|series| write_series(out, series));
        }
        Ok(_) => out.push('\n'),
        Err(error) => {
            let _ = writeln!(out, "error: {error}");
        }
    }
}

/// Floats first, then native histograms.
fn write_series(out: &mut String, series: &SeriesSamples) {
    let _ = writeln!(out, "{} =>", series.labels);
    for (at, value) in &series.floats {
        let _ = match value.is_finite() {
            true => writeln!(out, "{value} @[{at}]"),
            false => writeln!(out, "{} @[{at}]", General(*value)),
        };
    }
    for (at, histogram) in &series.histograms {
        let _ = writeln!(out, "{histogram} @[{at}]");
    }
}

/// `2m1s`, `1h0m0s`: a duration of whole seconds as Go writes it.
fn go_duration(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}
