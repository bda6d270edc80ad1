//! What is captured gives offline what it gave where it came from.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::fs;
use std::process::{Command, Output};

use promql_tests::binary;
use promql_tests::conformance::say;
use promql_tests::reference::program;

/// Sources with expressions about them: windows, subqueries, times of their own, native histograms,
/// two parts of one series, and nothing at all.
const QUERIES: [(&str, &str); 9] = [
    ("corpus/tsdb/shop", "sum by (code) (rate(orders_total[1m]))"),
    (
        "corpus/fixtures/http.test",
        "sum by (instance) (rate(http_requests_total{code=\"500\"}[5m]))",
    ),
    (
        "corpus/fixtures/http.test",
        "max_over_time(sum(rate(http_requests_total[2m]))[4m:30s] offset 1m)",
    ),
    ("corpus/fixtures/http.test", "http_requests_total @ 60 + http_requests_total"),
    ("corpus/fixtures/http.test", "time() - timestamp(http_requests_total) + hour()"),
    ("corpus/fixtures/latency.test", "histogram_quantile(0.9, sum(rate(checkout_seconds[2m])))"),
    ("corpus/fixtures/shop.test", "count by (job) (up) unless on (job) absent(nothing)"),
    ("corpus/fixtures/node.prom", "1 - node_filesystem_avail_bytes / node_filesystem_size_bytes"),
    ("corpus/fixtures/http.test", "nothing"),
];

fn promql(arguments: &[&str]) -> Output {
    Command::new(binary::promql())
        .args(arguments)
        .current_dir(binary::workspace())
        .env_remove("PROMQL_SOURCE")
        .output()
        .unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = promql(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn fixtures_give_the_same() {
    let folder = std::env::temp_dir().join(format!("promql-capture-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name).display().to_string();
    let times =
        [vec!["--time", "1780000150"], vec!["--start", "600", "--end", "720", "--step", "7"]];
    for (source, expression) in QUERIES {
        let times = if source.ends_with("shop") { &times[0] } else { &times[1] };
        let times = if source.ends_with(".prom") { &Vec::new() } else { times };
        for (form, name) in [("test", "captured.test"), ("openmetrics", "captured.om")] {
            let has_histograms = source.contains("latency") || expression.contains("job");
            if form == "openmetrics" && has_histograms {
                continue;
            }
            let captured = file(name);
            let mut arguments =
                vec!["capture", "-s", source, "-o", form, "-O", &captured, "--force"];
            arguments.extend(times);
            arguments.push(expression);
            stdout(&arguments);
            let ask = |source: &str| {
                let mut arguments = vec!["query", "-s", source, "-o", "json"];
                arguments.extend(times);
                arguments.push(expression);
                stdout(&arguments)
            };
            assert_eq!(ask(&captured), ask(source), "{expression} over {source} as {form}");
        }
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn unit_tests_pass() {
    let folder = std::env::temp_dir().join(format!("promql-capture-ut-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("captured.yml").display().to_string();
    let promtool = program(&["promtool"]);
    let expressions = [
        ("http.test", "sum by (instance) (rate(http_requests_total{code=\"500\"}[5m]))"),
        ("http.test", "http_requests_total > 100"),
        ("latency.test", "sum(rate(checkout_seconds[2m]))"),
        ("shop.test", "sum(up) / count(up)"),
    ];
    for (fixture, expression) in expressions {
        let source = format!("corpus/fixtures/{fixture}");
        stdout(&["capture", "-s", &source, "-o", "unit-test", "-O", &path, "--force", expression]);
        stdout(&["test", &path]);
        if let Some(promtool) = &promtool {
            let output = Command::new(promtool).args(["test", "rules", &path]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{expression}\n{said}");
        }
    }
    if promtool.is_none() {
        say("promtool not found (PROMQL_REFERENCE_BIN, else the path): it runs no captured test");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_does_not_fit_is_said() {
    let refused = |arguments: &[&str]| {
        let output = promql(arguments);
        let code = output.status.code().unwrap_or(-1);
        format!("{code}: {}", String::from_utf8_lossy(&output.stderr))
    };
    let shop = "corpus/tsdb/shop";
    let irregular = refused(&["capture", "-s", shop, "-o", "unit-test", "orders_total"]);
    assert!(irregular.starts_with("2: ") && irregular.contains("--align"), "{irregular}");
    let latency = "corpus/fixtures/latency.test";
    let histograms = refused(&["capture", "-s", latency, "-o", "om", "checkout_seconds"]);
    assert!(histograms.starts_with("2: ") && histograms.contains("-o test"), "{histograms}");
    let moved = refused(&["capture", "-s", shop, "--align", "15s", "rate(orders_total[1m])"]);
    assert!(moved.starts_with("1: ") && moved.contains("does not give what it gave"), "{moved}");
    let exists = refused(&["capture", "-s", latency, "-O", "Cargo.toml", "x"]);
    assert!(exists.starts_with("2: ") && exists.contains("--force"), "{exists}");
    let broken = refused(&["capture", "-s", latency, "sum("]);
    assert!(broken.starts_with("1: "), "{broken}");
}
