//! Rules and alerts in the HTTP API, beside those of a real Prometheus that evaluates the same rules
//! over the same series. Times and durations, which can't be the same, are left out of the
//! comparison.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::fs;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use promql_model::{Labels, stale_nan};
use promql_rules::evaluate::{ManagerOptions, PreparedFile, RuleManager};
use promql_rules::rule_file::LoadOptions;
use promql_server::{Api, Rules, Settings};
use promql_storage::{Columns, MemoryBuilder, MemoryStorage};
use promql_tests::api::Request::{self, Get};
use promql_tests::api::{ask, serve};
use promql_tests::conformance::say;
use promql_tests::prometheus::Prometheus;
use promql_tests::reference::wait_for;

const RULES: &str = r#"
groups:
  - name: states
    interval: 1s
    labels: {team: "a&b<\b\f\x07\u2028\x7f\\\"\r\n\t"}
    rules:
      - record: job:up:sum
        expr: sum   by(job) (up)
        labels: {origin: "rules", dropped: ""}
      - alert: Up
        expr: up{instance="a"} == 1
        labels: {severity: "{{ $labels.job }}<b>"}
        annotations: {summary: "it is {{ $value | humanize }} <b>", empty: ""}
      - alert: Pending
        expr: up{instance="a"} * 1234.5
        for: 1h
      - alert: Kept
        expr: vanishing > 1
        keep_firing_for: 90m
      - alert: Never
        expr: up == 7
      - alert: Infinite
        expr: sum(up) / 0
  - name: broken
    interval: 1s
    limit: 1
    rules:
      - record: many
        expr: up
      - record: twice
        expr: label_replace(up, "instance", "x", "", "<.*|.*")
      - alert: Twice
        expr: label_replace(up, "instance", "x", "", ".*") > 0
      - alert: Limited
        expr: up > 0
  - name: without rules
    rules: []
  - name: of another time
    interval: 1s
    query_offset: 10s
    rules:
      - record: later
        expr: up
"#;

/// What both servers are asked.
const REQUESTS: &[Request] = &[
    Get("/api/v1/rules"),
    Get("/api/v1/rules?type=alert"),
    Get("/api/v1/rules?type=RECORD&exclude_alerts=true"),
    Get("/api/v1/rules?type=both"),
    Get("/api/v1/rules?exclude_alerts=1&rule_name[]=Up&rule_name[]=Kept"),
    Get("/api/v1/rules?exclude_alerts=maybe"),
    Get("/api/v1/rules?rule_group[]=broken&rule_group[]=nothing"),
    Get("/api/v1/rules?rule_group[]=nothing"),
    Get("/api/v1/rules?file[]=nothing.yml"),
    Get("/api/v1/rules?match[]={origin=\"rules\"}"),
    Get("/api/v1/rules?match[]={team=~\"a.*\"}&type=alert"),
    Get("/api/v1/rules?match[]={severity!=\"\"}"),
    Get("/api/v1/rules?match[]={origin=\"rules\"}&match[]={team=\"\"}"),
    Get("/api/v1/rules?match[]={}"),
    Get("/api/v1/rules?group_limit=2"),
    Get("/api/v1/rules?group_limit=9"),
    Get("/api/v1/rules?group_limit=0"),
    Get("/api/v1/rules?group_limit=x"),
    Get("/api/v1/rules?group_next_token=x"),
    Get("/api/v1/rules?group_limit=2&group_next_token=x"),
    Get("/api/v1/alerts"),
    Get("/api/v1/alertmanagers"),
    Get("/api/v1/query?query=ALERTS{alertname=\"Kept\"}"),
    Get("/api/v1/query?query=ALERTS{alertname=\"Pending\"}"),
    Get("/api/v1/query?query=count(ALERTS)"),
    Get("/api/v1/query?query=count(ALERTS_FOR_STATE)"),
    Get("/api/v1/query?query=job:up:sum"),
    Get("/api/v1/query?query={__name__=~\"many|twice\"}"),
    Get("/api/v1/series?match[]=job:up:sum"),
    Get("/api/v1/label/team/values"),
];

/// Two targets that are up all the time, and a series that ends after three seconds.
fn series(now: i64) -> MemoryStorage {
    let mut builder = MemoryBuilder::default();
    let mut insert = |name: &str, instance: &str, columns: Columns| {
        let pairs = [("__name__", name), ("instance", instance), ("job", "api")];
        builder.insert(Labels::from_pairs(pairs), columns);
    };
    let times: Vec<i64> = (-10..60).map(|second| now + second * 1000).collect();
    for instance in ["a", "b"] {
        let values = vec![1.0; times.len()];
        insert("up", instance, Columns { timestamps: times.clone(), values, ..Columns::default() });
    }
    let timestamps = times[..13].to_vec();
    let values = [vec![2.0; 12], vec![stale_nan()]].concat();
    insert("vanishing", "a", Columns { timestamps, values, ..Columns::default() });
    builder.build()
}

#[test]
fn rules_stand_as_those_of_a_real_server() {
    let folder = std::env::temp_dir().join(format!("promql-rules-api-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("rules.yml").display().to_string();
    fs::write(&path, RULES).unwrap();
    let configured = format!("scrape_configs: []\nrule_files: [{path:?}]\n");
    let Some(theirs) = Prometheus::start_with("rules-api", &[], &configured) else {
        let _ = fs::remove_dir_all(&folder);
        return say(
            "no prometheus in PROMQL_REFERENCE_BIN or the path: its rules are not compared",
        );
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let storage = Arc::new(series(now));
    theirs.write(&storage);

    let file = PreparedFile::load(&path, RULES.as_bytes(), &LoadOptions::default());
    let Ok(file) = file else { panic!("the rules are fine") };
    let mut manager = RuleManager::new(vec![file], storage.clone(), ManagerOptions::default());
    manager.start(now);
    let end = now + 10_000;
    while manager.step(end).is_some() {}
    let rules = Arc::new(Rules::default());
    rules.tell(&manager, end);
    let settings = Settings { now: Some(end), ..Settings::default() };
    let ours = serve(Api::new(storage, settings).with_rules(rules));

    wait_for("an alert that is kept firing", || {
        let (_, answer) = ask(theirs.port(), &Get("/api/v1/alerts"));
        answer.contains("keepFiringSince").then_some(())
    });
    let mut different = Vec::new();
    for request in REQUESTS {
        let [a, b] = [theirs.port(), ours].map(|port| {
            let (status, body) = ask(port, request);
            (status, masked(&body))
        });
        if a != b {
            different.push(format!("{request}\n theirs {a:?}\n ours   {b:?}\n"));
        }
    }
    let _ = fs::remove_dir_all(&folder);
    say(&format!("{} of {} answers are equal", REQUESTS.len() - different.len(), REQUESTS.len()));
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The pages that tokens lead to have all groups, each once.
#[test]
fn pages_lead_to_each_other() {
    let file = PreparedFile::load("rules.yml", RULES.as_bytes(), &LoadOptions::default());
    let Ok(file) = file else { panic!("the rules are fine") };
    let storage = Arc::new(series(0));
    let manager = RuleManager::new(vec![file], storage.clone(), ManagerOptions::default());
    let rules = Arc::new(Rules::default());
    rules.tell(&manager, 0);
    let port = serve(Api::new(storage, Settings::default()).with_rules(rules));
    let mut names = Vec::new();
    let mut path = "/api/v1/rules?group_limit=1".to_owned();
    loop {
        let (_, body) = ask(port, &Get(Box::leak(path.clone().into_boxed_str())));
        let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        let groups = answer["data"]["groups"].as_array().unwrap();
        names.extend(groups.iter().map(|group| group["name"].as_str().unwrap().to_owned()));
        assert_eq!(groups[0]["rules"][0]["health"], "unknown");
        let Some(token) = answer["data"]["groupNextToken"].as_str() else { break };
        path = format!("/api/v1/rules?group_limit=1&group_next_token={token}");
    }
    assert_eq!(names, ["broken", "of another time", "states"]);
}

/// An answer without what differs from run to run.
fn masked(body: &str) -> String {
    let keys =
        ["evaluationTime", "lastEvaluation", "activeAt", "keepFiringSince", "groupNextToken"];
    let mut body = body.to_owned();
    for key in keys {
        let key = format!("\"{key}\":");
        let mut from = 0;
        while let Some(at) = body[from..].find(&key) {
            let start = from + at + key.len();
            let length = body[start..].find([',', '}']).unwrap();
            body.replace_range(start..start + length, "…");
            from = start;
        }
    }
    // The time of a sample.
    let mut from = 0;
    while let Some(at) = body[from..].find("\"value\":[") {
        let start = from + at + "\"value\":[".len();
        let length = body[start..].find(',').unwrap();
        body.replace_range(start..start + length, "…");
        from = start;
    }
    body
}
