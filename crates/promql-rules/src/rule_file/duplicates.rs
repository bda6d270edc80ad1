//! Rules that write the same series.
//!
//! Upstream reports rules with the same name and the same labels, whatever they compute, so it also
//! reports alerts that select different things under one name. Here the expressions are looked at
//! too: [`Likeness`] says how sure it is that two rules get into each other's way.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use promql_syntax::query::{Aggregation, Root, Vector};
use promql_syntax::{Features, Query, compile};

use super::{Rule, RuleFile, RuleKind};
use crate::finding::Finding;

/// How alike rules with the same name and labels are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// They may give different series, or the same.
    Possible,
    /// They give the same series, for certain: both give one without labels of its own.
    Certain,
    /// They are the same rule.
    Identical,
}

/// Rules of a file with the same name and the same effective labels.
#[derive(Clone, Debug)]
pub struct Duplicate<'f> {
    /// Their name.
    pub name: &'f str,
    /// Their labels, those of their groups among them, by name.
    pub labels: Vec<(&'f str, &'f str)>,
    /// The rules, in the order of the file; at least two.
    pub rules: Vec<&'f Rule>,
}

/// Finds rules with the same name and effective labels, alerts and recording rules alike, in all
/// groups of a file; by name and labels, as upstream lists them.
pub fn duplicates(file: &RuleFile) -> Vec<Duplicate<'_>> {
    type Key<'f> = (&'f str, Vec<(&'f str, &'f str)>);
    // Most names are there once, and their labels needn't be looked at.
    let mut counts: HashMap<&str, usize> = HashMap::with_capacity(file.rule_count());
    for rule in file.groups.iter().flat_map(|group| &group.rules) {
        *counts.entry(&rule.name.value).or_default() += 1;
    }
    let mut by_key: BTreeMap<Key<'_>, Vec<&Rule>> = BTreeMap::new();
    for group in &file.groups {
        for rule in &group.rules {
            let name = rule.name.value.as_str();
            if counts.get(name).is_some_and(|count| *count > 1) {
                by_key.entry((name, rule.effective_labels(group))).or_default().push(rule);
            }
        }
    }
    let duplicates = by_key.into_iter().filter(|(_, rules)| rules.len() > 1);
    duplicates.map(|((name, labels), rules)| Duplicate { name, labels, rules }).collect()
}

impl Duplicate<'_> {
    /// How alike a rule is to the first one.
    pub fn likeness(&self, rule: &Rule) -> Likeness {
        let Some(first) = self.rules.first() else { return Likeness::Possible };
        let (a, b) = (query(first), query(rule));
        let same_text = || match (&a, &b) {
            (Some(a), Some(b)) => a.expr().to_string() == b.expr().to_string(),
            _ => first.expr.value == rule.expr.value,
        };
        if first.kind == rule.kind && same_text() {
            Likeness::Identical
        } else if first.kind == RuleKind::Recording
            && rule.kind == RuleKind::Recording
            && a.as_deref().is_some_and(has_one_series)
            && b.as_deref().is_some_and(has_one_series)
        {
            Likeness::Certain
        } else {
            Likeness::Possible
        }
    }

    /// A warning for each rule but the first. `line` gives the line of a byte of the file.
    pub fn findings<'s>(
        &'s self,
        line: impl Fn(usize) -> usize + 's,
    ) -> impl Iterator<Item = Finding> + 's {
        let first = self.rules.first().map_or(0, |rule| line(rule.name.span.start));
        self.rules.iter().skip(1).map(move |rule| {
            let name = self.name;
            let (message, label, help) = match self.likeness(rule) {
                Likeness::Identical => (
                    format!("`{name}` is the same rule as the one in line {first}"),
                    "the same name, labels and expression",
                    "remove one of them",
                ),
                Likeness::Certain => (
                    format!("`{name}` and the rule in line {first} write the same series"),
                    "the same name and labels",
                    "their values take turns; give one another name, or a label that tells them apart",
                ),
                Likeness::Possible => (
                    format!("`{name}` has the name and the labels of the rule in line {first}"),
                    "the same name and labels, another expression",
                    "if both give a series with the same labels, they get mixed up; a label of its own \
                     tells them apart",
                ),
            };
            let span = rule.name.span.clone();
            Finding::error("rules::duplicate", span, message, label, help).warning()
        })
    }
}

/// The query of a rule, also if it wasn't kept.
fn query(rule: &Rule) -> Option<Cow<'_, Query>> {
    match &rule.query {
        Some(query) => Some(Cow::Borrowed(query)),
        None => compile(&rule.expr.value, &Features::ALL).ok().map(Cow::Owned),
    }
}

/// Whether a query gives one series without labels of its own: a scalar, or an aggregation that keeps
/// none.
fn has_one_series(query: &Query) -> bool {
    if matches!(query.root(), Root::Scalar(_)) {
        return true;
    }
    let Root::Vector(root) = query.root() else { return false };
    let mut open = vec![root];
    while let Some(at) = open.pop() {
        match &query.vector(at).kind {
            Vector::FromScalar(_) => {}
            Vector::Aggregate { op, labels, without: false, .. } if keeps_no_labels(*op) => {
                if !query.labels(*labels).is_empty() {
                    return false;
                }
            }
            Vector::Negate(vector) | Vector::WithScalar { vector, .. } => open.push(*vector),
            Vector::Binary { lhs, rhs, .. } => open.extend([*lhs, *rhs]),
            _ => return false,
        }
    }
    true
}

/// Whether an aggregation without `by` gives one element without labels.
fn keeps_no_labels(op: Aggregation) -> bool {
    !matches!(
        op,
        Aggregation::Topk(_)
            | Aggregation::Bottomk(_)
            | Aggregation::Limitk(_)
            | Aggregation::LimitRatio(_)
            | Aggregation::CountValues(_)
    )
}

/// The report of upstream's tool about duplicates.
pub fn upstream_report(duplicates: &[Duplicate<'_>]) -> String {
    let mut out = format!("lint error {} duplicate rule(s) found.\n", duplicates.len());
    for duplicate in duplicates {
        let _ = writeln!(out, "Metric: {}\nLabel(s):", duplicate.name);
        for (name, value) in &duplicate.labels {
            let _ = writeln!(out, "\t{name}: {value}");
        }
    }
    out.push_str("Might cause inconsistency while recording expressions");
    out
}
