//! How an alert stands, over time.
//!
//! ```text
//!             element appears              held for `for`
//!   (nothing) ───────────────► pending ─────────────────────► firing
//!       ▲                         │                              │ element is gone, and
//!       │    element is gone      │        15 minutes later      ▼ `keep_firing_for` is over
//!       └─────────────────────────┴───────────────────────── inactive
//! ```

use super::AlertState;

/// A step of an alert from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertChange {
    /// Its condition holds, and it waits for `for` to be over.
    Pending,
    /// It fires.
    Firing {
        /// Since when its condition holds, in milliseconds since the epoch.
        since: i64,
    },
    /// Its condition ended before `for` was over.
    Dropped {
        /// Since when it held, in milliseconds since the epoch.
        since: i64,
    },
    /// Its condition ended, and it fires on until `keep_firing_for` is over.
    Kept,
    /// Its condition holds again before that.
    Resumed,
    /// It has ended.
    Resolved,
}

/// How long an alert that has ended is remembered, in milliseconds.
const REMEMBERED: i64 = 15 * 60 * 1000;

/// How long a rule waits, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Until an alert fires whose condition holds: `for`.
    pub before: i64,
    /// Until an alert ends whose condition holds no more: `keep_firing_for`.
    pub after: i64,
}

/// How an alert stands.
#[derive(Clone, Debug)]
pub(super) struct Course {
    pub(super) state: AlertState,
    pub(super) active_at: i64,
    resolved_at: Option<i64>,
    pub(super) keep_firing_since: Option<i64>,
}

/// What a cycle makes of an alert.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is pending or firing.
    Active,
    /// It has ended.
    Ended,
    /// It is not even remembered.
    Forgotten,
}

impl Course {
    /// An alert whose condition holds from a time on.
    pub(super) fn new(timestamp: i64) -> Course {
        Course {
            state: AlertState::Pending,
            active_at: timestamp,
            resolved_at: None,
            keep_firing_since: None,
        }
    }

    /// What a cycle makes of it, and what changes by that.
    pub(super) fn step(
        &mut self,
        holding: Holding,
        is_present: bool,
        timestamp: i64,
    ) -> (Step, Option<AlertChange>) {
        let before = (self.state, self.keep_firing_since.is_some());
        let outcome = self.advance(holding, is_present, timestamp);
        (outcome, self.change(before, outcome, timestamp))
    }

    fn change(
        &self,
        before: (AlertState, bool),
        outcome: Step,
        timestamp: i64,
    ) -> Option<AlertChange> {
        let since = self.active_at;
        match (before.0, self.state, outcome) {
            (AlertState::Pending, _, Step::Forgotten) => Some(AlertChange::Dropped { since }),
            (AlertState::Pending, AlertState::Firing, _) => Some(AlertChange::Firing { since }),
            (AlertState::Pending, AlertState::Pending, _) if since == timestamp => {
                Some(AlertChange::Pending)
            }
            (AlertState::Firing, AlertState::Inactive, _) => Some(AlertChange::Resolved),
            (AlertState::Firing, AlertState::Firing, _) => {
                match (before.1, self.keep_firing_since.is_some()) {
                    (false, true) => Some(AlertChange::Kept),
                    (true, false) => Some(AlertChange::Resumed),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn advance(&mut self, holding: Holding, is_present: bool, timestamp: i64) -> Step {
        if is_present {
            self.keep_firing_since = None;
        } else {
            let keeps = self.state == AlertState::Firing && holding.after > 0 && {
                let since = *self.keep_firing_since.get_or_insert(timestamp);
                timestamp - since < holding.after
            };
            let is_old = self.resolved_at.is_some_and(|at| timestamp - at > REMEMBERED);
            if self.state == AlertState::Pending || is_old {
                return Step::Forgotten;
            }
            if !keeps {
                if self.state != AlertState::Inactive {
                    self.state = AlertState::Inactive;
                    self.resolved_at = Some(timestamp);
                }
                return Step::Ended;
            }
        }
        if self.state == AlertState::Pending && timestamp - self.active_at >= holding.before {
            self.state = AlertState::Firing;
        }
        Step::Active
    }
}

/// What would have happened to an alert whose condition held in some of the cycles of a rule: each change
/// with its time. `present` are the cycles in which it held; both are in order, in milliseconds since the
/// epoch.
///
/// ```
/// use promql_rules::evaluate::{AlertChange, Holding, replay};
/// let holding = Holding { before: 60_000, after: 0 };
/// let changes = replay(holding, [0, 60_000, 120_000], &[0, 60_000]);
/// assert_eq!(changes[1], (60_000, AlertChange::Firing { since: 0 }));
/// assert_eq!(changes[2], (120_000, AlertChange::Resolved));
/// ```
pub fn replay(
    holding: Holding,
    cycles: impl IntoIterator<Item = i64>,
    present: &[i64],
) -> Vec<(i64, AlertChange)> {
    let mut changes = Vec::new();
    let mut alert: Option<Course> = None;
    let mut present = present.iter().copied().peekable();
    for cycle in cycles {
        while present.next_if(|time| *time < cycle).is_some() {}
        let is_present = present.next_if_eq(&cycle).is_some();
        let is_active = alert.as_ref().is_some_and(|alert| alert.state != AlertState::Inactive);
        if is_present && !is_active {
            alert = Some(Course::new(cycle));
        }
        let Some(course) = &mut alert else { continue };
        let (step, change) = course.step(holding, is_present, cycle);
        changes.extend(change.map(|change| (cycle, change)));
        if step == Step::Forgotten {
            alert = None;
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens, a letter for each minute: `x` where the condition holds.
    fn changes(before: i64, after: i64, minutes: &str) -> Vec<String> {
        let minute = 60_000;
        let holding = Holding { before: before * minute, after: after * minute };
        let cycles = (0..).zip(minutes.chars()).map(|(at, _)| at * minute);
        let present = (0..).zip(minutes.chars()).filter(|(_, c)| *c == 'x');
        let present: Vec<i64> = present.map(|(at, _)| at * minute).collect();
        let changes = replay(holding, cycles, &present);
        let shown = |(at, change): (i64, AlertChange)| {
            let word = match change {
                AlertChange::Firing { .. } => "firing".to_owned(),
                AlertChange::Dropped { .. } => "dropped".to_owned(),
                other => format!("{other:?}").to_lowercase(),
            };
            format!("{} {word}", at / minute)
        };
        changes.into_iter().map(shown).collect()
    }

    #[test]
    fn alerts_take_their_course() {
        assert_eq!(changes(0, 0, "-xx-x"), ["1 firing", "3 resolved", "4 firing"]);
        assert_eq!(
            changes(2, 0, "x-xxx-"),
            ["0 pending", "1 dropped", "2 pending", "4 firing", "5 resolved"]
        );
        assert_eq!(
            changes(0, 2, "x-x---"),
            ["0 firing", "1 kept", "2 resumed", "3 kept", "5 resolved"]
        );
        assert!(changes(5, 0, "---").is_empty());
    }
}
