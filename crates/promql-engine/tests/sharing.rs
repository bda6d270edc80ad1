//! Equal parts of a query: what is computed once, what is read once, and that nobody can tell from
//! the result.

mod generated;

use std::time::Duration;

use generated::Generated;
use promql_engine::{EngineOptions, QueryOptions, QueryStatistics, evaluate_with_statistics, plan};
use promql_model::QueryResult;
use promql_syntax::{Features, compile};

const SERIES: usize = 30;
const SAMPLES: usize = 100;

fn options(share: bool, threads: usize) -> QueryOptions {
    let engine = EngineOptions { share, threads: Some(threads), ..EngineOptions::default() };
    let end = (SAMPLES as i64 - 1) * 15_000;
    QueryOptions::range(0, end, Duration::from_secs(15)).with_engine(engine)
}

fn run(text: &str, share: bool, threads: usize) -> (QueryResult, QueryStatistics, usize) {
    let storage = Generated::new(SERIES, SAMPLES);
    let query = compile(text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    let (result, statistics) = evaluate_with_statistics(&query, &storage, &options(share, threads));
    (result.unwrap_or_else(|e| panic!("{text}: {e}")), statistics, storage.reads())
}

/// Queries with equal parts, and how many of the 30 series of `x`, and of `y`, are read.
const QUERIES: [(&str, usize); 26] = [
    // Columns that two uses ask for in a row.
    ("x / x", SERIES),
    ("rate(x[5m]) / (rate(x[5m]) + rate(x[5m]))", SERIES),
    ("rate(x[5m]) / ignoring (k) (rate(x[5m]) + ignoring (k) rate(y[5m]))", 2 * SERIES),
    ("x > 5000 and x < 50000", SERIES),
    ("x > 5000 unless x > 50000", SERIES),
    ("sum(x - x offset 0s)", SERIES),
    // Samples for several functions or windows.
    ("max_over_time(x[5m]) - min_over_time(x[5m])", SERIES),
    ("x / avg_over_time(x[10m])", SERIES),
    ("x - x offset 5m", SERIES),
    ("rate(x[1m]) > 2 * rate(x[10m])", SERIES),
    ("max_over_time(rate(x[1m])[5m:15s]) - min_over_time(rate(x[1m])[5m:15s])", SERIES),
    // Results that are kept anyway.
    ("sum(x) / (sum(x) + 1)", SERIES),
    ("sum by (k) (x) / on (k) (sum by (k) (x) + on (k) sum by (k) (y))", 2 * SERIES),
    ("max_over_time(sum(x)[5m:15s]) - min_over_time(sum(x)[5m:15s])", SERIES),
    ("x * scalar(sum(x)) / scalar(sum(x))", 2 * SERIES),
    ("topk(2, x) or topk(2, x)", SERIES),
    ("sum(x @ end()) + sum(x @ end())", SERIES),
    ("histogram_quantile(0.5, x) < histogram_quantile(0.5, x)", SERIES),
    // Aggregations in one pass.
    ("max(x) - min(x)", SERIES),
    ("sum by (k, i) (rate(x[1m])) / count by (i, k) (rate(x[1m]))", SERIES),
    ("avg without (i) (x) + (sum without (i) (x) + stddev without (i) (x))", SERIES),
    (
        "(x - on (k) group_left () avg by (k) (x)) / on (k) group_left () stddev by (k) (x)",
        2 * SERIES,
    ),
    // One after the other: all of an operand is needed before the other begins.
    ("x / on (k) group_left () sum by (k) (x)", 2 * SERIES),
    ("quantile by (k) (0.5, x) / stddev by (k) (x)", 2 * SERIES),
    ("x or x + 1", 2 * SERIES),
    // Not equal: the times differ.
    ("sum(x @ 100) + sum(x @ 200)", 2 * SERIES),
];

#[test]
fn what_is_read_is_read_once() {
    for (text, expected) in QUERIES {
        let (_, statistics, reads) = run(text, true, 1);
        assert_eq!(reads, expected, "{text}");
        let (_, apart, apart_reads) = run(text, false, 1);
        assert!(reads <= apart_reads, "{text}: {apart_reads}");
        assert!(statistics.nodes.len() <= apart.nodes.len(), "{text}");
        assert_eq!(statistics.samples_queried, apart.samples_queried, "{text}");
    }
}

#[test]
fn the_result_is_that_of_computing_each_part_by_itself() {
    for (text, _) in QUERIES {
        let (expected, ..) = run(text, false, 1);
        let expected = format!("{expected:?}");
        for threads in [1, 2, 5] {
            let (result, ..) = run(text, true, threads);
            assert_eq!(format!("{result:?}"), expected, "{text} with {threads} threads");
        }
    }
}

/// What doesn't depend on the step is computed once for a query, however many steps it has and
/// wherever it stands.
#[test]
fn what_does_not_depend_on_the_step_is_computed_once() {
    for (text, reads) in [
        ("x @ 100", SERIES),
        ("sum(x @ 100)", SERIES),
        ("-(x @ end())", SERIES),
        ("sum(rate(x[5m] @ end())) * time()", SERIES),
        ("topk(3, x @ start()) + time()", SERIES),
        ("y * on () group_left () sum(x @ 100)", 2 * SERIES),
        ("y > scalar(avg(x @ end()))", 2 * SERIES),
        // In a subquery: once, not at each of its steps, and not for each of the outer ones.
        ("max_over_time(sum(x @ 100)[5m:15s])", SERIES),
        ("max_over_time(sum(x)[5m:15s] @ end())", SERIES),
    ] {
        let (_, statistics, found) = run(text, true, 1);
        assert_eq!(found, reads, "{text}");
        // Whatever has one step gives one value for each series.
        let query = compile(text, &Features::ALL).expect(text);
        let plan = plan(&query, &options(true, 1)).expect(text);
        let nodes = plan.nodes.iter().zip(&statistics.nodes);
        let once = nodes.filter(|(node, _)| node.steps.count == 1 && node.window.is_none());
        for (node, statistics) in once {
            let at_most = statistics.candidates as u64;
            assert!(statistics.samples <= at_most, "{text}: {}", node.operation);
        }
    }
}

/// Every part of a query makes its own remarks; of those with the same text the last one counts.
#[test]
fn remarks_point_at_the_last_of_equal_parts() {
    for text in ["rate(x[5m]) / rate(x[5m])", "quantile(2, x) + (quantile(2, x) - quantile(2, x))"]
    {
        let annotations = |share| run(text, share, 1).0.annotations;
        assert_eq!(annotations(true), annotations(false), "{text}");
        assert!(!annotations(true).is_empty(), "{text}");
    }
}

/// Sharing keeps nothing but a column and the samples of a series for each thread, and the states
/// of aggregations that are computed in one pass.
#[test]
fn sharing_keeps_no_more_than_before() {
    for (text, _) in QUERIES {
        let (_, shared, _) = run(text, true, 1);
        let (_, apart, _) = run(text, false, 1);
        assert!(shared.peak_samples <= apart.peak_samples, "{text}");
        // What a thread remembers: for each operation of the plan a column, for each selection the
        // samples of a series.
        let remembered = shared.nodes.len() * SAMPLES * 9 + shared.reads.len() * SAMPLES * 32;
        // A state has up to four values for each group and step; the largest groups are single series.
        let states =
            if text.contains("count by") || text.contains("stddev") { 3 * SERIES } else { 3 };
        let remembered = remembered + states * SAMPLES * 32;
        let (shared, apart) = (shared.peak_bytes, apart.peak_bytes);
        assert!(shared <= apart + remembered, "{text}: {shared} {apart}");
    }
}

#[test]
fn plans_say_what_is_shared() {
    let mut out = String::new();
    for text in [
        "rate(x[5m]) / (rate(x[5m]) + rate(y[5m]))",
        "sum(x) / (sum(x) + sum(y))",
        "x / on (k) group_left () sum by (k) (x)",
        "max_over_time(x[5m]) - min_over_time(x[5m])",
        "max by (k) (x) - min by (k) (x)",
    ] {
        let query = compile(text, &Features::ALL).expect(text);
        let plan = plan(&query, &options(true, 1)).expect(text);
        out += &format!("# {text}\n{}\n", plan.to_text());
    }
    insta::assert_snapshot!(out);
}
