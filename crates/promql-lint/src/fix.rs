//! Changes that checks propose, made.
//!
//! A pass makes all changes whose places don't overlap; the first one in the file comes first. Then the file
//! is looked at again, until there is nothing to change. A change that makes the file invalid, or takes a
//! rule away that it isn't about, is not made.

use std::collections::BTreeSet;
use std::ops::Range;

use promql_rules::format::is_dashboard;
use promql_rules::rule_file::{LoadOptions, RuleFile};

use crate::dashboard;
use crate::examples::edited;
use crate::finding::{Finding, Fix, Safety};
use crate::run::{Input, Outcome, lint};
use crate::settings::Settings;

/// So many times a file is looked at again.
const PASSES: usize = 10;

/// What became of a file.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// What it is called.
    pub name: String,
    /// What was in it.
    pub before: String,
    /// What is in it now.
    pub after: String,
    /// What was done: the code of the check and the title of the change.
    pub done: Vec<(&'static str, String)>,
    /// Why nothing is changed in it, though something could be.
    pub refused: Option<&'static str>,
}

/// Makes the changes that the checks propose, up to a safety. The files come back in their order, with the
/// outcome for what is in them now.
pub fn fix(inputs: Vec<Input>, settings: &Settings, up_to: Safety) -> (Vec<Fixed>, Outcome) {
    let mut inputs = inputs;
    let mut outcome = lint(inputs.clone(), settings);
    let mut fixed: Vec<Fixed> = outcome
        .files
        .iter()
        .map(|file| Fixed {
            name: file.name.clone(),
            before: file.text.to_string(),
            after: file.text.to_string(),
            done: Vec::new(),
            refused: refusal(&file.text).filter(|_| {
                let fixes = file.findings.iter().filter_map(|finding| finding.fix.as_ref());
                fixes.into_iter().any(|fix| fix.safety <= up_to)
            }),
        })
        .collect();
    let mut tried: BTreeSet<(usize, &'static str, String, usize)> = BTreeSet::new();
    for _ in 0..PASSES {
        let mut has_changed = false;
        for ((file, fixed), input) in outcome.files.iter().zip(&mut fixed).zip(&mut inputs) {
            // What isn't UTF-8 can't be written back.
            if fixed.refused.is_some() || std::str::from_utf8(&input.text).is_err() {
                continue;
            }
            let wanted: Vec<(&Finding, &Fix)> = file
                .findings
                .iter()
                .filter_map(|finding| Some((finding, finding.fix.as_ref()?)))
                .filter(|(_, fix)| fix.safety <= up_to && !fix.edits.is_empty())
                .collect();
            if wanted.is_empty() {
                continue;
            }
            let chosen = without_overlaps(&wanted);
            let all = edits(&chosen);
            let mut text = edited(&file.text, all);
            let mut made = chosen;
            if !is_as_good(&file.text, &text, &input.options) {
                // One of them is no good; each is tried alone.
                made.clear();
                text = file.text.to_string();
                for change in without_overlaps(&wanted) {
                    let mut more = made.clone();
                    more.push(change);
                    let candidate = edited(&file.text, edits(&more));
                    if is_as_good(&file.text, &candidate, &input.options) {
                        (made, text) = (more, candidate);
                    }
                }
            }
            // What comes back again and again isn't mended by its change.
            let fragment =
                |finding: &Finding| file.text.get(finding.span()).unwrap_or_default().to_owned();
            let is_new = made.iter().any(|(finding, _)| {
                let part = fragment(finding);
                let same = |(other, _): &&(&Finding, &Fix)| {
                    other.check == finding.check && fragment(other) == part
                };
                let count = made.iter().filter(same).count();
                tried.insert((finding.file, finding.check.code, part, count))
            });
            if made.is_empty() || !is_new {
                continue;
            }
            fixed
                .done
                .extend(made.iter().map(|(finding, fix)| (finding.check.code, fix.title.clone())));
            fixed.after.clone_from(&text);
            input.text = text.into_bytes();
            has_changed = true;
        }
        if !has_changed {
            break;
        }
        outcome = lint(inputs.clone(), settings);
    }
    (fixed, outcome)
}

fn edits(changes: &[(&Finding, &Fix)]) -> Vec<crate::finding::Edit> {
    changes.iter().flat_map(|(_, fix)| fix.edits.clone()).collect()
}

/// Those of some changes that don't touch what one before them touches.
fn without_overlaps<'f>(wanted: &[(&'f Finding, &'f Fix)]) -> Vec<(&'f Finding, &'f Fix)> {
    let mut taken: Vec<Range<usize>> = Vec::new();
    let mut chosen = Vec::new();
    for (finding, fix) in wanted {
        let start = fix.edits.iter().map(|edit| edit.span.start).min().unwrap_or_default();
        let end = fix.edits.iter().map(|edit| edit.span.end).max().unwrap_or_default();
        let whole = start..end;
        let touches = |other: &Range<usize>| whole.start <= other.end && other.start <= whole.end;
        if !taken.iter().any(touches) {
            taken.push(whole);
            chosen.push((*finding, *fix));
        }
    }
    chosen
}

/// Whether a text has as many rules as it had, and no error that it had not.
pub(crate) fn is_as_good(before: &str, after: &str, options: &LoadOptions) -> bool {
    let options = LoadOptions { keep_queries: false, ..options.clone() };
    if is_dashboard(before) {
        let read = |text: &str| {
            let (_, dashboard) = dashboard::read("", text)?;
            let errors = dashboard.targets.iter().filter(|target| target.error.is_some()).count();
            Some((dashboard.targets.len(), errors))
        };
        let is_better = |((targets, errors), (targets_after, errors_after))| {
            targets_after == targets && errors_after <= errors
        };
        return is_dashboard(after) && read(before).zip(read(after)).is_some_and(is_better);
    }
    let read = |text: &str| {
        let loaded = RuleFile::load("", text.as_bytes(), &options);
        let errors = loaded.findings.iter().filter(|finding| finding.is_error()).count();
        (loaded.file.rule_count(), errors)
    };
    let ((rules, errors), (rules_after, errors_after)) = (read(before), read(after));
    rules_after == rules && errors_after <= errors
}

/// Why a file must not be changed: a program writes it.
fn refusal(text: &str) -> Option<&'static str> {
    let head = text.lines().take_while(|line| line.trim().is_empty() || line.starts_with('#'));
    let is_generated = |line: &str| {
        let line = line.to_lowercase();
        line.contains("do not edit")
            || line.contains("generated by")
            || line.contains("autogenerated")
    };
    let mut head = head;
    head.any(is_generated).then_some("its head says that a program writes it")
}
