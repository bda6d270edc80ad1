//! What a query may take, tried on data that is made when it is read.

mod generated;

use std::time::Duration;

use generated::Generated;
use promql_engine::{
    EngineError, EngineOptions, QueryOptions, QueryStatistics, evaluate, evaluate_with_statistics,
};
use promql_model::QueryResult;
use promql_syntax::{Features, compile};

const STEP: Duration = Duration::from_secs(15);

fn over_steps(steps: i64, engine: EngineOptions) -> QueryOptions {
    QueryOptions::range(0, (steps - 1) * 15_000, STEP).with_engine(engine)
}

fn run(
    text: &str,
    storage: &Generated,
    options: &QueryOptions,
) -> (Result<QueryResult, EngineError>, QueryStatistics) {
    let query = compile(text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    evaluate_with_statistics(&query, storage, options)
}

/// Queries that hold much, each in another place.
const GREEDY: [&str; 22] = [
    "x",
    "rate(x[5m])",
    "-x",
    "sum by (i) (x)",
    "count by (i) (x)",
    "avg without (k) (x)",
    "stddev by (i) (x)",
    "topk(5000, x)",
    "limitk(5000, x)",
    "bottomk by (k) (1000, x)",
    "count_values by (i) (\"v\", x)",
    "x or y",
    "x + ignoring (k) group_left y",
    "x + fill_right (0) x",
    "label_replace(x, \"k\", \"z\", \"k\", \".*\")",
    "sum_over_time(x[1h:15s])",
    "x * 2 and x",
    "label_join(sum by (i) (x), \"l\", \"-\", \"i\")",
    "x smoothed",
    "x @ end()",
    "sum(x) + on () group_right () sum by (i) (x)",
    "sort(quantile by (i) (0.5, x))",
];

#[test]
fn the_limit_on_samples_ends_a_query() {
    let storage = Generated::new(2000, 300);
    for text in GREEDY {
        for threads in [1, 3] {
            let limit = 100_000;
            let engine = EngineOptions {
                max_samples: limit,
                threads: Some(threads),
                ..EngineOptions::default()
            };
            let (result, statistics) = run(text, &storage, &over_steps(300, engine));
            match result {
                Err(EngineError::TooManySamples { limit: 100_000, reached, span }) => {
                    // No more than one series, group or set of elements is added beyond it.
                    assert!(limit < reached && reached <= limit + 300_000, "{text}: {reached}");
                    assert!(span.is_some(), "{text}");
                }
                other => panic!("{text}: {:?}", other.map(|_| statistics)),
            }
        }
    }
}

#[test]
fn the_limit_on_bytes_ends_a_query() {
    let storage = Generated::new(2000, 300);
    for text in GREEDY {
        let limit = 3 << 20;
        let engine = EngineOptions { max_bytes: Some(limit), ..EngineOptions::default() };
        let (result, statistics) = run(text, &storage, &over_steps(300, engine));
        match result {
            Err(EngineError::TooManyBytes { reached, span, .. }) => {
                assert!(limit < reached && reached < 2 * limit, "{text}: {reached}");
                assert!(span.is_some(), "{text}");
            }
            other => panic!("{text}: {:?}", other.map(|_| statistics)),
        }
    }
}

#[test]
fn what_streams_is_not_held() {
    let storage = Generated::new(4000, 600);
    for text in [
        "sum(rate(x[5m]))",
        "max(sum_over_time(x[1h]))",
        "count(x > 3)",
        "avg by (k) (-x)",
        "absent(x)",
        "scalar(sum(x + x))",
        "sum(x / ignoring () x)",
        "sum(x * on (k) group_left (le) sum by (k, le) (x))",
        "quantile(0.5, sum by (k) (rate(x[1m])))",
        "max_over_time(sum(rate(x[5m]))[10m:15s])",
    ] {
        let engine = EngineOptions {
            max_samples: 20_000,
            max_bytes: Some(8 << 20),
            ..EngineOptions::default()
        };
        let (result, statistics) = run(text, &storage, &over_steps(600, engine));
        result.unwrap_or_else(|error| panic!("{text}: {error} {statistics:?}"));
    }
}

/// The histograms of all groups would take 100 MB, those of one take 200 kB.
#[test]
fn histograms_of_groups_become_numbers_one_group_after_the_other() {
    let storage = Generated::new(500, 300);
    for text in [
        "histogram_quantile(0.9, sum by (i) (rate(h[5m])))",
        "histogram_quantiles(avg by (i) (h), \"q\", 0.1, 0.9)",
        "histogram_fraction(0, 2, sum by (i) (h))",
        "histogram_avg(sum by (i) (rate(h[5m])))",
        "sum(rate(h[5m]))",
    ] {
        let engine = EngineOptions {
            max_samples: 700_000,
            max_bytes: Some(16 << 20),
            threads: Some(2),
            ..EngineOptions::default()
        };
        let (result, statistics) = run(text, &storage, &over_steps(300, engine));
        result.unwrap_or_else(|error| panic!("{text}: {error} {statistics:?}"));
    }
}

#[test]
fn histograms_under_way_count() {
    let storage = Generated::new(500, 300);
    for text in ["sum by (i) (rate(h[5m]))", "avg by (i) (h)", "-h"] {
        for threads in [1, 2] {
            let limit = 4 << 20;
            let engine = EngineOptions {
                max_bytes: Some(limit),
                threads: Some(threads),
                ..EngineOptions::default()
            };
            let (result, statistics) = run(text, &storage, &over_steps(300, engine));
            assert!(matches!(result, Err(EngineError::TooManyBytes { .. })), "{text}");
            // One result more than fits for each thread, and what it was made with.
            let most = limit + (threads + 1) * (1 << 20);
            assert!(statistics.peak_bytes < most, "{text}: {}", statistics.peak_bytes);
        }
    }
}

#[test]
fn long_windows_count() {
    let storage = Generated::new(1, 200_000);
    let engine = EngineOptions { max_samples: 50_000, ..EngineOptions::default() };
    let options = QueryOptions::instant(200_000 * 15_000).with_engine(engine);
    for text in ["sum_over_time(x[100d])", "quantile_over_time(0.5, x[100d])", "x[100d]"] {
        let (result, _) = run(text, &storage, &options);
        assert!(matches!(result, Err(EngineError::TooManySamples { .. })), "{text}");
    }
    let (result, _) = run("sum_over_time(sum(x)[100d:15s])", &storage, &options);
    assert!(matches!(result, Err(EngineError::TooManySamples { .. })));
}

#[test]
fn time_is_limited() {
    let storage = Generated::new(10_000, 1440);
    let limit = Duration::from_millis(30);
    let engine = EngineOptions { timeout: Some(limit), ..EngineOptions::default() };
    for text in ["sum(quantile_over_time(0.5, x[6h]))", "topk(3, x)", "x", "sum(x + x)"] {
        let (result, _) = run(text, &storage, &over_steps(1440, engine.clone()));
        match result {
            Err(EngineError::Timeout { elapsed, .. }) => assert!(elapsed >= limit),
            other => panic!("{text}: {other:?}"),
        }
    }
}

/// Once the switch is thrown, no thread begins with another series.
#[test]
fn cancellation_ends_a_query_at_the_next_series() {
    for text in GREEDY.into_iter().chain(["sum(rate(x[5m]))", "count(x) by (k)", "sort(x)"]) {
        for threads in [1, 2, 5] {
            let mut storage = Generated::new(3000, 100);
            let engine = EngineOptions { threads: Some(threads), ..EngineOptions::default() };
            let options = over_steps(100, engine);
            storage.source.cancel_at = Some((777, options.cancellation.clone()));
            let query = compile(text, &Features::ALL).expect(text);
            let result = evaluate(&query, &storage, &options);
            assert!(matches!(result, Err(EngineError::Cancelled)), "{text}");
            let reads = storage.reads();
            assert!(reads <= 777 + threads, "{text}: {reads} with {threads} threads");
        }
    }
}

/// A single series can keep a function busy for hours: the switch is seen within it.
#[test]
fn cancellation_ends_a_long_computation_within_a_series() {
    let samples = 400_000;
    for text in [
        "mad_over_time(x[100d])",
        "quantile_over_time(0.5, x[100d])",
        "double_exponential_smoothing(x[100d], 0.5, 0.5)",
        "sum_over_time(mad_over_time(x[60d])[60d:15s])",
    ] {
        let storage = Generated::new(1, samples);
        let options = over_steps(samples as i64, EngineOptions::default());
        let switch = options.cancellation.clone();
        let query = compile(text, &Features::ALL).expect(text);
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                while storage.reads() == 0 {
                    std::thread::yield_now();
                }
                std::thread::sleep(Duration::from_millis(30));
                switch.cancel();
            });
            evaluate(&query, &storage, &options)
        });
        assert!(matches!(result, Err(EngineError::Cancelled)), "{text}");
    }
}

#[test]
fn statistics_count_what_was_done() {
    let storage = Generated::new(40, 100);
    let text = "sum by (k) (rate(x[1m])) / on (k) group_right () sum by (k, i) (x)";
    let (result, statistics) = run(text, &storage, &over_steps(50, EngineOptions::default()));
    result.expect("a result");
    insta::assert_snapshot!(generated::without_times(&statistics));
}

#[test]
fn what_a_failed_query_did_is_counted() {
    let storage = Generated::new(400, 100);
    let engine = EngineOptions { max_samples: 1000, ..EngineOptions::default() };
    let (result, statistics) = run("x", &storage, &over_steps(50, engine));
    assert!(result.is_err());
    assert_eq!(statistics.reads[0].series, 400);
    assert!(statistics.samples_read > 0);
    assert!(statistics.peak_samples > 1000);
}
