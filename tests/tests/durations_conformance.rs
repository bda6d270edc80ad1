//! Upstream's cases for duration expressions. What a duration comes to is read off the time range
//! that the evaluator asks the storage for.

use std::sync::Mutex;
use std::time::Duration;

use promql_engine::{
    LabelQuery, QueryOptions, SelectRequest, SelectedSeries, Storage, StorageError, TimeRange,
    evaluate,
};
use promql_storage::MemoryBuilder;
use promql_syntax::{Features, compile};
use promql_tests::conformance::{Tally, files, read_json};
use serde_json::Value;

/// Holds no series and remembers what it was asked for.
struct Recorder {
    empty: promql_storage::MemoryStorage,
    asked: Mutex<Vec<(String, TimeRange)>>,
}

impl Storage for Recorder {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        let names: Vec<String> = request.matchers.iter().map(ToString::to_string).collect();
        self.asked.lock().expect("no panic").push((names.join(","), request.range));
        self.empty.select(request)
    }

    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        self.empty.label_names(query)
    }

    fn label_values(
        &self,
        name: &str,
        query: &LabelQuery<'_>,
    ) -> Result<Vec<String>, StorageError> {
        self.empty.label_values(name, query)
    }
}

const START: i64 = 2_000_000_000_000;

/// The time ranges that a query asks for when it is evaluated from `START`.
fn asked(query: &str, step: i64, range: i64) -> Result<Vec<TimeRange>, String> {
    let query = compile(query, &Features::ALL).map_err(|errors| errors.to_string())?;
    let recorder = Recorder { empty: MemoryBuilder::default().build(), asked: Mutex::default() };
    let step = Duration::from_millis(step as u64);
    evaluate(&query, &recorder, &QueryOptions::range(START, START + range, step))
        .map_err(|error| error.to_string())?;
    let asked = recorder.asked.lock().expect("no panic");
    Ok(asked.iter().map(|(_, range)| *range).collect())
}

fn check(case: &Value, step: i64, range: i64) -> Result<(), String> {
    let expr = case["expr"].as_str().expect("expr");
    let is_offset = case["allow_negative"] == true;
    let query = match is_offset {
        true => format!("metric offset ({expr})"),
        false => format!("count_over_time(metric[{expr}])"),
    };
    let got = asked(&query, step, range).map(|asked| match (is_offset, asked.first()) {
        (_, None) => i64::MIN,
        (true, Some(asked)) => START + range - asked.end,
        // The window is open on its left.
        (false, Some(asked)) => START - asked.start + 1,
    });
    match (got, case["ok"] == true) {
        (Ok(got), true) if got == case["milliseconds"].as_i64().expect("milliseconds") => Ok(()),
        (Ok(got), _) => Err(format!("{query} came to {got} ms")),
        (Err(message), true) => Err(format!("{query}: {message}")),
        (Err(message), false) => {
            let want = case["error_contains"].as_str().unwrap_or_default();
            // What the parser rejects it words like the evaluation, up to a verb.
            let close = message.replace("duration out of range", "duration is out of range");
            if close.contains(want) { Ok(()) } else { Err(format!("{message}, want {want}")) }
        }
    }
}

/// A subquery of a rate, plus windows with and without an offset: what is asked for reaches from the
/// first window of the rate to the end of the window that looks ahead.
fn check_whole(whole: &Value, input: &str, step: i64, range: i64) -> Result<(), String> {
    let expected = whole["expected"].as_array().expect("expected");
    let of = |at: usize, field: &str| expected[at][field].as_i64().expect("milliseconds");
    let inner_step = of(0, "step_ms");
    let behind = START - of(0, "offset_ms") - of(0, "range_ms");
    let first_inner = (behind / inner_step + 1) * inner_step;
    let want = TimeRange {
        start: first_inner - of(1, "offset_ms") - of(1, "range_ms") + 1,
        end: START + range - of(2, "offset_ms"),
    };
    let asked = asked(input, step, range)?;
    let got = TimeRange {
        start: asked.iter().map(|range| range.start).min().unwrap_or_default(),
        end: asked.iter().map(|range| range.end).max().unwrap_or_default(),
    };
    if got == want { Ok(()) } else { Err(format!("asked for {got:?}, want {want:?}")) }
}

#[test]
fn durations() {
    let Some(files) = files("parser", "durations.json") else { return };
    let mut tally = Tally::default();
    for path in files {
        let file = read_json(&path);
        let (step, range) = (&file["step_ms"], &file["range_ms"]);
        let (step, range) = (step.as_i64().expect("step"), range.as_i64().expect("range"));
        for case in file["cases"].as_array().expect("cases") {
            tally.check(case["id"].as_str().expect("id"), check(case, step, range));
        }
        let whole = &file["whole_expression"];
        if let Some(input) = whole["input"].as_str() {
            tally.check("whole_expression", check_whole(whole, input, step, range));
        }
    }
    tally.finish("durations");
}
