//! What `removed-rule-still-used` says when it is known what was in the files before a change.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use promql_lint::{Input, Settings, lint};

/// A file: its name, what was in it, what is in it.
type File = (&'static str, Option<&'static str>, &'static str);

/// A rule file of some rules, each in a line.
fn rules(lines: &str) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let rules: String = lines.lines().map(|line| format!("  - {}\n", line.trim())).collect();
    format!("groups:\n- name: shop\n  rules:\n{rules}")
}

/// What is found, a line for each finding: the file, the place as it is written, the message, the help.
fn found(files: &[File]) -> String {
    let mut settings = Settings::none();
    assert!(settings.select("removed-rule-still-used", true));
    let of = |text: &str| {
        if text.starts_with('{') && text.contains("panels") { text.into() } else { rules(text) }
    };
    let inputs = files
        .iter()
        .map(|(name, before, text)| {
            let mut input = Input::new(*name, of(text));
            input.before = before.map(|before| of(before).into_bytes());
            input
        })
        .collect();
    let mut out = String::new();
    for file in lint(inputs, &settings).files {
        for finding in &file.findings {
            let place = &file.text[finding.span()];
            let help = finding.help.as_deref().unwrap_or_default();
            out.push_str(&format!("{}: `{place}`: {} ({help})\n", file.name, finding.message));
        }
    }
    out
}

const SUM: &str = "{record: 'job:up:sum', expr: sum by (job) (up)}";
const ALERT: &str = "{alert: FewLeft, expr: 'job:up:sum < 3'}";

#[test]
fn a_rule_reads_what_was_removed() {
    let files = [("up.yml", Some(SUM), ""), ("alerts.yml", None, ALERT)];
    assert_eq!(
        found(&files),
        "alerts.yml: `job:up:sum`: the metric `job:up:sum` is read here, but this change removed its rule \
         (take this out too, or leave the rule where it is)\n"
    );
}

#[test]
fn a_rule_reads_what_was_renamed() {
    let now = "{record: 'job:up:total', expr: 'sum(up) by (job)'}";
    let files = [("up.yml", Some(SUM), now), ("alerts.yml", None, ALERT)];
    assert_eq!(
        found(&files),
        "alerts.yml: `job:up:sum`: the metric `job:up:sum` is read here, but this change removed its rule \
         (the rule seems to be called `job:up:total` now)\n"
    );
}

#[test]
fn an_alert_is_asked_for_that_was_removed() {
    let before = "{alert: Down, expr: up == 0}";
    let reader = r#"{alert: Slow, expr: 'latency > 1 unless on (job) ALERTS{alertname="Down"}'}"#;
    let files = [("up.yml", Some(before), ""), ("slow.yml", None, reader)];
    assert_eq!(
        found(&files),
        "slow.yml: `ALERTS{alertname=\"Down\"}`: the alert `Down` is read here, but this change removed its \
         rule (take this out too, or leave the rule where it is)\n"
    );
}

#[test]
fn a_dashboard_reads_what_was_removed() {
    let dashboard =
        r#"{"title": "Up", "panels": [{"title": "Up", "targets": [{"expr": "job:up:sum"}]}]}"#;
    let files = [("up.yml", Some(SUM), ""), ("up.json", None, dashboard)];
    assert_eq!(
        found(&files),
        "up.json: `job:up:sum`: the metric `job:up:sum` is read here, but this change removed its rule \
         (take this out too, or leave the rule where it is)\n"
    );
}

/// It looks removed, but another file has it now.
#[test]
fn a_rule_that_moved_is_there() {
    let files = [("up.yml", Some(SUM), ""), ("other.yml", None, SUM), ("alerts.yml", None, ALERT)];
    assert_eq!(found(&files), "");
}

#[test]
fn nobody_reads_what_was_removed() {
    let files = [("up.yml", Some(SUM), ""), ("alerts.yml", None, "{alert: Down, expr: up == 0}")];
    assert_eq!(found(&files), "");
}

#[test]
fn nothing_is_said_without_knowing_what_was_before() {
    let files = [("up.yml", None, ""), ("alerts.yml", None, ALERT)];
    assert_eq!(found(&files), "");
}

/// What was wrong with the file before is no matter.
#[test]
fn a_file_that_could_not_be_read_had_no_rules() {
    let files = [("up.yml", Some("[}"), SUM), ("alerts.yml", None, ALERT)];
    assert_eq!(found(&files), "");
}
