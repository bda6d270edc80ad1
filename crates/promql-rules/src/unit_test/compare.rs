//! What came against what was expected.

use std::collections::BTreeMap;

use promql_model::{Labels, SampleValue};

use super::Tolerance;
use crate::script::{Row, RowVerdict};

/// An alert as it is compared: labels and annotations by their names. An expected label may be empty,
/// which a real one never is.
pub type AlertTexts = (BTreeMap<String, String>, BTreeMap<String, String>);

/// Alerts side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRow {
    /// What was expected.
    pub expected: Option<AlertTexts>,
    /// What fired.
    pub got: Option<AlertTexts>,
    /// The expected alert as a position in
    /// [`AlertTest::expected`](super::AlertTest::expected).
    pub expectation: Option<usize>,
}

impl AlertRow {
    /// Whether what came is what was expected.
    pub fn is_same(&self) -> bool {
        self.expected.is_some() && self.expected == self.got
    }
}

/// Puts expected and firing alerts side by side: those that are equal, then those that are most
/// alike.
pub fn compare_alerts(expected: &[AlertTexts], got: &[AlertTexts]) -> Vec<AlertRow> {
    let mut rows: Vec<AlertRow> = Vec::new();
    let mut left: Vec<Option<&AlertTexts>> = got.iter().map(Some).collect();
    for (at, wanted) in expected.iter().enumerate() {
        let equal = left.iter_mut().find(|came| came.is_some_and(|came| came == wanted));
        let came = equal.and_then(Option::take).cloned();
        rows.push(AlertRow { expected: Some(wanted.clone()), got: came, expectation: Some(at) });
    }
    for row in rows.iter_mut().filter(|row| row.got.is_none()) {
        let Some(wanted) = &row.expected else { continue };
        let alike = |came: &AlertTexts| {
            let same = |a: &BTreeMap<String, String>, b: &BTreeMap<String, String>| {
                a.iter().filter(|(name, value)| b.get(*name) == Some(value)).count()
            };
            2 * same(&wanted.0, &came.0) + same(&wanted.1, &came.1)
        };
        let most = left.iter_mut().filter(|came| came.is_some());
        // Of equally good ones the first.
        let best = most.rev().max_by_key(|came| came.map_or(0, alike));
        row.got = best.and_then(Option::take).cloned();
    }
    rows.extend(left.into_iter().flatten().map(|came| AlertRow {
        expected: None,
        got: Some(came.clone()),
        expectation: None,
    }));
    rows
}

/// An expected sample.
pub type WantedSample = (Labels, SampleValue);

/// Puts expected and actual samples side by side, by their labels.
/// There is a tolerance for each of the expected ones; where it is missing there is none.
pub fn compare_samples(
    expected: &[WantedSample],
    got: &[WantedSample],
    tolerances: &[Tolerance],
) -> Vec<Row> {
    let mut by_labels: BTreeMap<&Labels, (Vec<usize>, Vec<&SampleValue>)> = BTreeMap::new();
    for (at, (labels, _)) in expected.iter().enumerate() {
        by_labels.entry(labels).or_default().0.push(at);
    }
    for (labels, value) in got {
        by_labels.entry(labels).or_default().1.push(value);
    }
    let mut rows = Vec::new();
    for (labels, (wanted, came)) in by_labels {
        for at in 0..wanted.len().max(came.len()) {
            let expectation = wanted.get(at).copied();
            let expected = expectation.and_then(|at| expected.get(at)).map(|(_, value)| value);
            let got = came.get(at).copied();
            let tolerance = expectation.and_then(|at| tolerances.get(at)).copied();
            let tolerance = tolerance.unwrap_or_default();
            let verdict = match (expected, got) {
                (Some(a), Some(b)) if is_same(a, b, tolerance) => RowVerdict::Same,
                (Some(_), Some(_)) => RowVerdict::Different,
                (Some(_), None) => RowVerdict::Missing,
                (None, _) => RowVerdict::Unexpected,
            };
            rows.push(Row {
                labels: labels.clone(),
                expectation,
                timestamp: None,
                expected: expected.cloned(),
                got: got.cloned(),
                verdict,
            });
        }
    }
    rows
}

/// Whether what came is as expected. Where nothing is said about tolerance that is as promtool has it:
/// floats by their number (so NaN never is); histograms by their notation.
fn is_same(expected: &SampleValue, got: &SampleValue, tolerance: Tolerance) -> bool {
    match (expected, got) {
        (SampleValue::Float(expected), SampleValue::Float(got)) => {
            tolerance.allows(*expected, *got)
        }
        (SampleValue::Histogram(a), SampleValue::Histogram(b)) => {
            a.notation().to_string() == b.notation().to_string()
        }
        _ => false,
    }
}
