//! Which of Prometheus' files a text is.

use crate::yaml;

/// A kind of file that has to do with rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A rule file, in any dialect.
    Rules,
    /// Unit tests of rules.
    UnitTests,
    /// The configuration of a server, `prometheus.yml`.
    ServerConfig,
    /// None of these, as far as can be seen from its keys.
    Unknown,
}

impl FileKind {
    /// The word that names it in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            FileKind::Rules => "rules",
            FileKind::UnitTests => "unit-tests",
            FileKind::ServerConfig => "server-config",
            FileKind::Unknown => "unknown",
        }
    }
}

/// The outermost keys that tell what a file is; the first row with a key of the file counts. Unit
/// tests and configurations both have `rule_files`.
const KEYS: [(FileKind, &[&str]); 4] = [
    (FileKind::UnitTests, &["tests", "evaluation_interval", "group_eval_order", "fuzzy_compare"]),
    (FileKind::Rules, &["groups", "prometheusAlerts", "prometheusRules", "namespace"]),
    (
        FileKind::ServerConfig,
        &[
            "global",
            "scrape_configs",
            "scrape_config_files",
            "rule_files",
            "alerting",
            "remote_write",
            "remote_read",
            "storage",
            "tracing",
            "otlp",
            "runtime",
        ],
    ),
    // A Kubernetes object; what it holds is seen when it is read.
    (FileKind::Rules, &["apiVersion", "kind"]),
];

/// Finds out what a file is by its outermost keys, without reading it as a whole.
///
/// ```
/// use promql_rules::{FileKind, file_kind};
/// assert_eq!(file_kind("groups:\n- name: a\n"), FileKind::Rules);
/// assert_eq!(file_kind("rule_files: [a.yml]\ntests: []\n"), FileKind::UnitTests);
/// assert_eq!(file_kind("{\"groups\": []}"), FileKind::Rules);
/// ```
pub fn file_kind(text: &str) -> FileKind {
    let known = |key: &str| KEYS.iter().position(|(_, keys)| keys.contains(&key));
    let by_lines = text.lines().filter_map(outermost_key).filter_map(known).min();
    let found = by_lines.or_else(|| {
        // Keys of JSON, or behind indentation or an anchor.
        let is_short = text.len() < 1 << 16 || text.trim_start().starts_with('{');
        let stream = if is_short { yaml::parse(text) } else { yaml::Stream::default() };
        let roots = stream.documents.iter().filter_map(|document| document.root.as_ref());
        let keys = roots.flat_map(|root| root.entries()).filter_map(|entry| entry.key.text());
        keys.filter_map(known).min()
    });
    found.map_or(FileKind::Unknown, |row| KEYS[row].0)
}

/// The key at the front of a line that isn't indented.
fn outermost_key(line: &str) -> Option<&str> {
    let first = line.bytes().next()?;
    if !(first.is_ascii_alphabetic() || matches!(first, b'"' | b'\'')) {
        return None;
    }
    let (key, _) = line.split_once(':')?;
    Some(key.trim_end().trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (text, expected) in [
            ("", FileKind::Unknown),
            ("# groups:\n", FileKind::Unknown),
            ("- a\n", FileKind::Unknown),
            ("foo: bar\n", FileKind::Unknown),
            ("global: {}\nrule_files: []\n", FileKind::ServerConfig),
            ("rule_files: []\n\"tests\": []\n", FileKind::UnitTests),
            ("apiVersion: v1\nkind: Secret\n", FileKind::Rules),
            ("  groups: []\n", FileKind::Rules),
            ("a: {groups: []}\n", FileKind::Unknown),
            ("description: |\n  groups:\nscrape_configs: []\n", FileKind::ServerConfig),
        ] {
            assert_eq!(file_kind(text), expected, "{text:?}");
        }
    }
}
