//! The part of a server's configuration that has to do with rules.
//!
//! Everything else in `prometheus.yml` is passed over, but for the outermost keys and those of `global`:
//! whoever writes `rules_files` shall hear of it. Upstream reads this file by its older reader of YAML, as
//! it does unit tests.

use std::sync::Arc;

use promql_model::FormatDuration;

use crate::finding::Finding;
use crate::yaml::{self, Flavour, Reader, Shape, Spanned, Text};

/// What a `prometheus.yml` says about rules.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// What is in the file. All spans are bytes of this.
    pub text: Arc<str>,
    /// Patterns for rule files, relative to the folder of the configuration.
    pub rule_files: Vec<Text>,
    /// How often groups are evaluated that don't say it, in nanoseconds; a minute if it isn't said.
    pub evaluation_interval: Option<Spanned<i64>>,
    /// How far back the queries of groups look that don't say it, in nanoseconds; 0 if it isn't said.
    pub rule_query_offset: Option<Spanned<i64>>,
    /// How often targets are scraped whose job doesn't say it, in nanoseconds; a minute if it isn't
    /// said.
    pub scrape_interval: Option<Spanned<i64>>,
    /// The jobs.
    pub jobs: Vec<Job>,
    /// The labels that tell the server from others, in the order of the file.
    pub external_labels: Vec<(Text, Text)>,
    /// Whether the server reads samples from elsewhere, which may be older than its own.
    pub has_remote_read: bool,
}

/// A job that scrapes targets, as far as rules have to do with it.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name; empty if there is none.
    pub name: Text,
    /// How often its targets are scraped, in nanoseconds.
    pub scrape_interval: Option<Spanned<i64>>,
}

/// A minute, in nanoseconds: how often targets are scraped if nothing else is said.
const DEFAULT_INTERVAL: i64 = 60_000_000_000;

/// The keys of a configuration.
const FILE: Shape<'static> = Shape {
    upstream: "config.plain",
    noun: "configuration",
    keys: &[
        "global",
        "runtime",
        "alerting",
        "rule_files",
        "scrape_config_files",
        "scrape_configs",
        "storage",
        "tracing",
        "remote_write",
        "remote_read",
        "otlp",
    ],
};

/// The keys of `global`.
const GLOBAL: Shape<'static> = Shape {
    upstream: "config.plain",
    noun: "global section",
    keys: &[
        "scrape_interval",
        "scrape_timeout",
        "scrape_protocols",
        "evaluation_interval",
        "rule_query_offset",
        "query_log_file",
        "scrape_failure_log_file",
        "external_labels",
        "body_size_limit",
        "sample_limit",
        "target_limit",
        "label_limit",
        "label_name_length_limit",
        "label_value_length_limit",
        "keep_dropped_targets",
        "metric_name_validation_scheme",
        "metric_name_escaping_scheme",
        "scrape_native_histograms",
        "convert_classic_histograms_to_nhcb",
        "always_scrape_classic_histograms",
        "extra_scrape_metrics",
    ],
};

impl ServerConfig {
    /// Reads a configuration, with what is wrong with the part that is read.
    pub fn load(text: &str) -> (ServerConfig, Vec<Finding>) {
        let mut config = ServerConfig {
            text: text.into(),
            rule_files: Vec::new(),
            evaluation_interval: None,
            rule_query_offset: None,
            scrape_interval: None,
            jobs: Vec::new(),
            external_labels: Vec::new(),
            has_remote_read: false,
        };
        let text = Arc::clone(&config.text);
        let mut reader = Reader::new(&text, Flavour::UnitTests);
        let stream = yaml::parse(&text);
        match (stream.documents.first(), &stream.error) {
            (Some(document), _) => {
                reader.document(document);
                if let Some(root) = &document.root {
                    config.read(root, &mut reader);
                }
            }
            (None, Some(fault)) => reader.fault(fault),
            (None, None) => {}
        }
        (config, reader.into_findings())
    }

    fn read(&mut self, root: &yaml::Node<'_>, reader: &mut Reader<'_>) {
        let Some(fields) = reader.fields(root, &FILE) else { return };
        if let Some(global) = fields.get("global").and_then(|node| reader.fields(node, &GLOBAL)) {
            let mut duration = |key: &str| global.get(key).and_then(|node| reader.duration(node));
            self.scrape_interval = duration("scrape_interval");
            self.evaluation_interval = duration("evaluation_interval");
            self.rule_query_offset = duration("rule_query_offset");
            for entry in global.get("external_labels").map_or(&[][..], yaml::Node::entries) {
                let name = reader.text(&entry.key);
                let value = match entry.value.is_null() {
                    true => None,
                    false => reader.text(&entry.value),
                };
                self.external_labels.extend(name.zip(value));
            }
        }
        self.has_remote_read =
            fields.get("remote_read").is_some_and(|node| !node.items().is_empty());
        for node in fields.get("scrape_configs").map_or(&[][..], yaml::Node::items) {
            let name = node.get("job_name").and_then(|name| reader.text(name));
            let start = node.span.start;
            self.jobs.push(Job {
                name: name.unwrap_or_else(|| Text::empty(start..start)),
                scrape_interval: node.get("scrape_interval").and_then(|i| reader.duration(i)),
            });
        }
        let Some(patterns) = fields.get("rule_files") else { return };
        for node in reader.items(patterns, "patterns for files", "[]string") {
            let Some(pattern) = reader.text(node) else { continue };
            // Upstream refuses any `*` in a folder's name.
            let folder = pattern.value.rsplit_once('/').map_or("", |(folder, _)| folder);
            if folder.contains('*') {
                let upstream = format!("invalid rule file path {:?}", pattern.value);
                let finding = Finding::error(
                    "config::wildcard-in-folder",
                    pattern.span.clone(),
                    "`*` may only stand in the last part of a path",
                    "stands for the name of a folder here",
                    "name each folder by a line of its own",
                );
                reader.add(finding.with_upstream(upstream));
            }
            self.rule_files.push(pattern);
        }
    }
}

impl ServerConfig {
    /// The jobs whose targets are scraped no more often than once in a lookback delta, in nanoseconds: an
    /// instant selector finds their samples only some of the time. Each is a warning.
    pub fn rarely_scraped(&self, lookback_delta: i64) -> Vec<Finding> {
        let default = self.scrape_interval.filter(|interval| interval.value != 0);
        let finding = |job: &Job| {
            let own = job.scrape_interval.filter(|interval| interval.value != 0);
            let interval = own.or(default);
            let value = interval.map_or(DEFAULT_INTERVAL, |interval| interval.value);
            if value < lookback_delta {
                return None;
            }
            let shown = FormatDuration(value);
            let span = interval.map_or(job.name.span.clone(), |interval| interval.span());
            let finding = Finding::error(
                "config::rarely-scraped",
                span,
                format!("the job `{}` is scraped only each {shown}", job.name.value),
                format!(
                    "not within the {} that a selector looks back",
                    FormatDuration(lookback_delta)
                ),
                "its series have gaps in graphs and alerts: scrape it more often, or let the server look \
                 back further (`--query.lookback-delta`, and `--lookback` here)",
            );
            let upstream = format!(
                "too long scrape interval found, data point will be marked as stale - job: {}, \
                 interval: {shown}",
                job.name.value
            );
            Some(finding.warning().with_upstream(upstream))
        };
        self.jobs.iter().filter_map(finding).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_configuration_says_about_rules() {
        let text = "global: {evaluation_interval: 30s}\nrule_files:\n  - a.yml\n  - b/*.yml\n";
        let (config, findings) = ServerConfig::load(text);
        assert!(findings.is_empty(), "{findings:?}");
        let patterns: Vec<&str> = config.rule_files.iter().map(|p| &*p.value).collect();
        assert_eq!(patterns, ["a.yml", "b/*.yml"]);
        assert_eq!(config.evaluation_interval.map(|i| i.value), Some(30_000_000_000));
    }

    #[test]
    fn what_tells_a_server_from_others() {
        let text =
            "global: {external_labels: {cluster: eu, empty: , n: 1}}\nremote_read: [{url: x}]\n";
        let (config, findings) = ServerConfig::load(text);
        assert!(findings.is_empty(), "{findings:?}");
        let labels: Vec<(&str, &str)> = config
            .external_labels
            .iter()
            .map(|(n, v)| (n.value.as_str(), v.value.as_str()))
            .collect();
        assert_eq!(labels, [("cluster", "eu"), ("n", "1")]);
        assert!(config.has_remote_read);
        assert!(!ServerConfig::load("remote_read: []\n").0.has_remote_read);
    }

    #[test]
    fn what_is_wrong_with_it() {
        let text = "rules_files: [a.yml]\nrule_files: ['*/a.yml', [b]]\nglobal:\n  evaluation_interval: 5\n";
        let (_, findings) = ServerConfig::load(text);
        let codes: Vec<&str> = findings.iter().map(|finding| &*finding.code).collect();
        assert_eq!(
            codes,
            [
                "yaml::unknown-key",
                "config::wildcard-in-folder",
                "yaml::wrong-kind",
                "yaml::bad-duration"
            ]
        );
        let text = "global: {scrape_intervall: 1m}\nrule_files: []\nrule_files: []\n";
        let (_, findings) = ServerConfig::load(text);
        let upstream: Vec<&str> =
            findings.iter().filter_map(|finding| finding.upstream.as_deref()).collect();
        assert_eq!(
            upstream,
            [
                "line 1: field scrape_intervall not found in type config.plain",
                "line 3: field rule_files already set in type config.plain"
            ]
        );
    }

    #[test]
    fn jobs_that_are_scraped_rarely() {
        let text = "global: {scrape_interval: 7m}\nscrape_configs:\n- {job_name: a}\n\
                    - {job_name: b, scrape_interval: 1m}\n- {job_name: c, scrape_interval: 0s}\n";
        let (config, findings) = ServerConfig::load(text);
        assert!(findings.is_empty(), "{findings:?}");
        let found = config.rarely_scraped(7 * DEFAULT_INTERVAL);
        let shown: Vec<&str> = found.iter().map(|finding| &text[finding.span.clone()]).collect();
        assert_eq!(shown, ["7m", "7m"]);
        assert!(config.rarely_scraped(7 * DEFAULT_INTERVAL + 1).is_empty());
    }
}
