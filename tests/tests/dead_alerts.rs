//! Alerts that can never fire, in rules that people use: each that the linter finds is put into a unit test
//! with many worlds of input, in none of which it fires; where a small repair is known, the repaired alert
//! fires in one of them. And the other way round: of the alerts that the linter doesn't complain about nearly
//! all fire in some world.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use promql_engine::{QueryOptions, evaluate};
use promql_lint::{Input, Outcome, Settings, lint};
use promql_model::QueryValue;
use promql_rules::rule_file::{Rule, RuleKind};
use promql_storage::fixture::read_unit_test;
use promql_syntax::{Features, compile};
use promql_tests::binary::{promql, workspace};
use promql_tests::conformance::{files, say};
use promql_tests::random::Random;
use promql_tests::reference::program;
use promql_tests::worlds::{INTERVAL, Vocabulary};
use serde_json::Value;

/// What the linter says of an alert that can't fire.
const DEAD: &str = "this alert can never fire";

/// Repairs: the name of the alert, and what is replaced in its expression by what.
const REPAIRS: &[(&str, &[(&str, &str)])] = &[
    ("TempoBadOverrides", &[("== 0) > 0", "== bool 0) > 0")]),
    ("KafkaBrokerCount", &[("== 0", "== 1")]),
    ("KafkaZookeeperSyncConnect", &[("< 0", "< 1")]),
    ("AerospikeHighClientReadErrorRate", &[("> 25", "> 0.25")]),
    ("AerospikeHighClientWriteErrorRate", &[("> 25", "> 0.25")]),
    ("AerospikeHighClientUDFErrorRate", &[("> 25", "> 0.25")]),
    ("AlertmanagerClusterFailedToSendAlerts", &[("!~`.*`", "!~`pager.*`")]),
    ("GitLabHigh5xxResponses", &[("/ sum", "/ ignoring (status) group_left () sum")]),
    ("GitLabHigh4xxResponses", &[("/ sum", "/ ignoring (status) group_left () sum")]),
    (
        "MongodbTooManyConnections(dcu)",
        &[("/ (", "/ ignoring (state) ("), ("} + mongo", "} + ignoring (state) mongo")],
    ),
    (
        "MongodbTooManyConnections(percona)",
        &[("/ (", "/ ignoring (conn_type) ("), ("} + mongo", "} + ignoring (conn_type) mongo")],
    ),
    (
        "NetdataHighMemoryUsage",
        &[(
            "100 / netdata_system_ram_MiB_average *",
            "100 / ignoring (dimension) group_right () sum without (dimension) \
             (netdata_system_ram_MiB_average) * ignoring (dimension) group_right ()",
        )],
    ),
    ("KubernetesClientCertificateExpiresNextWeek", &[("> 0 and hist", "> 0 and on (job) hist")]),
    ("KubernetesClientCertificateExpiresSoon", &[("> 0 and hist", "> 0 and on (job) hist")]),
    ("BigIPHighConnectionQueueDepth", &[("max without(instance, job) (", "(")]),
    ("ThanosReceiveHighReplicationFailures", &[("> 1\n  and\n", "> 1\n  and on (job)\n")]),
    ("ThanosBucketReplicateRunLatency", &[("0.99, sum by (job) (", "0.99, sum by (job, le) (")]),
];

/// How many worlds an alert is tried in.
const WORLDS: u64 = 24;

/// An alert, and what is asked of it.
struct Trial {
    file: String,
    name: String,
    expr: String,
    hold: i64,
}

impl Trial {
    fn new(file: &str, rule: &Rule) -> Trial {
        Trial {
            file: file.to_owned(),
            name: rule.name.value.clone(),
            expr: rule.expr.value.clone(),
            hold: rule.for_duration.as_ref().map_or(0, |hold| hold.value / 1_000_000_000),
        }
    }

    fn rules(&self) -> String {
        let (name, expr) = (Value::from(&*self.name), Value::from(&*self.expr));
        format!(
            "groups:\n  - name: g\n    interval: 1m\n    rules:\n      - alert: {name}\n        \
             expr: {expr}\n        for: {}s\n",
            self.hold
        )
    }

    /// How many samples series have: as far as the alert looks back, and long enough to be pending.
    fn samples(&self) -> u64 {
        let back = longest_duration(&self.expr).max(1800);
        (back + self.hold as u64 + 3600) / INTERVAL
    }

    /// The unit test: the alert fires in no world. Nothing if the expression names no metric.
    fn tests(&self, rule_file: &str, seed: u64) -> Option<String> {
        let vocabulary = self.vocabulary()?;
        let mut random = Random::new(seed);
        let mut text = format!("rule_files: [{rule_file}]\nevaluation_interval: 1m\ntests:\n");
        (0..WORLDS).for_each(|_| self.world(&vocabulary, &mut random, &mut text));
        Some(text)
    }

    /// A test of one world.
    fn world(&self, vocabulary: &Vocabulary, random: &mut Random, text: &mut String) {
        let _ = write!(text, "  - interval: {INTERVAL}s\n    input_series:\n");
        for (series, values) in vocabulary.world(random, self.samples()) {
            let (series, values) = (Value::from(series), Value::from(values));
            let _ = writeln!(text, "      - {{series: {series}, values: {values}}}");
        }
        text.push_str("    alert_rule_test:\n");
        for at in self.times() {
            let name = Value::from(&*self.name);
            let _ =
                writeln!(text, "      - {{eval_time: {at}s, alertname: {name}, exp_alerts: []}}");
        }
    }

    /// What the expression names, if it names anything.
    fn vocabulary(&self) -> Option<Vocabulary> {
        let query = compile(&self.expr, &Features::ALL).ok()?;
        Some(Vocabulary::of(query.expr())).filter(|vocabulary| !vocabulary.is_empty())
    }

    /// When the alert is looked at, in seconds.
    fn times(&self) -> [u64; 3] {
        [2, 3, 4].map(|part| self.samples() * INTERVAL * part / 4)
    }
}

/// The longest duration within brackets or behind `offset` of an expression, in seconds, as far as it is
/// plainly written.
fn longest_duration(expr: &str) -> u64 {
    let is_part = |c: char| !c.is_ascii_alphanumeric();
    let unit = |unit: &str| match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => 0,
    };
    let seconds = expr.split(is_part).filter_map(|word| {
        let end = word.find(|c: char| !c.is_ascii_digit())?;
        Some(word[..end].parse::<u64>().ok()? * unit(&word[end..]))
    });
    seconds.max().unwrap_or_default()
}

fn folder(name: &str) -> PathBuf {
    let folder = workspace().join("target").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// In how many worlds alerts fire, by their place in the list; nothing for those that can't be tried.
fn fired(folder: &Path, trials: &[Trial]) -> Vec<Option<usize>> {
    let mut written = Vec::new();
    for (number, trial) in trials.iter().enumerate() {
        let (rules, tests) = (format!("rules-{number}.yml"), format!("tests-{number}.yml"));
        fs::write(folder.join(&rules), trial.rules()).expect("a file");
        let Some(text) = trial.tests(&rules, number as u64 + 1) else { continue };
        fs::write(folder.join(&tests), text).expect("a file");
        written.push((number, tests));
    }
    let mut counts = vec![None; trials.len()];
    let names = written.iter().map(|(_, name)| name);
    let output = Command::new(promql())
        .args(["test", "-o", "json"])
        .args(names)
        .current_dir(folder)
        .output()
        .expect("it runs");
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let by_file = answer["files"].as_array().expect("files");
    assert_eq!(by_file.len(), written.len());
    for ((number, name), file) in written.iter().zip(by_file) {
        let tests = file["tests"].as_array().unwrap_or_else(|| panic!("{name}: {file}"));
        assert_eq!(tests.len() as u64, WORLDS, "{name}: {file}");
        counts[*number] = Some(tests.iter().filter(|test| test["outcome"] == "failed").count());
    }
    counts
}

/// All rule files of others, each looked at for itself. `None` after saying that there are none.
fn looked_at() -> Option<Vec<Outcome>> {
    let paths =
        files("realworld/rules", "yml")?.into_iter().chain(files("realworld/rules", "yaml")?);
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    let look = |path: PathBuf| {
        let text = fs::read(&path).expect("a file");
        let parts: Vec<_> = path.iter().rev().take(3).map(|part| part.to_string_lossy()).collect();
        let name = parts.iter().rev().map(|part| &**part).collect::<Vec<_>>().join("/");
        lint(vec![Input::new(name, text)], &Settings::default())
    };
    Some(paths.into_iter().map(look).collect())
}

/// The alerts of files, those first that the linter holds for dead.
fn alerts(outcomes: &[Outcome]) -> (Vec<Trial>, Vec<Trial>) {
    let (mut dead, mut others) = (Vec::new(), Vec::new());
    for file in outcomes.iter().flat_map(|outcome| &outcome.files) {
        let found: BTreeSet<_> = file
            .findings
            .iter()
            .filter(|finding| finding.consequence == Some(DEAD))
            .filter_map(|finding| finding.rule)
            .collect();
        for (g, group) in file.rules.groups.iter().enumerate() {
            for (r, rule) in group.rules.iter().enumerate() {
                if rule.kind == RuleKind::Alerting {
                    let list = if found.contains(&(g, r)) { &mut dead } else { &mut others };
                    list.push(Trial::new(&file.name, rule));
                }
            }
        }
    }
    (dead, others)
}

#[test]
fn alerts_that_never_fire_never_fire() {
    let Some(outcomes) = looked_at() else { return };
    let (dead, _) = alerts(&outcomes);
    assert!(!dead.is_empty());
    let folder = folder("dead-alerts");
    let counts = fired(&folder, &dead);
    let lively: Vec<&str> = dead
        .iter()
        .zip(&counts)
        .filter(|(_, count)| **count != Some(0))
        .map(|(trial, _)| trial.name.as_str())
        .collect();
    assert_eq!(lively, Vec::<&str>::new(), "these fire, or can't be tried");
    if let Some(promtool) = program(&["promtool"]) {
        for (number, trial) in dead.iter().enumerate() {
            let tests = format!("tests-{number}.yml");
            let output = Command::new(&promtool)
                .args(["test", "rules", &tests])
                .current_dir(&folder)
                .output()
                .expect("it runs");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{}: {said}", trial.name);
        }
    }
    let repaired: Vec<Trial> = dead
        .iter()
        .flat_map(|trial| {
            let mine = REPAIRS.iter().filter(|(name, _)| *name == trial.name);
            mine.map(|(name, changes)| {
                let repair = |expr: String, (from, to): &(&str, &str)| {
                    assert!(expr.contains(from), "{name}: {expr}");
                    expr.replace(from, to)
                };
                let expr = changes.iter().fold(trial.expr.clone(), repair);
                Trial { expr, name: (*name).to_owned(), file: trial.file.clone(), hold: trial.hold }
            })
        })
        .collect();
    let still: Vec<&str> = repaired
        .iter()
        .enumerate()
        .filter(|(number, trial)| !fires(trial, *number, 20 * WORLDS))
        .map(|(_, trial)| trial.name.as_str())
        .collect();
    assert_eq!(still, Vec::<&str>::new(), "these don't fire though they were repaired");
    for trial in &dead {
        say(&format!("never fires: {} in {}", trial.name, trial.file));
    }
    say(&format!(
        "{} alerts that never fire, {WORLDS} worlds each; {} repaired ones fire",
        dead.len(),
        repaired.len()
    ));
}

/// Whether the condition of an alert holds in one of so many worlds, or it names no metric.
fn fires(trial: &Trial, seed: usize, worlds: u64) -> bool {
    let Some(vocabulary) = trial.vocabulary() else { return true };
    let query = compile(&trial.expr, &Features::ALL).expect("it can be read");
    let mut random = Random::new(seed as u64 + 1);
    (0..worlds).any(|_| {
        let mut text = String::from("tests:\n");
        trial.world(&vocabulary, &mut random, &mut text);
        let fixture = read_unit_test("tests.yml", text.as_bytes(), None).expect("a test");
        trial.times().into_iter().any(|at| {
            let options = QueryOptions::instant(at as i64 * 1000);
            let answer = evaluate(&query, &fixture.storage, &options);
            answer.is_ok_and(|answer| is_some(&answer.value))
        })
    })
}

/// Whether a result has any element.
fn is_some(value: &QueryValue) -> bool {
    match value {
        QueryValue::Vector(elements) => !elements.is_empty(),
        _ => false,
    }
}

#[test]
fn nearly_all_other_alerts_fire_somewhere() {
    let Some(outcomes) = looked_at() else { return };
    let (_, others) = alerts(&outcomes);
    let silent: Vec<&Trial> = others
        .iter()
        .enumerate()
        .filter(|(number, trial)| !fires(trial, *number, WORLDS))
        .map(|(_, trial)| trial)
        .collect();
    if std::env::var_os("PROMQL_SHOW_FINDINGS").is_some() {
        for trial in &silent {
            say(&format!("{}: {}: {}", trial.file, trial.name, trial.expr));
        }
    }
    let (count, all) = (silent.len(), others.len());
    say(&format!("of {all} alerts that the linter doesn't hold for dead {count} fire in no world"));
    assert!(count * 12 < all, "{count} of {all} alerts fire in no world");
}
