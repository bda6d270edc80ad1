//! Rule files: groups of recording rules and alerts.
//!
//! ```text
//!  text ──yaml──► documents ──dialect──► groups, as nodes ──group──► RuleFile
//!                                                              └───► findings
//! ```
//!
//! What Prometheus 3.14 accepts is accepted, and what it refuses is refused; all that is wrong in a
//! file is told in one pass, each thing where it stands, also inside an expression or a template.
//! Where other systems have their own keys, or wrap the groups into something, their files are read
//! as well; which system's file it is follows from its keys, unless it is said ([`Dialect`]).
//!
//! | file | holds |
//! |---|---|
//! | `dialect.rs` | who reads which keys, and how a dialect is recognised |
//! | `load.rs` | from documents to groups, out of manifests and mixins too |
//! | `parts.rs` | large files, a part at a time on each thread |
//! | `group.rs` | a group, its fields and what is wrong with them |
//! | `rule.rs` | a rule likewise |
//! | `templates.rs` | the labels and annotations of alerts |
//! | `names.rs` | which texts are names |
//! | `duplicates.rs` | rules that write the same series |
//!
//! ```
//! use promql_rules::rule_file::{LoadOptions, RuleFile};
//!
//! let text = "
//! groups:
//!   - name: api
//!     rules:
//!       - alert: HighErrorRate
//!         expr: job:errors:ratio5m > 0.05
//!         for: 10m
//! ";
//! let loaded = RuleFile::load("api.yml", text.as_bytes(), &LoadOptions::default());
//! assert!(loaded.findings.is_empty());
//! let rule = &loaded.file.groups[0].rules[0];
//! assert_eq!(rule.name.value, "HighErrorRate");
//! assert_eq!(rule.for_duration.unwrap().value, 600_000_000_000);
//! ```

mod dialect;
mod duplicates;
mod group;
mod load;
mod names;
mod parts;
mod rule;
mod templates;

use std::ops::Range;
use std::sync::Arc;

use promql_syntax::{Features, Query};

pub(crate) use load::group_holders;

pub use dialect::Dialect;
pub use duplicates::{Duplicate, Likeness, duplicates, upstream_report};
pub use names::NameScheme;

use crate::finding::Finding;
use crate::yaml::{Positions, Spanned, Text};

/// A rule file.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// What it is called in diagnostics, usually its path.
    pub name: String,
    /// What is in it. All spans are bytes of this.
    pub text: Arc<str>,
    /// Whose file it is.
    pub dialect: Dialect,
    /// Its groups, in order. Those of several manifests in one file are all here.
    pub groups: Vec<Group>,
}

/// A group of rules, which are evaluated in order.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name; empty only if that was complained about.
    pub name: Text,
    /// All of it.
    pub span: Range<usize>,
    /// How often it is evaluated, in nanoseconds. 0 is as good as nothing: the default counts.
    pub interval: Option<Spanned<i64>>,
    /// How far back its queries look, in nanoseconds. 0 is not as good as nothing: it overrides the
    /// default.
    pub query_offset: Option<Spanned<i64>>,
    /// The most series of a recording rule, or alerts of an alerting rule. 0, and what is less, is no
    /// limit.
    pub limit: Option<Spanned<i64>>,
    /// Labels of all its rules, as far as these don't have them, in the order of the file.
    pub labels: Vec<(Text, Text)>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// Whether a rule records or alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// The result is written as series.
    Recording,
    /// Each element of the result is an alert.
    Alerting,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Whether it records or alerts.
    pub kind: RuleKind,
    /// The metric that is recorded, or the name of the alert; empty only if that was complained
    /// about.
    pub name: Text,
    /// All of it.
    pub span: Range<usize>,
    /// The expression as it is written; empty only if that was complained about.
    pub expr: Text,
    /// The expression; nothing if something is wrong with it, if it isn't PromQL, or if queries
    /// aren't [kept](LoadOptions::keep_queries).
    pub query: Option<Query>,
    /// Its labels, in the order of the file. Those of alerts are templates.
    pub labels: Vec<(Text, Text)>,
    /// The annotations of alerts, which are templates, in the order of the file.
    pub annotations: Vec<(Text, Text)>,
    /// How long an alert is pending before it fires, in nanoseconds.
    pub for_duration: Option<Spanned<i64>>,
    /// How long an alert goes on firing after its condition ended, in nanoseconds.
    pub keep_firing_for: Option<Spanned<i64>>,
}

/// How a rule file is read.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Whose file it is; found out if it isn't said.
    pub dialect: Option<Dialect>,
    /// Which parts of the language expressions may use.
    pub features: Features,
    /// Which names are allowed.
    pub names: NameScheme,
    /// Whether keys that nobody knows are let pass.
    pub ignore_unknown_keys: bool,
    /// Whether rules keep their queries. Whoever only wants to know what is wrong does without: the
    /// queries of a large file take more memory than the file.
    pub keep_queries: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions {
            dialect: None,
            features: Features::ALL,
            names: NameScheme::Utf8,
            ignore_unknown_keys: false,
            keep_queries: true,
        }
    }
}

/// A rule file with what was found in it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The file, as far as it could be read.
    pub file: RuleFile,
    /// What is wrong or odd in it, in the order in which upstream would find it: what is wrong with
    /// the YAML first.
    pub findings: Vec<Finding>,
}

impl Loaded {
    /// Whether a server would load the file.
    pub fn is_valid(&self) -> bool {
        !self.findings.iter().any(Finding::is_error)
    }

    /// The file if nothing is wrong with it.
    ///
    /// # Errors
    /// What was found, if some of it is an error.
    pub fn into_result(self) -> Result<RuleFile, Vec<Finding>> {
        if self.is_valid() { Ok(self.file) } else { Err(self.findings) }
    }

    /// The errors in upstream's words, as its tool would list them without the name of the file. It
    /// doesn't look at rules when there is something wrong with the YAML.
    pub fn upstream_errors(&self) -> impl Iterator<Item = &str> {
        let is_yaml = |finding: &&Finding| finding.code.starts_with("yaml::");
        let has_yaml = self.findings.iter().any(|f| f.is_error() && is_yaml(&f));
        let told = move |finding: &&Finding| !has_yaml || is_yaml(finding);
        self.findings.iter().filter(told).filter_map(|finding| finding.upstream.as_deref())
    }
}

impl RuleFile {
    /// How many rules there are.
    pub fn rule_count(&self) -> usize {
        self.groups.iter().map(|group| group.rules.len()).sum()
    }
}

impl Group {
    /// How often the group is evaluated, in nanoseconds.
    pub fn effective_interval(&self, default: i64) -> i64 {
        self.interval.map(|interval| interval.value).filter(|value| *value != 0).unwrap_or(default)
    }
}

impl Rule {
    /// The labels that the rule sets: its own, and those of its group that it doesn't have. By name,
    /// in order; of equal names the last one counts.
    pub fn effective_labels<'a>(&'a self, group: &'a Group) -> Vec<(&'a str, &'a str)> {
        let all = group.labels.iter().chain(&self.labels);
        let all = all.map(|(name, value)| (name.value.as_str(), value.value.as_str()));
        let by_name: std::collections::BTreeMap<&str, &str> = all.collect();
        by_name.into_iter().collect()
    }

    /// Where the bytes of the expression are in the file.
    pub fn expr_positions(&self, file: &RuleFile) -> Positions {
        self.expr.positions(&file.text)
    }
}
