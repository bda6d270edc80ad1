//! The HTTP API's answer, byte for byte: whatever reads Prometheus' answers reads this.

use std::fmt::Write;

use promql_model::{
    Annotation, Bucket, FloatHistogram, Labels, QueryResult, QueryValue, SampleValue,
    SeriesSamples, Severity, VectorElement,
};

use super::{View, number, timestamps};

/// As many warnings, and as many infos, are listed; one more line counts the others.
const MOST_ANNOTATIONS: usize = 10;

/// Writes the whole envelope in one line.
pub fn render(result: &QueryResult, view: &View) -> String {
    let mut out = String::from("{\"status\":\"success\",\"data\":{\"resultType\":");
    let kind = match result.value {
        QueryValue::Scalar { .. } => "scalar",
        QueryValue::String { .. } => "string",
        QueryValue::Vector(_) => "vector",
        QueryValue::Matrix(_) => "matrix",
    };
    let _ = write!(out, "\"{kind}\",\"result\":");
    match &result.value {
        QueryValue::Scalar { timestamp, value } => scalar(&mut out, *timestamp, *value),
        QueryValue::String { timestamp, value } => string_sample(&mut out, *timestamp, value),
        QueryValue::Vector(elements) => list(&mut out, elements, element),
        QueryValue::Matrix(all) => list(&mut out, all, series),
    }
    out.push('}');
    for (key, severity, name) in
        [("warnings", Severity::Warning, "warning"), ("infos", Severity::Info, "info")]
    {
        let texts: Vec<String> = (result.annotations.iter())
            .filter(|a| a.severity == severity)
            .map(|a| annotation(a, &view.expression))
            .collect();
        annotations(&mut out, key, name, texts);
    }
    out.push_str("}\n");
    out
}

fn annotations(out: &mut String, key: &str, name: &str, mut texts: Vec<String>) {
    if texts.is_empty() {
        return;
    }
    if texts.len() > MOST_ANNOTATIONS {
        let more = texts.len() - MOST_ANNOTATIONS;
        texts.truncate(MOST_ANNOTATIONS);
        texts.push(format!("{more} more {name} annotations omitted"));
    }
    let _ = write!(out, ",\"{key}\":");
    list(out, &texts, |out, text| string(out, text));
}

/// An annotation in upstream's wording: with its prefix, and with line and column of its place. A
/// server's words have their place already, and those that have none are about no expression.
pub fn annotation(annotation: &Annotation, expression: &str) -> String {
    let message = &annotation.message;
    let prefix = match annotation.severity {
        Severity::Warning => "PromQL warning: ",
        Severity::Info => "PromQL info: ",
    };
    match annotation.span {
        Some((start, _)) => {
            let (line, column) = line_and_column(expression, start as usize);
            format!("{prefix}{message} ({line}:{column})")
        }
        None if place(message).is_some() => format!("{prefix}{message}"),
        None => message.clone(),
    }
}

/// The text, line and column of an annotation that ends in its place: `… (1:6)`.
pub fn place(message: &str) -> Option<(&str, usize, usize)> {
    let (text, place) = message.strip_suffix(')')?.rsplit_once(" (")?;
    let (line, column) = place.split_once(':')?;
    Some((text, line.parse().ok()?, column.parse().ok()?))
}

/// Line and column of a byte, both from 1; columns count bytes.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
    (line, column)
}

fn scalar(out: &mut String, timestamp: i64, value: f64) {
    let _ = write!(out, "[{},\"{}\"]", timestamps::api_short(timestamp), number::plain(value));
}

fn string_sample(out: &mut String, timestamp: i64, value: &str) {
    let _ = write!(out, "[{},", timestamps::api_short(timestamp));
    string(out, value);
    out.push(']');
}

/// A sample of an instant vector with its labels.
pub fn element(out: &mut String, element: &VectorElement) {
    out.push_str("{\"metric\":");
    metric(out, &element.labels);
    match &element.value {
        SampleValue::Float(value) => {
            out.push_str(",\"value\":");
            float_sample(out, &(element.timestamp, *value));
        }
        SampleValue::Histogram(value) => {
            out.push_str(",\"histogram\":");
            histogram_sample(out, element.timestamp, value);
        }
    }
    out.push('}');
}

/// A series of a matrix.
pub fn series(out: &mut String, series: &SeriesSamples) {
    out.push_str("{\"metric\":");
    metric(out, &series.labels);
    if !series.floats.is_empty() {
        out.push_str(",\"values\":");
        list(out, &series.floats, float_sample);
    }
    if !series.histograms.is_empty() {
        out.push_str(",\"histograms\":");
        list(out, &series.histograms, |out, (time, value)| histogram_sample(out, *time, value));
    }
    out.push('}');
}

fn float_sample(out: &mut String, (time, value): &(i64, f64)) {
    let _ = write!(out, "[{},\"{}\"]", timestamps::api(*time), number::sample(*value));
}

fn histogram_sample(out: &mut String, time: i64, histogram: &FloatHistogram) {
    let (count, sum) = (number::sample(histogram.count), number::sample(histogram.sum));
    let time = timestamps::api(time);
    let _ = write!(out, "[{time},{{\"count\":\"{count}\",\"sum\":\"{sum}\"");
    let buckets: Vec<Bucket> = histogram.buckets().filter(|b| b.count != 0.0).collect();
    if !buckets.is_empty() {
        out.push_str(",\"buckets\":");
        list(out, &buckets, bucket);
    }
    out.push_str("}]");
}

/// A bucket: which of its bounds belong to it, the bounds, and its count.
fn bucket(out: &mut String, bucket: &Bucket) {
    let rule = match (bucket.lower_inclusive, bucket.upper_inclusive) {
        (false, true) => 0,
        (true, false) => 1,
        (false, false) => 2,
        (true, true) => 3,
    };
    let [lower, upper, count] = [bucket.lower, bucket.upper, bucket.count].map(number::sample);
    let _ = write!(out, "[{rule},\"{lower}\",\"{upper}\",\"{count}\"]");
}

/// The labels as an object.
pub fn metric(out: &mut String, labels: &Labels) {
    out.push('{');
    for (at, (name, value)) in labels.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        string(out, name);
        out.push(':');
        string(out, value);
    }
    out.push('}');
}

fn list<T>(out: &mut String, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

/// A JSON string. Characters that HTML gives a meaning are escaped as upstream escapes them, which
/// makes no difference to a reader of JSON.
pub fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use insta::assert_snapshot;

    fn show(value: QueryValue) -> String {
        render(&QueryResult { value, annotations: Vec::new() }, &view())
    }

    #[test]
    fn every_kind_of_result() {
        let t = 1_795_410_570_500;
        assert_snapshot!(show(QueryValue::Scalar { timestamp: t, value: 1e25 }),
            @r#"{"status":"success","data":{"resultType":"scalar","result":[1795410570.5,"10000000000000000000000000"]}}"#);
        assert_snapshot!(show(QueryValue::String { timestamp: 0, value: "<a&\"\u{1}\">".into() }),
            @r#"{"status":"success","data":{"resultType":"string","result":[0,"\u003ca\u0026\"\u0001\"\u003e"]}}"#);
        assert_snapshot!(show(vector(&[(&[], 1e25)])),
            @r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1795410570.500,"1e+25"]}]}}"#);
        assert_snapshot!(show(matrix(&[(&[("a", "b")], &[1.0, -0.0])])),
            @r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1795410000,"1"],[1795410030,"-0"]]}]}}"#);
        assert_snapshot!(show(vector(&[])),
            @r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#);
    }

    #[test]
    fn histograms_have_buckets() {
        assert_snapshot!(show(histogram_vector()), @r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"a"},"histogram":[1795410000,{"count":"21","sum":"10.5","buckets":[[1,"-4","-2","6"],[3,"-0.001","0.001","1"],[0,"0.5","1","2"],[0,"1","2","4"],[0,"4","8","8"]]}]}]}}"#);
    }

    #[test]
    fn annotations_carry_their_place() {
        let annotation = |severity, message: &str, span| Annotation {
            severity,
            message: message.to_string(),
            span,
        };
        let result = QueryResult {
            value: vector(&[]),
            annotations: vec![
                annotation(Severity::Warning, "results truncated due to limit", None),
                annotation(Severity::Info, "metric might not be a counter", Some((12, 14))),
            ],
        };
        let view = View { expression: "vector(1) +\nup".to_string(), ..view() };
        assert_snapshot!(render(&result, &view),
            @r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["results truncated due to limit"],"infos":["PromQL info: metric might not be a counter (2:1)"]}"#);
    }

    #[test]
    fn more_than_ten_annotations_are_counted() {
        let one = |i: usize| Annotation {
            severity: Severity::Warning,
            message: format!("w{i}"),
            span: None,
        };
        let result = QueryResult { value: vector(&[]), annotations: (0..14).map(one).collect() };
        let text = render(&result, &view());
        assert!(text.contains(r#""w9","4 more warning annotations omitted"]"#), "{text}");
    }
}
