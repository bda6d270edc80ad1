//! Upstream's cases for series descriptions and histogram literals.

use promql_model::{CounterResetHint, FloatHistogram, HistogramParts, Labels, Span, is_stale_nan};
use promql_syntax::{SequenceValue, parse_series};
use promql_tests::conformance::{Tally, files, read_json};
use serde_json::Value;

fn each_case(file: &str, suite: &str, check: impl Fn(&Value) -> Result<(), String>) {
    let Some(files) = files("parser", file) else { return };
    let mut tally = Tally::default();
    for path in files {
        for case in read_json(&path)["cases"].as_array().expect("cases") {
            tally.check(case["id"].as_str().expect("id"), check(case));
        }
    }
    tally.finish(suite);
}

fn same(what: &str, got: &str, want: &str) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}:\n  got  {got}\n  want {want}")) }
}

/// A number of the data: JSON's, or the words for those that JSON lacks.
fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("NaN") => f64::NAN,
        Some("+Inf") => f64::INFINITY,
        Some("-Inf") => f64::NEG_INFINITY,
        _ => value.as_f64().unwrap_or(0.0),
    }
}

fn rejected(case: &Value, input: &str) -> Result<(), String> {
    let part = case["error_contains"].as_str();
    let want = case["error"].as_str().or(part).unwrap_or_default();
    match parse_series(input) {
        Ok(series) => Err(format!("accepted as {series:?}")),
        Err(errors) if errors.to_string().contains(want) => Ok(()),
        Err(errors) => Err(format!("got {errors}, want {want}")),
    }
}

fn parts(value: &Value) -> HistogramParts {
    let numbers = |field: &str| {
        value[field].as_array().map(|list| list.iter().map(number).collect()).unwrap_or_default()
    };
    let spans = |field: &str| {
        let span = |span: &Value| Span {
            offset: span["Offset"].as_i64().unwrap_or(0) as i32,
            length: span["Length"].as_u64().unwrap_or(0) as u32,
        };
        value[field].as_array().map(|list| list.iter().map(span).collect()).unwrap_or_default()
    };
    HistogramParts {
        schema: value["Schema"].as_i64().unwrap_or(0) as i32,
        zero_threshold: number(&value["ZeroThreshold"]),
        zero_count: number(&value["ZeroCount"]),
        count: number(&value["Count"]),
        sum: number(&value["Sum"]),
        positive_spans: spans("PositiveSpans"),
        positive_buckets: numbers("PositiveBuckets"),
        negative_spans: spans("NegativeSpans"),
        negative_buckets: numbers("NegativeBuckets"),
        custom_values: numbers("CustomValues"),
        hint: match value["CounterResetHint"].as_str() {
            Some("histogram.CounterReset") => CounterResetHint::Reset,
            Some("histogram.NotCounterReset") => CounterResetHint::NotReset,
            Some("histogram.GaugeType") => CounterResetHint::Gauge,
            _ => CounterResetHint::Unknown,
        },
    }
}

#[test]
fn series_descriptions() {
    each_case("series_desc.json", "series descriptions", |case| {
        let input = case["input"].as_str().expect("input");
        if case["ok"] == false {
            return rejected(case, input);
        }
        let series = parse_series(input).map_err(|errors| errors.to_string())?;
        let labels = case["labels"].as_object().expect("labels");
        let labels =
            labels.iter().map(|(name, value)| (name.as_str(), value.as_str().expect("value")));
        let want = Labels::from_pairs(labels);
        same("labels", &format!("{:?}", series.labels), &format!("{want:?}"))?;
        let shown = |value: &SequenceValue| match value {
            SequenceValue::Omitted => "_".to_owned(),
            SequenceValue::Float(value) if is_stale_nan(*value) => "stale".into(),
            SequenceValue::Float(value) => format!("{value}"),
            SequenceValue::Histogram { histogram, .. } => format!("{histogram:?}"),
        };
        let expected = |value: &Value| match value {
            _ if value["omitted"] == true => "_".to_owned(),
            _ if value["stale"] == true || value["value"] == "stale" => "stale".into(),
            _ => format!("{}", number(&value["value"])),
        };
        let got: Vec<_> = series.values.iter().map(shown).collect();
        let want: Vec<_> =
            case["values"].as_array().expect("values").iter().map(expected).collect();
        same("values", &got.join(" "), &want.join(" "))
    });
}

#[test]
fn histogram_literals() {
    each_case("histogram_series.json", "histogram literals", |case| {
        let input = case["input"].as_str().expect("input");
        if case["ok"] == false {
            return rejected(case, input);
        }
        let series = parse_series(input).map_err(|errors| errors.to_string())?;
        let got: Vec<_> = series
            .values
            .iter()
            .filter_map(|value| match value {
                SequenceValue::Histogram { histogram, .. } => {
                    Some(format!("{:?}", histogram.to_parts()))
                }
                _ => None,
            })
            .collect();
        let want = case["histograms"].as_array().expect("histograms");
        let want: Vec<_> = want.iter().map(|value| format!("{:?}", parts(value))).collect();
        same("histograms", &got.join("\n"), &want.join("\n"))
    });
}

#[test]
fn histogram_notation() {
    each_case("histogram_expression.json", "histogram notation", |case| {
        let histogram = FloatHistogram::from_parts(parts(&case["histogram"]))
            .map_err(|error| error.to_string())?;
        let want = case["expected"].as_str().expect("expected");
        same("printed", &histogram.notation().to_string(), want)?;
        let series = parse_series(&format!("{{}} {want}")).map_err(|errors| errors.to_string())?;
        let [SequenceValue::Histogram { histogram, .. }] = &series.values[..] else {
            return Err(format!("read as {:?}", series.values));
        };
        same("printed again", &histogram.notation().to_string(), want)
    });
}
