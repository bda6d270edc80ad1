//! Rules over a storage, evaluated as a server does it: each group at its own interval, and with a
//! record of how each rule fares.
//!
//! Groups are evaluated at multiples of their interval. A server puts a part of a hash before that, so
//! that not all groups are evaluated at once; which part, nobody can know without asking it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use promql_rules::evaluate::{ManagerOptions, PreparedFile, RuleManager};
//! use promql_rules::rule_file::LoadOptions;
//! use promql_storage::{Columns, MemoryBuilder};
//! use promql_model::Labels;
//!
//! let mut series = MemoryBuilder::default();
//! let up = Labels::from_pairs([("__name__", "up"), ("job", "api")]);
//! let columns = Columns { timestamps: vec![0, 60_000], values: vec![1.0, 0.0], ..Columns::default() };
//! series.insert(up, columns);
//!
//! let rules = "groups: [{name: g, rules: [{alert: Down, expr: up == 0}]}]";
//! let Ok(file) = PreparedFile::load("rules.yml", rules.as_bytes(), &LoadOptions::default()) else {
//!     panic!("the rules are fine");
//! };
//! let storage = Arc::new(series.build());
//! let mut manager = RuleManager::new(vec![file], storage, ManagerOptions::default());
//! manager.start(0);
//! while manager.step(60_000).is_some() {}
//! let alerts = &manager.status(60_000)[0].rules[0].alerts;
//! assert_eq!(alerts[0].labels.to_string(), r#"{alertname="Down", job="api"}"#);
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use promql_engine::Storage;

use super::{Alert, AlertState, EvaluateOptions, Evaluation, PreparedFile, SeriesStore};
use crate::rule_file::{RuleFile, RuleKind};

/// How rules are evaluated over time.
#[derive(Clone, Debug)]
pub struct ManagerOptions {
    /// How each rule is evaluated.
    pub evaluate: EvaluateOptions,
    /// The interval of groups that don't have one, in milliseconds.
    pub interval: i64,
    /// How far back the queries look of groups that don't say it, in milliseconds.
    pub query_offset: i64,
}

impl Default for ManagerOptions {
    /// As a server that is told nothing: every minute.
    fn default() -> Self {
        ManagerOptions { evaluate: EvaluateOptions::default(), interval: 60_000, query_offset: 0 }
    }
}

/// Evaluates the groups of files over a storage.
#[derive(Debug)]
pub struct RuleManager {
    evaluation: Evaluation,
    files: Vec<Arc<RuleFile>>,
    groups: Vec<Group>,
    /// How each rule of the evaluation fares.
    health: Vec<RuleHealth>,
}

#[derive(Debug)]
struct Group {
    file: usize,
    /// Its position in the file.
    at: usize,
    interval: i64,
    /// When it is to be evaluated next.
    next: i64,
    health: RuleHealth,
}

/// How a rule or a group fared in its last evaluation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleHealth {
    /// The time that it was evaluated at, in milliseconds since the epoch; nothing if it never was.
    pub evaluated: Option<i64>,
    /// How long that took.
    pub took: Duration,
    /// Why it failed, in Prometheus' words.
    pub error: Option<String>,
}

/// A group and how its rules stand.
#[derive(Clone, Debug)]
pub struct GroupStatus {
    /// The file.
    pub file: String,
    /// Its name.
    pub name: String,
    /// Its interval, in milliseconds.
    pub interval: i64,
    /// The most series or alerts of a rule, 0 for any number.
    pub limit: i64,
    /// Its rules.
    pub rules: Vec<RuleStatus>,
    /// How its last evaluation went.
    pub health: RuleHealth,
}

/// A rule and how it stands.
#[derive(Clone, Debug)]
pub struct RuleStatus {
    /// Whether it records or alerts.
    pub kind: RuleKind,
    /// The metric or the alert.
    pub name: String,
    /// The expression in its canonical form.
    pub query: String,
    /// The labels that it sets, sorted by name; those of alerts are templates.
    pub labels: Vec<(String, String)>,
    /// The templates of its annotations, sorted by name.
    pub annotations: Vec<(String, String)>,
    /// How long an alert is pending, in milliseconds.
    pub hold: i64,
    /// How long an alert goes on firing, in milliseconds.
    pub keep_firing_for: i64,
    /// Its alerts that are pending or firing.
    pub alerts: Vec<Alert>,
    /// How its last evaluation went.
    pub health: RuleHealth,
}

impl RuleStatus {
    /// How the alert stands that stands worst.
    pub fn state(&self) -> AlertState {
        let is_firing = |alert: &Alert| alert.state == AlertState::Firing;
        match &self.alerts[..] {
            [] => AlertState::Inactive,
            alerts if alerts.iter().any(is_firing) => AlertState::Firing,
            _ => AlertState::Pending,
        }
    }
}

impl RuleManager {
    /// The rules of files, which read a storage and what they wrote themselves. Nothing is evaluated
    /// yet.
    pub fn new(
        files: Vec<PreparedFile>,
        storage: Arc<dyn Storage>,
        options: ManagerOptions,
    ) -> RuleManager {
        let mut groups = Vec::new();
        let mut prepared = Vec::new();
        let mut sources = Vec::with_capacity(files.len());
        for (file, PreparedFile { file: source, groups: of_file, .. }) in
            files.into_iter().enumerate()
        {
            for (at, mut group) in of_file.into_iter().enumerate() {
                let written = &source.groups[at];
                let interval = written.effective_interval(options.interval * MILLISECOND);
                let interval = (interval / MILLISECOND).max(1);
                if written.query_offset.is_none() {
                    group.query_offset = options.query_offset;
                }
                groups.push(Group { file, at, interval, next: 0, health: RuleHealth::default() });
                prepared.push(group);
            }
            sources.push(Arc::new(source));
        }
        let evaluation = Evaluation::new(&prepared, options.evaluate).over(storage);
        let health = vec![RuleHealth::default(); evaluation.rules().len()];
        RuleManager { evaluation, files: sources, groups, health }
    }

    /// Sets the time, in milliseconds since the epoch, from which on groups are evaluated.
    pub fn start(&mut self, from: i64) {
        for group in &mut self.groups {
            group.next = next_multiple(from, group.interval);
        }
    }

    /// How long rules must have been evaluated, in milliseconds, to stand as they would if they had
    /// always been: the longest time that an alert waits to fire and then to end, and two cycles.
    pub fn settling_time(&self) -> i64 {
        let interval = self.groups.iter().map(|group| group.interval).max().unwrap_or(0);
        let waits =
            |rule: &Arc<super::PreparedRule>| rule.hold.saturating_add(rule.keep_firing_for);
        let longest = self.evaluation.rules().map(waits).max().unwrap_or(0);
        longest.saturating_add(2 * interval)
    }

    /// The time when a group is to be evaluated next; nothing if there are no groups.
    pub fn next(&self) -> Option<i64> {
        self.groups.iter().map(|group| group.next).min()
    }

    /// Evaluates the group that is due first, unless that is later than `now`. Gives its time.
    pub fn step(&mut self, now: i64) -> Option<i64> {
        let (number, _) = self.groups.iter().enumerate().min_by_key(|(_, group)| group.next)?;
        let timestamp = self.groups[number].next;
        (timestamp <= now).then(|| {
            self.evaluate(number, timestamp);
            timestamp
        })
    }

    /// Evaluates the groups that are due, each once: what was missed is passed over, as a server
    /// does when it is late. Gives whether there was any.
    pub fn catch_up(&mut self, now: i64) -> bool {
        let mut any = false;
        for number in 0..self.groups.len() {
            let group = &self.groups[number];
            if group.next <= now {
                let timestamp = now.div_euclid(group.interval) * group.interval;
                self.evaluate(number, timestamp);
                any = true;
            }
        }
        any
    }

    fn evaluate(&mut self, number: usize, timestamp: i64) {
        let rules = self.evaluation.groups[number].1.clone();
        let begin = Instant::now();
        for rule in rules {
            let begin = Instant::now();
            let error = self.evaluation.evaluate(rule, timestamp).err();
            let took = begin.elapsed();
            self.health[rule] = RuleHealth { evaluated: Some(timestamp), took, error };
        }
        let group = &mut self.groups[number];
        group.health =
            RuleHealth { evaluated: Some(timestamp), took: begin.elapsed(), error: None };
        group.next = timestamp.saturating_add(group.interval);
    }

    /// What rules wrote.
    pub fn store(&self) -> &SeriesStore {
        &self.evaluation.store
    }

    /// Forgets what rules wrote before a time.
    pub fn forget_before(&mut self, time: i64) {
        self.evaluation.store.forget_before(time);
    }

    /// How all rules stand at a time, by group, in the order of the files.
    pub fn status(&self, timestamp: i64) -> Vec<GroupStatus> {
        let status = |(number, group): (usize, &Group)| {
            let file = &self.files[group.file];
            let written = &file.groups[group.at];
            let rules = self.evaluation.groups[number].1.clone();
            GroupStatus {
                file: file.name.clone(),
                name: written.name.value.clone(),
                interval: group.interval,
                limit: written.limit.map_or(0, |limit| limit.value.max(0)),
                rules: rules.map(|rule| self.rule_status(file, rule, timestamp)).collect(),
                health: group.health.clone(),
            }
        };
        self.groups.iter().enumerate().map(status).collect()
    }

    fn rule_status(&self, file: &RuleFile, number: usize, timestamp: i64) -> RuleStatus {
        let rule = &self.evaluation.states[number].rule;
        let group = &file.groups[rule.group];
        let written = &group.rules[rule.rule];
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut annotations: Vec<(String, String)> = written
            .annotations
            .iter()
            .map(|(name, text)| (name.value.clone(), text.value.clone()))
            .collect();
        annotations.sort();
        RuleStatus {
            kind: rule.kind,
            name: rule.name.clone(),
            query: rule.query.expr().to_string(),
            labels: written.effective_labels(group).into_iter().map(owned).collect(),
            annotations,
            hold: rule.hold,
            keep_firing_for: rule.keep_firing_for,
            alerts: self.evaluation.active_alerts(number, timestamp),
            health: self.health[number].clone(),
        }
    }
}

const MILLISECOND: i64 = 1_000_000;

/// The first multiple of an interval that is not before a time.
fn next_multiple(time: i64, interval: i64) -> i64 {
    let before = time.div_euclid(interval) * interval;
    if before == time { time } else { before.saturating_add(interval) }
}
