//! Whether two servers gave the same answer.
//!
//! Series are the same if their labels are, and points if they are at the same times and their
//! values differ by less than [`TOLERANCE`] of the larger one: sums over many series are added up in
//! another order here than there.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The largest relative difference of values that counts as none. Sums of thousands of rates in
/// another order differ by 1e-13; regressions and deviations, whose terms cancel, by some 1e-11.
pub(crate) const TOLERANCE: f64 = 1e-9;

/// What a server answers to a query.
#[derive(Deserialize)]
struct Envelope {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

/// A series of an answer, of one point or of many.
#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
    value: Option<(f64, String)>,
}

/// An answer in a form that can be compared.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// By labels, and each point by its time in milliseconds.
    series: BTreeMap<BTreeMap<String, String>, Vec<(i64, f64)>>,
}

impl Answer {
    pub(crate) fn read(body: &[u8]) -> Result<Answer, String> {
        let envelope: Envelope = serde_json::from_slice(body).map_err(|error| {
            let start = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
            format!("{error}: {start}")
        })?;
        let mut answer = Answer::default();
        for series in envelope.data.result {
            let points = series.value.iter().chain(&series.values);
            let points = points.map(|(time, value)| {
                let value = value.parse().map_err(|_| format!("`{value}` is no number"))?;
                Ok(((time * 1000.0).round() as i64, value))
            });
            let points = points.collect::<Result<Vec<(i64, f64)>, String>>()?;
            answer.series.insert(series.metric, points);
        }
        Ok(answer)
    }

    pub(crate) fn series(&self) -> usize {
        self.series.len()
    }

    pub(crate) fn points(&self) -> usize {
        self.series.values().map(Vec::len).sum()
    }

    /// The first thing in which another answer differs from this one.
    pub(crate) fn difference(&self, other: &Answer) -> Option<String> {
        for (labels, points) in &self.series {
            let Some(others) = other.series.get(labels) else {
                return Some(format!("{labels:?} is missing"));
            };
            if points.len() != others.len() {
                let (expected, found) = (points.len(), others.len());
                return Some(format!("{labels:?} has {found} points, not {expected}"));
            }
            for ((time, value), (other_time, other_value)) in points.iter().zip(others) {
                if time != other_time {
                    return Some(format!("{labels:?} has a point at {other_time}, not at {time}"));
                }
                if !equal(*value, *other_value) {
                    return Some(format!("{labels:?} is {other_value:e} at {time}, not {value:e}"));
                }
            }
        }
        let more = other.series.keys().find(|labels| !self.series.contains_key(*labels));
        more.map(|labels| format!("{labels:?} is too much"))
    }
}

fn equal(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(a: &str, b: &str) -> Option<String> {
        let read = |result: &str| {
            let body =
                format!(r#"{{"status":"success","data":{{"resultType":"","result":[{result}]}}}}"#);
            Answer::read(body.as_bytes()).expect("an answer")
        };
        read(a).difference(&read(b))
    }

    #[test]
    fn equal_answers() {
        let a = r#"{"metric":{"a":"1"},"values":[[1,"2"],[2.5,"NaN"],[3,"+Inf"]]},{"metric":{},"value":[1,"0"]}"#;
        let b = r#"{"metric":{},"value":[1,"0"]},{"metric":{"a":"1"},"values":[[1,"2.0000000001"],[2.500,"NaN"],[3,"+Inf"]]}"#;
        assert_eq!(difference(a, b), None);
        assert_eq!(difference("", ""), None);
    }

    #[test]
    fn answers_that_differ() {
        let a = r#"{"metric":{"a":"1"},"values":[[1,"2"],[2,"3"]]}"#;
        for (b, expected) in [
            ("", "is missing"),
            (r#"{"metric":{"a":"1"},"values":[[1,"2"]]}"#, "1 points, not 2"),
            (r#"{"metric":{"a":"1"},"values":[[1,"2"],[3,"3"]]}"#, "a point at 3000, not at 2000"),
            (
                r#"{"metric":{"a":"1"},"values":[[1,"2"],[2,"3.00001"]]}"#,
                "3.00001e0 at 2000, not 3e0",
            ),
            (r#"{"metric":{"a":"1"},"values":[[1,"2"],[2,"NaN"]]}"#, "is NaN at 2000"),
        ] {
            let found = difference(a, b).unwrap_or_default();
            assert!(found.contains(expected), "{found}");
        }
        assert!(difference("", a).is_some_and(|found| found.contains("too much")));
    }
}
