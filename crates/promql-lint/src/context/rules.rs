//! All files that are looked at together, and what is known from all their rules.

use std::collections::HashMap;
use std::sync::Arc;

use promql_rules::rule_file::{Group, Rule, RuleFile, RuleKind};
use promql_rules::yaml::Text;
use promql_syntax::Span;

use super::RuleContext;
use super::expr::read_names;
use crate::config::Place;
use crate::dashboard::Dashboard;
use crate::flow::{Env, EnvBuilder, Recording};
use crate::memo::Memo;
use crate::pattern::Tree;
use crate::settings::Settings;
use crate::templates::{self, AlertText, Answers, Trial};

/// A file that is looked at.
#[derive(Debug)]
pub struct LintedFile {
    /// Its number.
    pub number: usize,
    /// What is in it, with the queries of its rules. Of a dashboard each target is a rule here.
    pub rules: RuleFile,
    /// What it is if it is a dashboard.
    pub dashboard: Option<Dashboard>,
    /// What is configured for it.
    pub settings: Arc<Settings>,
    /// Its path as the configuration sees it: relative to the folder of that.
    pub path: String,
    /// What was in it before a change, if that is known.
    pub before: Option<Box<RuleFile>>,
}

impl LintedFile {
    /// Where a rule of the file is, or the file, as the configuration sees it.
    pub(crate) fn place(&self, rule: Option<(usize, usize)>) -> Place<'_> {
        let group = rule.and_then(|(group, _)| self.rules.groups.get(group));
        let rule = group.zip(rule).and_then(|(group, (_, rule))| group.rules.get(rule));
        Place {
            path: &self.path,
            group: group.map(|group| group.name.value.as_str()),
            rule: rule.map(|rule| (rule.name.value.as_str(), rule.kind)),
        }
    }
}

/// A rule, by numbers: of its file, of its group in the file, of it in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleRef {
    /// The file.
    pub file: usize,
    /// The group.
    pub group: usize,
    /// The rule.
    pub rule: usize,
}

/// All files that are looked at together, with indices so that no check compares all with all.
#[derive(Debug)]
pub struct RuleSet<'a> {
    /// The files.
    pub files: &'a [LintedFile],
    /// The rules that record a metric.
    pub recorders: HashMap<&'a str, Vec<RuleRef>>,
    /// The alerts of a name.
    pub alerts: HashMap<&'a str, Vec<RuleRef>>,
    /// The selectors that name a metric by `=`: the rule, and the selector's place in its expression.
    pub readers: HashMap<&'a str, Vec<(RuleRef, Span)>>,
    /// What the analysis of expressions knows from the rules.
    env: Env,
    /// The trees of regular expressions.
    trees: Memo<Option<Arc<Tree>>>,
    /// What becomes of templates when they are tried.
    trials: Memo<Arc<Trial>>,
}

impl<'a> RuleSet<'a> {
    /// Makes the indices of files.
    pub fn new(files: &'a [LintedFile]) -> RuleSet<'a> {
        let (indices, env) = rayon::join(|| indices(files), || env_of(files));
        let (recorders, alerts, readers) = indices;
        let (trees, trials) = (Memo::default(), Memo::default());
        RuleSet { files, recorders, alerts, readers, env, trees, trials }
    }

    /// What is known from all rules of what the others read.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The tree of a regular expression. Nothing if it can't be read.
    pub(crate) fn tree(&self, pattern: &str) -> Option<Arc<Tree>> {
        self.trees.get(pattern.as_bytes(), || Tree::new(pattern).map(Arc::new))
    }

    /// What becomes of a template when it is tried, each of its queries finding one sample.
    pub(crate) fn trial(&self, template: &AlertText<'_>) -> Arc<Trial> {
        let text = template.text.value.as_str();
        self.trials
            .get(text.as_bytes(), || Arc::new(templates::expand(template, &mut Answers::some())))
    }

    /// All rules, in order of the files.
    pub fn rules(&self) -> impl Iterator<Item = (RuleRef, &'a Group, &'a Rule)> {
        all_rules(self.files)
    }

    /// The queries of dashboards, which are the rules of one group each, in order of the files.
    pub fn targets(&self) -> impl Iterator<Item = RuleRef> {
        let dashboards = self.files.iter().filter(|file| file.dashboard.is_some());
        dashboards.flat_map(|file| {
            let rules = file.rules.groups.first().map_or(0, |group| group.rules.len());
            (0..rules).map(|rule| RuleRef { file: file.number, group: 0, rule })
        })
    }

    /// The group of a rule.
    pub fn group(&self, at: RuleRef) -> &'a Group {
        &self.files[at.file].rules.groups[at.group]
    }

    /// A rule.
    pub fn rule(&self, at: RuleRef) -> &'a Rule {
        &self.group(at).rules[at.rule]
    }

    /// What a rule's expression is seen with.
    pub fn rule_context(&'a self, at: RuleRef) -> RuleContext<'a> {
        let file = &self.files[at.file];
        RuleContext { set: self, file, group: self.group(at), rule: self.rule(at), at }
    }
}

/// The rules that record each metric, those that alert under each name, and those that read each metric.
type Indices<'a> = (
    HashMap<&'a str, Vec<RuleRef>>,
    HashMap<&'a str, Vec<RuleRef>>,
    HashMap<&'a str, Vec<(RuleRef, Span)>>,
);

fn indices(files: &[LintedFile]) -> Indices<'_> {
    let (mut recorders, mut alerts, mut readers) = Indices::default();
    for (at, _, rule) in all_rules(files) {
        let index = match rule.kind {
            RuleKind::Recording => &mut recorders,
            RuleKind::Alerting => &mut alerts,
        };
        index.entry(rule.name.value.as_str()).or_default().push(at);
        let Some(query) = &rule.query else { continue };
        for (name, span) in read_names(query.expr()) {
            readers.entry(name).or_default().push((at, span));
        }
    }
    (recorders, alerts, readers)
}

/// What is known from rules of what others read.
fn env_of(files: &[LintedFile]) -> Env {
    let mut env = EnvBuilder::default();
    let mut told: Option<&Arc<Settings>> = None;
    for file in files {
        // Files of one run mostly share what is configured.
        if !told.is_some_and(|settings| Arc::ptr_eq(settings, &file.settings)) {
            file.settings.known().tell(&mut env);
            told = Some(&file.settings);
        }
    }
    for (at, group, rule) in all_rules(files) {
        let (RuleKind::Recording, Some(query)) = (rule.kind, &rule.query) else { continue };
        let label = |(name, value): &(Text, Text)| {
            (name.value.as_str().into(), value.value.as_str().into())
        };
        let of_group = group
            .labels
            .iter()
            .filter(|(name, _)| !rule.labels.iter().any(|(own, _)| own.value == name.value));
        env.record(Recording {
            name: rule.name.value.as_str().into(),
            expr: query.expr().clone(),
            labels: rule.labels.iter().chain(of_group).map(label).collect(),
            place: files[at.file].rules.name.as_str().into(),
        });
    }
    env.build()
}

fn all_rules(files: &[LintedFile]) -> impl Iterator<Item = (RuleRef, &Group, &Rule)> {
    let rule_files = files.iter().enumerate().filter(|(_, file)| file.dashboard.is_none());
    rule_files.flat_map(|(file, linted)| {
        linted.rules.groups.iter().enumerate().flat_map(move |(group, g)| {
            let rules = g.rules.iter().enumerate();
            rules.map(move |(rule, r)| (RuleRef { file, group, rule }, g, r))
        })
    })
}
