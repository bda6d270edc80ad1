//! Comma-separated values: a line for each sample, by RFC 4180.
//!
//! Columns are the labels of all series (the metric's name first, then by name), then the time in
//! UTC by RFC 3339, then the value in the API's digits. A series that lacks a label has an empty
//! field there, which means the same. Labels may be called anything: the last two columns are always
//! time and value.

use std::collections::BTreeSet;

use promql_model::{Labels, METRIC_NAME, QueryValue, SampleValue};

use super::{histogram, number, timestamps};

/// Writes any result, with a heading.
pub fn render(value: &QueryValue) -> String {
    let names = names(value);
    let mut rows = Rows { out: csv::Writer::from_writer(Vec::new()) };
    rows.push(names.iter().copied().chain(["timestamp", "value"]));
    let mut sample = |labels: Option<&Labels>, time: i64, value: &str| {
        let fields = names.iter().map(|n| labels.and_then(|l| l.get(n)).unwrap_or_default());
        rows.push(fields.chain([timestamps::rfc3339(time).as_str(), value]));
    };
    match value {
        QueryValue::Scalar { timestamp, value } => sample(None, *timestamp, &number::plain(*value)),
        QueryValue::String { timestamp, value } => sample(None, *timestamp, value),
        QueryValue::Vector(elements) => {
            for element in elements {
                let text = match &element.value {
                    SampleValue::Float(value) => number::sample(*value),
                    SampleValue::Histogram(value) => histogram::notation(value),
                };
                sample(Some(&element.labels), element.timestamp, &text);
            }
        }
        QueryValue::Matrix(all) => {
            for one in all {
                let floats = one.floats.iter().map(|(t, v)| (*t, number::sample(*v)));
                let histograms = one.histograms.iter().map(|(t, h)| (*t, histogram::notation(h)));
                let mut samples: Vec<_> = floats.chain(histograms).collect();
                samples.sort_by_key(|(t, _)| *t);
                for (time, text) in samples {
                    sample(Some(&one.labels), time, &text);
                }
            }
        }
    }
    rows.finish()
}

fn names(value: &QueryValue) -> Vec<&str> {
    let mut names = BTreeSet::new();
    match value {
        QueryValue::Scalar { .. } | QueryValue::String { .. } => {}
        QueryValue::Vector(elements) => {
            names.extend(elements.iter().flat_map(|e| e.labels.iter().map(|(name, _)| name)));
        }
        QueryValue::Matrix(all) => {
            names.extend(all.iter().flat_map(|s| s.labels.iter().map(|(name, _)| name)));
        }
    }
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_by_key(|name| *name != METRIC_NAME);
    names
}

struct Rows {
    out: csv::Writer<Vec<u8>>,
}

impl Rows {
    /// Writing into memory can't fail, and all rows have as many fields as the heading.
    fn push<'a>(&mut self, fields: impl Iterator<Item = &'a str>) {
        let _ = self.out.write_record(fields);
    }

    fn finish(self) -> String {
        let bytes = self.out.into_inner().unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn a_line_for_each_sample() {
        assert_snapshot!("instant", render(&http_requests()));
        let value = matrix(&[
            (&[("job", "a, \"b\"\nc")], &[1.0, f64::NAN, 0.5]),
            (&[("zone", "eu")], &[2.0]),
        ]);
        assert_snapshot!("over_time", render(&value));
        assert_snapshot!("nothing", render(&vector(&[])));
        assert_snapshot!("scalar", render(&QueryValue::Scalar { timestamp: 0, value: 1.5 }));
    }
}
