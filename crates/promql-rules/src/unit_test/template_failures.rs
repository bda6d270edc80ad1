//! Templates of alerts that could not be expanded, as warnings in their rule file.
//!
//! Prometheus puts the message into the place of the text and goes on, and so does promtool: a test that
//! doesn't look at that label or annotation passes.

use std::sync::Arc;

use super::run::Runner;
use crate::coverage::{Place, Places};
use crate::evaluate::PreparedFile;
use crate::finding::Finding;

/// The failures of a run, each with the file that it is in.
pub(super) fn find(runner: &Runner<'_>, rules: &[Arc<PreparedFile>]) -> Vec<(usize, Finding)> {
    let mut found: Vec<(usize, Finding)> = Vec::new();
    for failure in runner.evaluation.template_errors() {
        let Some(rule) = runner.evaluation.rules().nth(failure.rule) else { continue };
        let Some(at) = runner.files.get(failure.rule).copied() else { continue };
        let Some(file) = rules.get(at).map(|file| &file.file) else { continue };
        let Some(group) = file.groups.get(rule.group) else { continue };
        let Some(written) = group.rules.get(rule.rule) else { continue };
        let range = failure.error.span();
        let (kind, name, place) = match rule.templates.get(failure.template) {
            Some((name, ..)) => ("label", name, Place::Label(name.clone(), range)),
            None => {
                let at = failure.template - rule.templates.len();
                let Some((name, _)) = rule.annotations.get(at) else { continue };
                ("annotation", name, Place::Annotation(name.clone(), range))
            }
        };
        let finding = Finding::error(
            "unit-test::failed-template",
            Places::new(file, group, written).span(&place),
            format!(
                "the {kind} `{name}` of {} can't be expanded: {}",
                rule.name,
                reason(failure.error.message())
            ),
            "this fails",
            format!("alerts get the message as their {kind}, here and in Prometheus"),
        );
        let finding = (at, finding.warning());
        if !found.contains(&finding) {
            found.push(finding);
        }
    }
    found
}

/// What went wrong, without where, which is shown: Go's messages begin with
/// `template: NAME:LINE:COLUMN: executing "NAME" at <NODE>: `.
fn reason(message: &str) -> &str {
    let after = message.split_once(" at <").and_then(|(_, rest)| rest.split_once(">: "));
    after.map_or(message, |(_, reason)| reason)
}
