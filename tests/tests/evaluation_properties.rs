//! What holds for any query over any data: a range query gives at each step what an instant query
//! gives, it makes no difference how many threads work on it, in what portions, and whether equal
//! parts are computed once, an offset moves the data, and labels can be kept or taken away.

use std::collections::BTreeMap;
use std::time::Duration;

use promql_engine::{EngineOptions, QueryOptions, evaluate};
use promql_model::{
    CUSTOM_BUCKETS_SCHEMA, CounterResetHint, DenseHistogram, FloatHistogram, Labels, QueryResult,
    QueryValue, SampleValue, stale_nan,
};
use promql_storage::{Columns, MemoryBuilder, MemoryStorage};
use promql_syntax::functions::{AGGREGATORS, FUNCTIONS};
use promql_syntax::{Features, Query, ValueType, compile};
use proptest::prelude::*;

const QUERIES: &[&str] = &[
    "a",
    "a offset 17s",
    "a @ 130",
    "-a",
    "a + 1",
    "2 * a > 3",
    "5 <= bool a",
    "a / on (i) b",
    "a - b",
    "a > b",
    "a * on (i) group_left b",
    "b + on (i) group_right a",
    "a + on (i) fill_left (3) fill_right (4) b",
    "a and b",
    "a or on (j) b",
    "a unless b",
    "rate(a[1m])",
    "increase(a[37s])",
    "delta(a[2m])",
    "irate(a[1m])",
    "idelta(a[1m])",
    "increase(a[1m] anchored)",
    "rate(a[1m] smoothed)",
    "a smoothed",
    "resets(a[2m])",
    "changes(a[2m])",
    "deriv(a[2m])",
    "predict_linear(a[2m], 60)",
    "sum_over_time(a[90s])",
    "avg_over_time(a[90s])",
    "min_over_time(a[90s])",
    "max_over_time(a[90s])",
    "stddev_over_time(a[90s])",
    "quantile_over_time(0.3, a[90s])",
    "mad_over_time(a[90s])",
    "ts_of_max_over_time(a[90s])",
    "count_over_time(a[90s])",
    "last_over_time(a[90s])",
    "present_over_time(a[10s])",
    "absent_over_time(a[10s])",
    "double_exponential_smoothing(a[90s], 0.3, 0.6)",
    "max_over_time(sum(a)[1m:10s])",
    "sum_over_time(rate(a[30s])[1m:7s] offset 5s)",
    "sum(a)",
    "sum by (i) (a)",
    "avg without (j) (a)",
    "min(a)",
    "max by (j) (a)",
    "count(a)",
    "stddev(a)",
    "quantile(0.7, a)",
    "topk(2, a)",
    "bottomk(2, a)",
    "count_values(\"v\", a)",
    "limitk(2, a)",
    "limit_ratio(0.5, a)",
    "absent(a)",
    "scalar(b{i=\"0\"})",
    "vector(time())",
    "timestamp(a)",
    "clamp(a, 1, time() / 50)",
    "round(a, 0.5)",
    "label_replace(a, \"k\", \"$1x\", \"i\", \"(.)\")",
    "label_join(a, \"k\", \"-\", \"i\", \"j\")",
    "histogram_quantile(0.5, label_replace(a, \"le\", \"$1\", \"j\", \"(.*)\"))",
    "sum(rate(a[1m])) / sum(rate(b[1m]))",
    "histogram_quantile(0.9, sum(rate(a[1m])))",
    "histogram_count(sum by (i) (a))",
    "histogram_sum(increase(a[47s]))",
    "histogram_fraction(0, 3, avg(a))",
    "a </ 3",
    "a >/ on (i) b",
    "a == on (i) group_left b",
    "a != bool a",
    "hour(a * 10000)",
    "month()",
    "clamp_min(a, 3)",
    "clamp_max(a, scalar(b{i=\"1\"}))",
    "max_of(scalar(b{i=\"0\"}), 4) + min_of(time(), pi())",
    "histogram_fraction(0, 0.5, label_replace(a, \"le\", \"$1\", \"j\", \"(.*)\"))",
    "histogram_quantiles(label_replace(a, \"le\", \"$1\", \"j\", \"(.*)\"), \"q\", 0.1, 0.9)",
    "info(a, {k=~\".*\"})",
    "sort_by_label(a, \"j\")",
    "sort_by_label_desc(a, \"i\")",
    "group by (j) (a)",
    "stdvar by (i) (a)",
];

/// What a query over a range sees differently from one at an instant: its own times.
const OF_THE_QUERY: [&str; 4] = ["start", "end", "range", "step"];

/// The queries above, and each function of one vector by itself.
fn queries() -> Vec<String> {
    let of_one_vector = FUNCTIONS.iter().filter_map(|function| match function.parameters {
        [parameter] => match parameter.value_type {
            ValueType::InstantVector => Some(format!("{}(a)", function.name)),
            ValueType::RangeVector => Some(format!("{}(a[70s])", function.name)),
            _ => None,
        },
        _ => None,
    });
    QUERIES.iter().map(|query| (*query).to_owned()).chain(of_one_vector).collect()
}

#[test]
fn the_queries_name_all_functions_and_aggregations() {
    let queries = queries();
    let names = FUNCTIONS.iter().map(|function| function.name);
    for name in names.chain(AGGREGATORS.iter().map(|aggregator| aggregator.name)) {
        let named = |query: &String| query.split(|c: char| !is_of_name(c)).any(|word| word == name);
        assert!(OF_THE_QUERY.contains(&name) || queries.iter().any(named), "{name} is in no query");
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The samples of one series: for each scrape its value, none, a stale marker or a reset.
fn samples() -> impl Strategy<Value = Columns> {
    let value = prop_oneof![
        12 => (0_i32..400).prop_map(|v| Some(f64::from(v) / 8.0)),
        2 => Just(None),
        1 => Just(Some(stale_nan())),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-1e9), Just(1e17)].prop_map(Some),
    ];
    (proptest::collection::vec((value, 0_i64..900), 0..40), any::<bool>(), 0..6_usize).prop_map(
        |(values, is_counter, histograms)| {
            let mut series = Columns::default();
            let mut total = 0.0;
            for (at, (value, jitter)) in values.into_iter().enumerate() {
                let Some(value) = value else { continue };
                total += value;
                let rising = is_counter && !promql_model::is_stale_nan(value);
                let time = at as i64 * 10_000 + jitter;
                let value = if rising { total } else { value };
                // Some series have floats, some histograms, some both by turns.
                let is_histogram = histograms == 0 || histograms == 1 && at / 12 % 2 == 0;
                if is_histogram && value.is_finite() && !(rising && value > 1e9) {
                    series.histogram_timestamps.push(time);
                    series.histograms.push(histogram(value, at, is_counter));
                } else {
                    series.timestamps.push(time);
                    series.values.push(value);
                }
            }
            series
        },
    )
}

/// A histogram that grows with a value. Its resolution and its bounds change now and then.
fn histogram(value: f64, at: usize, is_counter: bool) -> FloatHistogram {
    let size = value.abs().round();
    let buckets = vec![size, (size / 2.0).floor(), 0.0, size * 3.0];
    let count = buckets.iter().sum::<f64>();
    let dense = match at / 17 % 3 {
        0 => DenseHistogram { zero_threshold: 0.01, zero_count: 1.0, ..DenseHistogram::default() },
        1 => DenseHistogram { schema: 1, n_buckets: vec![1.0], ..DenseHistogram::default() },
        _ => DenseHistogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            custom_values: vec![0.5, 2.0, 4.0 + (at / 20) as f64],
            ..DenseHistogram::default()
        },
    };
    let hint = if is_counter { CounterResetHint::Unknown } else { CounterResetHint::Gauge };
    let rest = dense.zero_count + dense.n_buckets.iter().sum::<f64>();
    FloatHistogram::from(DenseHistogram {
        count: count + rest,
        sum: value * 2.5,
        buckets,
        hint,
        ..dense
    })
}

fn memory() -> impl Strategy<Value = MemoryStorage> {
    columns().prop_map(|all| storage(&all, 0))
}

fn columns() -> impl Strategy<Value = Vec<Columns>> {
    proptest::collection::vec(samples(), 8)
}

/// Six series of `a` and two of `b`, some milliseconds later.
fn storage(all: &[Columns], later: i64) -> MemoryStorage {
    let mut memory = MemoryBuilder::default();
    for (at, series) in all.iter().enumerate() {
        let (i, j) = ((at % 3).to_string(), (at / 3).to_string());
        let labels = match at {
            0..6 => Labels::from_pairs([("__name__", "a"), ("i", &*i), ("j", &*j)]),
            _ => Labels::from_pairs([("__name__", "b"), ("i", &*i)]),
        };
        let mut series = series.clone();
        let times = series.timestamps.iter_mut().chain(&mut series.histogram_timestamps);
        times.for_each(|time| *time += later);
        memory.insert(labels, series);
    }
    memory.build()
}

fn query(text: &str) -> Query {
    compile(text, &Features::ALL).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

/// The values at one time by labels.
fn at(result: &QueryResult, time: i64) -> BTreeMap<Labels, SampleValue> {
    match &result.value {
        QueryValue::Scalar { value, .. } => {
            BTreeMap::from([(Labels::empty(), SampleValue::Float(*value))])
        }
        QueryValue::Vector(elements) => {
            elements.iter().map(|element| (element.labels.clone(), element.value.clone())).collect()
        }
        QueryValue::Matrix(matrix) => matrix
            .iter()
            .filter_map(|series| {
                let float = series.floats.iter().find(|(t, _)| *t == time);
                let histogram = series.histograms.iter().find(|(t, _)| *t == time);
                let float = float.map(|(_, value)| SampleValue::Float(*value));
                let histogram = histogram.map(|(_, h)| SampleValue::Histogram(Box::new(h.clone())));
                Some((series.labels.clone(), float.or(histogram)?))
            })
            .collect(),
        QueryValue::String { .. } => BTreeMap::new(),
    }
}

/// Sums over windows that slide are added in another order than those of a single window. What is
/// left when they cancel has the size of the operands' rounding.
fn close(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-13 * (a.abs() + b.abs() + 1e-2)
}

/// What an evaluation gives, as text: NaN is not equal to itself.
fn outcome(text: &str, storage: &MemoryStorage) -> String {
    let range = QueryOptions::range(-20_000, 460_000, Duration::from_millis(7_000));
    format!("{:?}", evaluate(&query(text), storage, &range).map(|result| result.value))
}

/// Queries in which `OFFSET` stands wherever a selector may have one. None of them asks for times.
const OFFSET_QUERIES: &[&str] = &[
    "a OFFSET",
    "a OFFSET / on (i) group_left b OFFSET",
    "rate(a[1m] OFFSET)",
    "increase(a[70s] anchored OFFSET)",
    "rate(a[70s] smoothed OFFSET)",
    "a smoothed OFFSET",
    "deriv(a[2m] OFFSET)",
    "avg_over_time(a[90s] OFFSET)",
    "stddev_over_time(a[90s] OFFSET)",
    "quantile_over_time(0.3, a[90s] OFFSET)",
    "double_exponential_smoothing(a[90s] OFFSET, 0.3, 0.6)",
    "absent_over_time(a[20s] OFFSET)",
    "max_over_time(a[1m] OFFSET) unless b OFFSET",
    "topk(2, resets(a[3m] OFFSET))",
    "count_over_time((a OFFSET > 10)[1m:7s])",
    "sum(changes(a[1m] OFFSET)) by (j)",
];

fn same(a: &SampleValue, b: &SampleValue) -> bool {
    match (a, b) {
        (SampleValue::Float(a), SampleValue::Float(b)) => close(*a, *b),
        (SampleValue::Histogram(a), SampleValue::Histogram(b)) => {
            a.hint == b.hint && a.is_like(b, close)
        }
        _ => false,
    }
}

/// By how much two floats differ; what are none differ by more than anything.
fn differ_by(a: &SampleValue, b: &SampleValue) -> f64 {
    match (a, b) {
        (SampleValue::Float(a), SampleValue::Float(b)) => (a - b).abs(),
        _ => f64::INFINITY,
    }
}

/// By how much the line through the samples of a series may differ beyond what is relative to it. A
/// slope is a sum of the distances from the mean, and those can cancel: what is left then has the
/// size of the rounding of the largest one. Distances in time are not less than a second here, and
/// no line is followed for more than three minutes.
fn slack(text: &str, memory: &MemoryStorage, labels: &Labels) -> f64 {
    let reach = if text.starts_with("deriv(") {
        1.0
    } else if text.starts_with("predict_linear(") {
        180.0
    } else {
        return 0.0;
    };
    let of_result = |series: &Labels| {
        series.metric_name() == Some("a") && series.filtered(|name| name != "__name__") == *labels
    };
    let series = memory.series().iter().position(of_result);
    let samples = series.and_then(|index| memory.samples(index));
    let values = samples.map(|samples| samples.values).unwrap_or_default();
    let largest = values.iter().filter(|value| value.is_finite()).map(|value| value.abs());
    largest.fold(0.0, f64::max) * reach * 1e-15
}

const STEPS: [i64; 3] = [7_000, 10_000, 25_000];

proptest! {
    // A case runs all the queries, so few are many, and there is not much to gain by shrinking.
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 40, ..Default::default() })]

    #[test]
    fn a_range_query_is_an_instant_query_at_each_step(memory in memory(), step in 0..STEPS.len()) {
        let step = STEPS[step];
        let (start, end) = (-20_000, 460_000);
        for text in &queries() {
            let query = query(text);
            let range = QueryOptions::range(start, end, Duration::from_millis(step as u64));
            let Ok(range) = evaluate(&query, &memory, &range) else { continue };
            for time in (start..=end).step_by(3 * step as usize) {
                let instant = evaluate(&query, &memory, &QueryOptions::instant(time));
                let instant = instant.unwrap_or_else(|error| panic!("{text} at {time}: {error}"));
                let (expected, found) = (at(&instant, time), at(&range, time));
                let equal = expected.len() == found.len()
                    && expected.iter().all(|(labels, value)| {
                        found.get(labels).is_some_and(|found| {
                            same(found, value) || differ_by(found, value) <= slack(text, &memory, labels)
                        })
                    });
                prop_assert!(equal, "{} at {}\ninstant {:?}\nrange {:?}", text, time, expected, found);
            }
        }
    }

    #[test]
    fn an_offset_is_data_that_come_later(columns in columns(), offset in -90_000_i64..90_000) {
        let (now, later) = (storage(&columns, 0), storage(&columns, offset));
        let written = match offset {
            0.. => format!("offset {offset}ms"),
            _ => format!("offset -{}ms", -offset),
        };
        for text in OFFSET_QUERIES {
            let (with, without) = (text.replace("OFFSET", &written), text.replace("OFFSET", ""));
            prop_assert_eq!(outcome(&with, &now), outcome(&without, &later), "{}", with);
        }
    }

    /// The labels of `a` are the name, `i` and `j`.
    #[test]
    fn aggregating_by_some_labels_is_aggregating_without_the_others(memory in memory()) {
        let aggregations = AGGREGATORS.iter().map(|aggregator| {
            let parameter = match aggregator.name {
                "count_values" => "\"v\", ",
                "quantile" | "limit_ratio" => "0.4, ",
                _ if aggregator.parameter.is_some() => "2, ",
                _ => "",
            };
            (aggregator.name, parameter)
        });
        for (name, parameter) in aggregations {
            for (by, without) in [("i", "j"), ("j", "i"), ("i, j", ""), ("", "i, j")] {
                let by = format!("{name} by ({by}) ({parameter}a)");
                let without = format!("{name} without ({without}) ({parameter}a)");
                prop_assert_eq!(outcome(&by, &memory), outcome(&without, &memory), "{}", by);
            }
        }
    }
}

proptest! {
    // So many steps that the work is worth several threads; that takes its time.
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 20, ..Default::default() })]

    #[test]
    fn threads_and_portions_make_no_difference(memory in memory()) {
        for text in &queries() {
            let query = query(text);
            let outcome = |threads: usize, batch: Option<usize>| {
                let engine =
                    EngineOptions { threads: Some(threads), batch, ..EngineOptions::default() };
                let range = QueryOptions::range(0, 400_000, Duration::from_millis(100));
                let result = evaluate(&query, &memory, &range.with_engine(engine));
                // NaN is not equal to itself, its text is.
                format!("{result:?}")
            };
            let expected = outcome(1, None);
            for (threads, batch) in
                [(2, None), (2, Some(1)), (2, Some(2)), (2, Some(7)), (5, Some(usize::MAX))]
            {
                let found = outcome(threads, batch);
                prop_assert_eq!(&found, &expected, "{} {} {:?}", text, threads, batch);
            }
        }
    }
}

/// Queries in which the same expression, `Q`, stands several times.
const REPEATED: [&str; 7] = [
    "(Q) or (Q)",
    "(Q) and (Q) unless (Q)",
    "(Q) + ((Q) - (Q))",
    "sum by (i) (Q) / on (i) group_right () (Q)",
    "max_over_time((Q)[40s:10s]) - min_over_time((Q)[40s:10s])",
    "avg(Q) - avg(Q) * count(Q)",
    "max by (j) (Q) - on (j) (sum by (j) (Q) - on (j) group by (j) (Q))",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 20, ..Default::default() })]

    /// Values, labels, remarks with their places, and failures.
    #[test]
    fn computing_equal_parts_once_makes_no_difference(memory in memory(), names in any::<bool>()) {
        for part in &queries() {
            let is_scalar = compile(part, &Features::ALL)
                .is_ok_and(|query| query.value_type() == ValueType::Scalar);
            let part = if is_scalar { format!("vector({part})") } else { part.clone() };
            for repeated in REPEATED {
                let text = repeated.replace('Q', &part);
                let query = query(&text);
                let outcome = |share: bool| {
                    let engine = EngineOptions {
                        share,
                        threads: Some(1),
                        delayed_name_removal: names,
                        start_timestamps: names,
                        ..EngineOptions::default()
                    };
                    let range = QueryOptions::range(0, 400_000, Duration::from_secs(10));
                    let result = evaluate(&query, &memory, &range.with_engine(engine));
                    format!("{result:?}")
                };
                prop_assert_eq!(outcome(true), outcome(false), "{}", text);
            }
        }
    }
}
