//! A range that is longer than a server answers at once, in slices.
//!
//! Servers answer at most 11,000 steps (11,001 points) in one request. A longer range is asked for
//! in slices that begin and end at its steps, several at the same time, and what they give is put
//! together by labels. A function of the present, as `time()`, is what it is at each step, so slices
//! change nothing; only what chooses series at random (`limit_ratio` does not) could differ.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use promql_engine::{EvaluationTime, QueryOptions};
use promql_model::{Labels, QueryResult, QueryValue, SeriesSamples};

use super::error::{RemoteError, RemoteErrorKind};

/// The steps of one request.
const STEPS: i64 = 11_000;

/// How many requests run at the same time.
const AT_ONCE: usize = 4;

/// Slices of a range; one if it is short enough.
pub(super) fn slices(options: &QueryOptions) -> Vec<QueryOptions> {
    let EvaluationTime::Range { start, end, step } = options.time else {
        return vec![options.clone()];
    };
    let step_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
    if step_ms <= 0 || end.saturating_sub(start) / step_ms <= STEPS {
        return vec![options.clone()];
    }
    let mut slices = Vec::new();
    let mut from = start;
    while from <= end {
        let to = from.saturating_add(step_ms.saturating_mul(STEPS)).min(end);
        let time = EvaluationTime::Range { start: from, end: to, step };
        slices.push(QueryOptions { time, ..options.clone() });
        // The last point of a slice is not the first of the next.
        let Some(next) = from.checked_add(step_ms.saturating_mul(STEPS + 1)) else { break };
        from = next;
    }
    slices
}

/// Asks for slices, some at the same time, and puts the answers together. The first error counts.
pub(super) fn ask(
    slices: &[QueryOptions],
    ask: impl Fn(&QueryOptions) -> Result<QueryResult, RemoteError> + Sync,
    failed: impl Fn(RemoteErrorKind) -> RemoteError,
) -> Result<QueryResult, RemoteError> {
    if let [only] = slices {
        return ask(only);
    }
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(slice) = slices.get(at) else { return };
            let answer = ask(slice);
            if answer.is_err() {
                // Nobody wants the rest.
                next.store(slices.len(), Ordering::Relaxed);
            }
            answers.lock().unwrap_or_else(|e| e.into_inner()).insert(at, answer);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(slices.len()) {
            scope.spawn(work);
        }
    });
    let answers = answers.into_inner().unwrap_or_else(|e| e.into_inner());
    let mut annotations = Vec::new();
    let mut series: BTreeMap<Labels, SeriesSamples> = BTreeMap::new();
    for answer in answers.into_values() {
        let answer = answer?;
        annotations.extend(answer.annotations);
        let QueryValue::Matrix(matrix) = answer.value else {
            let reason = "a range was asked for, and the answer is none".to_owned();
            return Err(failed(RemoteErrorKind::Malformed { reason, said: String::new() }));
        };
        for one in matrix {
            match series.get_mut(&one.labels) {
                Some(known) => {
                    known.floats.extend(one.floats);
                    known.histograms.extend(one.histograms);
                }
                None => {
                    series.insert(one.labels.clone(), one);
                }
            }
        }
    }
    annotations.sort();
    annotations.dedup();
    Ok(QueryResult { value: QueryValue::Matrix(series.into_values().collect()), annotations })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn slices_meet_at_steps() {
        let shown = |start, end, step| {
            let options = QueryOptions::range(start, end, Duration::from_millis(step));
            let times = slices(&options).into_iter().map(|slice| match slice.time {
                EvaluationTime::Range { start, end, .. } => (start, end),
                EvaluationTime::Instant(time) => (time, time),
            });
            times.collect::<Vec<_>>()
        };
        assert_eq!(shown(0, 11_000, 1), [(0, 11_000)]);
        assert_eq!(shown(0, 11_000_999, 1000), [(0, 11_000_999)]);
        assert_eq!(shown(0, 11_001, 1), [(0, 11_000), (11_001, 11_001)]);
        assert_eq!(
            shown(500, 25_000_500, 1000),
            [(500, 11_000_500), (11_001_500, 22_001_500), (22_002_500, 25_000_500)]
        );
    }
}
