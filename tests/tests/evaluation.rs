//! Queries over fixtures: text in, text out.

use std::fmt::Write as _;
use std::time::Duration;

use promql_engine::{EngineOptions, EvaluationTime, QueryOptions, evaluate};
use promql_model::number::Decimal;
use promql_model::{Labels, QueryValue, SampleValue};
use promql_storage::MemoryStorage;
use promql_storage::fixture::read_script;
use promql_syntax::{Features, compile, line_and_column};

/// Some hosts with counters, gauges and a classic histogram, scraped every 15 seconds.
const HOSTS: &str = r#"
http_requests_total{job="api", instance="a", code="200"} 0+30x40
http_requests_total{job="api", instance="a", code="500"} 0+3x20 0+3x19
http_requests_total{job="api", instance="b", code="200"} 100+60x40
http_requests_total{job="api", instance="b", code="500"} _x20 1+1x20
memory_free_bytes{job="node", instance="a"} 1000-10x40
memory_free_bytes{job="node", instance="b"} 500 510 490 505 _ stale 520+5x34
memory_total_bytes{job="node", instance="a"} 2000x40
memory_total_bytes{job="node", instance="b"} 4000x40
machine_info{instance="a", zone="east"} 1x40
machine_info{instance="b", zone="west"} 1x40
request_seconds_bucket{job="api", le="0.1"} 0+5x40
request_seconds_bucket{job="api", le="0.5"} 0+9x40
request_seconds_bucket{job="api", le="+Inf"} 0+10x40
build_info{instance="a", version="1.2"} 1x40
target_info{instance="a", job="api", os="linux"} 1x40
"#;

fn hosts() -> MemoryStorage {
    let script = format!("load 15s{HOSTS}");
    let fixture = read_script("hosts", script.as_bytes(), None);
    fixture.unwrap_or_else(|problems| panic!("{problems}")).storage
}

fn labels(labels: &Labels) -> String {
    let rest: Vec<String> = labels
        .iter()
        .filter(|(name, _)| *name != "__name__")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{}{{{}}}", labels.metric_name().unwrap_or_default(), rest.join(", "))
}

/// Evaluates each line as a query and shows what comes of it.
fn show(time: EvaluationTime, engine: &EngineOptions, queries: &str) -> String {
    let memory = hosts();
    let mut text = String::new();
    for query in queries.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "{query}");
        let options = QueryOptions { time, ..QueryOptions::instant(0) };
        let compiled =
            compile(query, &Features::ALL).unwrap_or_else(|errors| panic!("{query}: {errors:?}"));
        match evaluate(&compiled, &memory, &options.with_engine(engine.clone())) {
            Err(error) => {
                let _ = writeln!(text, "  error: {error}");
                if let Some(help) = miette::Diagnostic::help(&error) {
                    let _ = writeln!(text, "  help: {help}");
                }
            }
            Ok(result) => {
                show_value(&mut text, &result.value);
                for annotation in &result.annotations {
                    let at = annotation
                        .span
                        .and_then(|(start, _)| line_and_column(query.as_bytes(), start as usize));
                    let _ = writeln!(
                        text,
                        "  {:?} at {}: {}",
                        annotation.severity,
                        at.map_or_else(String::new, |(line, column)| format!("{line}:{column}")),
                        annotation.message
                    );
                }
            }
        }
        text.push('\n');
    }
    text
}

fn show_value(text: &mut String, value: &QueryValue) {
    let number = |value: f64| Decimal((value * 1e6).round() / 1e6).to_string();
    let _ = match value {
        QueryValue::Scalar { value, .. } => writeln!(text, "  {}", number(*value)),
        QueryValue::String { value, .. } => writeln!(text, "  {value:?}"),
        QueryValue::Vector(elements) => {
            for element in elements {
                if let SampleValue::Float(value) = element.value {
                    let _ = writeln!(text, "  {} {}", labels(&element.labels), number(value));
                }
            }
            Ok(())
        }
        QueryValue::Matrix(matrix) => {
            for series in matrix {
                let points: Vec<String> = series
                    .floats
                    .iter()
                    .map(|(t, v)| format!("{}@{}", number(*v), Decimal(*t as f64 / 1000.0)))
                    .collect();
                let _ = writeln!(text, "  {} {}", labels(&series.labels), points.join(" "));
            }
            Ok(())
        }
    };
}

const INSTANT: EvaluationTime = EvaluationTime::Instant(600_000);
const RANGE: EvaluationTime =
    EvaluationTime::Range { start: 60_000, end: 300_000, step: Duration::from_secs(60) };

/// Compares with the snapshot of this name.
fn check(name: &str, text: String) {
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn everyday_instant_queries() {
    check(
        "everyday_instant_queries",
        show(
            INSTANT,
            &EngineOptions::default(),
            r#"
        sum by (instance) (rate(http_requests_total[5m]))
        sum by (instance) (rate(http_requests_total{code="500"}[5m])) / sum by (instance) (rate(http_requests_total[5m]))
        1 - memory_free_bytes / memory_total_bytes
        memory_free_bytes < 650
        memory_free_bytes > bool 650
        memory_free_bytes * on (instance) group_left (zone) machine_info
        topk(1, memory_total_bytes)
        sort_desc(memory_free_bytes)
        histogram_quantile(0.9, rate(request_seconds_bucket[5m]))
        histogram_fraction(0, 0.1, rate(request_seconds_bucket[5m]))
        max_over_time(sum(rate(http_requests_total[1m]))[5m:1m])
        predict_linear(memory_free_bytes{instance="a"}[5m], 3600)
        quantile_over_time(0.5, memory_free_bytes[5m])
        count_values("code", count by (code) (http_requests_total))
        label_replace(memory_free_bytes, "host", "$1.example.org", "instance", "(.*)")
        absent(up{job="api"})
        scalar(memory_total_bytes{instance="a"}) / 1024
        info(http_requests_total{code="200"}, {os=~".+"})
        memory_free_bytes{instance="a"}[40s]
        "a text"
        time()
        "#,
        ),
    );
}

#[test]
fn everyday_range_queries() {
    check(
        "everyday_range_queries",
        show(
            RANGE,
            &EngineOptions::default(),
            r#"
        sum(rate(http_requests_total[2m]))
        memory_free_bytes{instance="b"}
        memory_free_bytes offset 2m
        memory_free_bytes @ start() - memory_free_bytes
        http_requests_total{code="500"} or memory_free_bytes
        http_requests_total unless on (instance) http_requests_total{code="500"} > 30
        resets(http_requests_total{code="500"}[5m])
        time() - 60
        count(http_requests_total)
        sum(nothing)
        memory_free_bytes + on (instance) fill_right(0) http_requests_total{code="500"}
        "#,
        ),
    );
}

#[test]
fn failures_say_what_to_do() {
    let mut few = EngineOptions { max_samples: 20, ..EngineOptions::default() };
    let mut text = show(
        INSTANT,
        &EngineOptions::default(),
        r#"
        memory_free_bytes * on (job) memory_total_bytes
        memory_free_bytes * on (instance) http_requests_total
        http_requests_total * on (instance) memory_free_bytes
        http_requests_total * on (job, instance) group_left (code) machine_info
        http_requests_total * on (instance) group_left (code) machine_info
        rate({job="node"}[5m])
        topk(NaN, memory_free_bytes)
        topk(1e30, memory_free_bytes)
        count_values("", memory_free_bytes)
        label_replace(memory_free_bytes, "", "x", "y", "z")
        double_exponential_smoothing(memory_free_bytes[5m], 1.5, 0.5)
        deriv(memory_free_bytes[5m] anchored)
        memory_free_bytes[step()]
        memory_free_bytes offset (1m / step())
        "#,
    );
    text += &show(INSTANT, &few, "sum_over_time(http_requests_total[10m])\nhttp_requests_total");
    text += &show(RANGE, &EngineOptions::default(), "memory_free_bytes[5m]");
    few.max_samples = 50_000_000;
    few.timeout = Some(Duration::ZERO);
    text += &show(INSTANT, &few, "memory_free_bytes");
    check("failures_say_what_to_do", text);
}

#[test]
fn remarks_point_at_their_part_of_the_query() {
    check(
        "remarks_point_at_their_part_of_the_query",
        show(
            RANGE,
            &EngineOptions::default(),
            r#"
        rate(memory_free_bytes[5m])
        1 + rate(memory_free_bytes[1m]) + increase(memory_free_bytes[1m])
        quantile(1.5, memory_free_bytes)
        quantile_over_time(NaN, memory_free_bytes[1m])
        sum(histogram_quantile(-1, nothing))
        histogram_quantile(0.5, memory_free_bytes)
        sort(memory_free_bytes)
        limit_ratio(7, memory_free_bytes)
        memory_free_bytes </ 5
        histogram_quantile(0.5, label_replace(memory_free_bytes, "le", "$1", "instance", "(.*)"))
        histogram_quantile(0.9, label_replace(label_replace(memory_free_bytes, "le", "1", "instance", "a"), "le", "+Inf", "instance", "b"))
        "#,
        ),
    );
}

#[test]
fn names_are_dropped_at_once_or_in_the_end() {
    let delayed = EngineOptions { delayed_name_removal: true, ..EngineOptions::default() };
    let queries = r#"
        label_replace(rate(http_requests_total{instance="a"}[5m]), "was", "$1", "__name__", "(.*)")
        sum by (__name__) (rate({instance="a", code="200"}[5m]))
        rate({job="node"}[5m])
        "#;
    check(
        "names_are_dropped_at_once_or_in_the_end",
        format!(
            "at once\n{}in the end\n{}",
            show(INSTANT, &EngineOptions::default(), queries),
            show(INSTANT, &delayed, queries)
        ),
    );
}

/// However deep an expression is nested, evaluating it takes a bounded part of the stack.
#[test]
fn nesting_is_no_limit() {
    let memory = hosts();
    let many = 10_000;
    for (query, expected) in [
        (format!("{}time(){}", "-(".repeat(many), ")".repeat(many)), 600.0),
        (format!("sum({}memory_total_bytes{})", "-(".repeat(many), ")".repeat(many)), 6000.0),
        (format!("sum(memory_total_bytes{})", " + memory_total_bytes".repeat(500)), 3_006_000.0),
        (format!("scalar(sum({}nothing{}))", "(".repeat(many), ")".repeat(many)), f64::NAN),
    ] {
        let compiled = compile(&query, &Features::ALL)
            .unwrap_or_else(|errors| panic!("{}: {errors:?}", &query[..40]));
        let result = evaluate(&compiled, &memory, &QueryOptions::instant(600_000))
            .unwrap_or_else(|error| panic!("{}: {error}", &query[..40]));
        let value = match &result.value {
            QueryValue::Scalar { value, .. } => *value,
            QueryValue::Vector(elements) => match elements[..] {
                [ref element] => match element.value {
                    SampleValue::Float(value) => value,
                    SampleValue::Histogram(_) => panic!("a histogram"),
                },
                _ => panic!("{elements:?}"),
            },
            other => panic!("{other:?}"),
        };
        assert!(value == expected || (value.is_nan() && expected.is_nan()), "{value} {expected}");
    }
}

/// Any times are fine: the far ends of time, a grid that ends before it starts, a huge one.
#[test]
fn extreme_times_are_no_danger() {
    let memory = hosts();
    let step = Duration::from_secs(1);
    for (start, end) in
        [(i64::MIN, i64::MIN + 5000), (i64::MAX - 5000, i64::MAX), (0, -1), (0, i64::MAX)]
    {
        for text in [
            "1",
            "memory_free_bytes",
            "rate(memory_free_bytes[5m] offset 290y)",
            "memory_free_bytes offset -290y",
            "sum_over_time(memory_free_bytes[5m:1s])",
            "predict_linear(memory_free_bytes[1h] @ 100, 1)",
            "minute()",
            "rate(memory_free_bytes[5m] smoothed)",
        ] {
            let query = compile(text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            let outcome = evaluate(&query, &memory, &QueryOptions::range(start, end, step));
            let too_many =
                matches!(outcome, Err(promql_engine::EngineError::TooManySamples { .. }));
            assert_eq!(too_many, end == i64::MAX && start == 0, "{text} {start} {end}");
            let instant = evaluate(&query, &memory, &QueryOptions::instant(start));
            assert!(instant.is_ok(), "{text} {start}: {instant:?}");
        }
    }
}
