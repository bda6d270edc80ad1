//! Results as the API writes them, byte for byte: whatever reads Prometheus' answers reads this.

use std::fmt::Write;

use promql_engine::QueryStatistics;
use promql_model::number::{Decimal, Json};
use promql_model::{
    Annotation, FloatHistogram, Labels, QueryResult, QueryValue, SampleValue, SeriesSamples,
    Severity, VectorElement,
};

use rayon::prelude::*;

use crate::writer::{Times, label_pairs, list, seconds, short_seconds};

pub use crate::writer::string;

/// As many warnings, and as many infos, are listed; one more line counts the others.
const MOST_ANNOTATIONS: usize = 10;

/// About as many bytes a point takes at most, with a rate of 17 digits.
const BYTES_OF_A_POINT: usize = 36;

/// About as many bytes an element takes at most beside its labels.
const BYTES_OF_AN_ELEMENT: usize = 64;

/// Fewer points than this are written before another thread would have woken up.
const WORTH_A_THREAD: usize = 1 << 13;

/// About as many points a thread writes at once, and so many such parts are there at the same time, so
/// that they take little memory beside the answer.
const POINTS_OF_A_PART: usize = 1 << 11;
const PARTS: usize = 16;

/// The whole answer to a query, in one line without an end. `expression` is the text of the query,
/// for the places of annotations.
pub fn query(
    result: &QueryResult,
    expression: &[u8],
    statistics: Option<&QueryStatistics>,
) -> String {
    let mut out = String::from("{\"status\":\"success\",\"data\":{\"resultType\":");
    let kind = match result.value {
        QueryValue::Scalar { .. } => "scalar",
        QueryValue::String { .. } => "string",
        QueryValue::Vector(_) => "vector",
        QueryValue::Matrix(_) => "matrix",
    };
    let _ = write!(out, "\"{kind}\",\"result\":");
    match &result.value {
        QueryValue::Scalar { timestamp, value } => {
            out.push('[');
            short_seconds(&mut out, *timestamp);
            let _ = write!(out, ",\"{}\"]", Decimal(*value));
        }
        QueryValue::String { timestamp, value } => {
            out.push('[');
            short_seconds(&mut out, *timestamp);
            out.push(',');
            string(&mut out, value);
            out.push(']');
        }
        QueryValue::Vector(elements) => {
            let labels: usize = elements.iter().map(|element| element.labels.bytes()).sum();
            out.reserve(2 * labels + elements.len() * BYTES_OF_AN_ELEMENT);
            list(&mut out, elements, element);
        }
        QueryValue::Matrix(all) => {
            let points: usize = all.iter().map(|series| series.floats.len()).sum();
            out.reserve(points * BYTES_OF_A_POINT);
            matrix(&mut out, all, points);
        }
    }
    if let Some(statistics) = statistics {
        out.push_str(",\"stats\":");
        write_statistics(&mut out, statistics);
    }
    out.push('}');
    let texts = |severity| {
        let of = result.annotations.iter().filter(move |a| a.severity == severity);
        of.map(|a| annotation(a, expression)).collect::<Vec<String>>()
    };
    annotations(&mut out, &texts(Severity::Warning), &texts(Severity::Info));
    out.push('}');
    out
}

/// The whole answer to another question, whose `data` is JSON already.
pub fn data(data: &str, warnings: &[String]) -> String {
    let mut out = format!("{{\"status\":\"success\",\"data\":{data}");
    annotations(&mut out, warnings, &[]);
    out.push('}');
    out
}

/// The fields `warnings` and `infos`, as far as there are such.
fn annotations(out: &mut String, warnings: &[String], infos: &[String]) {
    for (key, name, texts) in [("warnings", "warning", warnings), ("infos", "info", infos)] {
        if texts.is_empty() {
            continue;
        }
        let more = texts.len().saturating_sub(MOST_ANNOTATIONS);
        let omitted = (more > 0).then(|| format!("{more} more {name} annotations omitted"));
        let _ = write!(out, ",\"{key}\":");
        let listed = texts.iter().take(MOST_ANNOTATIONS).chain(&omitted);
        list(out, listed, |out, text| string(out, text));
    }
}

/// An annotation in upstream's wording: with its prefix, and with line and column of its place. A
/// server's words have their place already, and those that have none are about no expression.
pub fn annotation(annotation: &Annotation, expression: &[u8]) -> String {
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
pub fn line_and_column(text: &[u8], offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
    (line, column)
}

/// An element of an instant vector.
pub fn element(out: &mut String, element: &VectorElement) {
    out.push_str("{\"metric\":");
    metric(out, &element.labels);
    let time = |out: &mut String| {
        out.push('[');
        seconds(out, element.timestamp);
        out.push(',');
    };
    match &element.value {
        SampleValue::Float(value) => {
            out.push_str(",\"value\":");
            time(out);
            out.push('"');
            Json(*value).append(out);
            out.push_str("\"]");
        }
        SampleValue::Histogram(value) => {
            out.push_str(",\"histogram\":");
            time(out);
            histogram(out, value);
        }
    }
    out.push('}');
}

/// A series of a matrix.
pub fn series(out: &mut String, series: &SeriesSamples) {
    series_at(out, series, &mut Times::default());
}

/// All series of a matrix with so many points. A large one is written by all threads, a part each.
fn matrix(out: &mut String, all: &[SeriesSamples], points: usize) {
    if points < WORTH_A_THREAD || rayon::current_num_threads() == 1 {
        let mut times = Times::default();
        list(out, all, |out, series| series_at(out, series, &mut times));
        return;
    }
    let of_a_series = points.div_ceil(all.len().max(1)).max(1);
    let part = POINTS_OF_A_PART.div_ceil(of_a_series);
    let write = |series: &[SeriesSamples]| {
        let points: usize = series.iter().map(|series| series.floats.len()).sum();
        let mut out = String::with_capacity(points * BYTES_OF_A_POINT + series.len() * 256);
        let mut times = Times::default();
        for series in series {
            out.push(',');
            series_at(&mut out, series, &mut times);
        }
        out
    };
    let start = out.len();
    for parts in all.chunks(part * PARTS) {
        let written: Vec<String> = parts.par_chunks(part).map(write).collect();
        written.iter().for_each(|text| out.push_str(text));
    }
    // In place of the comma before the first.
    out.replace_range(start..=start, "[");
    out.push(']');
}

fn series_at(out: &mut String, series: &SeriesSamples, times: &mut Times) {
    out.push_str("{\"metric\":");
    metric(out, &series.labels);
    if let Some((last, others)) = series.floats.split_last() {
        out.push_str(",\"values\":[");
        times.rewind();
        let mut point = |(time, value): &(i64, f64), end| {
            out.push_str(times.point(*time));
            out.push('"');
            Json(*value).append(out);
            out.push_str(end);
        };
        others.iter().for_each(|sample| point(sample, "\"],"));
        point(last, "\"]]");
    }
    if !series.histograms.is_empty() {
        out.push_str(",\"histograms\":");
        times.rewind();
        list(out, &series.histograms, |out, (time, value)| {
            out.push_str(times.point(*time));
            histogram(out, value);
        });
    }
    out.push('}');
}

/// What follows the time of a point, and its end.
fn histogram(out: &mut String, histogram: &FloatHistogram) {
    let (count, sum) = (Json(histogram.count), Json(histogram.sum));
    let _ = write!(out, "{{\"count\":\"{count}\",\"sum\":\"{sum}\"");
    let mut buckets = histogram.buckets().filter(|bucket| bucket.count != 0.0).peekable();
    if buckets.peek().is_some() {
        out.push_str(",\"buckets\":");
        list(out, buckets, |out, bucket| {
            // Which of its bounds belong to it.
            let rule = match (bucket.lower_inclusive, bucket.upper_inclusive) {
                (false, true) => 0,
                (true, false) => 1,
                (false, false) => 2,
                (true, true) => 3,
            };
            let [lower, upper, count] = [bucket.lower, bucket.upper, bucket.count].map(Json);
            let _ = write!(out, "[{rule},\"{lower}\",\"{upper}\",\"{count}\"]");
        });
    }
    out.push_str("}]");
}

/// Labels as an object.
pub fn metric(out: &mut String, labels: &Labels) {
    label_pairs(out, labels.iter());
}

/// What a query took, under upstream's names. Evaluation and preparation are not told apart by
/// them as they are here: preparation is planning and finding series.
fn write_statistics(out: &mut String, statistics: &QueryStatistics) {
    let preparation = statistics.planning_time + statistics.selecting_time;
    let total = statistics.total_time;
    let _ = write!(
        out,
        "{{\"timings\":{{\"evalTotalTime\":{},\"resultSortTime\":0,\"queryPreparationTime\":{},\
         \"innerEvalTime\":{},\"execQueueTime\":0,\"execTotalTime\":{}}},\"samples\":\
         {{\"totalQueryableSamples\":{},\"peakSamples\":{},\"samplesRead\":{}}}}}",
        total.as_secs_f64(),
        preparation.as_secs_f64(),
        total.saturating_sub(preparation).as_secs_f64(),
        total.as_secs_f64(),
        statistics.samples_queried,
        statistics.peak_samples_of_server,
        statistics.samples_read,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_matrix_is_written_in_parts_as_in_one() {
        for (count, points) in [(3, 5_000), (700, 40), (9_000, 1)] {
            let all: Vec<SeriesSamples> = (0..count)
                .map(|number| SeriesSamples {
                    labels: Labels::from_pairs([("__name__", "x"), ("i", &*number.to_string())]),
                    floats: (0..points)
                        .map(|at| (at * 15_000, (at + number) as f64 / 7.0))
                        .collect(),
                    ..SeriesSamples::default()
                })
                .collect();
            let mut expected = String::new();
            list(&mut expected, &all, series);
            let mut parts = String::from("before ");
            matrix(&mut parts, &all, (count * points) as usize);
            assert!(parts.strip_prefix("before ") == Some(&expected), "{count} series");
        }
    }
}
