//! Scripts in, verdicts and diagnostics out.

use std::fmt::Write as _;

use miette::{GraphicalReportHandler, GraphicalTheme};
use promql_rules::script::{RunOptions, Script, Verdict};

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

/// Something wrong with the commands and the series.
const BAD_COMMANDS: &str = r#"
load
  up 1

load 5x
  up 1

load 30s
  up{job="api} 1
  up{job="web"} 1 2 y
  up{job="db"}@st -1m
  up{job="db"} 1 2
eval instant at 5m up

lood 30s
  up 1

eval instant 5m up

eval instant at 5m

eval instant at abc up

eval_ordered range from 0 to 5m step 1m up

eval range from 10m to 5m step 1m up

eval range from 0 to 5m step 0 up

eval range from 0 to 5m up

eval instant at 5m sum(up

eval instant at 5m rate(up)
  {} 1
eval instant at 5m up
"#;

/// Something wrong with the expectations.
const BAD_EXPECTATIONS: &str = r#"
eval instant at 5m up
  up
  up{job="x"} 1 2
  expect warn
  expect no_warn
  expect no_info
  expect info
  expect fail error: something
  expect nothing
  expect warn regex: a(b
  expect string unquoted
  expect string "open
  expect range vector from 10s
  expect range vector from 10s to 5s step 1s
  up{job=} 1

eval_fail instant at 5m up
  expected_fail_regexp [

eval instant at 5m up
  expect fail
  expect fail msg: twice
"#;

#[test]
fn all_errors_of_a_script_are_shown_at_their_places() {
    insta::assert_snapshot!("bad_commands", shown(BAD_COMMANDS));
    insta::assert_snapshot!("bad_expectations", shown(BAD_EXPECTATIONS));
}
