//! Where points stand in their file.

use std::ops::Range;

use super::points::Place;
use crate::rule_file::{Group, Rule, RuleFile};
use crate::yaml::{Positions, Text};

/// The places of a rule.
pub(crate) struct Places<'f> {
    file: &'f RuleFile,
    group: &'f Group,
    rule: &'f Rule,
    expression: Positions,
}

impl<'f> Places<'f> {
    pub(crate) fn new(file: &'f RuleFile, group: &'f Group, rule: &'f Rule) -> Places<'f> {
        Places { file, group, rule, expression: rule.expr_positions(file) }
    }

    /// A place as bytes of the file.
    pub(crate) fn span(&self, place: &Place) -> Range<usize> {
        let rule = self.rule;
        let within = |text: Option<&Text>, range: &Range<usize>| {
            text.map(|text| text.positions(&self.file.text).file_span(range.clone()))
        };
        let named = |wanted: &str, texts: &'f [(Text, Text)]| {
            texts.iter().rev().find(|(name, _)| name.value == wanted).map(|(_, text)| text)
        };
        let span = match place {
            Place::Name => None,
            Place::Expression(range) => Some(self.expression.file_span(range.clone())),
            Place::For => rule.for_duration.map(|duration| duration.span()),
            Place::KeepFiringFor => rule.keep_firing_for.map(|duration| duration.span()),
            Place::Label(name, range) => {
                let text = named(name, &rule.labels).or_else(|| named(name, &self.group.labels));
                within(text, range)
            }
            Place::Annotation(name, range) => within(named(name, &rule.annotations), range),
        };
        span.unwrap_or_else(|| rule.name.span.clone())
    }
}
