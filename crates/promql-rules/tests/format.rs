//! Files in, files with formatted expressions out.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use promql_rules::format::{Formatted, format_rules};
use promql_rules::rule_file::{LoadOptions, RuleFile};
use promql_syntax::FormatOptions;
use proptest::prelude::*;

fn narrow() -> FormatOptions {
    FormatOptions { width: 30, ..FormatOptions::default() }
}

/// Formats with lines of 30 columns, and demands that doing so again changes nothing and that every
/// rule means the same.
fn formatted(text: &str) -> Formatted {
    let formatted = format_rules(text, &narrow()).unwrap();
    let again = format_rules(&formatted.text, &narrow()).unwrap();
    assert_eq!(again.text, formatted.text, "not stable");
    assert_eq!(again.changed, 0);
    assert_eq!(meaning(text), meaning(&formatted.text));
    formatted
}

/// Everything of a rule file but how its expressions are written.
fn meaning(text: &str) -> Vec<String> {
    let loaded = RuleFile::load("rules.yml", text.as_bytes(), &LoadOptions::default());
    let rules = loaded.file.groups.iter().flat_map(|group| &group.rules);
    let rules = rules.map(|rule| {
        let expr = match &rule.query {
            Some(query) => query.expr().to_string(),
            None => rule.expr.value.clone(),
        };
        let texts = |pairs: &[(promql_rules::yaml::Text, promql_rules::yaml::Text)]| {
            pairs.iter().map(|(a, b)| format!("{}={}", a.value, b.value)).collect::<Vec<_>>()
        };
        let durations = [rule.for_duration, rule.keep_firing_for].map(|d| d.map(|d| d.value));
        format!(
            "{:?} {} {expr} {:?} {:?} {durations:?}",
            rule.kind,
            rule.name.value,
            texts(&rule.labels),
            texts(&rule.annotations),
        )
    });
    rules.collect()
}

fn rule(fields: &str) -> String {
    format!("groups:\n- name: a\n  rules:\n  - record: b\n{fields}")
}

fn check(fields: &str, expected: &str) {
    assert_eq!(formatted(&rule(fields)).text, rule(expected));
}

#[test]
fn one_line_stays_in_its_style() {
    check("    expr: sum(a)by(b) # c\n", "    expr: sum by (b) (a) # c\n");
    check("    expr: 'sum(a{b=''c''})'\n", "    expr: 'sum(a{b=\"c\"})'\n");
    check("    expr: \"sum( a{b='c'} )\"\n", "    expr: \"sum(a{b=\\\"c\\\"})\"\n");
    check("    expr: sum(\n      a)\n", "    expr: sum(a)\n");
    check("    expr: |\n      sum( a )\n", "    expr: |\n      sum(a)\n");
    check("    expr: >- # c\n       sum(\n       a )\n\n", "    expr: >- # c\n       sum(a)\n\n");
    check("    expr: | # c\n      sum( a )", "    expr: | # c\n      sum(a)");
    check("    expr:   a+b\n    labels: {c: d}\n", "    expr:   a + b\n    labels: {c: d}\n");
    check("    expr: &x a+b\n", "    expr: &x a + b\n");
    check("    expr: !!str a+b\n", "    expr: !!str a + b\n");
    check("    expr: a{b=\"c:d\"}+e\n", "    expr: a{b=\"c:d\"} + e\n");
    check("    expr: '{b=\"c: d #\"}+e'\n", "    expr: '{b=\"c: d #\"} + e'\n");
}

#[test]
fn what_is_formatted_stays() {
    for fields in [
        "    expr: >\n      sum\n      by (b)\n      (a)\n",
        "    expr: |+\n      a\n\n\n",
        "    expr: a\n      + b\n",
        "    expr: \"\\u0061\"\n",
        "    expr: |2\n        a\n",
    ] {
        check(fields, fields);
    }
}

#[test]
fn several_lines_become_a_literal_block() {
    check(
        "    expr: sum by (job) (rate(requests_total[5m])) # all\n    labels: {}\n",
        "    expr: | # all\n      sum by (job) (\n        rate(requests_total[5m])\n      )\n    labels: {}\n",
    );
    check(
        "    expr: >-\n        sum by (job) (rate(requests_total[5m]))\n",
        "    expr: |-\n        sum by (job) (\n          rate(requests_total[5m])\n        )\n",
    );
    check(
        "    expr: 'sum by (job) (rate(requests_total[5m]))'",
        "    expr: |\n      sum by (job) (\n        rate(requests_total[5m])\n      )",
    );
    // The first line of a binary operation is indented.
    check(
        "    expr: requests_total_of_shop / requests_total_of_all\n",
        "    expr: |2\n        requests_total_of_shop\n      /\n        requests_total_of_all\n",
    );
    check(
        "    expr: |\n     requests_total_of_shop / requests_total_of_all\n",
        "    expr: |1\n       requests_total_of_shop\n     /\n       requests_total_of_all\n",
    );
    check(
        "    expr: sum(a) # PromQL can't have this comment\n",
        "    expr: sum(a) # PromQL can't have this comment\n",
    );
    check(
        "    expr: |\n      sum( a) # but this\n      # and this\n",
        "    expr: |\n      sum(a) # but this\n      # and this\n",
    );
}

#[test]
fn line_ends_stay() {
    let text = rule("    expr: sum by (job) (rate(requests_total[5m]))\n    labels: {}\n");
    let windows = text.replace('\n', "\r\n");
    let expected = formatted(&text).text.replace('\n', "\r\n");
    assert_eq!(formatted(&windows).text, expected);
    let block = rule("    expr: |\n      sum( a )\n").replace('\n', "\r\n");
    assert_eq!(formatted(&block).text, block.replace("sum( a )", "sum(a)"));
}

#[test]
fn braces_have_one_line() {
    let text = "groups: [{name: a, rules: [{record: b, expr: 'sum by (job) (rate( requests_total[5m]))'}]}]";
    assert_eq!(formatted(text).text, text.replace("rate( ", "rate("));
    let json = "{\"groups\": [{\"name\": \"a\", \"rules\": [{\"record\": \"b\", \"expr\": \"sum(a{b='c'})\"}]}]}";
    assert_eq!(formatted(json).text, json.replace("'c'", "\\\"c\\\""));
}

#[test]
fn aliases() {
    let text = "\
groups:
- name: a
  rules:
  - &one
    record: b
    expr: &x sum(a)by(b)
  - <<: *one
    record: c
  - record: d
    expr: *x
";
    let done = formatted(text);
    assert_eq!(done.text, text.replace("sum(a)by(b)", "sum by (b) (a)"));
    assert_eq!(done.expressions, 1);
    // The annotation would change.
    let text = "\
groups:
- name: a
  rules:
  - alert: b
    expr: &x sum(a)by(b)
    annotations: {query: *x}
";
    let done = formatted(text);
    assert_eq!((done.text.as_str(), done.left.len()), (text, 1));
}

#[test]
fn comments_don_t_become_expressions() {
    let text = rule("    expr: sum by (job) (rate(requests_total[5m]))\n      # indented\n");
    let done = formatted(&text);
    assert_eq!((done.text.as_str(), done.left.len()), (text.as_str(), 1));
}

#[test]
fn errors_are_told_and_left() {
    let text = rule("    expr: |\n      sum(\n") + "  - record: c\n    expr: d+e\n";
    let done = formatted(&text);
    assert_eq!(done.text, text.replace("d+e", "d + e"));
    assert_eq!(done.left.len(), 1);
    assert_eq!(&text[done.left[0].span.clone()], "(");
    assert!(format_rules("a: [", &narrow()).is_err());
}

#[test]
fn manifests_and_documents() {
    let text = "\
# c
apiVersion: v1
kind: PrometheusRule
metadata: {annotations: {expr: sum( a)}}
spec: # d
    groups:
        - name: a
          rules:
            - expr: sum( a)
              record: b
---
kind: Secret
apiVersion: v1
groups: [{rules: [{expr: sum( a)}]}]
---
apiVersion: v1
kind: PrometheusRule
spec: {groups: [{rules: [{expr: a+b}]}]}
";
    let expected = text.replacen("sum( a)\n ", "sum(a)\n ", 1).replace("a+b", "a + b");
    assert_eq!(format_rules(text, &narrow()).unwrap().text, expected);
}

/// Ways of writing an expression.
fn written() -> impl Strategy<Value = String> {
    let expression = prop::sample::select(vec![
        "sum(a)by(b)",
        "requests_total_of_shop/requests_total_of_all",
        "sum by (job) (rate(requests_total{job=\"it's\"}[5m])) > 1",
        "a{b=\"c: d\"} or  a{b='# e'}",
        "{b=\"c\"}",
        "-a",
        "histogram_quantile(.9, sum by (le) (rate(latency_bucket[5m])))",
    ]);
    let style = 0..8_usize;
    let below =
        prop::sample::select(vec!["", "    for: 1m\n", "    # c\n", "\n\n    labels: {d: e}\n"]);
    (expression, style, below).prop_map(|(expression, style, below)| {
        let quoted = expression.replace('\\', "\\\\").replace('"', "\\\"");
        let field = match style {
            0 => format!("    expr: '{}'\n", expression.replace('\'', "''")),
            1 => format!("    expr: \"{quoted}\"  # c\n"),
            2 => format!("    expr: |\n      {expression}\n"),
            3 => format!("    expr: |-\n       {}\n", expression.replace(" by ", "\n       by ")),
            4 => format!("    expr: >+ # c\n     {expression}\n\n"),
            5 => format!("    expr: >2-\n        {expression}\n"),
            6 => format!("    expr: \"{}\"\n", quoted.replace(' ', "\n      ")),
            _ => format!("    expr: |1\n      {expression}\n"),
        };
        format!(
            "groups:\n- name: a\n  rules:\n  - alert: b\n{field}{below}  - record: z\n    expr: y\n"
        )
    })
}

proptest! {
    #[test]
    fn whatever_the_style_the_rest_stays(text in written()) {
        let done = formatted(&text);
        prop_assert_eq!(done.expressions, 2);
        prop_assert!(done.left.is_empty(), "{:?} {}", done.left, text);
        let comments = |text: &str| text.matches("# c").count();
        prop_assert_eq!(comments(&text), comments(&done.text));
    }
}
