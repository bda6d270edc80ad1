//! The part of a server's configuration that has to do with rules.
//!
//! Everything else in `prometheus.yml` is passed over, but for keys that nobody knows and keys that are
//! there twice: whoever writes `rules_files` shall hear of it.

use std::sync::Arc;

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
}

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

impl ServerConfig {
    /// Reads a configuration, with what is wrong with the part that is read.
    pub fn load(text: &str) -> (ServerConfig, Vec<Finding>) {
        let mut config = ServerConfig {
            text: text.into(),
            rule_files: Vec::new(),
            evaluation_interval: None,
            rule_query_offset: None,
        };
        let text = Arc::clone(&config.text);
        let mut reader = Reader::new(&text, Flavour::Rules);
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
        if let Some(global) = fields.get("global") {
            let duration = |key: &str, reader: &mut Reader<'_>| {
                global.get(key).and_then(|node| reader.duration(node))
            };
            self.evaluation_interval = duration("evaluation_interval", reader);
            self.rule_query_offset = duration("rule_query_offset", reader);
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
    }
}
