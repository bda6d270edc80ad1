//! How much was found.

use promql_lint::{Outcome, Safety, Severity};
use serde::Serialize;

/// How much of what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) files: usize,
    pub(super) groups: usize,
    pub(super) rules: usize,
    pub(super) errors: usize,
    pub(super) warnings: usize,
    pub(super) infos: usize,
    /// Those with a change that may be made without asking.
    pub(super) fixable: usize,
    /// Those with a change that somebody should look at.
    pub(super) unsafely_fixable: usize,
    /// Those that comments keep from being told.
    pub(super) suppressed: usize,
}

impl Counts {
    pub(super) fn of(outcome: &Outcome) -> Counts {
        let files = outcome.files.iter().filter(|file| !file.is_baseline).count();
        let mut counts = Counts { files, ..Counts::default() };
        for file in &outcome.files {
            counts.groups += file.rules.groups.len();
            counts.suppressed += file.suppressed;
            counts.rules += file.rules.rule_count();
            for finding in &file.findings {
                *match finding.severity {
                    Severity::Error => &mut counts.errors,
                    Severity::Warning => &mut counts.warnings,
                    Severity::Info => &mut counts.infos,
                } += 1;
                match finding.fix.as_ref().map(|fix| fix.safety) {
                    Some(Safety::Safe) => counts.fixable += 1,
                    Some(Safety::Unsafe) => counts.unsafely_fixable += 1,
                    None => {}
                }
            }
        }
        counts
    }
}
