//! What tests exercise of rules: rules and series in, what is missing out.

use std::fmt::Write;
use std::sync::Arc;

use promql_rules::coverage::{Coverage, PointKind, lcov};
use promql_rules::evaluate::PreparedFile;
use promql_rules::unit_test::{RunOptions, UnitTestFile, run};

/// Runs tests over rules, and adds up what they exercise.
fn coverage(rules: &str, tests: &str) -> Coverage {
    let rules = PreparedFile::load("rules.yml", rules.as_bytes(), &Default::default());
    let rules = [Arc::new(rules.unwrap_or_else(|(_, findings)| panic!("{findings:?}")))];
    let read = UnitTestFile::read("tests.yml", tests.as_bytes());
    let file = read.file.unwrap_or_else(|| panic!("{:?}", read.findings));
    let mut coverage = Coverage::default();
    coverage.include(&rules[0]);
    for number in 0..file.tests.len() {
        let plain = run(&file, number, &rules, &RunOptions::default());
        let options = RunOptions { coverage: true, ..RunOptions::default() };
        let outcome = run(&file, number, &rules, &options);
        assert_eq!(outcome.is_passed(), plain.is_passed(), "observing changes no verdict");
        coverage.add(&rules, &outcome.coverage.expect("it was asked for"));
    }
    coverage
}

/// What was not exercised, each point with the text where it stands; what follows from others in
/// parentheses.
fn missing(coverage: &Coverage) -> Vec<String> {
    let mut all = Vec::new();
    for file in coverage.files() {
        for point in file.rules().into_iter().flat_map(|rule| rule.points) {
            let Some(text) = &point.missing else { continue };
            let place = &file.file.file.text[point.span.clone()];
            let told = match text == point.kind.missing() {
                true => format!("{} {place}", point.kind.name()),
                false => format!("{} {place}: {text}", point.kind.name()),
            };
            all.push(if point.is_implied { format!("({})", point.kind.name()) } else { told });
        }
    }
    all
}

/// What series leave unexercised of an expression.
fn of_expression(expression: &str, series: &[(&str, &str)]) -> Vec<String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let rules =
        format!("groups: [{{name: g, rules: [{{record: r, expr: {}}}]}}]", quoted(expression));
    let mut tests = "tests:\n  - input_series:\n".to_owned();
    for (name, values) in series {
        let _ = writeln!(tests, "      - {{series: {}, values: '{values}'}}", quoted(name));
    }
    tests.push_str("    promql_expr_test: [{expr: vector(1), eval_time: 3m, exp_samples: []}]\n");
    missing(&coverage(&rules, &tests))
}

type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const EXPRESSIONS: &[Case] = &[
    // Selectors and matchers.
    ("m", &[("m", "1")], &[]),
    ("m", &[("n", "1")], &["(result)", "selects m"]),
    ("m", &[("m", "stale")], &["(result)", "selects m"]),
    (r#"m{a="1"}"#, &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "1")], &[]),
    (r#"m{a="1"}"#, &[(r#"m{a="1"}"#, "1"), ("n", "1")], &[r#"excludes a="1""#]),
    (r#"m{a="1"}"#, &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "stale")], &[r#"excludes a="1""#]),
    (
        r#"m{a="1",b!="x"}"#,
        &[(r#"m{a="1"}"#, "1"), (r#"m{a="2",b="x"}"#, "1")],
        &[r#"excludes a="1""#, r#"excludes b!="x""#],
    ),
    (
        r#"m{a="1",b!="x"}"#,
        &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "1"), (r#"m{a="1",b="x"}"#, "1")],
        &[],
    ),
    (
        r#"m{a="3"}"#,
        &[(r#"m{a="1"}"#, "1")],
        &["(result)", r#"selects m{a="3"}: never found a series: `a="3"` let none pass"#],
    ),
    (r#"{__name__="m",a="1"}"#, &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "1")], &[]),
    (r#"{"m",a="1"}"#, &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "1")], &[]),
    // What the rule records is there as well.
    (r#"{__name__=~"m|k|r"}"#, &[("m", "1")], &[r#"excludes __name__=~"m|k|r""#]),
    (r#"{__name__=~"m|k"}"#, &[("m", "1"), ("n", "1")], &[]),
    // Only the samples that a selector looks at count.
    (
        r#"m{a="1"} offset 2m"#,
        &[(r#"m{a="1"}"#, "1 1"), (r#"m{a="2"}"#, "_ _ 1")],
        &[r#"excludes a="1""#],
    ),
    (r#"m{a="1"} offset 2m"#, &[(r#"m{a="1"}"#, "1 1"), (r#"m{a="2"}"#, "1")], &[]),
    (r#"m{a="1"} @ 60"#, &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "1")], &[]),
    (r#"max_over_time(m{a="1"}[1m])"#, &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "1")], &[]),
    (r#"timestamp(m{a="1"})"#, &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "1")], &[]),
    ("timestamp(m)", &[("n", "1")], &["(result)", "selects m"]),
    ("info(m)", &[("m", "1")], &[]),
    // Functions.
    ("rate(m[5m])", &[("m", "1 2 3")], &[]),
    ("rate(m[5m])", &[("m", "1")], &["(result)", "value rate"]),
    ("avg_over_time(m[5m])", &[("m", "1")], &[]),
    ("predict_linear(m[5m], 60)", &[("m", "1")], &["(result)", "value predict_linear"]),
    ("absent(m)", &[("m", "1")], &["(result)", "absent absent"]),
    ("absent(m)", &[("n", "1")], &["selects m"]),
    ("absent(m)", &[("m", "_ _ 1")], &[]),
    ("absent_over_time(m[1m])", &[("m", "_ _ 1")], &[]),
    // Comparisons.
    ("m > 1", &[("m", "1 2")], &[]),
    ("m > 1", &[("m", "2 3")], &["false >"]),
    ("m > 1", &[("m", "1 0")], &["(result)", "true >"]),
    ("1 < m", &[("m", "1 2")], &[]),
    ("m > bool 1", &[("m", "2 3")], &["false >"]),
    ("m > bool 1", &[("m", "1 0")], &["true >"]),
    ("m > NaN", &[("m", "1 0")], &["(result)", "true >"]),
    // Equal parts are points of their own.
    ("m > 1 and m > 1", &[("m", "1 2")], &["and-drops and"]),
    // One element is true at the time, and one is false.
    ("m > 1", &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "2")], &[]),
    ("m > 1", &[("m", "{{count:1}} 2")], &["false >"]),
    ("m == n", &[("m", "1 2"), ("n", "1 1")], &[]),
    ("m == n", &[("m", "1 1"), ("n", "1 1")], &["false =="]),
    ("m == n", &[("m", "{{count:1}} {{count:2}}"), ("n", "{{count:1}}x2")], &[]),
    ("m == n", &[("m", "1"), ("n", "{{count:1}}")], &["(result)", "true ==", "false =="]),
    ("m == bool n", &[("m", "1 1"), ("n", "1 1")], &["false =="]),
    ("m > n", &[(r#"m{a="1"}"#, "1"), (r#"n{a="2"}"#, "1")], &["(result)", "true >", "false >"]),
    (
        "m > on (a) group_left n",
        &[(r#"m{a="1",b="1"}"#, "2"), (r#"m{a="1",b="2"}"#, "1"), (r#"n{a="1"}"#, "1")],
        &[],
    ),
    (
        "m > on (a) group_left n",
        &[(r#"m{a="1",b="1"}"#, "2"), (r#"m{a="2",b="2"}"#, "1"), (r#"n{a="1"}"#, "1")],
        &["false >"],
    ),
    (
        "n < on (a) group_right m",
        &[(r#"m{a="1",b="1"}"#, "2"), (r#"m{a="1",b="2"}"#, "1"), (r#"n{a="1"}"#, "1")],
        &[],
    ),
    ("m > fill_right(5) n", &[(r#"m{a="1"}"#, "2"), (r#"m{a="2"}"#, "6"), ("n", "1")], &[]),
    ("m > fill_right(1) n", &[(r#"m{a="1"}"#, "2"), ("n", "1")], &["false >"]),
    ("m > fill_left(1) n", &[("m", "2"), ("n", "1"), (r#"n{a="1"}"#, "1")], &[]),
    ("m * (time() > bool 60)", &[("m", "1 1 1")], &[]),
    ("m * (time() >= bool 0)", &[("m", "1 1 1")], &["false >="]),
    ("m * (2 > bool 1)", &[("m", "1")], &[]),
    // Operations.
    ("m / n", &[("m", "1"), ("n", "1")], &[]),
    ("m / n", &[(r#"m{a="1"}"#, "1"), ("n", "1")], &["(result)", "pairs /"]),
    ("m and n", &[("m", "1"), ("n", "1")], &["and-drops and"]),
    ("m and n", &[("m", "1"), (r#"n{a="1"}"#, "1")], &["(result)", "and-keeps and"]),
    ("m and on (b) n", &[("m", "1 1"), ("n", "1 stale")], &[]),
    ("m unless n", &[("m", "1 1"), ("n", "1 stale")], &[]),
    ("m unless n", &[("m", "1 1"), (r#"n{a="1"}"#, "1")], &["unless-drops unless"]),
    ("m unless n", &[("m", "1 1"), ("n", "1 1")], &["(result)", "unless-keeps unless"]),
    ("m or n", &[("m", "1 1"), (r#"n{a="1"}"#, "1")], &[]),
    ("m or n", &[("m", "1 1"), ("n", "1")], &["or-right or"]),
    ("m or vector(0)", &[("m", "1 1")], &["or-right or"]),
    ("m or vector(0)", &[("m", "_ 1")], &[]),
    ("m or n", &[("n", "1")], &["selects m", "(or-left)"]),
    // Aggregations.
    ("sum(m)", &[(r#"m{a="1"}"#, "1")], &["several sum"]),
    ("sum(m)", &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "1")], &[]),
    // One after the other is not together.
    ("sum(m)", &[(r#"m{a="1"}"#, "1 stale"), (r#"m{a="2"}"#, "_ 1")], &["several sum"]),
    ("sum by (a) (m)", &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "1")], &["several sum"]),
    ("sum by (a) (m)", &[(r#"m{a="1",b="1"}"#, "1"), (r#"m{a="1",b="2"}"#, "1")], &["groups a"]),
    (
        "sum without (b, c) (m)",
        &[(r#"m{a="1",b="1"}"#, "1"), (r#"m{a="1",b="2"}"#, "1")],
        &["groups b, c"],
    ),
    ("sum without () (m)", &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "1")], &["several sum"]),
    ("topk(1, m)", &[("m", "1")], &["drops topk"]),
    ("topk(1, m)", &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "1")], &[]),
    ("count_values(\"v\", m)", &[(r#"m{a="1"}"#, "1"), (r#"m{a="2"}"#, "1")], &[]),
    (
        "histogram_quantile(0.9, sum by (le) (m))",
        &[(r#"m{le="+Inf"}"#, "1")],
        &["several sum", "groups le"],
    ),
    // Subqueries: at any of their times.
    ("max_over_time((m > 1)[2m:1m])", &[("m", "1 2")], &[]),
    ("max_over_time((m > 1)[2m:1m])", &[("m", "2 2")], &["false >"]),
    ("max_over_time((m and on () (n @ 0))[2m:1m])", &[("m", "1"), ("n", "1")], &["and-drops and"]),
    (
        "sum_over_time((m * on () group_left sum(n @ 0))[2m:1m])",
        &[("m", "1"), ("n", "1")],
        &["several sum"],
    ),
    // Neither has a result anything to do with series.
    ("vector(1)", &[("m", "1")], &[]),
    ("time()", &[("m", "1")], &[]),
];

#[test]
fn series_leave_points_of_expressions() {
    let mut wrong = String::new();
    for (expression, series, expected) in EXPRESSIONS {
        let missing = of_expression(expression, series);
        if missing != *expected {
            let _ = writeln!(wrong, "{expression} over {series:?}: {missing:?}, not {expected:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn places_are_found_in_blocks_with_comments() {
    let rules = "
groups:
  - name: g
    rules:
      - record: r
        expr: |
          m # why > not
            > on (a)
          n
";
    let tests = "
tests:
  - input_series: [{series: m, values: 2}, {series: n, values: 1}]
";
    assert_eq!(missing(&coverage(rules, tests)), ["false >"]);
}

/// What a series leaves unexercised of an alert.
fn of_alert(fields: &str, values: &str, tests: &str) -> Vec<String> {
    let rules = format!("groups: [{{name: g, rules: [{{alert: A, expr: m, {fields}}}]}}]",);
    let tests = format!(
        "tests: [{{input_series: [{{series: 'm{{a=\"1\"}}', values: '{values}'}}], \
         alert_rule_test: [{tests}]}}]"
    );
    missing(&coverage(&rules, &tests))
}

const FIRST: &str = "{eval_time: 0, alertname: A, exp_alerts: [{exp_labels: {a: 1}}]}";
const LAST: &str = "{eval_time: 4m, alertname: A}";

#[test]
fn alerts_come_and_go() {
    let both = format!("{FIRST}, {LAST}");
    assert_eq!(of_alert("", "1 stale", &both), Vec::<String>::new());
    assert_eq!(of_alert("", "1 1 1 1 1", &both), ["resolves A"]);
    assert_eq!(of_alert("", "1 stale", LAST), ["expected A"]);
    assert_eq!(
        of_alert("", "stale", &both),
        ["(fires)", "(expected)", "(resolves)", "(result)", "selects m"],
    );
}

#[test]
fn waiting_is_exercised_when_it_is_over() {
    let expected = "{eval_time: 2m, alertname: A, exp_alerts: [{exp_labels: {a: 1}}]}";
    let both = format!("{expected}, {LAST}");
    assert_eq!(of_alert("for: 2m", "1 1 1 stale", &both), Vec::<String>::new());
    assert_eq!(
        of_alert("for: 2m", "1 1 stale", &both),
        [
            "fires A: never fired: `for` of 2m was not waited out (1m at most)",
            "(expected)",
            "(resolves)",
        ],
    );
    // Whoever has no patience fires at once.
    assert_eq!(of_alert("for: 0s", "1 1 1 stale", &both), Vec::<String>::new());
    let kept = of_alert("keep_firing_for: 2m", "1 1 stale", &both);
    assert_eq!(kept, Vec::<String>::new());
    assert_eq!(
        of_alert("keep_firing_for: 3m", "1 1 stale", &both),
        ["resolves A: never resolved: `keep_firing_for` of 3m was not waited out (2m at most)"],
    );
    assert_eq!(of_alert("keep_firing_for: 3m", "1x9", &both), ["kept 3m", "resolves A"],);
}

#[test]
fn branches_of_templates_are_taken_or_not() {
    let branch = |condition: &str| {
        let text = format!("{{{{ if {condition} }}}}x{{{{ else }}}}y{{{{ end }}}}");
        (format!("labels: {{b: '{text}'}}"), format!("annotations: {{b: '{text}'}}"))
    };
    let both = format!("{FIRST}, {LAST}");
    let (label, annotation) = branch("eq $value 1.0");
    assert_eq!(of_alert(&label, "1 stale", &both), ["not-taken eq $value 1.0"]);
    assert_eq!(of_alert(&label, "2 stale", &both), ["taken eq $value 1.0"]);
    assert_eq!(of_alert(&label, "1 2 stale", &both), Vec::<String>::new());
    // Annotations are expanded when somebody looks at them.
    assert_eq!(of_alert(&annotation, "1 2 stale", &both), ["not-taken eq $value 1.0"]);
    assert_eq!(of_alert(&annotation, "1 stale", LAST), ["expected A", "(taken)", "(not-taken)"]);
    let range = "annotations: {b: '{{ range query \"n\" }}x{{ end }}'}";
    assert_eq!(of_alert(range, "1 stale", &both), ["taken query \"n\""]);
    let range = "annotations: {b: '{{ range query \"m\" }}x{{ end }}'}";
    assert_eq!(of_alert(range, "1 stale", &both), ["not-taken query \"m\""]);
    let chain = "labels: {b: '{{ if eq $value 1.0 }}x{{ else if eq $value 2.0 }}y{{ end }}'}";
    assert_eq!(
        of_alert(chain, "1 stale", &both),
        ["not-taken eq $value 1.0", "taken eq $value 2.0", "not-taken eq $value 2.0",]
    );
}

#[test]
fn nothing_is_exercised_of_a_file_without_tests() {
    let rules = "groups: [{name: g, rules: [{record: r, expr: m > 1}]}]";
    let coverage = coverage(rules, "tests: []");
    assert_eq!(missing(&coverage), ["evaluated r", "(result)", "(selects)", "(true)", "(false)"],);
    assert_eq!(coverage.total().percent(), 0.0);
}

#[test]
fn tests_add_up() {
    let rules = "groups: [{name: g, rules: [{record: r, expr: m > 1}]}]";
    let test = |value: u8| format!("{{input_series: [{{series: m, values: {value}}}]}}");
    let one = coverage(rules, &format!("tests: [{}]", test(1)));
    assert_eq!(missing(&one), ["(result)", "true >"]);
    assert_eq!(one.total().percent(), 60.0);
    let both = coverage(rules, &format!("tests: [{}, {}]", test(1), test(2)));
    assert_eq!(missing(&both), Vec::<String>::new());
    assert_eq!(both.total().percent(), 100.0);
    let counts: Vec<(&str, u64)> = both
        .files()
        .flat_map(|file| file.rules())
        .flat_map(|rule| rule.points)
        .map(|point| (point.kind.name(), point.count))
        .collect();
    let expected = [("evaluated", 2), ("result", 1), ("selects", 2), ("true", 1), ("false", 1)];
    assert_eq!(counts, expected);
}

#[test]
fn lcov_has_lines_functions_and_branches() {
    let rules = "groups:\n- name: g\n  rules:\n  - record: r\n    expr: m > 1\n  - record: s\n    expr: n\n";
    let coverage = coverage(rules, "tests: [{input_series: [{series: m, values: 1}]}]");
    let expected = "\
TN:
SF:rules.yml
FN:4,r#0
FN:6,s#1
FNDA:1,r#0
FNDA:1,s#1
FNF:2
FNH:2
BRDA:4,0,0,1
BRDA:5,0,1,0
BRDA:5,0,2,1
BRDA:5,0,3,0
BRDA:5,0,4,1
BRDA:6,1,0,1
BRDA:7,1,1,0
BRDA:7,1,2,0
BRF:8
BRH:4
DA:4,1
DA:5,1
DA:6,1
DA:7,0
LF:4
LH:3
end_of_record
";
    assert_eq!(lcov(&coverage), expected);
}

#[test]
fn kinds_have_names_of_their_own() {
    let names: std::collections::BTreeSet<&str> = PointKind::all().map(PointKind::name).collect();
    assert_eq!(names.len(), PointKind::all().len());
}
