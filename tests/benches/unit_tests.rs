//! How long 500 unit tests over generated rules take, beside promtool in one run: the two take
//! turns, and the medians are compared.
//!
//! ```text
//! PROMQL_REFERENCE_BIN=… cargo bench -p promql-tests --bench unit_tests
//! ```

#![allow(clippy::print_stdout, reason = "the numbers are the point")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use promql_tests::binary::{promql_release, workspace};
use promql_tests::conformance::say;

/// How often each program runs.
const TURNS: usize = 3;

/// Four groups of five rules: three that record, two that alert.
fn rules() -> String {
    let mut text = String::from("groups:\n");
    for group in 0..4 {
        let _ = writeln!(text, "  - name: g{group}\n    rules:");
        let k = group * 5;
        let rate =
            |matchers: &str| format!("sum by (job) (rate(requests_total{{{matchers}}}[5m]))");
        let recorded = [
            rate(&format!("code=~\"5..\",handler=\"h{k}\"")),
            rate(&format!("handler=\"h{}\"", k + 1)),
            format!("job:r{k}:rate5m / job:r{}:rate5m", k + 1),
        ];
        for (at, expr) in recorded.iter().enumerate() {
            let _ = writeln!(text, "      - record: job:r{}:rate5m", k + at);
            let _ = writeln!(text, "        expr: {expr}");
            let _ = writeln!(text, "        labels: {{team: t{group}}}");
        }
        let _ = writeln!(
            text,
            "      - alert: High{0}\n        expr: job:r{1}:rate5m > 0.05\n        for: 5m\n        \
             labels: {{severity: page}}\n        annotations:\n          summary: \"{{{{ \
             $labels.job }}}} has {{{{ $value | humanizePercentage }}}} errors\"",
            k + 3,
            k + 2
        );
        let _ = writeln!(
            text,
            "      - alert: Down{0}\n        expr: up{{job=\"j{0}\"}} == 0\n        for: 2m\n        \
             annotations: {{summary: \"{{{{ $labels.instance }}}} is down\"}}",
            k + 4
        );
    }
    text
}

/// A test of one of the groups.
fn test(text: &mut String, number: usize) {
    let (group, k) = (number % 4, number % 4 * 5);
    let _ = writeln!(text, "  - name: case {number}\n    interval: 1m\n    input_series:");
    for handler in [k, k + 1] {
        for (code, step) in [("200", 60), ("500", 6)] {
            let _ = writeln!(
                text,
                "      - {{series: 'requests_total{{job=\"api\",code=\"{code}\",\
                 handler=\"h{handler}\"}}', values: 0+{step}x40}}"
            );
        }
    }
    let down = k + 4;
    let _ = writeln!(
        text,
        "      - {{series: 'up{{job=\"j{down}\",instance=\"i{number}\"}}', values: 1x10 0x30}}\n    \
         alert_rule_test:\n      - eval_time: 20m\n        alertname: Down{down}\n        \
         exp_alerts:\n          - exp_labels: {{job: j{down}, instance: i{number}}}\n            \
         exp_annotations: {{summary: i{number} is down}}"
    );
    let _ = writeln!(
        text,
        "      - eval_time: 30m\n        alertname: High{}\n        exp_alerts:\n          - \
         exp_labels: {{job: api, severity: page, team: t{group}}}\n            exp_annotations: \
         {{summary: api has 9.091% errors}}",
        k + 3
    );
    let _ = writeln!(
        text,
        "    promql_expr_test:\n      - expr: job:r{k}:rate5m\n        eval_time: 30m\n        \
         exp_samples:\n          - {{labels: 'job:r{k}:rate5m{{job=\"api\",team=\"t{group}\"}}', \
         value: 0.1}}"
    );
}

fn time(folder: &Path, program: &Path, arguments: &[&str]) -> Duration {
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(status.success(), "{} failed", program.display());
    start.elapsed()
}

fn main() {
    let Some(reference) = std::env::var_os("PROMQL_REFERENCE_BIN").map(PathBuf::from) else {
        say("no promtool in PROMQL_REFERENCE_BIN, skipping 1 benchmark");
        return;
    };
    let folder = workspace().join("target/unit-tests-bench");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut tests = String::from("rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n");
    (0..500).for_each(|number| test(&mut tests, number));
    std::fs::write(folder.join("rules.yml"), rules()).expect("a file");
    std::fs::write(folder.join("tests.yml"), tests).expect("a file");
    let (promql, promtool) = (promql_release(), reference.join("promtool"));
    let (mut ours, mut strict, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        ours.push(time(&folder, promql, &["test", "tests.yml"]));
        strict.push(time(&folder, promql, &["test", "--strict-promtool", "tests.yml"]));
        theirs.push(time(&folder, &promtool, &["test", "rules", "tests.yml"]));
    }
    let theirs = median(theirs);
    println!("500 unit tests    median of {TURNS}    promtool takes");
    for (what, time) in [
        ("promql test", median(ours)),
        ("  --strict-promtool", median(strict)),
        ("promtool test rules", theirs),
    ] {
        let ratio = theirs.as_secs_f64() / time.as_secs_f64();
        println!("{what:<19} {time:>10.2?} {ratio:>10.1} x");
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
