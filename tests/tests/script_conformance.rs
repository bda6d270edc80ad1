//! Upstream's scripts, which are the acceptance tests of PromQL, and its tests of their runner.

use promql_engine::EngineOptions;
use promql_rules::script::{Failure, RunOptions, Script, Verdict};
use promql_tests::conformance::{self, Tally, say};
use serde_json::Value;

#[test]
fn upstreams_scripts_pass() {
    run_all("promqltest", &RunOptions::default());
}

#[test]
fn upstreams_script_for_names_that_are_dropped_at_once_passes() {
    let defaults = RunOptions::default();
    let engine = EngineOptions { delayed_name_removal: false, ..defaults.engine };
    run_all("promqltest_extra", &RunOptions { engine, ..defaults });
}

/// How many evals ended how.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
}

fn run_all(part: &str, options: &RunOptions) {
    let Some(files) = conformance::files(part, ".test") else { return };
    let mut total = Counts::default();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let script = Script::parse(&name, &text).unwrap_or_else(|problems| {
            let all = problems.problems().iter();
            let all = all.map(|p| format!("{}: {p}", p.excerpt().line()));
            panic!("{name}: {}", all.collect::<Vec<_>>().join("\n"))
        });
        let mut counts = Counts::default();
        let mut lines = Vec::new();
        for eval in script.evals() {
            match script.run(eval, options) {
                Verdict::Passed => counts.passed += 1,
                Verdict::Failed(failure) => {
                    counts.failed += 1;
                    lines.push(format!("  {name}:{}: {}", eval.line, shown(&failure)));
                }
                Verdict::Cancelled => panic!("nobody cancelled"),
            }
        }
        let Counts { passed, failed } = counts;
        say(&format!("{part}/{name}: {passed} passed, {failed} failed"));
        lines.iter().for_each(|line| say(line));
        total.passed += passed;
        total.failed += failed;
    }
    let Counts { passed, failed } = total;
    say(&format!("{part}: {passed} passed, {failed} failed"));
    assert_eq!(failed, 0, "see above");
}

fn shown(failure: &Failure) -> String {
    format!("{} {:?}", failure.message, failure.attempt)
}

#[test]
fn the_runner_finds_what_upstreams_finds() {
    let Some(files) = conformance::files("promqltest_extra", "runner.json") else { return };
    for path in files {
        let table = conformance::read_json(&path);
        let (mut tally, mut messages, mut differ) = (Tally::default(), 0, Vec::new());
        for case in table["cases"].as_array().into_iter().flatten() {
            let id = case["id"].as_str().unwrap_or_default();
            let (outcome, message) = run_case(case);
            tally.check(id, outcome);
            match (case["error"].as_str(), message) {
                (Some(expected), Some(got)) if !expected.ends_with(&got) => {
                    differ.push(format!("  {id}: {got}\n    upstream: {expected}"));
                }
                (Some(_), Some(_)) => messages += 1,
                _ => {}
            }
        }
        say(&format!(
            "promqltest_extra/runner: {messages} messages as upstream's, {} others",
            differ.len()
        ));
        differ.iter().for_each(|line| say(line));
        tally.finish("promqltest_extra/runner");
    }
}

/// Whether a script passes as it must, and what is said if it fails.
fn run_case(case: &Value) -> (Result<(), String>, Option<String>) {
    let text = case["script"].as_str().unwrap_or_default();
    let message = match Script::parse("case", text.as_bytes()) {
        Err(problems) => Some(problems.problems()[0].message().to_owned()),
        Ok(script) => {
            let run = |eval| match script.run(eval, &RunOptions::default()) {
                Verdict::Passed => None,
                Verdict::Failed(failure) => Some(failure.message),
                Verdict::Cancelled => panic!("nobody cancelled"),
            };
            script.evals().iter().find_map(run)
        }
    };
    let outcome = match (case["pass"].as_bool().unwrap_or_default(), &message) {
        (true, Some(message)) => Err(format!("failed: {message}")),
        (false, None) => Err("passed".to_owned()),
        _ => Ok(()),
    };
    (outcome, message)
}
