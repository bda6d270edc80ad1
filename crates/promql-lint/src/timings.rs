//! How long checks take.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::check::Check;
use crate::checks::CHECKS;

/// How long the checks of a run took, and what they stand on. Times of several threads are added up.
#[derive(Debug)]
pub struct Timings {
    /// In nanoseconds, by the place of the check in [`CHECKS`].
    checks: Vec<AtomicU64>,
    parts: [AtomicU64; Part::ALL.len()],
}

/// A part of a run that is no check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Files are read, and their expressions parsed.
    Reading,
    /// It is found out which rules there are, and what is known of what they record.
    Indices,
    /// It is found out what is known of the results of expressions.
    Flow,
    /// Comments are applied, and findings put in order.
    Settling,
}

impl Part {
    /// All, each with what it is called.
    pub const ALL: [(Part, &'static str); 4] = [
        (Part::Reading, "reading files"),
        (Part::Indices, "indices of rules"),
        (Part::Flow, "label flow"),
        (Part::Settling, "comments and order"),
    ];
}

impl Default for Timings {
    fn default() -> Timings {
        let checks = CHECKS.iter().map(|_| AtomicU64::new(0)).collect();
        Timings { checks, parts: Default::default() }
    }
}

impl Timings {
    /// How long each part took, in order.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        Part::ALL.iter().zip(&self.parts).map(|((_, name), time)| (*name, duration(time)))
    }

    /// How long each check took that looked, in order of their codes.
    pub fn checks(&self) -> impl Iterator<Item = (&'static Check, Duration)> {
        let all = CHECKS.iter().zip(&self.checks).map(|(check, time)| (*check, duration(time)));
        all.filter(|(_, time)| !time.is_zero())
    }
}

fn duration(time: &AtomicU64) -> Duration {
    Duration::from_nanos(time.load(Ordering::Relaxed))
}

/// Times, if somebody wants to know them.
#[derive(Clone, Copy)]
pub(crate) struct Clocks<'t>(pub(crate) Option<&'t Timings>);

impl Clocks<'_> {
    /// Does what a part of a run does.
    pub(crate) fn part<T>(self, part: Part, does: impl FnOnce() -> T) -> T {
        let at = Part::ALL.iter().position(|(known, _)| *known == part);
        time(self.0.zip(at).and_then(|(timings, at)| timings.parts.get(at)), does)
    }

    /// Does what a check does, by its place in [`CHECKS`].
    pub(crate) fn check<T>(self, at: usize, does: impl FnOnce() -> T) -> T {
        time(self.0.and_then(|timings| timings.checks.get(at)), does)
    }
}

fn time<T>(clock: Option<&AtomicU64>, does: impl FnOnce() -> T) -> T {
    let Some(clock) = clock else { return does() };
    let start = Instant::now();
    let done = does();
    let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    clock.fetch_add(nanoseconds, Ordering::Relaxed);
    done
}
