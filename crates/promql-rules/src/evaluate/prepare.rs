//! Rules made ready to be evaluated any number of times.

use std::sync::{Arc, OnceLock};

use promql_model::quote;
use promql_syntax::Query;

use super::course::Holding;
use super::nothing::Selectors;
use crate::coverage::{Points, points};
use crate::dependencies::{Readings, readings};
use crate::finding::Finding;
use crate::rule_file::{Group, LoadOptions, Rule, RuleFile, RuleKind};
use crate::template::Template;
use crate::yaml::Text;

/// A rule file whose groups can be evaluated.
#[derive(Clone, Debug)]
pub struct PreparedFile {
    /// What was read.
    pub file: RuleFile,
    /// Its groups.
    pub groups: Vec<PreparedGroup>,
    /// What is odd in the file.
    pub warnings: Vec<Finding>,
}

/// A group whose rules can be evaluated.
#[derive(Clone, Debug)]
pub struct PreparedGroup {
    /// Its name.
    pub name: String,
    /// How far back its queries look, in milliseconds.
    pub query_offset: i64,
    /// Its rules, in order.
    pub rules: Vec<Arc<PreparedRule>>,
}

/// A rule that can be evaluated.
#[derive(Clone, Debug)]
pub struct PreparedRule {
    /// Whether it records or alerts.
    pub kind: RuleKind,
    /// The metric or the alert.
    pub name: String,
    /// Its expression.
    pub query: Query,
    /// Its group, as a position in [`RuleFile::groups`].
    pub group: usize,
    /// Itself, as a position in [`Group::rules`].
    pub rule: usize,
    /// Its selectors, if it gives nothing without series for them.
    pub(super) selectors: Option<Selectors>,
    /// The most series or alerts, 0 for any number.
    pub(super) limit: usize,
    /// The labels that a recording rule sets, sorted by name.
    pub(super) labels: Vec<(String, String)>,
    /// The labels that an alert gets, sorted by name: the text and what it expands to.
    pub(crate) templates: Vec<(String, String, Template)>,
    /// The annotations of an alert.
    pub(crate) annotations: Vec<(String, Template)>,
    /// Whether annotations ask for series, so that it matters when they are expanded.
    pub(super) queries_in_annotations: bool,
    /// How long an alert is pending, in milliseconds.
    pub(crate) hold: i64,
    /// How long an alert goes on firing, in milliseconds.
    pub(crate) keep_firing_for: i64,
    /// What tests can exercise of it, found out when that is asked for.
    points: OnceLock<Points>,
    /// What it reads, found out when that is asked for.
    readings: OnceLock<Readings>,
}

impl PreparedRule {
    /// How long it waits.
    pub(super) fn holding(&self) -> Holding {
        Holding { before: self.hold, after: self.keep_firing_for }
    }

    /// What tests can exercise of it.
    pub(crate) fn points(&self) -> &Points {
        self.points.get_or_init(|| points(self))
    }

    /// What its expression reads.
    pub(crate) fn readings(&self) -> &Readings {
        self.readings.get_or_init(|| readings(&self.query))
    }
}

const MILLISECOND: i64 = 1_000_000;

impl PreparedFile {
    /// Reads a rule file and prepares its rules.
    ///
    /// # Errors
    /// The file, and all that is wrong in it.
    pub fn load(
        name: &str,
        text: &[u8],
        options: &LoadOptions,
    ) -> Result<PreparedFile, (RuleFile, Vec<Finding>)> {
        let loaded = RuleFile::load(name, text, options);
        let mut findings = loaded.findings;
        let file = loaded.file;
        let is_valid = !findings.iter().any(Finding::is_error);
        let mut groups = Vec::with_capacity(file.groups.len());
        for (at, group) in file.groups.iter().enumerate() {
            let mut rules = Vec::with_capacity(group.rules.len());
            for (number, rule) in group.rules.iter().enumerate() {
                match prepare(&file, at, number, group, rule) {
                    Ok(rule) => rules.extend(rule.map(Arc::new)),
                    Err(faults) => {
                        // Those that were found when the file was read are not told again.
                        let new = |f: &Finding| !findings.iter().any(|k| k.span == f.span);
                        let faults: Vec<Finding> = faults.into_iter().filter(new).collect();
                        findings.extend(faults);
                    }
                }
            }
            groups.push(PreparedGroup {
                name: group.name.value.clone(),
                query_offset: group.query_offset.map_or(0, |offset| offset.value / MILLISECOND),
                rules,
            });
        }
        if !is_valid || findings.iter().any(Finding::is_error) {
            return Err((file, findings));
        }
        Ok(PreparedFile { file, groups, warnings: findings })
    }
}

/// A rule, if its expression can be evaluated.
fn prepare(
    file: &RuleFile,
    group_at: usize,
    rule_at: usize,
    group: &Group,
    rule: &Rule,
) -> Result<Option<PreparedRule>, Vec<Finding>> {
    let mut faults = Vec::new();
    let is_alert = rule.kind == RuleKind::Alerting;
    let mut template = |kind: &str, name: &str, text: &Text| match Template::alert(
        &rule.name.value,
        &text.value,
    ) {
        Ok(template) => Some((name.to_owned(), template)),
        Err(error) => {
            let span = text.positions(&file.text).file_span(error.span());
            let finding = Finding::error(
                "rules::bad-template",
                span,
                format!("`{name}` is no template: {}", error.message()),
                "here",
                "",
            );
            let upstream = format!(
                "group {}, rule {}, {}: {kind} {}: {error}",
                quote(group.name.value.as_bytes()),
                rule_at + 1,
                quote(rule.name.value.as_bytes()),
                quote(name.as_bytes()),
            );
            faults.push(finding.with_upstream(upstream));
            None
        }
    };
    let mut annotations = Vec::new();
    let mut templates = Vec::new();
    if is_alert {
        let text_of = |wanted: &str| {
            let all = rule.labels.iter().rev().chain(group.labels.iter().rev());
            all.map(|(name, text)| (&name.value, text)).find(|(name, _)| *name == wanted)
        };
        for (name, value) in rule.effective_labels(group) {
            let Some((_, text)) = text_of(name) else { continue };
            templates
                .extend(template("label", name, text).map(|(name, t)| (name, value.to_owned(), t)));
        }
        for (name, text) in &rule.annotations {
            annotations.extend(template("annotation", &name.value, text));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let Some(query) = rule.query.clone() else { return Ok(None) };
    let labels = rule.effective_labels(group).into_iter();
    Ok(Some(PreparedRule {
        kind: rule.kind,
        name: rule.name.value.clone(),
        selectors: Selectors::of(&query),
        query,
        group: group_at,
        rule: rule_at,
        limit: group.limit.map_or(0, |limit| usize::try_from(limit.value).unwrap_or(0)),
        labels: match is_alert {
            true => Vec::new(),
            false => labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        },
        queries_in_annotations: annotations.iter().any(|(_, template)| template.calls("query")),
        templates,
        annotations,
        hold: rule.for_duration.map_or(0, |duration| duration.value / MILLISECOND),
        keep_firing_for: rule.keep_firing_for.map_or(0, |duration| duration.value / MILLISECOND),
        points: OnceLock::new(),
        readings: OnceLock::new(),
    }))
}
