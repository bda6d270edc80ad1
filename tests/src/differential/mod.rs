//! The same queries to a real Prometheus and to the evaluator, with native histograms in the answers.

mod answer;

pub use answer::{Answer, Difference, Point, difference, ours};

use promql_engine::Storage;

use crate::answer::Times;
use crate::prometheus::Prometheus;

/// What came of comparing answers.
#[derive(Debug, Default)]
pub struct Comparison {
    equal: usize,
    failed_alike: usize,
    older: usize,
    contradictions: usize,
    different: Vec<String>,
}

impl Comparison {
    /// Asks the server and the evaluator.
    pub fn compare(
        &mut self,
        server: &Prometheus,
        storage: &dyn Storage,
        query: &str,
        times: Times,
    ) {
        match (theirs(server, query, times), ours(query, storage, times)) {
            (Ok(a), Ok(b)) => match difference(&a, &b) {
                None => self.equal += 1,
                Some(found) if contradicts_itself(server, query, times, &found, &a, &b) => {
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
        let Comparison { equal, failed_alike, older, contradictions, different } = self;
        crate::conformance::say(&format!(
            "{equal} equal, {failed_alike} failed alike, {older} where 3.5 is known to differ, \
             {contradictions} where it contradicts itself, {} different",
            different.len()
        ));
        let first = different.iter().take(12);
        first.for_each(|text| crate::conformance::say(&format!("{text:.1500}")));
        assert!(different.is_empty(), "see above");
    }
}

fn theirs(server: &Prometheus, query: &str, times: Times) -> Result<Answer, String> {
    server.ask(query, times).map(|answer| answer::of_server(&answer))
}

/// Whether the server gives a histogram whose buckets don't add up to its count while ours do, or
/// gives our value as well: if it is asked for the time of a difference alone, which must make no
/// difference, or if it is asked again. 3.5 now and then mixes up the buckets of histograms that it
/// has in memory for several times and series.
fn contradicts_itself(
    server: &Prometheus,
    query: &str,
    times: Times,
    found: &Difference,
    their_answer: &Answer,
    ours: &Answer,
) -> bool {
    let at = |answer: &Answer| -> Answer {
        let points = answer.get(&found.labels).into_iter().flatten();
        let points: Vec<_> = points.filter(|(time, _)| *time == found.time).cloned().collect();
        Answer::from([(found.labels.clone(), points)])
    };
    let agrees = |times: Times| {
        let answer = theirs(server, query, times);
        answer.is_ok_and(|answer| difference(&at(&answer), &at(ours)).is_none())
    };
    let adds_up = |answer: &Answer| {
        let (_, points) = at(answer).pop_first().unwrap_or_default();
        points.first().is_some_and(|(_, point)| point.adds_up())
    };
    (!adds_up(their_answer) && adds_up(ours))
        || (matches!(times, Times::Range { .. }) && agrees(Times::Instant(found.time)))
        || (0..5).any(|_| agrees(times))
}

fn is_matching(message: &str) -> bool {
    message.starts_with("found duplicate series") || message.starts_with("multiple matches")
}
