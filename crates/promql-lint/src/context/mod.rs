//! What a check sees: of all files, of a group, of a rule, of an expression, of a query of a dashboard.

mod expr;
mod rules;

use std::ops::Range;

use promql_rules::rule_file::{Dialect, Group, Rule, RuleKind};
use promql_rules::yaml::Text;
use promql_syntax::Span;

pub use self::expr::ExprContext;
pub(crate) use self::expr::{bare, metric_name, read_names};
pub use self::rules::{LintedFile, RuleRef, RuleSet};
use crate::config::Place;
use crate::dashboard::{Dashboard, Target};
use crate::finding::Edit;

/// What the checks of a group see.
#[derive(Clone, Copy, Debug)]
pub struct GroupContext<'a> {
    /// All files.
    pub set: &'a RuleSet<'a>,
    /// The file.
    pub file: &'a LintedFile,
    /// The group.
    pub group: &'a Group,
    /// Its number in the file.
    pub number: usize,
}

impl GroupContext<'_> {
    /// The place in the file of a part of the expression of a rule.
    pub fn place(&self, at: RuleRef, span: Span) -> Range<usize> {
        let text = &self.set.files[at.file].rules.text;
        self.set.rule(at).expr.positions(text).file_span(span.range())
    }
}

/// What the checks of a rule see.
#[derive(Clone, Copy, Debug)]
pub struct RuleContext<'a> {
    /// All files.
    pub set: &'a RuleSet<'a>,
    /// The file.
    pub file: &'a LintedFile,
    /// The group.
    pub group: &'a Group,
    /// The rule.
    pub rule: &'a Rule,
    /// Where it is.
    pub at: RuleRef,
}

impl<'a> RuleContext<'a> {
    /// Whether the rule is an alert.
    pub fn is_alert(&self) -> bool {
        self.rule.kind == RuleKind::Alerting
    }

    /// The text of the file.
    pub fn text(&self) -> &'a str {
        &self.file.rules.text
    }

    /// Where the rule is, as the configuration sees it.
    pub(crate) fn place_in_settings(&self) -> Place<'a> {
        self.file.place(Some((self.at.group, self.at.rule)))
    }

    /// How often the rule is evaluated, in nanoseconds, if its group says it.
    pub fn interval(&self) -> Option<i64> {
        self.group.interval.map(|interval| interval.value).filter(|value| *value > 0)
    }

    /// Whose file it is.
    pub fn dialect(&self) -> Dialect {
        self.file.rules.dialect
    }

    /// The place of a part of a text of the file.
    pub fn place(&self, text: &Text, range: Range<usize>) -> Range<usize> {
        text.positions(self.text()).file_span(range)
    }

    /// Takes whole lines out of the file: those that a `key: value` of a block mapping is written in.
    /// Nothing if something else is in these lines.
    pub fn remove_entry(&self, key: &str, value: Range<usize>) -> Option<Vec<Edit>> {
        let text = self.text();
        let start = text[..value.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[value.end..].find('\n').map_or(text.len(), |at| value.end + at + 1);
        let before = text[start..value.start].trim();
        let is_alone = before.strip_suffix(':').is_some_and(|k| k.trim_matches(['"', '\'']) == key);
        let rest = text[value.end..end].trim();
        (is_alone && (rest.is_empty() || rest.starts_with('#')))
            .then(|| vec![Edit { span: start..end, text: String::new() }])
    }
}

/// What the checks of dashboards see of a query.
#[derive(Clone, Copy, Debug)]
pub struct TargetContext<'a> {
    /// The query, if it can be read.
    pub expr: Option<&'a ExprContext<'a>>,
    /// The query, and what is beside it.
    pub target: &'a Target,
    /// The dashboard.
    pub dashboard: &'a Dashboard,
    /// The text of the file.
    pub text: &'a str,
}

impl TargetContext<'_> {
    /// The place in the file of a part of the query.
    pub fn place(&self, range: Range<usize>) -> Range<usize> {
        self.target.expr.positions(self.text).file_span(range)
    }
}
