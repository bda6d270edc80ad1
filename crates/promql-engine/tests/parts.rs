//! Parts of a query: what each gives is what it would give alone, and keeping it changes no result.

mod generated;

use generated::Generated;
use promql_engine::{EvaluationTime, Part, PartValue, QueryOptions};
use promql_engine::{evaluate, evaluate_with_parts};
use promql_model::{QueryValue, VectorElement};
use promql_syntax::{Features, Query, compile};

const SERIES: usize = 12;
const SAMPLES: usize = 60;
const AT: i64 = 600_000;

fn query(text: &str) -> Query {
    compile(text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

fn parts(text: &str) -> (Query, QueryValue, Vec<Part>) {
    let (query, storage) = (query(text), Generated::new(SERIES, SAMPLES));
    let (result, parts) = evaluate_with_parts(&query, &storage, &QueryOptions::instant(AT));
    let result = result.unwrap_or_else(|e| panic!("{text}: {e}"));
    (query, result.value, parts)
}

fn text_of(query: &Query, part: &Part) -> String {
    let span = query.span(part.node);
    let source = &query.expr().source()[span.start as usize..span.end as usize];
    String::from_utf8_lossy(source).into_owned()
}

/// The elements of an instant vector, by their labels.
fn elements(value: &QueryValue) -> Vec<VectorElement> {
    let QueryValue::Vector(elements) = value else { return Vec::new() };
    let mut elements = elements.clone();
    elements.sort_by(|a, b| a.labels.cmp(&b.labels));
    elements
}

const QUERIES: [&str; 14] = [
    "x",
    "x > 5000 and x < 50000",
    "sum by (k) (rate(x[5m])) / ignoring (k) group_left sum(rate(x[5m]))",
    "topk(2, x) or y",
    "max(x) - min(x)",
    "histogram_quantile(0.5, sum by (le) (rate(x[5m])))",
    "-abs(x offset 1m)",
    "timestamp(x)",
    "max_over_time(rate(x[1m])[5m:15s]) + on (k, i) sum_over_time(x[1m])",
    "max_over_time((x * on () group_left sum(y @ 60))[2m:30s])",
    "x * scalar(sum(x)) + time()",
    "absent(x{k=\"none\"})",
    "clamp_max(x, 3) == bool 3",
    "sum(x @ end()) + sum(x @ end())",
];

#[test]
fn keeping_parts_changes_no_result() {
    let storage = Generated::new(SERIES, SAMPLES);
    for text in QUERIES {
        let (query, value, parts) = parts(text);
        let plain = evaluate(&query, &storage, &QueryOptions::instant(AT));
        let plain = plain.unwrap_or_else(|e| panic!("{text}: {e}"));
        // As text, since NaN is equal to nothing.
        let [ours, theirs] = [&value, &plain.value].map(|value| format!("{:?}", elements(value)));
        assert_eq!(ours, theirs, "{text}");
        let last = parts.last().unwrap_or_else(|| panic!("{text}: no parts"));
        assert_eq!(last.node, query.expr().root(), "{text}");
    }
}

#[test]
fn a_part_gives_what_it_gives_alone() {
    let storage = Generated::new(SERIES, SAMPLES);
    for text in QUERIES {
        let (query, _, parts) = parts(text);
        for part in parts.iter().filter(|part| part.times == [AT]) {
            let alone = text_of(&query, part);
            let alone = compile(&alone, &Features::ALL).unwrap_or_else(|e| panic!("{alone}: {e}"));
            let options = QueryOptions::instant(AT);
            assert_eq!(options.time, EvaluationTime::Instant(AT));
            let result = evaluate(&alone, &storage, &options).expect("it is a part of one").value;
            let what = format!("{} of {text}", text_of(&query, part));
            match (&part.value, &result) {
                (PartValue::Scalar(values), QueryValue::Scalar { value, .. }) => {
                    assert_eq!(values[..], [*value], "{what}");
                }
                (PartValue::Vector(series), QueryValue::Vector(_)) => {
                    let mut all: Vec<_> =
                        series.iter().map(|s| (s.labels.clone(), s.floats.clone())).collect();
                    all.sort_by(|a, b| a.0.cmp(&b.0));
                    assert!(all.iter().all(|(_, floats)| floats.len() == 1), "{what}");
                    assert_eq!(all.len(), elements(&result).len(), "{what}");
                    for ((labels, _), element) in all.iter().zip(elements(&result)) {
                        assert_eq!(*labels, element.labels, "{what}");
                    }
                }
                (PartValue::Range(series), QueryValue::Matrix(matrix)) => {
                    let mut all = series.clone();
                    all.sort_by(|a, b| a.labels.cmp(&b.labels));
                    assert_eq!(all, *matrix, "{what}");
                }
                (value, result) => panic!("{what}: {value:?} is no {result:?}"),
            }
        }
    }
}

#[test]
fn parts_of_subqueries_have_the_times_of_their_steps() {
    let (query, _, parts) = parts("max_over_time((x > 0)[1m:20s])");
    let of = |text: &str| {
        let part = parts.iter().find(|part| text_of(&query, part) == text);
        part.unwrap_or_else(|| panic!("no part {text}"))
    };
    assert_eq!(of("x").times, [560_000, 580_000, 600_000]);
    let window = of("x").window.expect("a selector has a window");
    assert_eq!((window.start, window.end), (560_000 - 300_000 + 1, 600_000));
    assert_eq!(of("max_over_time((x > 0)[1m:20s])").times, [600_000]);
    let samples = of("(x > 0)[1m:20s]").value.series();
    assert!(samples.iter().all(|series| series.floats.len() == 3));
}

#[test]
fn what_came_before_a_failure_is_there() {
    let query = query("x + on () x");
    let storage = Generated::new(SERIES, SAMPLES);
    let (result, parts) = evaluate_with_parts(&query, &storage, &QueryOptions::instant(AT));
    assert!(result.is_err());
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[1].value.series().len(), SERIES);
}
