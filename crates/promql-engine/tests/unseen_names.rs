//! Names that nobody sees are not dropped, and nobody can tell. Whoever asks for statistics has them
//! dropped everywhere, so that is what evaluation without is compared with.

mod support;

use std::time::Duration;

use promql_engine::{QueryOptions, SampleBuffer, Samples, evaluate, evaluate_with_statistics};
use promql_model::{DenseHistogram, Labels};
use promql_syntax::{Features, compile};
use support::{SeriesOf, Source};

struct Rising;

impl Source for Rising {
    fn read<'b>(&'b self, series: usize, buffer: &'b mut SampleBuffer) -> Samples<'b> {
        buffer.clear();
        for at in 0..40 {
            buffer.timestamps.push(at * 15_000);
            buffer.values.push((at * (series as i64 + 1)) as f64);
        }
        buffer.samples()
    }
}

/// Two metrics that are the same but for their names, one with a unit, and one whose labels stand
/// before the name.
fn storage() -> SeriesOf<Rising> {
    let all = [
        [("__name__", "x_total"), ("job", "a"), ("zone", "1")],
        [("__name__", "x_total"), ("job", "b"), ("zone", "1")],
        [("__name__", "y_total"), ("job", "a"), ("zone", "1")],
        [("__name__", "y_total"), ("job", "c"), ("zone", "2")],
        [("__name__", "z_bytes"), ("__unit__", "bytes"), ("job", "a")],
        [("__name__", "z_bytes"), ("__unit__", "bytes"), ("job", "b")],
        [("A", "1"), ("__name__", "w_total"), ("job", "a")],
        [("A", "2"), ("__name__", "w_total"), ("job", "a")],
    ];
    SeriesOf { labels: all.map(Labels::from_pairs).into(), source: Rising }
}

/// Two histograms that can't be added: one has exponential buckets, the other buckets of its own.
struct Mixed;

impl Source for Mixed {
    fn read<'b>(&'b self, series: usize, buffer: &'b mut SampleBuffer) -> Samples<'b> {
        buffer.clear();
        let (schema, custom_values) = [(0, vec![]), (-53, vec![5.0])][series].clone();
        let buckets = vec![2.0];
        let dense =
            DenseHistogram { schema, custom_values, buckets, count: 2.0, ..Default::default() };
        for at in 0..40 {
            buffer.histogram_timestamps.push(at * 15_000);
            buffer.histograms.push(dense.clone().into());
        }
        buffer.samples()
    }
}

/// Functions and operators that drop names.
const DROPPING: [&str; 9] = [
    "rate(M[1m])",
    "-M",
    "M * 2",
    "abs(rate(M[1m])) + 1",
    "rate(M[1m]) > 0.1",
    "round(clamp(ln(M + 1), 0, 3))",
    "timestamp(M)",
    "minute(M)",
    "max_over_time(rate(M[1m])[2m:30s])",
];

/// Aggregations that do not look at the name, that do, and others that pass labels on.
const AROUND: [&str; 14] = [
    "sum(I)",
    "avg by (job) (I)",
    "count without (job) (I)",
    "max without () (I)",
    "min by (__name__) (I)",
    "group by (__unit__, job) (I)",
    "stddev(I) + count(I)",
    "quantile by (zone) (0.5, I)",
    "topk(1, I)",
    "limitk by (job) (1, I)",
    "count_values by (job) (\"v\", I)",
    "I",
    "sum by (job) (I) / count by (job) (I offset 30s)",
    "sum(I or vector(1)) + sum by (job) (I)",
];

#[test]
fn nobody_can_tell() {
    let options = QueryOptions::range(60_000, 585_000, Duration::from_secs(15));
    let metrics = ["x_total", "z_bytes", "w_total", "{__name__=~\".*_total\"}", "{job=\"a\"}"];
    let mut values = 0;
    for metric in metrics {
        for inner in DROPPING {
            for around in AROUND {
                let inner = inner.replace('M', metric);
                // An offset is one of a selector or a subquery.
                let around = around.replace("I offset 30s", "x_total offset 30s");
                let text = around.replace('I', &inner);
                let query =
                    compile(&text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"));
                let storage = storage();
                let plain = evaluate(&query, &storage, &options);
                let (watched, _) = evaluate_with_statistics(&query, &storage, &options);
                values += usize::from(plain.is_ok());
                assert_eq!(format!("{plain:?}"), format!("{watched:?}"), "{text}");
            }
        }
    }
    assert!(values > 300, "{values} queries have a value");
}

/// Remarks name the metric, so they see a name that the labels still have.
#[test]
fn remarks_do_not_name_what_was_dropped() {
    let labels = ["a", "b"].map(|job| Labels::from_pairs([("__name__", "h"), ("job", job)])).into();
    let storage = SeriesOf { labels, source: Mixed };
    let options = QueryOptions::range(60_000, 585_000, Duration::from_secs(15));
    for (text, name) in
        [("sum(h)", "h"), ("sum(-h)", ""), ("avg(h * 2)", ""), ("sum(sum_over_time(h[1m]))", "")]
    {
        let query = compile(text, &Features::ALL).unwrap();
        let expected = format!("custom buckets schemas for metric name \"{name}\"");
        for late in [false, true] {
            let mut options = options.clone();
            options.engine.delayed_name_removal = late;
            let result = evaluate(&query, &storage, &options).unwrap();
            let remarks: Vec<&str> =
                result.annotations.iter().map(|remark| &*remark.message).collect();
            let expected = match late {
                true => "custom buckets schemas for metric name \"h\"",
                false => &expected,
            };
            assert!(remarks.len() == 1 && remarks[0].ends_with(expected), "{text}: {remarks:?}");
        }
    }
}
