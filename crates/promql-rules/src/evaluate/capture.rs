//! What was seen of an evaluation by those who explain it.

use std::collections::{HashMap, HashSet};

use promql_engine::{EngineOptions, Part, QueryOptions, evaluate_with_parts};
use promql_syntax::Query;

use super::{SeriesStore, Transition};

/// What the parts of some rules gave at some times, and what happened to alerts.
#[derive(Debug, Default)]
pub(crate) struct Captures {
    wanted: HashSet<(usize, i64)>,
    /// By rule and time.
    pub(crate) parts: HashMap<(usize, i64), Vec<Part>>,
    /// For each rule.
    pub(super) transitions: Vec<Vec<Transition>>,
}

impl Captures {
    pub(super) fn new(wanted: HashSet<(usize, i64)>) -> Captures {
        Captures { wanted, ..Captures::default() }
    }

    /// A rule is about to be evaluated.
    pub(super) fn evaluated(
        &mut self,
        evaluation: (usize, i64),
        query: &Query,
        store: &SeriesStore,
        options: &QueryOptions,
    ) {
        if self.wanted.contains(&evaluation) {
            // Parts are held beside what the query holds, which must not end it.
            let max_samples = EngineOptions::default().max_samples.max(options.engine.max_samples);
            let engine = EngineOptions { max_samples, ..options.engine.clone() };
            let options = options.clone().with_engine(engine);
            let (_, parts) = evaluate_with_parts(query, store, &options);
            self.parts.insert(evaluation, parts);
        }
    }

    /// What happened to the alerts of a rule up to a time, in order of time and then of labels.
    pub(crate) fn history(&self, rule: usize, time: i64) -> Vec<Transition> {
        let transitions = self.transitions.get(rule).into_iter().flatten();
        let mut history: Vec<Transition> =
            transitions.filter(|transition| transition.time <= time).cloned().collect();
        history.sort_by(|a, b| (a.time, &a.labels).cmp(&(b.time, &b.labels)));
        history
    }
}
