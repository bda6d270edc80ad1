//! The same queries to a real Prometheus and to the evaluator, with native histograms in the answers.

mod answer;
pub mod remarks;

pub use answer::{Answer, Difference, Point, Values, difference, ours};

use std::collections::BTreeMap;

use promql_engine::Storage;

use crate::answer::Times;
use crate::prometheus::Prometheus;
use remarks::Context;

/// What came of comparing answers.
#[derive(Debug, Default)]
pub struct Comparison {
    equal: usize,
    failed_alike: usize,
    older: usize,
    contradictions: usize,
    /// How often remarks differ by a known change.
    changes: BTreeMap<&'static str, usize>,
    different: Vec<String>,
}

impl Comparison {
    /// Asks the server and the evaluator. `another` starts a second server with the same data, which
    /// is asked where the answers differ.
    pub fn compare(
        &mut self,
        server: &Prometheus,
        another: &dyn Fn() -> Prometheus,
        storage: &dyn Storage,
        query: &str,
        times: Times,
    ) {
        match (theirs(server, query, times), ours(query, storage, times)) {
            (Ok(a), Ok(b)) => match difference(&a.values, &b.values) {
                None => {
                    let context = Context { query, times };
                    match remarks::compare(&context, &a.remarks, &b.remarks) {
                        Ok(changes) if changes.is_empty() => self.equal += 1,
                        Ok(changes) => {
                            for change in changes {
                                *self.changes.entry(change).or_default() += 1;
                            }
                        }
                        Err(text) => {
                            self.different.push(format!("{query}\n{times:?}\n{text}\n"));
                        }
                    }
                }
                Some(found)
                    if contradicts_itself(server, query, times, &found, &a.values, &b.values)
                        || theirs(&another(), query, times).is_ok_and(|answer| {
                            difference(&answer.values, &b.values).is_none()
                        }) =>
                {
                    self.contradictions += 1;
                }
                Some(Difference { text, .. }) => {
                    self.different.push(format!("{query}\n{times:?}\n{text}\n"));
                }
            },
            (Err(a), Err(b)) if a == b => self.failed_alike += 1,
            // Of several failures of matching each reports one.
            (Err(a), Err(b)) if is_matching(&a) && is_matching(&b) => self.failed_alike += 1,
            (Err(a), Err(b)) if a.contains("parse error") && b.contains("parse error") => {
                self.failed_alike += 1;
            }
            // Before 3.14 a filter could hide that elements meet that must not.
            (_, Err(b)) if b.starts_with("multiple matches for labels") => self.older += 1,
            (theirs, ours) => self
                .different
                .push(format!("{query}\n{times:?}\ntheirs {theirs:?}\nours   {ours:?}\n")),
        }
    }

    /// Says what came of it.
    ///
    /// # Panics
    /// When there are differences.
    pub fn finish(self) {
        let Comparison { equal, failed_alike, older, contradictions, changes, different } = self;
        crate::conformance::say(&format!(
            "{equal} equal, {failed_alike} failed alike, {older} where 3.5 is known to differ, \
             {contradictions} where it contradicts itself, {} different",
            different.len()
        ));
        for (change, count) in changes {
            crate::conformance::say(&format!("  {count} by a known change of remarks: {change}"));
        }
        if let Some(path) = std::env::var_os("PROMQL_DIFFERENTIAL_REPORT") {
            std::fs::write(path, different.join("\n")).expect("a report can be written");
        }
        let first = different.iter().take(12);
        first.for_each(|text| crate::conformance::say(&format!("{text:.1500}")));
        assert!(different.is_empty(), "see above");
    }
}

fn theirs(server: &Prometheus, query: &str, times: Times) -> Result<Answer, String> {
    server.ask(query, times).map(|answer| answer::of_server(&answer))
}

/// Whether the server gives a histogram whose buckets don't add up to its count while ours do, or
/// gives our value as well: if it is asked for the time of a difference alone, or for a range of that
/// one time, which must make no difference, or if it is asked again. 3.5 now and then mixes up the buckets of histograms that it
/// has in memory for several times and series.
fn contradicts_itself(
    server: &Prometheus,
    query: &str,
    times: Times,
    found: &Difference,
    their_answer: &Values,
    ours: &Values,
) -> bool {
    let at = |answer: &Values| -> Values {
        let points = answer.get(&found.labels).into_iter().flatten();
        let points: Vec<_> = points.filter(|(time, _)| *time == found.time).cloned().collect();
        Values::from([(found.labels.clone(), points)])
    };
    let agrees = |times: Times| {
        let answer = theirs(server, query, times);
        answer.is_ok_and(|answer| difference(&at(&answer.values), &at(ours)).is_none())
    };
    let adds_up = |answer: &Values| {
        let (_, points) = at(answer).pop_first().unwrap_or_default();
        points.first().is_some_and(|(_, point)| point.adds_up())
    };
    (!adds_up(their_answer) && adds_up(ours))
        || (matches!(times, Times::Range { .. }) && agrees(Times::Instant(found.time)))
        || agrees(Times::Range { start: found.time, end: found.time, step: 1000 })
        || (0..5).any(|_| agrees(times))
}

fn is_matching(message: &str) -> bool {
    message.starts_with("found duplicate series") || message.starts_with("multiple matches")
}
