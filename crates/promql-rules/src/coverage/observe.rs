//! Counts, while rules are evaluated, how often their points are exercised.

use std::sync::{Mutex, PoisonError};

use promql_engine::{EngineOptions, QueryOptions, evaluate_with_parts};

use super::points::Points;
use super::probe::{Evaluated, Probe};
use super::{PointKind, RuleCounts};
use crate::evaluate::{AlertChange, PreparedRule, SeriesStore, Transition};

/// A branch of a template at which an expansion came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Branched {
    /// The rule, as a position of the run.
    pub(crate) rule: usize,
    /// The template: labels first, then annotations.
    pub(crate) template: usize,
    /// Where the branch begins in the template.
    pub(crate) at: usize,
    /// Whether its condition held.
    pub(crate) taken: bool,
}

/// The counts of the rules of one run.
#[derive(Debug)]
pub(crate) struct Observer {
    rules: Vec<RuleCounts>,
    branches: Mutex<Vec<Branched>>,
}

impl Observer {
    /// Nothing was observed of so many rules.
    pub(crate) fn new<'r>(rules: impl Iterator<Item = &'r PreparedRule>) -> Observer {
        let counts = rules.map(|rule| RuleCounts {
            counts: vec![0; rule.points().points.len()],
            longest_pending: 0,
            longest_kept: 0,
        });
        Observer { rules: counts.collect(), branches: Mutex::default() }
    }

    /// Evaluates the expression of a rule to see what its parts give.
    pub(crate) fn expression(
        &mut self,
        number: usize,
        rule: &PreparedRule,
        store: &SeriesStore,
        options: &QueryOptions,
    ) {
        let points = rule.points();
        let Some(observed) = self.rules.get_mut(number) else { return };
        observed.add(points.position(PointKind::Evaluated));
        // Parts are held beside what the query holds, which must not end it.
        let max_samples = EngineOptions::default().max_samples.max(options.engine.max_samples);
        let engine = EngineOptions { max_samples, ..options.engine.clone() };
        let options = options.clone().with_engine(engine);
        let (_, parts) = evaluate_with_parts(&rule.query, store, &options);
        let seen = Evaluated::new(&parts, store);
        for (at, probe) in points.probes.iter().enumerate() {
            if probe.holds(&seen) {
                observed.add(Some(at));
            }
        }
    }

    /// Takes down what a cycle made of the alerts of a rule, and how long the alerts that wait have
    /// been waiting: for `for`, and for `keep_firing_for`.
    pub(crate) fn alerts(
        &mut self,
        number: usize,
        points: &Points,
        transitions: &[Transition],
        (pending, kept): (i64, i64),
    ) {
        let Some(observed) = self.rules.get_mut(number) else { return };
        for transition in transitions {
            let kind = match transition.change {
                AlertChange::Pending => PointKind::Pending,
                AlertChange::Firing { .. } => PointKind::Fires,
                AlertChange::Kept => PointKind::Kept,
                AlertChange::Resolved => PointKind::Resolves,
                AlertChange::Dropped { .. } | AlertChange::Resumed => continue,
            };
            observed.add(points.position(kind));
        }
        observed.longest_pending = observed.longest_pending.max(pending);
        observed.longest_kept = observed.longest_kept.max(kept);
    }

    /// A test expects an alert of a rule while it fires.
    pub(crate) fn expected(&mut self, number: usize, points: &Points) {
        if let Some(observed) = self.rules.get_mut(number) {
            observed.add(points.position(PointKind::Expected));
        }
    }

    /// An expansion came by a branch.
    pub(crate) fn branch(&self, branched: Branched) {
        self.branches.lock().unwrap_or_else(PoisonError::into_inner).push(branched);
    }

    /// The counts of all rules.
    pub(crate) fn finish<'r>(
        mut self,
        rules: impl Iterator<Item = &'r PreparedRule>,
    ) -> Vec<RuleCounts> {
        let branches = self.branches.into_inner().unwrap_or_else(PoisonError::into_inner);
        let rules: Vec<&PreparedRule> = rules.collect();
        for branched in branches {
            let Branched { rule, template, at, taken } = branched;
            let is_it = |probe: &Probe| match probe {
                Probe::Branch { template: number, at: start, taken: way } => {
                    (*number, *start, *way) == (template, at, taken)
                }
                _ => false,
            };
            if let (Some(counts), Some(rule)) = (self.rules.get_mut(rule), rules.get(rule)) {
                counts.add(rule.points().probes.iter().position(is_it));
            }
        }
        self.rules
    }
}

impl RuleCounts {
    fn add(&mut self, point: Option<usize>) {
        if let Some(count) = point.and_then(|point| self.counts.get_mut(point)) {
            *count += 1;
        }
    }
}
