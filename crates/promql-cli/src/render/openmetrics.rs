//! OpenMetrics text: a line for each sample, with its time, which `promtool tsdb create-blocks-from` and
//! `promql query -s` read.

use promql_model::{Labels, QueryValue, SampleValue};
use promql_storage::Columns;
use promql_storage::exposition::{NoOpenMetrics, write_openmetrics};

use super::RenderError;

/// Writes any result that has names and numbers.
///
/// # Errors
/// When it has no names of metrics, or native histograms, which the text can't hold.
pub fn render(value: &QueryValue) -> Result<String, RenderError> {
    let unfit = |what, instead| RenderError::Unfit { format: "om", what, instead };
    let mut series: Vec<(Labels, Columns)> = Vec::new();
    match value {
        QueryValue::Scalar { .. } => {
            return Err(unfit(
                "a single number",
                "make a series of it by vector(…), or use `json`",
            ));
        }
        QueryValue::String { .. } => return Err(unfit("a string", "use `json`")),
        QueryValue::Vector(elements) => {
            for element in elements {
                let mut columns = Columns::default();
                match &element.value {
                    SampleValue::Float(value) => {
                        columns.timestamps.push(element.timestamp);
                        columns.values.push(*value);
                    }
                    SampleValue::Histogram(histogram) => {
                        columns.histogram_timestamps.push(element.timestamp);
                        columns.histograms.push((**histogram).clone());
                    }
                }
                series.push((element.labels.clone(), columns));
            }
        }
        QueryValue::Matrix(all) => {
            for one in all {
                let mut columns = Columns::default();
                (columns.timestamps, columns.values) = one.floats.iter().copied().unzip();
                (columns.histogram_timestamps, columns.histograms) =
                    one.histograms.iter().map(|(time, h)| (*time, h.clone())).unzip();
                series.push((one.labels.clone(), columns));
            }
        }
    }
    // The samples of a family stand together.
    series.sort_by(|a, b| a.0.metric_name().cmp(&b.0.metric_name()).then_with(|| a.0.cmp(&b.0)));
    write_openmetrics(&series).map_err(|error| match error {
        NoOpenMetrics::Histograms => unfit("native histograms", "use `json` or `test`"),
        NoOpenMetrics::Staleness => unfit("staleness markers", "use `json`"),
        NoOpenMetrics::NoName => unfit(
            "series without the name of a metric",
            "give them one by label_replace(…, \"__name__\", \"NAME\", \"\", \"\"), or use `csv`",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn names_and_times() {
        assert_snapshot!(render(&http_requests()).unwrap());
        let value = matrix(&[(&[("__name__", "up"), ("job", "a\"b")], &[1.0, f64::NAN, 0.5])]);
        assert_snapshot!("over_time", render(&value).unwrap());
        let error = |value: &QueryValue| render(value).unwrap_err().to_string();
        assert_snapshot!(error(&vector(&[(&[("job", "a")], 1.0)])), @r#"the format `om` can't show series without the name of a metric; give them one by label_replace(…, "__name__", "NAME", "", ""), or use `csv`"#);
        assert_snapshot!(error(&QueryValue::Scalar { timestamp: 0, value: 1.0 }), @"the format `om` can't show a single number; make a series of it by vector(…), or use `json`");
    }
}
