//! What a `promql.toml` says to the linter.
//!
//! ```toml
//! [lint]
//! select = ["default"]                    # which checks look: names, codes, categories, default, all
//! extend-select = ["nonempty-regex"]      # and these
//! ignore = ["record-name-shape"]          # but not these
//! severity = { matcher = "error", for-zero = "off" }
//! fail-on = "warning"                     # from which severity on the command ends with 1
//! exclude = ["vendor/**"]                 # files of folders that are not looked at
//! dialect = "prometheus"                  # whose files these are
//! names = "utf8"                          # or "legacy"
//! baseline = "known.toml"                 # findings that are known
//! prometheus-config = "prometheus.yml"    # what the server is like
//!
//! [lint.live]                             # how a server is asked
//! window = "7d"                           # how far back series are looked for
//! external-metrics = ["node_*"]           # what is on another one
//!
//! [[lint.server]]                         # a server that `--servers` asks, or `--source prod`
//! name = "prod"
//! source = "http://prometheus:9090"       # as `--source` has it
//! paths = ["rules/prod/**"]               # of which files it is asked about the rules
//! checks = ["live"]                       # which checks ask it
//! budget = { requests = 500, seconds = 30, concurrency = 4 }
//!
//! [[lint.override]]                       # where other things count; of several the last one
//! paths = ["teams/shop/**"]               # all conditions have to hold; globs, or /regexes/
//! groups = ["slo-*"]
//! rules = ["/.*BurnRate/"]
//! kinds = ["alert"]                       # alert, record
//! ignore = ["long-range"]
//! severity = { matcher = "info" }
//!
//! [[lint.policy]]                         # what an organisation demands
//! check = "required-label"
//! labels = ["severity", "team"]
//! kinds = ["alert"]
//! severity = "error"
//! locked = true                           # comments can't silence it
//! message = "Routing needs both."
//! ```
//!
//! What else `[lint]` can say, of the world that rules live in, is in `known.rs`. Paths are relative to the folder of the file. Every key that is not known is an error.

use std::ops::Range;

use promql_rules::Finding;
use promql_rules::rule_file::{Dialect, NameScheme, RuleKind};
use promql_rules::yaml::like;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::check::{Check, Severity};
use crate::checks::{CHECKS, check};
use crate::glob::Pattern;
use crate::known::{self, Known};
use crate::live::{LiveOptions, NamedServer};
use crate::policy::{KEYS as POLICY_KEYS, Policy};
use crate::settings::{Override, Settings};

/// What a configuration says.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Which checks look, where, and how bad what they find is.
    pub settings: Settings,
    /// From which severity on the command ends with 1.
    pub fail_on: Option<Severity>,
    /// Files of folders that are not looked at.
    pub exclude: Vec<Pattern>,
    /// Whose files these are.
    pub dialect: Option<Dialect>,
    /// Which names are allowed.
    pub names: Option<NameScheme>,
    /// The file with known findings, relative to the folder of the configuration.
    pub baseline: Option<String>,
    /// How much a server is asked, if something is said about it.
    pub live: Option<LiveOptions>,
    /// The servers that are named.
    pub servers: Vec<NamedServer>,
    /// The configuration of the server, relative to the folder of this one.
    pub prometheus_config: Option<String>,
}

/// The outermost keys.
const FILE: &[&str] = &["lint"];

/// The keys of `[lint]`.
const LINT: &[&str] = &[
    "select",
    "extend-select",
    "ignore",
    "severity",
    "fail-on",
    "exclude",
    "dialect",
    "names",
    "baseline",
    "live",
    "server",
    "prometheus-config",
    "override",
    "policy",
];

/// The keys of `[[lint.override]]`.
const OVERRIDE: &[&str] = &["paths", "groups", "rules", "kinds", "select", "ignore", "severity"];

/// A table, with places.
pub(crate) type Table<'t> = DeTable<'t>;
/// A value, with its place.
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// All that is wrong with it, with places in the text.
    pub fn parse(text: &str) -> Result<Config, Vec<Finding>> {
        let table = DeTable::parse(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            vec![Finding::error(
                "config::syntax",
                span,
                "this is not TOML",
                error.message().to_owned(),
                "",
            )]
        })?;
        let mut reader = Reader { findings: Vec::new() };
        let mut config = Config::default();
        reader.known(table.get_ref(), FILE, "a configuration");
        if let Some(lint) = table.get_ref().get("lint").and_then(|lint| reader.table(lint)) {
            reader.lint(lint, &mut config);
        }
        match reader.findings.is_empty() {
            true => Ok(config),
            false => Err(reader.findings),
        }
    }
}

/// Reads values, and remembers what is wrong with them.
pub(crate) struct Reader {
    findings: Vec<Finding>,
}

impl Reader {
    fn lint(&mut self, lint: &Table<'_>, config: &mut Config) {
        self.known(lint, &[LINT, known::KEYS].concat(), "`[lint]`");
        if let Some(select) = lint.get("select") {
            let words = self.texts(select);
            config.settings.spoken_by("select");
            config.settings.select("all", false);
            self.select(&words, &mut config.settings, true);
        }
        for (key, is_on) in [("extend-select", true), ("ignore", false)] {
            if let Some(value) = lint.get(key) {
                let words = self.texts(value);
                config.settings.spoken_by(key);
                words.iter().filter(|_| !is_on).for_each(|(word, at)| self.switch_off(word, at));
                self.select(&words, &mut config.settings, is_on);
            }
        }
        if let Some(value) = lint.get("severity") {
            config.settings.spoken_by("severity");
            for (word, at, severity) in self.severities(value) {
                let is_known = match severity {
                    Some(severity) => config.settings.set_severity(&word, severity),
                    None => config.settings.select(&word, false),
                };
                if !is_known {
                    self.unknown_check(&word, at);
                }
            }
        }
        config.fail_on = lint.get("fail-on").and_then(|value| self.severity(value)).flatten();
        if let Some(value) = lint.get("exclude") {
            config.exclude = self.patterns(value);
        }
        if let Some(value) = lint.get("dialect") {
            let names: Vec<&str> = Dialect::ALL.iter().map(|dialect| dialect.name()).collect();
            let at = self.one_of(value, &names);
            config.dialect = at.and_then(|at| Dialect::ALL.get(at).copied());
        }
        if let Some(value) = lint.get("names") {
            let schemes = [NameScheme::Utf8, NameScheme::Legacy];
            config.names = self.one_of(value, &["utf8", "legacy"]).map(|at| schemes[at]);
        }
        config.baseline = lint.get("baseline").and_then(|value| self.text(value));
        let known = Known::read(lint, self);
        config.settings.set_known(known);
        config.prometheus_config = lint.get("prometheus-config").and_then(|value| self.text(value));
        if let Some(table) = lint.get("live").and_then(|value| self.table(value)) {
            config.live = Some(LiveOptions::read(table, self));
        }
        for table in self.tables(lint.get("server")) {
            if let Some(server) = NamedServer::read(table, self) {
                if config.servers.iter().any(|known| known.name == server.name)
                    && let Some(name) = table.get("name")
                {
                    self.wrong(name.span(), "another server is called that");
                }
                config.servers.push(server);
            }
        }
        for table in self.tables(lint.get("override")) {
            let found = self.override_of(table);
            config.settings.add_override(found);
        }
        for table in self.tables(lint.get("policy")) {
            self.known(table, POLICY_KEYS, "`[[lint.policy]]`");
            if let Some(policy) = Policy::read(table, self) {
                config.settings.add_policy(policy);
            }
        }
    }

    fn override_of(&mut self, table: &Table<'_>) -> Override {
        self.known(table, OVERRIDE, "`[[lint.override]]`");
        let mut found = Override { scope: self.scope(table), changes: Vec::new() };
        for (key, is_on) in [("select", true), ("ignore", false)] {
            let Some(value) = table.get(key) else { continue };
            for (word, at) in self.texts(value) {
                if !is_on {
                    self.switch_off(&word, &at);
                }
                if is_known(&word) {
                    found.changes.push((word, is_on, None));
                } else {
                    self.unknown_check(&word, at);
                }
            }
        }
        if let Some(value) = table.get("severity") {
            for (word, at, severity) in self.severities(value) {
                if is_known(&word) {
                    found.changes.push((word, severity.is_some(), severity));
                } else {
                    self.unknown_check(&word, at);
                }
            }
        }
        found
    }

    /// The rules that a table is about.
    pub(crate) fn scope(&mut self, table: &Table<'_>) -> Scope {
        let mut patterns = |key: &str| table.get(key).map(|value| self.patterns(value));
        let (paths, groups, rules) = (patterns("paths"), patterns("groups"), patterns("rules"));
        let kinds = table.get("kinds").map(|value| {
            let words = self.texts(value);
            let mut kinds = Vec::new();
            for (word, at) in words {
                match word.as_str() {
                    "alert" => kinds.push(RuleKind::Alerting),
                    "record" => kinds.push(RuleKind::Recording),
                    _ => self.wrong(at, "a kind is `alert` or `record`"),
                }
            }
            kinds
        });
        Scope { paths, groups, rules, kinds }
    }

    fn select(&mut self, words: &[(String, Range<usize>)], settings: &mut Settings, is_on: bool) {
        for (word, at) in words {
            if !settings.select(word, is_on) {
                self.unknown_check(word, at.clone());
            }
        }
    }

    /// Complains if a word is the name of a check that can't be switched off.
    fn switch_off(&mut self, word: &str, at: &Range<usize>) {
        if check(word).is_some_and(Check::is_always_on) {
            let message = format!("`{word}` can't be switched off: it says that a file is invalid");
            let help = "leave the file out by `exclude`, or make less of it by `severity`";
            self.findings.push(Finding::error("config::always-on", at.clone(), message, "", help));
        }
    }

    fn unknown_check(&mut self, word: &str, at: Range<usize>) {
        let names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
        let help = match like(word, &names) {
            Some(like) => format!("did you mean `{like}`?"),
            None => "`promql lint --list` shows all".to_owned(),
        };
        let message = format!("no check is called `{word}`");
        self.findings.push(Finding::error("config::unknown-check", at, message, "", help));
    }

    /// Complains about keys that are not known.
    pub(crate) fn known(&mut self, table: &Table<'_>, keys: &[&str], what: &str) {
        for (key, _) in table.iter() {
            let word: &str = key.get_ref();
            let is_told = self.findings.iter().any(|finding| finding.span == key.span());
            if keys.contains(&word) || is_told {
                continue;
            }
            let help = match like(word, keys) {
                Some(like) => format!("did you mean `{like}`?"),
                None => format!("known are {}", keys.join(", ")),
            };
            let message = format!("{what} has no key `{word}`");
            self.findings.push(Finding::error(
                "config::unknown-key",
                key.span(),
                message,
                "",
                help,
            ));
        }
    }

    /// Complains about a key that is to be written elsewhere.
    pub(crate) fn moved(&mut self, table: &Table<'_>, key: &str, to: &str) {
        let Some((key, _)) = table.iter().find(|(known, _)| known.get_ref() == key) else { return };
        let message = format!("`{}` doesn't belong here", key.get_ref());
        let help = format!("write {to}");
        self.findings.push(Finding::error("config::moved-key", key.span(), message, "", help));
    }

    /// Complains about a value.
    pub(crate) fn wrong(&mut self, at: Range<usize>, what: impl Into<String>) {
        self.findings.push(Finding::error("config::wrong-value", at, what.into(), "", ""));
    }

    /// A table.
    pub(crate) fn table<'v, 't>(&mut self, value: &'v Value<'t>) -> Option<&'v Table<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => {
                self.wrong(value.span(), "a table belongs here");
                None
            }
        }
    }

    fn tables<'v, 't>(&mut self, value: Option<&'v Value<'t>>) -> Vec<&'v Table<'t>> {
        let Some(value) = value else { return Vec::new() };
        match value.get_ref() {
            DeValue::Array(values) => values.iter().filter_map(|value| self.table(value)).collect(),
            _ => {
                self.wrong(value.span(), "a list of tables belongs here: `[[…]]`");
                Vec::new()
            }
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, value: &Value<'_>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => {
                self.wrong(value.span(), "a text belongs here");
                None
            }
        }
    }

    /// A truth value.
    pub(crate) fn boolean(&mut self, value: &Value<'_>) -> Option<bool> {
        match value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => {
                self.wrong(value.span(), "`true` or `false` belongs here");
                None
            }
        }
    }

    /// A list of texts, with their places; one text is a list too.
    pub(crate) fn texts(&mut self, value: &Value<'_>) -> Vec<(String, Range<usize>)> {
        match value.get_ref() {
            DeValue::Array(values) => {
                values.iter().filter_map(|value| Some((self.text(value)?, value.span()))).collect()
            }
            DeValue::String(text) => vec![(text.to_string(), value.span())],
            _ => {
                self.wrong(value.span(), "a list of texts belongs here");
                Vec::new()
            }
        }
    }

    /// A list of globs, or of regular expressions between slashes.
    pub(crate) fn patterns(&mut self, value: &Value<'_>) -> Vec<Pattern> {
        let texts = self.texts(value);
        let mut patterns = Vec::new();
        for (text, at) in texts {
            match Pattern::new(&text) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => self.wrong(at, error),
            }
        }
        patterns
    }

    /// A severity, or nothing for `off`.
    pub(crate) fn severity(&mut self, value: &Value<'_>) -> Option<Option<Severity>> {
        let at = self.one_of(value, &["info", "warning", "error", "off"])?;
        Some(Severity::ALL.get(at).copied())
    }

    fn severities(&mut self, value: &Value<'_>) -> Vec<(String, Range<usize>, Option<Severity>)> {
        let Some(table) = self.table(value) else { return Vec::new() };
        let mut found = Vec::new();
        for (key, value) in table.iter() {
            if let Some(severity) = self.severity(value) {
                if severity.is_none() {
                    self.switch_off(key.get_ref(), &key.span());
                }
                found.push((key.get_ref().to_string(), key.span(), severity));
            }
        }
        // A name counts more than a category, that more than all; whatever the order in the file.
        let rank = |word: &str| match word {
            "all" | "default" => 0,
            word if word.len() < 4 && word.starts_with(|c: char| c.is_ascii_uppercase()) => 1,
            word => 2 + usize::from(check(word).is_some()),
        };
        found.sort_by_key(|(word, _, _)| rank(word));
        found
    }

    /// Which of some words a text is.
    pub(crate) fn one_of(&mut self, value: &Value<'_>, words: &[&str]) -> Option<usize> {
        let text = self.text(value)?;
        let at = words.iter().position(|word| *word == text);
        if at.is_none() {
            let similar = like(&text, words).map(|like| format!("; did you mean `{like}`?"));
            let message =
                format!("`{text}` is none of {}{}", words.join(", "), similar.unwrap_or_default());
            self.wrong(value.span(), message);
        }
        at
    }
}

fn is_known(word: &str) -> bool {
    CHECKS.iter().any(|check: &&Check| check.is_selected_by(word))
}

/// The rules that something is about: all conditions have to hold that are given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Of the path of the file.
    pub(crate) paths: Option<Vec<Pattern>>,
    /// Of the name of the group.
    pub(crate) groups: Option<Vec<Pattern>>,
    /// Of the name of the rule.
    pub(crate) rules: Option<Vec<Pattern>>,
    /// Of the kind of the rule.
    pub(crate) kinds: Option<Vec<RuleKind>>,
}

/// Where something is, as a [`Scope`] sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place<'a> {
    /// The path of the file, relative to the folder of the configuration.
    pub(crate) path: &'a str,
    /// The name of the group.
    pub(crate) group: Option<&'a str>,
    /// The name and the kind of the rule.
    pub(crate) rule: Option<(&'a str, RuleKind)>,
}

impl Scope {
    /// Whether the condition on the path holds.
    pub(crate) fn may_hold(&self, place: &Place<'_>) -> bool {
        let paths = self.paths.as_ref();
        paths.is_none_or(|paths| paths.iter().any(|pattern| pattern.matches(place.path)))
    }

    /// Whether all conditions hold. What is in no rule satisfies no condition on rules.
    pub(crate) fn holds(&self, place: &Place<'_>) -> bool {
        let fits = |patterns: &Option<Vec<Pattern>>, text: Option<&str>| match patterns {
            Some(patterns) => text.is_some_and(|text| patterns.iter().any(|p| p.matches(text))),
            None => true,
        };
        let kind = place.rule.map(|(_, kind)| kind);
        fits(&self.paths, Some(place.path))
            && fits(&self.groups, place.group)
            && fits(&self.rules, place.rule.map(|(name, _)| name))
            && self
                .kinds
                .as_ref()
                .is_none_or(|kinds| kind.is_some_and(|kind| kinds.contains(&kind)))
    }
}
