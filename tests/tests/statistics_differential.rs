//! The numbers of samples that a query looks at, and that are held for it, compared with those that a
//! real Prometheus reports, and with those of upstream's tests.

use promql_engine::evaluate_with_statistics;
use promql_model::QueryValue;
use promql_storage::fixture::read_script;
use promql_syntax::{Features, compile};
use promql_tests::answer::Times;
use promql_tests::conformance::{self, Tally, say};
use promql_tests::prometheus::Prometheus;
use promql_tests::trial_data::{START, storage};

const QUERIES: [&str; 44] = [
    "g",
    "g offset 7m",
    "g @ 1700000000",
    "sum(g)",
    "-g",
    "g + 1",
    "g + on (i, j) c_total",
    "g / g",
    "g and on (i) one",
    "g unless one",
    "g or one",
    "one{i=\"0\"} * on (i) group_right () g",
    "rate(c_total[5m])",
    "sum by (i) (rate(c_total[5m]))",
    "rate(c_total[5m]) / rate(c_total[5m])",
    "rate(c_total[5m] @ 1700000000)",
    "max_over_time(g[10m]) - min_over_time(g[10m])",
    "quantile_over_time(0.5, g[3m])",
    "predict_linear(g[10m], 60)",
    "max_over_time(g[10m:1m])",
    "max_over_time(g[10m:1m] @ 1700000000)",
    "max_over_time(rate(c_total[1m])[10m:30s])",
    "sum_over_time(max_over_time(rate(c_total[1m])[5m:30s])[1m:1s])",
    "topk(2, g)",
    "quantile(0.5, g)",
    "count_values(\"v\", steady)",
    "histogram_quantile(0.9, h_bucket)",
    "histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m])))",
    "absent(g)",
    "absent_over_time(g[2m])",
    "timestamp(g)",
    "time()",
    "vector(scalar(one{i=\"0\"}))",
    "label_replace(g, \"x\", \"$1\", \"i\", \"(.*)\")",
    "sum(g @ end()) + sum(g)",
    "sum_over_time((g @ end())[10m:1m])",
    "avg_over_time(g[10m:1m]) + g",
    "predict_linear(g[10m] @ 1700000000, 60)",
    "sum(quantile_over_time(0.5, g[3m])) + sum(g)",
    "sum(max_over_time(g[10m:1m])) + sum(g)",
    "-label_replace(g, \"x\", \"$1\", \"i\", \"(.*)\") + 1",
    "sum by (i) (rate(c_total[5m])) > bool 0.1 * scalar(sum(g)) or vector(time() - 3)",
    "clamp(sort(g), 0, 5)",
    "1",
];

/// What is reported of the samples: how many were looked at, and how many were held at most.
fn of_server(server: &Prometheus, query: &str, times: Times) -> (u64, u64) {
    let answer = server.ask(query, times).unwrap_or_else(|error| panic!("{query}: {error}"));
    let samples = &answer["data"]["stats"]["samples"];
    let number = |key: &str| samples[key].as_u64().unwrap_or_else(|| panic!("{query}: {samples}"));
    (number("totalQueryableSamples"), number("peakSamples"))
}

/// How many points a result has.
fn points(value: &QueryValue) -> u64 {
    match value {
        QueryValue::Matrix(matrix) => matrix.iter().map(|s| s.floats.len() as u64).sum(),
        QueryValue::Vector(elements) => elements.len() as u64,
        QueryValue::Scalar { .. } | QueryValue::String { .. } => 1,
    }
}

#[test]
fn samples_are_counted_as_a_server_counts_them() {
    let Some(server) = Prometheus::start("statistics", &[]) else {
        say("no prometheus in PROMQL_REFERENCE_BIN, skipping the comparison of statistics");
        return;
    };
    let storage = storage();
    server.write(&storage);
    // The last step is the end, of subqueries too: 3.5 evaluates subqueries up to the end, newer ones up to the last step.
    let (start, step) = (START + 600_000, 37_000);
    let end = start + 48 * step;
    let mut different = Vec::new();
    let times = [Times::Instant(START + 1_800_000), Times::Range { start, end, step }];
    for query in QUERIES {
        for times in times {
            let (queried, peak) = of_server(&server, query, times);
            let compiled =
                compile(query, &Features::ALL).unwrap_or_else(|e| panic!("{query}: {e:?}"));
            let (result, ours) = evaluate_with_statistics(&compiled, &storage, &times.options());
            let result = result.unwrap_or_else(|error| panic!("{query}: {error}"));
            // The result may be held as columns and as points for a moment; else we hold less.
            let limit = peak + points(&result.value);
            let alike = ours.peak_samples_of_server as u64 == peak;
            if ours.samples_queried != queried || !alike || ours.peak_samples as u64 > limit {
                different.push(format!(
                    "{query} {times:?}: looked at {queried}, we at {}; held {peak}, we say {} and hold {}",
                    ours.samples_queried, ours.peak_samples_of_server, ours.peak_samples
                ));
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Upstream's own examples.
#[test]
fn samples_are_held_as_in_the_tests_of_upstream() {
    let Some(folder) = conformance::folder() else {
        say("no conformance data, skipping upstream's numbers of samples");
        return;
    };
    let path = folder.join("engine/max_samples.json");
    if !path.exists() {
        say("no engine/max_samples.json among the conformance data, skipping");
        return;
    }
    let file = conformance::read_json(&path);
    let script = file["load"].as_str().expect("a load command");
    let loaded = read_script("load", script.as_bytes(), None);
    let storage = loaded.unwrap_or_else(|e| panic!("{e:?}"));
    let storage = storage.storage;
    let mut tally = Tally::default();
    for case in file["cases"].as_array().expect("cases") {
        let text = case["expr"].as_str().expect("an expression");
        let time = |key: &str| case[key].as_i64();
        let start = time("start_ms").expect("a start");
        let times = match (time("end_ms"), time("step_ms")) {
            (Some(end), Some(step)) => Times::Range { start, end, step },
            _ => Times::Instant(start),
        };
        let query = compile(text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        let (result, statistics) = evaluate_with_statistics(&query, &storage, &times.options());
        let expected = case["peak_samples"].as_u64();
        let found = statistics.peak_samples_of_server as u64;
        let outcome = match (result, Some(found) == expected) {
            (Err(error), _) => Err(error.to_string()),
            (Ok(_), true) => Ok(()),
            (Ok(_), false) => Err(format!("{text}: {found}, expected {expected:?}")),
        };
        tally.check(case["id"].as_str().unwrap_or_default(), outcome);
    }
    tally.finish("samples held");
}
