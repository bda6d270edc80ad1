//! A real VictoriaMetrics, asked by the command: what it answers is shown as it is, and what it
//! exports is evaluated here as a file with the same samples is.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use promql_tests::binary;
use promql_tests::conformance::say;
use promql_tests::reference::{Running, encoded, free_port, get, post, program, wait_for};
use promql_tests::trial_data::{self, END, START};
use serde_json::Value;

/// What both languages mean alike.
const ASKED_THERE: [&str; 8] = [
    "g",
    "g{i=\"0\", j=~\"x|y\"} * 2",
    "sum by (i) (g)",
    "count(c_total) or vector(0)",
    "max_over_time(g[5m])",
    "topk(2, big)",
    "g > bool 0",
    "nothing_at_all",
];

/// What is evaluated here, from exported samples.
const EVALUATED_HERE: [&str; 5] = [
    "sum by (i) (rate(c_total[5m]))",
    "histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m])))",
    "avg_over_time(steady[15m:1m] offset 10m)",
    "big / on (i) group_left () tiny",
    "absent(g{i=\"7\"}) or g @ end() - g",
];

/// The finite samples of the trial data as exposition text, times in milliseconds. VictoriaMetrics keeps
/// no other values.
fn text() -> String {
    let storage = trial_data::storage();
    let mut text = String::new();
    for (index, labels) in storage.series().iter().enumerate() {
        let samples = storage.samples(index).unwrap();
        let name = labels.get("__name__").unwrap();
        if matches!(name, "wild" | "when") {
            continue;
        }
        let pairs = labels.iter().filter(|(name, _)| *name != "__name__");
        let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={value:?}")).collect();
        let samples = samples.timestamps.iter().zip(samples.values);
        for (time, value) in samples.filter(|(_, value)| value.is_finite()) {
            let _ = writeln!(text, "{name}{{{}}} {value} {time}", pairs.join(","));
        }
    }
    text
}

fn promql(words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(binary::promql());
    let output = command.args(words).env("NO_COLOR", "1").env_remove("PROMQL_SOURCE").output();
    let output = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// The series of an answer by their labels, each with its samples.
fn series(text: &str, what: &str) -> Vec<(String, Value)> {
    let json: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{what}: {e}: {text}"));
    let result = json["data"]["result"].as_array().unwrap_or_else(|| panic!("{what}: {text}"));
    let samples = |one: &Value| match &one["value"] {
        Value::Null => one["values"].clone(),
        value => Value::Array(vec![value.clone()]),
    };
    let mut all: Vec<(String, Value)> =
        result.iter().map(|one| (one["metric"].to_string(), samples(one))).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// Compares times exactly and values to 12 digits, as VictoriaMetrics keeps decimal numbers.
fn assert_same(what: &str, here: &[(String, Value)], there: &[(String, Value)]) {
    let labels = |all: &[(String, Value)]| all.iter().map(|one| one.0.clone()).collect::<Vec<_>>();
    assert_eq!(labels(here), labels(there), "{what}");
    let numbers = |value: &Value| -> Vec<(f64, f64)> {
        let sample = |sample: &Value| {
            let value = sample[1].as_str().unwrap().replace("Inf", "inf");
            (sample[0].as_f64().unwrap(), value.parse().unwrap())
        };
        value.as_array().unwrap().iter().map(sample).collect()
    };
    for ((labels, a), (_, b)) in here.iter().zip(there) {
        let (a, b) = (numbers(a), numbers(b));
        let times = |all: &[(f64, f64)]| all.iter().map(|one| one.0).collect::<Vec<_>>();
        assert_eq!(times(&a), times(&b), "{what} {labels}");
        for ((at, a), (_, b)) in a.iter().zip(&b) {
            let near =
                a == b || (a - b).abs() <= 1e-12 * a.abs().max(b.abs()) || a.is_nan() && b.is_nan();
            assert!(near, "{what} {labels} at {at}: {a} and {b}");
        }
    }
}

#[test]
fn a_victoria_metrics_is_asked() {
    let Some(victoria) = program(&["victoria-metrics", "victoria-metrics-prod"]) else {
        return say("no victoria-metrics in PROMQL_REFERENCE_BIN or the path, skipping");
    };
    let folder = std::env::temp_dir().join(format!("promql-victoria-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let port = free_port();
    let _running = Running::start(
        &victoria,
        &[
            &format!("-storageDataPath={}", folder.join("data").display()),
            &format!("-httpListenAddr=127.0.0.1:{port}"),
            "-retentionPeriod=100y",
            "-search.latencyOffset=0s",
            "-search.disableCache",
        ],
        &folder.join("log"),
    );
    wait_for("victoria-metrics", || get(port, "/health"));
    let text = text();
    let file = folder.join("trial.prom");
    fs::write(&file, &text).unwrap();
    let (status, answer) = post(port, "/api/v1/import/prometheus", "", text.as_bytes()).unwrap();
    assert_eq!(status, 204, "{answer}");
    get(port, "/internal/force_flush").unwrap();
    let counted = format!("/api/v1/query?query=count(g)&time={}", (START + 1_800_000) / 1000);
    wait_for("the samples", || {
        get(port, &counted).filter(|answer| answer.windows(7).any(|w| w == b"\"value\""))
    });

    let server = format!("http://127.0.0.1:{port}");
    let file = file.display().to_string();
    let middle = format!("{}", (START + 1_800_000) / 1000);
    let (start, end) = (format!("{}", START / 1000 + 600), format!("{}", END / 1000));
    let at = ["--time", &middle];
    let range = ["--start", &start, "--end", &end, "--step", "30s"];
    for query in ASKED_THERE {
        let path = format!("/api/v1/query?query={}&time={middle}", encoded(query));
        let there = String::from_utf8(get(port, &path).unwrap()).unwrap();
        let words = [&["query", "-s", &server, "-o", "json", query][..], &at].concat();
        let (code, out, error) = promql(&words);
        assert_eq!(code, 0, "{query}: {error}");
        assert_same(query, &series(&out, query), &series(&there, query));
    }
    for query in EVALUATED_HERE {
        let words = ["query", "--eval", "local", "-o", "json", query, "-s"];
        let exported = promql(&[&words[..], &[&server], &range].concat());
        let read = promql(&[&words[..], &[&file], &range].concat());
        assert_eq!((exported.0, read.0), (0, 0), "{query}: {} {}", exported.2, read.2);
        assert_same(query, &series(&exported.1, query), &series(&read.1, query));
    }
    // What it refuses is told with its words and ours.
    let (code, out, error) = promql(&["query", "-s", &server, "rate(g[5m]) offset"]);
    assert_eq!((code, &*out), (1, ""), "{error}");
    say(&format!(
        "{} queries asked of a VictoriaMetrics, {} evaluated here",
        ASKED_THERE.len(),
        EVALUATED_HERE.len()
    ));
    drop(_running);
    let _ = fs::remove_dir_all(&folder);
}
