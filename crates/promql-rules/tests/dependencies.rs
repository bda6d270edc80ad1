//! Rules in, what they need and how they are batched out.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::fmt::Write;

use promql_rules::dependencies::{Dependencies, readings};
use promql_rules::rule_file::{LoadOptions, RuleFile, RuleKind};
use promql_syntax::{Features, compile};

/// Shows the dependencies of rules, each written as `name = expr`, or `!Name = expr` for an alert.
fn shown(rules: &[&str]) -> String {
    let mut file = String::from("groups:\n- name: g\n  rules:\n");
    for rule in rules {
        let (name, expr) = rule.split_once(" = ").unwrap();
        let _ = match name.strip_prefix('!') {
            Some(alert) => writeln!(file, "  - alert: {alert}\n    expr: '{expr}'"),
            None => writeln!(file, "  - record: {name}\n    expr: '{expr}'"),
        };
    }
    let loaded = RuleFile::load("a.yml", file.as_bytes(), &LoadOptions::default());
    assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
    let group = &loaded.file.groups[0];
    let found = Dependencies::of(group);
    let name = |rule: &usize| group.rules[*rule].name.value.as_str();
    let names = |rules: &[usize]| rules.iter().map(name).collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    for rule in 0..group.rules.len() {
        for needed in found.of_rule(rule) {
            assert!(found.on_rule(*needed).contains(&rule));
        }
        if !found.of_rule(rule).is_empty() {
            let _ = writeln!(out, "{} <- {}", name(&rule), names(found.of_rule(rule)));
        }
    }
    if let Some(rule) = found.unclear() {
        let _ = writeln!(out, "unclear: {}", name(&rule));
    }
    let batches: Vec<String> = found.batches().iter().map(|batch| names(batch)).collect();
    out + &batches.join(" | ")
}

#[test]
fn rules_need_what_was_recorded_before() {
    insta::assert_snapshot!(
        shown(&["a = up", "b = sum(a) + a", "c = b / on () c", "d = late", "late = 1"]),
        @r"
    b <- a
    c <- b
    a d late | b | c
    "
    );
}

#[test]
fn a_pattern_needs_all_names_that_it_matches() {
    insta::assert_snapshot!(
        shown(&["job:a = up", "job:b = up", "x = {__name__=~\"job:.*\", __name__!=\"job:b\"}"]),
        @r"
    x <- job:a job:b
    job:a job:b | x
    "
    );
    insta::assert_snapshot!(
        shown(&["a = up", "b = {__name__!=\"a\",job=\"x\"}", "c = max_over_time(rate(b[5m])[1h:])"]),
        @r"
    c <- b
    a b | c
    "
    );
}

#[test]
fn alerts_are_read_by_their_series() {
    insta::assert_snapshot!(
        shown(&[
            "!Down = up == 0",
            "!Slow = latency > 1",
            "all = count(ALERTS)",
            "down = ALERTS_FOR_STATE{alertname=~\"Do.*\"}",
            "other = ALERTS{alertname!=\"Down\",alertname!=\"Slow\"}",
            "named = Down",
        ]),
        @r"
    all <- Down Slow
    down <- Down
    named <- Down
    Down Slow other | all down named
    "
    );
}

#[test]
fn a_selector_without_a_name_makes_everything_unclear() {
    insta::assert_snapshot!(
        shown(&["a = up", "b = sum({job=\"a\"})", "c = a"]),
        @r"
    c <- a
    unclear: b
    a | b | c
    "
    );
    insta::assert_snapshot!(shown(&["a = 1"]), @"a");
}

#[test]
fn equal_names_are_all_needed() {
    insta::assert_snapshot!(
        shown(&["a = up{x=\"1\"}", "a = up{x=\"2\"}", "b = a", "a = b"]),
        @r"
    b <- a a
    a <- b
    a a | b | a
    "
    );
}

#[test]
fn what_is_read_is_told_apart_by_kind() {
    let query = compile("a + ALERTS{alertname=\"b\"}", &Features::ALL).unwrap();
    let readings = readings(&query);
    let reads = |kind, name| readings.iter().any(|reading| reading.reads(kind, name));
    assert!(reads(RuleKind::Recording, "a"));
    assert!(!reads(RuleKind::Alerting, "a"));
    assert!(reads(RuleKind::Alerting, "b"));
    assert!(!reads(RuleKind::Recording, "b"));
    assert!(reads(RuleKind::Recording, "ALERTS"));
}
