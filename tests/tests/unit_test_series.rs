//! What rules and expressions of unit tests see of series while samples are still to come, beside promtool.
//!
//! promtool loads samples up to the time of each evaluation, so the layout of native histograms, the hints
//! about resets and the staleness of a series depend on how far a test has come. Series of all kinds are
//! read at several times in tests of several lengths; every expectation is wrong, so that both programs
//! tell everything that they got, and the reports must be equal.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

use promql_tests::binary::{promql, workspace};
use promql_tests::conformance::say;

/// Series with what is odd about them; one sample a minute.
const SERIES: [(&str, &str); 15] = [
    (
        "buckets come before and behind",
        "{{count:1 buckets:[1]}} {{count:3 buckets:[1 2]}} {{count:6 offset:-2 buckets:[1 1 2 2]}} \
         {{count:10 offset:-2 buckets:[1 1 2 2 4]}}",
    ),
    (
        "buckets go and come back",
        "{{count:6 offset:-2 buckets:[1 1 2 2]}} {{count:7 offset:-1 buckets:[2 3 2]}} \
         {{count:9 offset:-2 buckets:[1 3 3 2]}}",
    ),
    (
        "resets",
        "{{count:5 buckets:[5]}} {{count:3 buckets:[3]}} {{count:6 buckets:[6]}} {{count:1 buckets:[1]}}",
    ),
    (
        "gauges",
        "{{count:5 buckets:[5] counter_reset_hint:gauge}} {{count:3 buckets:[3] counter_reset_hint:gauge}} \
         {{count:7 buckets:[6 0 1] counter_reset_hint:gauge}}",
    ),
    (
        "hints that change",
        "{{count:5 buckets:[5] counter_reset_hint:reset}} {{count:8 buckets:[8] counter_reset_hint:not_reset}} \
         {{count:9 buckets:[9] counter_reset_hint:reset}} {{count:11 buckets:[11] counter_reset_hint:gauge}} \
         {{count:12 buckets:[12]}}",
    ),
    (
        "floats between",
        "1 {{count:5 buckets:[5]}} 2 {{count:6 buckets:[6]}} {{count:7 buckets:[7]}} 3",
    ),
    (
        "ends",
        "{{count:5 buckets:[5]}} stale {{count:6 buckets:[6]}} _ stale {{count:2 buckets:[2]}}",
    ),
    ("floats that end", "1 stale 2 _ stale 3 stale"),
    (
        "schemas",
        "{{schema:1 count:5 buckets:[5]}} {{schema:0 count:6 buckets:[6]}} {{schema:1 count:7 buckets:[6 1]}}",
    ),
    (
        "zero thresholds",
        "{{count:5 z_bucket:1 z_bucket_w:0.001 buckets:[4]}} {{count:6 z_bucket:2 z_bucket_w:0.001 \
         buckets:[4]}} {{count:7 z_bucket:2 z_bucket_w:0.01 buckets:[5]}}",
    ),
    (
        "custom buckets",
        "{{schema:-53 count:5 custom_values:[1 2] buckets:[5]}} {{schema:-53 count:6 custom_values:[1 2] \
         buckets:[5 1]}} {{schema:-53 count:7 custom_values:[1 2 3] buckets:[5 1 1]}}",
    ),
    (
        "negative buckets",
        "{{count:5 buckets:[3] n_buckets:[2]}} {{count:7 buckets:[3] n_buckets:[2 0 2]}} {{count:9 \
         buckets:[3 0 0 2] n_buckets:[2 0 2]}}",
    ),
    ("nothing changes", "{{count:5 buckets:[3 0 2]}}x5"),
    ("growth", "{{count:1 buckets:[1]}}+{{count:1 offset:2 buckets:[1]}}x5"),
    ("late", "_x3 {{count:1 buckets:[1]}} {{count:2 buckets:[1 1]}}"),
];

const RULES: &str = "\
groups:
- name: g
  rules:
  - {record: copied, expr: h}
  - {record: summed, expr: 'sum by (n) (h)'}
  - {record: counted, expr: 'histogram_count(h)'}
  - {record: changed, expr: 'changes(h[5m])'}
  - {record: last, expr: 'last_over_time(h[5m])'}
  - {record: present, expr: 'count_over_time(h[5m])'}
  - {alert: Value, expr: h, annotations: {v: '{{ $value }}'}}
  - {alert: Label, expr: 'histogram_count(h) > 0', labels: {c: '{{ $value }}'}}
";

/// What depends on how samples are kept, and not on how functions compute: that differs between
/// releases of Prometheus.
const EXPRESSIONS: [&str; 15] = [
    "h",
    "copied",
    "summed",
    "counted",
    "changed",
    "last",
    "present",
    "ALERTS",
    "h offset 1m",
    "h offset -2m",
    "h @ 120",
    "last_over_time(h[1m])",
    "count_over_time(copied[6m])",
    "changes(last[6m])",
    "max_over_time(timestamp(h)[5m:1m])",
];

/// How long tests go on, in minutes.
const LENGTHS: [usize; 6] = [0, 1, 2, 3, 5, 8];

fn tests() -> String {
    let mut text = String::from("rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n");
    for (name, values) in SERIES {
        for length in LENGTHS {
            let _ = write!(
                text,
                "- name: {name} {length}\n  interval: 1m\n  input_series:\n  - series: 'h{{n=\"{name}\"}}'\n    \
                 values: '{values}'\n  alert_rule_test:\n"
            );
            for time in 0..=length {
                for alert in ["Value", "Label"] {
                    let _ = writeln!(
                        text,
                        "  - {{eval_time: {time}m, alertname: {alert}, exp_alerts: [{{exp_labels: {{no: \
                         no}}}}]}}"
                    );
                }
            }
            text.push_str("  promql_expr_test:\n");
            for expression in EXPRESSIONS {
                for time in [0, 1, 2, length].iter().filter(|time| **time <= length) {
                    let _ = writeln!(
                        text,
                        "  - {{expr: '{expression}', eval_time: {time}m, exp_samples: [{{labels: no, \
                         value: 1}}]}}"
                    );
                }
            }
        }
    }
    text
}

#[test]
fn series_are_seen_as_promtool_sees_them() {
    let folder = std::env::var_os("PROMQL_REFERENCE_BIN").map(PathBuf::from);
    let Some(promtool) = folder.map(|folder| folder.join("promtool")).filter(|path| path.is_file())
    else {
        say("no promtool in PROMQL_REFERENCE_BIN, skipping 1 comparison");
        return;
    };
    let folder = workspace().join("target/unit-test-series");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("rules.yml"), RULES).expect("a file");
    std::fs::write(folder.join("tests.yml"), tests()).expect("a file");
    let report = |program: &std::path::Path, words: &[&str]| {
        let output = Command::new(program).args(words).current_dir(&folder).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let ours = report(promql(), &["test", "--strict-promtool", "tests.yml"]);
    let theirs = report(&promtool, &["test", "rules", "tests.yml"]);
    let failures = theirs.lines().filter(|line| line.trim_start().starts_with("got:")).count();
    assert!(failures > 4000, "only {failures} answers were compared");
    let diff = similar::TextDiff::from_lines(&theirs, &ours);
    let diff = diff.unified_diff().context_radius(3).header("promtool", "promql").to_string();
    assert!(diff.is_empty(), "{}", diff.lines().take(60).collect::<Vec<_>>().join("\n"));
}
