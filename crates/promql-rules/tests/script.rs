//! Scripts in, verdicts and diagnostics out.

use std::fmt::Write as _;
use std::path::Path;

use miette::{GraphicalReportHandler, GraphicalTheme};
use promql_rules::script::{RunOptions, Script, Verdict};
use proptest::prelude::*;

/// The diagnostics of a script, drawn, or what came of its evals.
fn shown(text: &str) -> String {
    let script = match Script::parse("a.test", text.as_bytes()) {
        Ok(script) => script,
        Err(problems) => {
            let mut out = String::new();
            let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
            for problem in problems.problems() {
                handler.render_report(&mut out, problem).expect("a report");
            }
            return out;
        }
    };
    let mut out = String::new();
    for eval in script.evals() {
        let _ = match script.run(eval, &RunOptions::default()) {
            Verdict::Passed => writeln!(out, "{}: passed", eval.line),
            Verdict::Cancelled => writeln!(out, "{}: cancelled", eval.line),
            Verdict::Failed(failure) => {
                let attempt = &failure.attempt;
                let time = attempt.time;
                let mode = if attempt.in_range_mode { " as a range query" } else { "" };
                let _ = writeln!(out, "{}: {} at {time:?}{mode}", eval.line, attempt.expression);
                let _ = writeln!(out, "  {}", failure.message);
                failure.mismatches.iter().try_for_each(|mismatch| writeln!(out, "  {mismatch:?}"))
            }
        };
    }
    out
}

fn corpus(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn all_errors_of_a_script_are_shown_at_their_places() {
    insta::assert_snapshot!("bad_commands", shown(&corpus("malformed/commands.test")));
    insta::assert_snapshot!("bad_expectations", shown(&corpus("malformed/expectations.test")));
}

#[test]
fn scripts_that_hold_pass() {
    for name in ["counters", "gauges", "histograms", "language"] {
        let script = corpus(&format!("scripts/passing/{name}.test"));
        for line in shown(&script).lines() {
            assert!(line.ends_with(": passed"), "{name}: {line}");
        }
    }
}

/// What there is to know about native histograms, one file for each subject.
#[test]
fn scripts_of_histograms_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/histograms");
    let files = std::fs::read_dir(&folder).expect("a folder of the corpus");
    let mut names: Vec<String> = files
        .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let mut evals = 0;
    for name in names {
        let script = corpus(&format!("histograms/{name}"));
        for line in shown(&script).lines() {
            assert!(line.ends_with(": passed"), "{name}: {line}");
            evals += 1;
        }
    }
    assert!(evals > 100, "{evals}");
}

#[test]
fn what_does_not_hold_is_told_in_upstreams_words() {
    insta::assert_snapshot!("outdated", messages(&corpus("scripts/outdated.test")));
}

/// The failures of a script.
fn messages(text: &str) -> String {
    let script = Script::parse("a.test", text.as_bytes()).expect("a script");
    let mut out = String::new();
    for eval in script.evals() {
        let _ = match script.run(eval, &RunOptions::default()) {
            Verdict::Failed(failure) => writeln!(out, "{}", failure.message),
            _ => writeln!(out, "line {} passed", eval.line),
        };
    }
    out
}

#[test]
fn forms_of_a_query_give_the_same() {
    let text = "load 1m\n  a 0+1x9\n\neval instant at 5m a[1m:30s]\n  expect range vector from 4m30s to 5m step 30s\n  a 4 5\n\neval instant at 5m last_over_time(a[2m]) + time()\n  {} 305\n";
    insta::assert_snapshot!(shown(text), @r"
    4: passed
    8: passed
    ");
}

#[test]
fn the_lines_that_load_a_series_are_found() {
    let text = "load 1m\n  a{job=\"x\"} 1x9\n  a{job=\"y\"} 1x9\n  b{job=\"y\"} 1x9\n  c 1x9\n\nload 1m\n  a{job=\"y\"} _x10 1x9\n\neval instant at 5m sum by (job) (a + on (job) b)\n  {job=\"y\"} 2\n";
    let script = Script::parse("a.test", text.as_bytes()).expect("a script");
    let lines = |labels: &[(&str, &str)]| -> Vec<usize> {
        let labels = promql_model::Labels::from_pairs(labels.iter().copied());
        let origins = script.origins(&script.evals()[0], &[&labels]);
        origins.iter().map(|origin| origin.line).collect()
    };
    assert_eq!(lines(&[("job", "y")]), [3, 4, 8]);
    assert_eq!(lines(&[("job", "x")]), [2]);
    assert_eq!(lines(&[("job", "z")]), [2, 3, 4, 8]);
    assert_eq!(lines(&[("other", "z")]), [2, 3, 4, 8]);
    assert_eq!(lines(&[]), [2, 3, 4, 8]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_evals_or_diagnostics(text in "(load|eval|clear|expect| |\\n|1m|instant|at|range|from|to|step|up|\\{\\}|1|0x2|@st|fail|msg:|string|\"|#|é|\\r){0,40}") {
        shown(&text);
    }

    #[test]
    fn any_bytes_give_evals_or_diagnostics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(script) = Script::parse("a.test", &bytes) {
            script.evals().iter().for_each(|eval| drop(script.run(eval, &RunOptions::default())));
        }
    }
}
