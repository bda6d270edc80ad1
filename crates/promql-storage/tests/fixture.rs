//! Fixture files in, series or diagnostics out.

mod support;

use std::path::PathBuf;

use promql_storage::Problems;
use promql_storage::fixture::{Fixture, read_script, read_unit_test};
use proptest::prelude::*;

use support::{rendered, series};

fn shown(result: Result<Fixture, Problems>) -> String {
    match result {
        Err(problems) => rendered(&problems),
        Ok(fixture) => {
            let warnings =
                fixture.warnings.iter().map(|warning| format!("\n{}", rendered(warning)));
            series(&fixture.storage) + &warnings.collect::<Vec<_>>().join("\n")
        }
    }
}

fn script(text: &str) -> String {
    shown(read_script("a.test", text.as_bytes(), None))
}

fn unit_test(text: &str, test: Option<&str>) -> String {
    shown(read_unit_test("a.yml", text.as_bytes(), test))
}

#[test]
fn a_script_gives_the_series_of_its_loads() {
    insta::assert_snapshot!(
        "script",
        script(
            r#"# Requests of two instances.
load 5m
  http_requests{job="api", instance="0"}	0+10x3
    http_requests{job="api",instance="1"} 1 _ stale 2

eval instant at 5m sum(http_requests)
  expect warn
  {} 10

# A second load goes on in time.
load 1m30s
	up _x20 1
  {"a.b", "x y"="z"} {{schema:1 sum:2 count:1 buckets:[1]}}x1

  eval_fail instant at 1m rate(up)
clear
"#
        )
    );
    insta::assert_snapshot!("script_empty", script("\n# nothing\n\nclear\n"));
}

#[test]
fn loads_of_one_series_go_on_in_time() {
    insta::assert_snapshot!(
        "script_goes_on",
        script("load 1m\n  a 1 2\n\nload 1m\n  a _ 2 3\n\nload 1m\n  a _x3 4\n  a _x3 5\n")
    );
    insta::assert_snapshot!(
        "script_out_of_order",
        script("load 1m\n  a 1 2\n\nload 1m\n  a 1 2 3\n  b 1\n")
    );
}

#[test]
fn start_times_belong_to_the_next_line() {
    insta::assert_snapshot!(
        "start_times",
        script(
            "load 1m
  a{x=\"1\"}@st _ -30s-1mx2
  a{x=\"1\"}     1 2+1x2
  b@st  -1m 0 _
  b   1 _ {{count:1}}
"
        )
    );
    insta::assert_snapshot!(
        "start_times_wrong",
        script(
            "load 1m
  a@st -30s
  b 1
  c@st -30s
  c 1 2
  d@st -30s
  e@st _x0
  f@st{ 1m
  g 1
  h@st 1m
"
        )
    );
}

#[test]
fn classic_histograms_become_native_ones() {
    insta::assert_snapshot!(
        "nhcb",
        script(
            r#"load_with_nhcb 5m
  h_bucket{le="0.1", job="a"} 1+1x1
  h_bucket{le="1", job="a"} 3 3
  h_bucket{le="1.0", job="a"} 4 4
  h_bucket{le="x", job="a"} 9
  h_bucket{le="+Inf", job="a"} 3 5
  h_count{job="a"} 3 5
  h_sum{job="a"} 1.5 2.5
  only_count 7
  half_bucket{le="2"} 0.5
  other 1
"#
        )
    );
    insta::assert_snapshot!(
        "nhcb_wrong",
        script("load_with_nhcb 5m\n  h_bucket{le=\"1\"} 3\n  h_bucket{le=\"2\"} 2\n")
    );
    insta::assert_snapshot!("nhcb_no_le", script("load_with_nhcb 5m\n  h_bucket 3\n"));
    insta::assert_snapshot!(
        "nhcb_count",
        script("load_with_nhcb 5m\n  h_bucket{le=\"+Inf\"} 3\n  h_count 2\n")
    );
}

#[test]
fn histograms_are_checked_before_they_are_stored() {
    insta::assert_snapshot!(
        "invalid_histogram",
        script("load 5m\n  h{job=\"a\"} {{count:1}} {{count:2 buckets:[3 -1]}}\n")
    );
}

#[test]
fn hints_are_those_that_prometheus_reads_back() {
    let fixture = read_script(
        "a.test",
        b"load 5m\n  h {{count:1}} {{count:2 counter_reset_hint:reset}} {{count:3}} 1 {{count:4}} stale {{count:5 counter_reset_hint:gauge}} {{count:6}}\n",
        None,
    );
    let storage = fixture.expect("no faults").storage;
    let histograms = storage.samples(0).expect("one series").histograms;
    let hints: Vec<_> = histograms.iter().map(|histogram| histogram.hint).collect();
    use promql_model::CounterResetHint::{Gauge, NotReset, Unknown};
    assert_eq!(hints, [Unknown, Unknown, NotReset, Unknown, Gauge, Unknown]);
}

#[test]
fn all_faults_of_a_script_are_shown_at_their_places() {
    insta::assert_snapshot!(
        "script_faults",
        script(
            r#"LOAD 5m
  a 1

load 5
  a 1

load 0s
  a 1

load
  a 1

load 5m
  a{x=1} 1
  b 1+1
  c {{schma:1}}
  {} 1
# a comment ends the block
  d 1

frobnicate
"#
        )
    );
}

#[test]
fn clear_cuts_a_script_into_sections() {
    let text = "clear\n\nload 1m\n  a 1\n\nload 1m\n  b 1\n\nclear\nclear\nload 1m\n  c 1\n\nload 1m\n d 1\n";
    insta::assert_snapshot!("section_first", script(text));
    let section = |number| shown(read_script("a.test", text.as_bytes(), Some(number)));
    assert_eq!(section(2), "{__name__=\"c\"} 1.0@0\n{__name__=\"d\"} 1.0@0\n");
    insta::assert_snapshot!("section_missing", section(3));
}

#[test]
fn too_many_samples_are_refused() {
    let text: String = (0..6).map(|i| format!("  s{i} _x9999999\n")).collect();
    insta::assert_snapshot!("too_many", script(&format!("load 1m\n{text}")));
    insta::assert_snapshot!("too_far", script("load 290y\n  a 1x9999999\n"));
}

const TESTS: &str = r#"rule_files: [rules.yml]
evaluation_interval: 2m
tests:
  - name: first
    interval: 1m
    input_series:
      - series: 'up{job="api", instance="é"}'
        values: '1x2 _ stale'
      - {series: plain, values: 1}
    alert_rule_test: []
  - input_series:
      - series: >-
          folded{a="1"}
        values: 1 2
          3
  - name: third
    start_timestamp: 2026-01-31T12:00:00Z
    input_series: &series
      - series: up
        values: 7
  - name: fourth
    start_timestamp: 1.5
    input_series: *series
"#;

#[test]
fn a_unit_test_gives_its_input_series() {
    insta::assert_snapshot!("unit_test_first", unit_test(TESTS, None));
    insta::assert_snapshot!("unit_test_second", unit_test(TESTS, Some("2")));
    insta::assert_snapshot!("unit_test_third", unit_test(TESTS, Some("third")));
    insta::assert_snapshot!("unit_test_fourth", unit_test(TESTS, Some("fourth")));
    insta::assert_snapshot!("unit_test_none", unit_test(TESTS, Some("fifth")));
    assert_eq!(unit_test("tests:\n  - interval: 1m\n", None), "");
}

#[test]
fn faults_are_shown_inside_the_texts_of_a_unit_test() {
    insta::assert_snapshot!(
        "unit_test_faults",
        unit_test(
            r#"evaluation_intervall: 1m
tests:
  - interval: 1m
    interval: 2m
    input_series:
      - series: 'é{job=~"api"}'
        values: 1
      - series: "up{job=\"a\\b\", x}"
        values: 1
      - series: up
        values: 1 2
          3 oops 4
      - series: 'up{job="api"'
        values: "0+1x10"
      - series: up{a="it''s"}
        values: '0+1x10 ''x'' 1'
      - series: up
        value: 1
      - values: 1
      - series: '# up'
        values: 1
      - series: lines
        values: |
          1 2
          3
      - series: block
        values: >
          1 2 3
          4 5x
      - just text
"#,
            None
        )
    );
}

#[test]
fn files_that_are_no_unit_tests_are_said_so() {
    insta::assert_snapshot!("yaml_empty", unit_test("", None));
    insta::assert_snapshot!("yaml_list", unit_test("- a\n- b\n", None));
    insta::assert_snapshot!("yaml_rules", unit_test("groups:\n  - name: a\n    rules: []\n", None));
    insta::assert_snapshot!("yaml_no_tests", unit_test("tests: []\n", None));
    insta::assert_snapshot!(
        "yaml_broken",
        unit_test("tests:\n  - interval: 1m\n   input_series: [\n", None)
    );
    insta::assert_snapshot!("yaml_durations", unit_test("tests:\n  - interval: 5 minutes\n", None));
    insta::assert_snapshot!(
        "yaml_timestamp",
        unit_test("tests:\n  - start_timestamp: tomorrow\n", None)
    );
    insta::assert_snapshot!("yaml_deep", unit_test(&"[".repeat(100_000), None));
    let bomb = (1..40).fold("a0: &a0 [x,x,x,x]\n".to_owned(), |text, i| {
        let before = i - 1;
        text + &format!("a{i}: &a{i} [*a{before},*a{before},*a{before},*a{before}]\n")
    });
    insta::assert_snapshot!("yaml_bomb", unit_test(&bomb, None));
    insta::assert_snapshot!("not_utf8", shown(read_unit_test("a.yml", b"tests: \xff", None)));
}

/// The folder of upstream's test data, or a line that it is not there.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn conformance() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance");
    let folder = std::env::var_os("PROMQL_CONFORMANCE_DIR").map_or(beside.into(), PathBuf::from);
    if !folder.is_dir() {
        eprintln!("conformance data not found, skipping the scripts and unit tests of upstream");
        return None;
    }
    Some(folder)
}

#[test]
fn upstreams_scripts_load() {
    let Some(folder) = conformance() else { return };
    let mut read = 0;
    for entry in std::fs::read_dir(folder.join("promqltest")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read(&path).expect("a file");
        let name = path.display().to_string();
        let mut section = 1;
        loop {
            match read_script(&name, &text, Some(section)) {
                Ok(_) => section += 1,
                Err(problems)
                    if section > 1 && problems.problems()[0].code() == "fixture::no-section" =>
                {
                    break;
                }
                Err(problems) => panic!("{}", rendered(&problems)),
            }
        }
        read += section;
    }
    assert!(read > 0);
    println!("{read} sections of upstream's scripts load");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_bytes_give_series_or_diagnostics(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        shown(read_script("any", &text, None));
        shown(read_unit_test("any", &text, None));
    }

    #[test]
    fn any_values_give_series_or_diagnostics(
        lines in proptest::collection::vec("[ -~é\t]{0,40}", 0..6),
        quote in prop_oneof![Just("'"), Just("\""), Just("")],
    ) {
        let script: String = lines.iter().map(|line| format!("  {line}\n")).collect();
        shown(read_script("any", format!("load 1m\n{script}").as_bytes(), None));
        let values: String = lines.iter().map(|line| format!("\n          {line}")).collect();
        let file = format!(
            "tests:\n  - input_series:\n      - series: up\n        values: {quote}1 {values}{quote}\n"
        );
        shown(read_unit_test("any", file.as_bytes(), None));
    }
}
