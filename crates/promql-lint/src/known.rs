//! What a configuration says of the world that rules live in: how often targets are scraped, which version
//! and which features their server has, what metrics are.
//!
//! ```toml
//! [lint]
//! scrape-interval = "30s"                 # of all jobs but those named below
//! target = "3.5"                          # the version of Prometheus
//! enabled-features = ["promql-experimental-functions"]
//! no-target-labels = ["/pushed_.*/"]      # metrics without the labels `job` and `instance`
//!
//! [lint.scrape-intervals]                 # of jobs
//! node = "1m"
//!
//! [lint.metrics]                          # kinds of metrics, where their names don't tell
//! queue_length_total = "gauge"
//!
//! [lint.keys]                             # which labels tell the series of a metric apart
//! kube_pod_info = ["namespace", "pod"]
//! "/.*_build_info/" = ["job", "instance"]
//! ```

use std::collections::BTreeMap;

use promql_model::parse_duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::Reader;
use crate::flow::{Basis, EnvBuilder, Kind, Metric, Quantity};

/// The keys of `[lint]` that are read here.
pub(crate) const KEYS: &[&str] = &[
    "scrape-interval",
    "scrape-intervals",
    "target",
    "enabled-features",
    "no-target-labels",
    "metrics",
    "keys",
];

/// The kinds of metrics that can be declared, as `# TYPE` of an exposition names them.
const KINDS: &[(&str, Kind)] = &[
    ("counter", Kind::Counter),
    ("gauge", Kind::Gauge),
    ("histogram", Kind::Histogram),
    ("gaugehistogram", Kind::GaugeHistogram),
    ("summary", Kind::SummaryQuantile),
    ("info", Kind::Info),
    ("stateset", Kind::StateSet),
];

/// What is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    scrape_interval: Option<i64>,
    of_jobs: BTreeMap<String, i64>,
    /// The version of the server: major and minor.
    pub(crate) target: Option<(u32, u32)>,
    /// The feature flags that the server was started with.
    pub(crate) features: Option<Vec<String>>,
    no_target_labels: Vec<String>,
    metrics: Vec<(String, Kind)>,
    keys: Vec<(String, Vec<String>)>,
}

impl Known {
    /// Reads the keys of `[lint]`. What is wrong is told to the reader.
    pub(crate) fn read(lint: &DeTable<'_>, reader: &mut Reader) -> Known {
        let mut known = Known {
            scrape_interval: lint.get("scrape-interval").and_then(|v| interval(v, reader)),
            target: lint.get("target").and_then(|value| version(value, reader)),
            ..Known::default()
        };
        let texts = |value: &Spanned<DeValue<'_>>, reader: &mut Reader| -> Vec<String> {
            reader.texts(value).into_iter().map(|(text, _)| text).collect()
        };
        known.features = lint.get("enabled-features").map(|value| texts(value, reader));
        if let Some(value) = lint.get("no-target-labels") {
            known.no_target_labels = texts(value, reader);
        }
        let entries = |key: &str, reader: &mut Reader| {
            let table = lint.get(key).and_then(|value| reader.table(value));
            table.into_iter().flat_map(DeTable::iter).collect::<Vec<_>>()
        };
        for (job, value) in entries("scrape-intervals", reader) {
            if let Some(interval) = interval(value, reader) {
                known.of_jobs.insert(job.get_ref().to_string(), interval);
            }
        }
        for (name, value) in entries("metrics", reader) {
            let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
            if let Some(at) = reader.one_of(value, &names) {
                known.metrics.push((name.get_ref().to_string(), KINDS[at].1));
            }
        }
        for (name, value) in entries("keys", reader) {
            known.keys.push((name.get_ref().to_string(), texts(value, reader)));
        }
        known
    }

    /// How often the targets of a job are scraped, in nanoseconds; without a job: those of all.
    pub(crate) fn scrape_interval(&self, job: Option<&str>) -> Option<i64> {
        let own = job.and_then(|job| self.of_jobs.get(job)).copied();
        match (own, job) {
            (Some(interval), _) => Some(interval),
            (None, Some(_)) => self.scrape_interval,
            // The series can be of any job.
            (None, None) if self.of_jobs.is_empty() => self.scrape_interval,
            (None, None) => None,
        }
    }

    /// Whether the server is at least of a version; without a configured one it is of the newest.
    pub(crate) fn is_at_least(&self, version: (u32, u32)) -> bool {
        self.target.is_none_or(|target| target >= version)
    }

    /// Tells the analysis of expressions.
    pub(crate) fn tell(&self, env: &mut EnvBuilder) {
        for (name, kind) in &self.metrics {
            let quantity = Quantity { basis: Basis::METADATA, ..Quantity::of(*kind) };
            let metric = Metric { quantity: Some(quantity), ..Metric::default() };
            env.metric(name.as_str().into(), metric);
        }
        for (name, labels) in &self.keys {
            env.key(name, labels.iter().map(|label| label.as_str().into()).collect());
        }
        for name in &self.no_target_labels {
            env.no_target_labels(name);
        }
    }
}

fn interval(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<i64> {
    let text = reader.text(value)?;
    match parse_duration(&text) {
        Ok(interval) if interval > 0 => Some(interval),
        Ok(_) => {
            reader.wrong(value.span(), "an interval is longer than nothing");
            None
        }
        Err(error) => {
            reader.wrong(value.span(), error.to_string());
            None
        }
    }
}

fn version(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<(u32, u32)> {
    let text = reader.text(value)?;
    let mut parts = text.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let version = match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
        (Some(Ok(major)), None) => Some((major, 0)),
        _ => None,
    };
    if version.is_none() {
        reader.wrong(value.span(), format!("`{text}` is no version such as `3.5`"));
    }
    version
}
