//! Rule files in, rules and findings out.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::fmt::Write;

use promql_rules::rule_file::{Dialect, LoadOptions, Loaded, NameScheme, RuleFile, duplicates};

fn load(text: &str) -> Loaded {
    RuleFile::load("rules.yml", text.as_bytes(), &LoadOptions::default())
}

fn load_as(text: &str, dialect: Dialect) -> Loaded {
    let options = LoadOptions { dialect: Some(dialect), ..LoadOptions::default() };
    RuleFile::load("rules.yml", text.as_bytes(), &options)
}

/// Each finding on a line: how bad, what kind, the part of the file, the message.
fn findings(loaded: &Loaded) -> String {
    let mut out = String::new();
    for finding in &loaded.findings {
        let severity = match finding.severity {
            miette::Severity::Error => "error",
            miette::Severity::Warning => "warning",
            miette::Severity::Advice => "remark",
        };
        let part = &loaded.file.text[finding.span.clone()];
        let _ = writeln!(out, "{severity} {} {part:?}: {}", finding.code, finding.message);
    }
    out
}

/// What upstream's tool would say.
fn upstream(text: &str) -> String {
    load_as(text, Dialect::Prometheus).upstream_errors().map(|line| format!("{line}\n")).collect()
}

/// A file with one group, which has one rule with these fields.
fn rule(fields: &str) -> String {
    let mut out = String::from("groups:\n- name: g\n  rules:\n  -");
    for (at, line) in fields.lines().enumerate() {
        let indentation = if at == 0 { " " } else { "    " };
        let _ = writeln!(out, "{indentation}{line}");
    }
    out
}

#[test]
fn a_file_has_groups_with_rules() {
    let text = "\
groups:
  - name: api
    interval: 30s
    query_offset: 0s
    limit: 5
    labels: {team: api, tier: '1'}
    rules:
      - record: job:errors:ratio5m
        expr: |
          sum by (job) (rate(errors_total[5m]))
            / sum by (job) (rate(requests_total[5m]))
        labels: {tier: '2'}
      - alert: Errors
        expr: job:errors:ratio5m > 0.05
        for: 10m
        keep_firing_for: 1h
        labels: {severity: page}
        annotations: {summary: '{{ $labels.job }} fails'}
  - name: empty
";
    let loaded = load(text);
    assert_eq!(findings(&loaded), "");
    let file = loaded.into_result().unwrap();
    assert_eq!((file.dialect, file.groups.len(), file.rule_count()), (Dialect::Prometheus, 2, 2));
    let group = &file.groups[0];
    assert_eq!(group.effective_interval(1), 30_000_000_000);
    assert_eq!(group.query_offset.unwrap().value, 0);
    assert_eq!(group.limit.unwrap().value, 5);
    let [record, alert] = &group.rules[..] else { panic!("two rules") };
    assert_eq!(record.effective_labels(group), [("team", "api"), ("tier", "2")]);
    assert_eq!(
        alert.effective_labels(group),
        [("severity", "page"), ("team", "api"), ("tier", "1")]
    );
    assert_eq!(alert.for_duration.unwrap().value, 600_000_000_000);
    assert_eq!(alert.keep_firing_for.unwrap().value, 3_600_000_000_000);
    assert_eq!(alert.annotations[0].1.value, "{{ $labels.job }} fails");
    assert_eq!(&file.text[alert.name.span.clone()], "Errors");
    let at = record.expr.value.find("requests_total").unwrap();
    let place = record.expr_positions(&file).file_span(at..at + 14);
    assert_eq!(&file.text[place], "requests_total");
    assert_eq!(file.groups[1].effective_interval(7), 7);
}

#[test]
fn what_upstream_accepts() {
    for text in [
        "",
        "null\n",
        "{}\n",
        "groups:\n",
        "groups:\n- \n- name: a\n  rules:\n  -\n",
        "groups:\n- name: a\n  limit: -1\n- name: b\n  limit: 1.5\n- {name: c, query_offset: 0s, interval: 0}\n",
        "{\"groups\": [{\"name\": \"g\", \"rules\": [{\"record\": \"a\", \"expr\": \"b\"}]}]}",
        "groups:\n- name: a\n---\n\tnot: [yaml\n",
        "---\n---\ngroups: 5\n",
        "x: &x\n",
    ] {
        // The last one has an unknown key, which the flag lets pass.
        let options = LoadOptions { ignore_unknown_keys: true, ..LoadOptions::default() };
        let loaded = RuleFile::load("rules.yml", text.as_bytes(), &options);
        assert!(loaded.is_valid(), "{text:?}: {}", findings(&loaded));
    }
    for fields in [
        "record: a\nexpr: b\nfor: 0s\nannotations: {}",
        "record: \"a-b.c/é d\"\nexpr: b",
        "alert: a\nexpr: b\nlabels: {\"a b\": x, alertname: x, __reserved: x, '{{ $x }}': x}",
        "alert: a\nexpr: b\nannotations: {\"a b\": x, __name__: x}",
        "alert: a\nexpr: b\nfor: 0",
        "alert: a\nexpr: b\nfor: 1h30m",
        "alert: a\nexpr: b\nfor:",
        "alert: a\nexpr: b\nlabels: {a: 1, b: true, c: 1.50, d: ~, e: 2020-01-01}",
        "alert: a\nexpr: b[5m]",
        "alert: a\nexpr: '\"text\"'",
        "alert: a\nexpr: 1",
        "alert: a\nexpr: true",
        "&a alert: a\nexpr: b",
        "<<: {expr: b}\nrecord: a",
    ] {
        let loaded = load(&rule(fields));
        assert!(loaded.is_valid(), "{fields:?}: {}", findings(&loaded));
        assert_eq!(loaded.file.rule_count(), 1);
    }
    let loaded = load(&rule("alert: a\nexpr: 1.50\nlabels: {a: 0x10, b: yes, c: ~}"));
    let rule = &loaded.file.groups[0].rules[0];
    let values: Vec<&str> = rule.labels.iter().map(|(_, value)| value.value.as_str()).collect();
    assert_eq!((&*rule.expr.value, &values[..]), ("1.50", &["0x10", "yes", ""][..]));
}

#[test]
fn what_upstream_refuses_and_how() {
    let mut out = String::new();
    let files = [
        "foo",
        "- a",
        "groups: 5",
        "groups: [5]",
        "colour: red\ngroups:\n- name: a\n  colour: red\n  rules:\n  - record: a\n    expr: b\n    colour: red\n",
        "groups:\n- name: a\n- name: a\n- name: ''\n- rules: []\n  labels: {'': x}\n",
        "groups:\n- name: a\n  interval: 30\n  query_offset: -1m\n  limit: abc\n",
        "groups:\n- name: a\n  rules: 5\n",
        "groups:\n- name: a\n\trules: []\n",
        "groups:\n- name: *a\n",
        "%YAML 1.2\n---\ngroups: []\n",
    ];
    let rules = [
        "record: a\nexpr: b\nexpr: c",
        "record: a\nalert: b\nexpr: c",
        "expr: c",
        "record: a",
        "record: a\nexpr: ''",
        "record: a\nexpr: ~",
        "record: a\nexpr: 'sum(up[5m])'",
        "record: a\nexpr: |\n  sum(\n    up",
        "record: a\nexpr: b\nfor: 1m\nkeep_firing_for: 1m\nannotations: {a: b}",
        "record: 'a{b=1}'\nexpr: b",
        "record: a\nexpr: b\nlabels: {__name__: x, '': y}",
        "alert: a\nexpr: b\nannotations: {'': y}",
        "alert: a\nexpr: b\nlabels: {a: [b]}",
        "alert: a\nexpr: [b]",
        "alert: a\nexpr: b\nlabels: [b]",
        "alert: a\nexpr: b\nfor: 1.5h",
        "alert: a\nexpr: b\nfor: ''",
    ];
    let rules = rules.map(rule);
    for text in files.into_iter().chain(rules.iter().map(String::as_str)) {
        let shown = text.strip_prefix("groups:\n- name: g\n  rules:\n  - ").unwrap_or(text);
        let _ = writeln!(out, "{shown:?}\n{}", upstream(text));
    }
    insta::assert_snapshot!("refused", out);
}

#[test]
fn everything_is_told_at_once_where_it_is() {
    let text = "\
groups:
  - name: api
    rules:
      - record: job:errors
        expr: >
          sum by (job) (
            rate(errors_total)
          ) + on(job
        labels: {a: '{{ $value }}'}
      - alert: Errors
        expression: up == 0
        for: 5
        annotation: {a: b}
      - alert: Text
        expr: \"'it is \\\"up\\\"' + up{\"
      -
";
    insta::assert_snapshot!("everything", findings(&load(text)));
}

#[test]
fn what_never_works_is_warned_about() {
    let text =
        "groups: [{name: a, rules: [{record: b, expr: 'c[5m]'}, {alert: b, expr: '\"c\"'}]}]";
    insta::assert_snapshot!(findings(&load(text)), @r#"
    warning rules::no-vector "'c[5m]'": the result of a rule is an instant vector, not a range vector
    warning rules::no-vector "'\"c\"'": the result of a rule is an instant vector, not a string
    "#);
}

#[test]
fn legacy_names() {
    let text = rule("record: a.b\nexpr: c\nlabels: {d-e: f}")
        + "  - alert: x y\n    expr: c\n    annotations: {g-h: i}\n";
    assert_eq!(findings(&load(&text)), "");
    let options = LoadOptions { names: NameScheme::Legacy, ..LoadOptions::default() };
    let loaded = RuleFile::load("rules.yml", text.as_bytes(), &options);
    insta::assert_snapshot!(findings(&loaded), @r#"
    error rules::bad-metric-name "a.b": `a.b` is no name of a metric
    error rules::bad-label-name "d-e": `d-e` is no name of a label
    error rules::bad-annotation-name "g-h": `g-h` is no name of an annotation
    "#);
}

const MANIFEST: &str = "\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: api}
spec:
  groups:
    - name: api
      partial_response_strategy: warn
      rules:
        - {record: a, expr: b}
";

#[test]
fn manifests() {
    let loaded = load(MANIFEST);
    assert_eq!((findings(&loaded).as_str(), loaded.file.rule_count()), ("", 1));
    assert_eq!(loaded.file.dialect, Dialect::Operator);

    let secret = "apiVersion: v1\nkind: Secret\n";
    let stream = format!("{secret}---\n{MANIFEST}---\n{MANIFEST}---\n");
    let loaded = load(&stream);
    assert_eq!(loaded.file.rule_count(), 2);
    insta::assert_snapshot!(findings(&loaded), @r#"
    remark rules::skipped-object "Secret": an object of the kind Secret is skipped
    "#);

    let items: String = MANIFEST
        .lines()
        .enumerate()
        .map(|(at, line)| format!("{}{line}\n", if at == 0 { "- " } else { "  " }))
        .collect();
    let loaded = load(&format!("apiVersion: v1\nkind: List\nitems:\n{items}"));
    assert_eq!((findings(&loaded).as_str(), loaded.file.rule_count()), ("", 1));

    // A server takes it for a rule file with odd keys.
    insta::assert_snapshot!(findings(&load_as(MANIFEST, Dialect::Prometheus)), @r#"
    error yaml::unknown-key "apiVersion": a rule file has no key `apiVersion`
    error yaml::unknown-key "kind": a rule file has no key `kind`
    error yaml::unknown-key "metadata": a rule file has no key `metadata`
    error yaml::unknown-key "spec": a rule file has no key `spec`
    warning rules::manifest "PrometheusRule": this is a Kubernetes object; its rules are below `spec`, where a server doesn't look
    "#);
    insta::assert_snapshot!(findings(&load_as("groups: []\n", Dialect::Operator)), @r#"
    error rules::no-manifest "": this is no Kubernetes object of the kind PrometheusRule
    "#);
    let wrong = MANIFEST.replace("expr: b", "expr: b(").replace("groups", "group");
    insta::assert_snapshot!(findings(&load(&wrong)), @r#"
    error yaml::unknown-key "group": a spec has no key `group`
    "#);
}

#[test]
fn dialects() {
    let mimir = "namespace: a\ngroups: [{name: b, evaluation_delay: 1m, source_tenants: [c]}]\n";
    let loaded = load(mimir);
    assert_eq!(loaded.file.groups[0].query_offset.unwrap().value, 60_000_000_000);
    insta::assert_snapshot!(findings(&loaded), @r#"
    remark rules::dialect "namespace": read as a file of Mimir, which has the key `namespace`
    "#);
    assert_eq!(findings(&load_as(mimir, Dialect::Mimir)), "");
    insta::assert_snapshot!(findings(&load_as(mimir, Dialect::Prometheus)), @r#"
    error yaml::unknown-key "namespace": a rule file has no key `namespace`
    error yaml::unknown-key "evaluation_delay": a group has no key `evaluation_delay`
    error yaml::unknown-key "source_tenants": a group has no key `source_tenants`
    "#);

    let vmalert = "\
groups:
  - name: a
    interval: 1.5m
    concurrency: -2
    eval_offset: 10
    eval_delay: 5s
    rules:
      - {alert: b, expr: 'c default 5', for: 30}
      - {alert: b, expr: 'c default 5', for: 60, debug: true}
---
groups: [{name: d, tpye: x}]
";
    let loaded = load(vmalert);
    assert_eq!((loaded.file.dialect, loaded.file.groups.len()), (Dialect::Vmalert, 2));
    assert_eq!(loaded.file.groups[0].effective_interval(0), 90_000_000_000);
    insta::assert_snapshot!(findings(&loaded), @r#"
    error yaml::unknown-key "tpye": a group has no key `tpye`
    remark rules::dialect "concurrency": read as a file of vmalert, which has the key `concurrency`
    error rules::offset-and-delay "eval_delay": `eval_offset` and `eval_delay` exclude each other
    error rules::negative "-2": vmalert refuses a negative number here
    remark promql::unexpected-token "default": unexpected identifier "default"
    remark promql::unexpected-token "default": unexpected identifier "default"
    error rules::repeated-rule "b": vmalert refuses a rule that its group has already
    "#);

    let thanos = "groups: [{name: a, partial_response_strategy: sometimes}]\n";
    insta::assert_snapshot!(findings(&load(thanos)), @r#"
    remark rules::dialect "partial_response_strategy": read as a file of Thanos, which has the key `partial_response_strategy`
    error rules::bad-strategy "sometimes": `partial_response_strategy` is `warn` or `abort`
    "#);
}

#[test]
fn mixins() {
    let text = "{\"prometheusAlerts\": {\"groups\": [{\"name\": \"a\", \"rules\": [{\"alert\": \"b\", \"expr\": \"c\"}]}]}, \
                \"prometheusRules\": {\"groups\": [{\"name\": \"a\"}]}, \"grafanaDashboards\": {}}";
    let loaded = load(text);
    assert_eq!((findings(&loaded).as_str(), loaded.file.groups.len()), ("", 2));
}

#[test]
fn several_documents() {
    let loaded = load("groups: []\n---\ngroups: [{name: a}]\n");
    assert_eq!(loaded.file.groups.len(), 0);
    insta::assert_snapshot!(findings(&loaded), @r#"
    warning rules::several-documents "---": only the first document of a rule file is used
    "#);
}

#[test]
fn charts_are_recognised() {
    let text = "groups:\n{{- if .Values.rules }}\n- name: a\n  rules:\n  - alert: {{ .Values.name }}\n{{- end }}\n";
    insta::assert_snapshot!(findings(&load(text)), @r#"
    error yaml::chart "{{- if .Values.rules }}": this is the source of a Helm chart, which is not YAML yet
    "#);
}

#[test]
fn not_utf8() {
    let loaded = RuleFile::load("rules.yml", b"groups: # \xff\n", &LoadOptions::default());
    insta::assert_snapshot!(findings(&loaded), @r#"
    error yaml::not-utf8 "�": the file is not UTF-8
    "#);
}

#[test]
fn duplicate_rules() {
    let text = "\
groups:
  - name: a
    labels: {x: '1'}
    rules:
      - {record: same, expr: sum(a)}
      - {record: total, expr: sum(a)}
      - {record: maybe, expr: a}
      - {record: other, expr: a}
  - name: b
    rules:
      - {record: same, expr: 'sum (a) # again', labels: {x: '1'}}
      - {record: total, expr: max(a) / 2, labels: {x: '1'}}
      - {record: maybe, expr: sum by (job) (a), labels: {x: '1'}}
      - {record: other, expr: a, labels: {x: '2'}}
";
    let loaded = load(text);
    let mut out = String::new();
    for duplicate in duplicates(&loaded.file) {
        for finding in duplicate.findings(|at| text[..at].lines().count()) {
            let _ = writeln!(out, "{}", finding.message);
        }
    }
    insta::assert_snapshot!(out, @"
    `maybe` has the name and the labels of the rule in line 7
    `same` is the same rule as the one in line 5
    `total` and the rule in line 6 write the same series
    ");
}

#[test]
fn many_rules_keep_their_order() {
    let mut text = String::from("groups:\n");
    for group in 0..20 {
        let _ = writeln!(text, "- name: g{group}\n  rules:");
        for rule in 0..20 {
            let _ = writeln!(text, "  - record: r{group}_{rule}\n    expr: a{group}_{rule} +");
        }
    }
    let loaded = load(&text);
    assert_eq!(loaded.file.rule_count(), 400);
    let names: Vec<&str> = loaded.file.groups[19].rules.iter().map(|r| &*r.name.value).collect();
    assert_eq!(names[..2], ["r19_0", "r19_1"]);
    assert_eq!(loaded.findings.len(), 400);
    assert!(loaded.findings.is_sorted_by_key(|finding| finding.span.start));
}
