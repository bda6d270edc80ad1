//! Who reads which keys.

use std::fmt;

use crate::yaml::Node;

/// Whose rule file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// A file that Prometheus loads.
    Prometheus,
    /// A file of Thanos Ruler.
    Thanos,
    /// A file for Mimir, Cortex or Grafana Cloud, as `mimirtool` and `cortextool` read it.
    Mimir,
    /// A file of VictoriaMetrics' vmalert, whose expressions are MetricsQL.
    Vmalert,
    /// Kubernetes objects of the kind `PrometheusRule`.
    Operator,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Dialect; 5] =
        [Dialect::Prometheus, Dialect::Thanos, Dialect::Mimir, Dialect::Vmalert, Dialect::Operator];

    /// The word that names it on the command line and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::Prometheus => "prometheus",
            Dialect::Thanos => "thanos",
            Dialect::Mimir => "mimir",
            Dialect::Vmalert => "vmalert",
            Dialect::Operator => "operator",
        }
    }

    /// What a person calls the system.
    pub const fn system(self) -> &'static str {
        match self {
            Dialect::Prometheus => "Prometheus",
            Dialect::Thanos => "Thanos",
            Dialect::Mimir => "Mimir",
            Dialect::Vmalert => "vmalert",
            Dialect::Operator => "the Prometheus operator",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// Of the file, or of the `spec` of a manifest.
    File,
    /// Of a group.
    Group,
    /// Of a rule.
    Rule,
}

use Dialect::{Mimir, Operator, Prometheus, Thanos, Vmalert};

const EVERYBODY: &[Dialect] = &Dialect::ALL;

/// The keys of rule files, and who reads them.
const KEYS: &[(Level, &str, &[Dialect])] = &[
    (Level::File, "groups", EVERYBODY),
    (Level::File, "namespace", &[Mimir]),
    (Level::Group, "name", EVERYBODY),
    (Level::Group, "interval", EVERYBODY),
    (Level::Group, "query_offset", &[Prometheus, Thanos, Mimir, Operator]),
    (Level::Group, "limit", EVERYBODY),
    (Level::Group, "labels", EVERYBODY),
    (Level::Group, "rules", EVERYBODY),
    (Level::Group, "partial_response_strategy", &[Thanos, Operator]),
    (Level::Group, "source_tenants", &[Mimir]),
    (Level::Group, "evaluation_delay", &[Mimir]),
    (Level::Group, "align_evaluation_time_on_interval", &[Mimir]),
    (Level::Group, "remote_write", &[Mimir]),
    (Level::Group, "concurrency", &[Vmalert]),
    (Level::Group, "type", &[Vmalert]),
    (Level::Group, "eval_offset", &[Vmalert]),
    (Level::Group, "eval_delay", &[Vmalert]),
    (Level::Group, "eval_alignment", &[Vmalert]),
    (Level::Group, "debug", &[Vmalert]),
    (Level::Group, "params", &[Vmalert]),
    (Level::Group, "headers", &[Vmalert]),
    (Level::Group, "notifier_headers", &[Vmalert]),
    (Level::Group, "tenant", &[Vmalert]),
    (Level::Rule, "record", EVERYBODY),
    (Level::Rule, "alert", EVERYBODY),
    (Level::Rule, "expr", EVERYBODY),
    (Level::Rule, "for", EVERYBODY),
    (Level::Rule, "keep_firing_for", EVERYBODY),
    (Level::Rule, "labels", EVERYBODY),
    (Level::Rule, "annotations", EVERYBODY),
    (Level::Rule, "update_entries_limit", &[Vmalert]),
    (Level::Rule, "debug", &[Vmalert]),
];

/// The keys that a dialect has at a level.
pub(super) fn keys(level: Level, dialect: Dialect) -> Vec<&'static str> {
    let knows = |row: &&(Level, &str, &[Dialect])| row.0 == level && row.2.contains(&dialect);
    KEYS.iter().filter(knows).map(|(_, key, _)| *key).collect()
}

/// The systems that read a key at a level.
pub(super) fn readers(level: Level, key: &str) -> &'static [Dialect] {
    let row = KEYS.iter().find(|row| row.0 == level && row.1 == key);
    row.map_or(&[], |(_, _, dialects)| dialects)
}

/// Whether a mapping has keys that Prometheus doesn't know at a level.
pub(super) fn has_strange_keys(level: Level, node: &Node<'_>) -> bool {
    let is_strange =
        |key: &Node<'_>| key.text().is_some_and(|key| !readers(level, key).contains(&Prometheus));
    node.entries().iter().any(|entry| is_strange(&entry.key))
}

/// Finds out whose file this is, given its root: the one who knows most of the keys that Prometheus
/// doesn't. The key that told is the second part.
pub(super) fn recognise<'n, 't>(root: &'n Node<'t>) -> (Dialect, Option<&'n Node<'t>>) {
    let mut strange: Vec<(Level, &'n Node<'t>)> = Vec::new();
    let mut look = |level: Level, node: &'n Node<'t>| {
        let is_strange = |key: &&'n Node<'t>| {
            key.text().is_some_and(|key| !readers(level, key).contains(&Prometheus))
        };
        let keys = node.entries().iter().map(|entry| &entry.key).filter(is_strange);
        strange.extend(keys.map(|key| (level, key)));
    };
    look(Level::File, root);
    for group in root.get("groups").map_or(&[][..], Node::items) {
        look(Level::Group, group);
        for rule in group.get("rules").map_or(&[][..], Node::items) {
            look(Level::Rule, rule);
        }
    }
    let known = |dialect: Dialect| {
        let reads = move |(level, key): &&(Level, &Node<'_>)| {
            readers(*level, key.text().unwrap_or_default()).contains(&dialect)
        };
        strange.iter().filter(reads).map(|(_, key)| *key)
    };
    let mut best = (Prometheus, None);
    let mut most = 0;
    for dialect in [Thanos, Mimir, Vmalert] {
        let count = known(dialect).count();
        if count > most {
            best = (dialect, known(dialect).next());
            most = count;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    #[test]
    fn dialects_are_recognised() {
        for (text, expected) in [
            ("groups: []", Prometheus),
            ("groups: [{name: a, partial_response_strategy: warn}]", Thanos),
            ("namespace: x\ngroups: []", Mimir),
            ("groups: [{name: a, concurrency: 2, rules: [{alert: x, debug: true}]}]", Vmalert),
            ("groups: [{name: a, colour: red}]", Prometheus),
            ("[]", Prometheus),
        ] {
            let stream = parse(text);
            let root = stream.documents[0].root.as_ref().expect("a value");
            assert_eq!(recognise(root).0, expected, "{text}");
        }
    }
}
