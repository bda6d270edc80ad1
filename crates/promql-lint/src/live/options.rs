//! How much a server is asked, and what checks should know.

use std::collections::BTreeMap;
use std::time::Duration;

use promql_model::parse_duration;

use super::question::About;
use crate::check::Severity;
use crate::config::{Reader, Table, Value};
use crate::glob::Pattern;

/// How much a server is asked, and what checks should know about its series.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// How far back series are looked for, in milliseconds. A week by default.
    pub window: i64,
    /// Over how much of the past alerts are tried, in milliseconds. A day by default.
    pub back_test: i64,
    /// The most questions. 2,000 by default.
    pub max_requests: usize,
    /// For how long questions are asked. A minute by default.
    pub max_time: Duration,
    /// How many questions are asked at a time. Four by default.
    pub concurrency: usize,
    /// The most questions a second; any number by default.
    pub per_second: Option<f64>,
    /// For how long answers are kept on disk. Ten minutes by default.
    pub keep_answers: Duration,
    /// Metrics that are on another server.
    pub external_metrics: Vec<Pattern>,
    /// Labels that come and go.
    pub dynamic_labels: Vec<Pattern>,
    /// From how many firings a day an alert is worth a remark. One by default.
    pub noise: f64,
    /// From how many firings a day an alert is too noisy. Ten by default.
    pub noise_limit: f64,
    /// How bad it is if the server can't be asked; nothing if it is fine.
    pub server_errors: Option<Severity>,
    /// What is known of the server without asking it.
    pub about: About,
}

/// A day, in milliseconds.
pub(crate) const DAY: i64 = 86_400_000;

impl Default for LiveOptions {
    fn default() -> LiveOptions {
        LiveOptions {
            window: 7 * DAY,
            back_test: DAY,
            max_requests: 2000,
            max_time: Duration::from_secs(60),
            concurrency: 4,
            per_second: None,
            keep_answers: Duration::from_secs(600),
            external_metrics: Vec::new(),
            dynamic_labels: Vec::new(),
            noise: 1.0,
            noise_limit: 10.0,
            server_errors: Some(Severity::Warning),
            about: About::default(),
        }
    }
}

/// The keys of `[lint.live]`.
pub(crate) const KEYS: &[&str] = &[
    "window",
    "back-test",
    "max-requests",
    "max-seconds",
    "concurrency",
    "requests-per-second",
    "keep-answers",
    "external-metrics",
    "dynamic-labels",
    "noise",
    "noise-limit",
    "server-errors",
    "retention",
    "external-labels",
];

impl LiveOptions {
    /// Reads `[lint.live]`.
    pub(crate) fn read(table: &Table<'_>, reader: &mut Reader) -> LiveOptions {
        let mut options = LiveOptions::default();
        reader.moved(table, "features", "`enabled-features` under `[lint]`");
        reader.known(table, KEYS, "`[lint.live]`");
        let times = [("window", &mut options.window), ("back-test", &mut options.back_test)];
        for (key, place) in times {
            if let Some(value) = table.get(key).and_then(|value| milliseconds(value, reader)) {
                *place = value;
            }
        }
        let mut count = |key: &str| table.get(key).and_then(|value| number(value, reader));
        if let Some(value) = count("max-requests") {
            options.max_requests = value as usize;
        }
        if let Some(value) = count("max-seconds") {
            options.max_time = Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX);
        }
        if let Some(value) = count("concurrency") {
            options.concurrency = (value as usize).clamp(1, 64);
        }
        options.per_second = count("requests-per-second").filter(|value| *value > 0.0);
        options.noise = count("noise").unwrap_or(options.noise);
        options.noise_limit = count("noise-limit").unwrap_or(options.noise_limit);
        if let Some(value) = table.get("keep-answers").and_then(|v| milliseconds(v, reader)) {
            options.keep_answers = Duration::from_millis(value.unsigned_abs());
        }
        if let Some(value) = table.get("external-metrics") {
            options.external_metrics = reader.patterns(value);
        }
        if let Some(value) = table.get("dynamic-labels") {
            options.dynamic_labels = reader.patterns(value);
        }
        if let Some(value) = table.get("server-errors") {
            let levels = [None, Some(Severity::Warning), Some(Severity::Error)];
            if let Some(at) = reader.one_of(value, &["ignore", "warn", "fail"]) {
                options.server_errors = levels[at];
            }
        }
        options.about.retention = table.get("retention").and_then(|v| milliseconds(v, reader));
        if let Some(table) = table.get("external-labels").and_then(|value| reader.table(value)) {
            let mut labels = BTreeMap::new();
            for (name, value) in table.iter() {
                if let Some(value) = reader.text(value) {
                    labels.insert(name.get_ref().to_string(), value);
                }
            }
            options.about.external_labels = Some(labels);
        }
        options
    }
}

/// A duration, in milliseconds.
fn milliseconds(value: &Value<'_>, reader: &mut Reader) -> Option<i64> {
    let text = reader.text(value)?;
    let parsed = parse_duration(&text).ok().filter(|nanoseconds| *nanoseconds > 0);
    if parsed.is_none() {
        reader.wrong(value.span(), "a duration belongs here, such as `7d` or `1h30m`");
    }
    parsed.map(|nanoseconds| nanoseconds / 1_000_000)
}

/// A number that is not negative.
pub(crate) fn number(value: &Value<'_>, reader: &mut Reader) -> Option<f64> {
    let text = match value.get_ref() {
        toml::de::DeValue::Integer(number) => number.as_str().to_owned(),
        toml::de::DeValue::Float(number) => number.as_str().to_owned(),
        _ => String::new(),
    };
    let parsed = text.parse::<f64>().ok().filter(|number| *number >= 0.0 && number.is_finite());
    if parsed.is_none() {
        reader.wrong(value.span(), "a number belongs here that is not negative");
    }
    parsed
}
