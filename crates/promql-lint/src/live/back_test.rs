//! What an alert would have done in the past.

use std::collections::BTreeMap;

use promql_rules::evaluate::{AlertChange, Holding, replay};

use super::context::LiveContext;
use super::options::DAY;
use super::question::{DEFAULT_INTERVAL, Reply};

/// What an alert would have done in the past.
#[derive(Clone, Debug)]
pub(crate) struct BackTest {
    /// The first cycle, the last, the time between two, in milliseconds.
    times: (i64, i64, i64),
    holding: Holding,
    /// When the condition held, for each label set.
    courses: Vec<(BTreeMap<String, String>, Vec<i64>)>,
}

/// What came of some waiting times.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Told {
    /// How often an alert began to fire.
    pub(crate) firings: usize,
    /// Of how many label sets one did.
    pub(crate) label_sets: usize,
    /// The share of time in which some alert fired.
    pub(crate) share: f64,
    /// How long each firing took, in milliseconds, in order.
    pub(crate) lengths: Vec<i64>,
    /// The most firings of one label set.
    pub(crate) most: usize,
}

impl Told {
    /// The firing in the middle of all by how long it took, in milliseconds.
    pub(crate) fn median(&self) -> i64 {
        self.lengths.get(self.lengths.len() / 2).copied().unwrap_or_default()
    }
}

impl BackTest {
    /// Asks when the condition of an alert held.
    pub(super) fn of(cx: &LiveContext<'_>) -> Option<BackTest> {
        let rule = cx.expr.rule;
        if !rule.is_alert() {
            return None;
        }
        let default = cx.about.evaluation_interval.unwrap_or(DEFAULT_INTERVAL);
        let own = rule.interval().map(|nanoseconds| nanoseconds / 1_000_000);
        let step = own.unwrap_or(default).max(1000);
        let reply = cx.courses(rule.rule.expr.value.clone(), cx.options.back_test, step)?;
        let Reply::Courses { times, courses } = &*reply else { return None };
        let wait = |duration: Option<promql_rules::yaml::Spanned<i64>>| {
            duration.map_or(0, |duration| duration.value / 1_000_000)
        };
        let holding = Holding {
            before: wait(rule.rule.for_duration),
            after: wait(rule.rule.keep_firing_for),
        };
        Some(BackTest { times: *times, holding, courses: courses.clone() })
    }

    /// How long the rule waits.
    pub(crate) fn holding(&self) -> Holding {
        self.holding
    }

    /// The time between two cycles, in milliseconds.
    pub(crate) fn interval(&self) -> i64 {
        self.times.2
    }

    /// How long the time is that was looked at, in days.
    pub(crate) fn days(&self) -> f64 {
        let (start, end, step) = self.times;
        (end - start + step) as f64 / DAY as f64
    }

    /// What would have been told with these waiting times.
    pub(crate) fn told(&self, holding: Holding) -> Told {
        let (start, end, step) = self.times;
        let mut told = Told::default();
        let mut busy: Vec<(i64, i64)> = Vec::new();
        for (_, present) in &self.courses {
            let cycles = (start..=end).step_by(usize::try_from(step).unwrap_or(1).max(1));
            let mut since = None;
            let mut firings = 0;
            for (time, change) in replay(holding, cycles, present) {
                match change {
                    AlertChange::Firing { .. } => {
                        firings += 1;
                        since = Some(time);
                    }
                    AlertChange::Resolved => busy.extend(since.take().map(|since| (since, time))),
                    _ => {}
                }
            }
            busy.extend(since.map(|since| (since, end + step)));
            told.firings += firings;
            told.label_sets += usize::from(firings > 0);
            told.most = told.most.max(firings);
        }
        told.lengths = busy.iter().map(|(from, to)| to - from).collect();
        told.lengths.sort_unstable();
        busy.sort_unstable();
        let (mut covered, mut until) = (0, start);
        for (from, to) in busy {
            covered += (to - from.max(until)).max(0);
            until = until.max(to);
        }
        told.share = covered as f64 / (end - start + step).max(1) as f64;
        told
    }
}
