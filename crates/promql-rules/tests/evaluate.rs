//! Evaluation of groups: what can't be seen through unit tests.

use promql_model::{Labels, SampleValue};
use promql_rules::evaluate::{EvaluateOptions, Evaluation, PreparedFile};
use promql_rules::rule_file::LoadOptions;

fn evaluation(rules: &str) -> Evaluation {
    let Ok(file) = PreparedFile::load("rules.yml", rules.as_bytes(), &LoadOptions::default())
    else {
        panic!("the rules are fine");
    };
    Evaluation::new(file.groups.iter(), EvaluateOptions::default())
}

/// The samples of all series, a line for each.
fn shown(evaluation: &Evaluation) -> String {
    let line = |(labels, samples): (&Labels, promql_engine::Samples<'_>)| {
        let points = samples.timestamps.iter().zip(samples.values).map(|(at, value)| {
            let value =
                if promql_model::is_stale_nan(*value) { "stale".into() } else { value.to_string() };
            format!(" {value}@{}", at / 1000)
        });
        format!("{}{}\n", labels.selector(), points.collect::<String>())
    };
    evaluation.store.iter().map(line).collect()
}

#[test]
fn rules_wake_up_when_series_come() {
    let mut evaluation = evaluation(
        "
groups:
  - name: g
    rules:
      - {record: twice, expr: m * 2}
      - {record: total, expr: sum(twice)}
      - {record: none, expr: absent(m)}
      - {record: filled, expr: sum(m) + on() fill_left(5) vector(1)}
      - {alert: Some, expr: total > 1}
",
    );
    let m = Labels::from_pairs([("__name__", "m"), ("i", "1")]);
    assert!(evaluation.cycle(0).is_empty());
    evaluation.store.append(&m, 60_000, &SampleValue::Float(1.0)).unwrap();
    assert!(evaluation.cycle(60_000).is_empty());
    evaluation.store.append(&m, 120_000, &SampleValue::Float(promql_model::stale_nan())).unwrap();
    assert!(evaluation.cycle(120_000).is_empty());
    assert_eq!(evaluation.alerts("Some", 120_000), []);
    assert!(evaluation.cycle(180_000).is_empty());
    let expected = "\
ALERTS{alertname=\"Some\", alertstate=\"firing\"} 1@60 stale@120
ALERTS_FOR_STATE{alertname=\"Some\"} 60@60 stale@120
filled 6@0 2@60 6@120 6@180
m{i=\"1\"} 1@60 stale@120
none 1@0 stale@60 1@120 1@180
total 2@60 stale@120
twice{i=\"1\"} 2@60 stale@120
";
    assert_eq!(shown(&evaluation), expected);
}

#[test]
fn a_failing_query_leaves_no_markers() {
    let rules = "groups: [{name: g, rules: [{record: r, expr: a * on(i) b}]}]";
    let mut evaluation = evaluation(rules);
    let float = SampleValue::Float(2.0);
    let series =
        |name: &str, j: &str| Labels::from_pairs([("__name__", name), ("i", "1"), ("j", j)]);
    for name in ["a", "b"] {
        evaluation.store.append(&series(name, "1"), 0, &float).unwrap();
    }
    assert!(evaluation.cycle(0).is_empty());
    evaluation.store.append(&series("b", "2"), 60_000, &float).unwrap();
    let failures = evaluation.cycle(60_000);
    assert!(failures[0].message.contains("many-to-many"), "{}", failures[0].message);
    assert!(shown(&evaluation).ends_with("r{i=\"1\"} 4@0\n"), "{}", shown(&evaluation));
}

#[test]
fn samples_go_forward_in_time() {
    let mut evaluation = evaluation("groups: []");
    let m = Labels::from_pairs([("__name__", "m")]);
    let store = &mut evaluation.store;
    let mut append = |at: i64, value: f64| {
        let result = store.append(&m, at, &SampleValue::Float(value));
        result.err().map(|error| error.to_string())
    };
    assert_eq!(append(0, 1.0), None);
    assert_eq!(append(0, 1.0), None);
    assert_eq!(append(0, 2.0).as_deref(), Some("duplicate sample for timestamp"));
    assert_eq!(append(5, 2.0), None);
    let text = "duplicate sample for timestamp 5; overrides not allowed: existing 2, new value 3";
    assert_eq!(append(5, 3.0).as_deref(), Some(text));
    assert_eq!(append(4, 3.0).as_deref(), Some("out of order sample"));
    let none = evaluation.store.append(&Labels::empty(), 0, &SampleValue::Float(1.0));
    assert_eq!(none.unwrap_err().to_string(), "empty labelset: invalid sample");
}
