//! Plans as people see them: a query in, a drawing out.

use std::time::Duration;

use promql_engine::{EngineOptions, QueryOptions, plan};
use promql_syntax::{Features, compile};

const START: i64 = 1_700_000_000_000;

fn over_an_hour() -> QueryOptions {
    QueryOptions::range(START, START + 3_600_000, Duration::from_secs(15))
}

fn draw(queries: &[&str], options: &QueryOptions) -> String {
    let mut out = String::new();
    for text in queries {
        let query = compile(text, &Features::ALL).expect(text);
        let plan = plan(&query, options).map_or_else(|e| format!("{e}\n"), |p| p.to_text());
        out += &format!("# {text}\n{plan}\n");
    }
    out
}

#[test]
fn operations_of_an_instant_query() {
    insta::assert_snapshot!(draw(
        &[
            "1",
            "\"text\"",
            "up",
            "up[5m]",
            "time() + scalar(up)",
            "topk by (job) (5, http_requests_total{code!=\"200\", path=\"\"})",
            "sum without (instance) (rate(x_total[5m] offset -10m)) > bool 2 * -y",
            "a * on (job, instance) group_left (version) b",
            "a / ignoring (code) fill_left (0) b",
            "(a and on (job) b) or c unless d",
            "sort_by_label(label_replace(up, \"host\", \"$1\", \"instance\", \"(.*):.*\"), \"host\")",
            "histogram_quantile(0.99, sum by (le, job) (rate(x_bucket[5m])))",
            "count_values(\"version\", build)",
            "absent(up{job=\"api\", instance=~\"a.*\"})",
            "info(up, {version!=\"\"})",
            "timestamp(up) - start_timestamp(up)",
            "increase(x_total[5m] anchored) + y smoothed",
            "max_over_time(sum by (job) (rate(x[1m]))[1h:5m] offset 1d)",
            "hour() + vector(1)",
        ],
        &QueryOptions::instant(START),
    ));
}

#[test]
fn operations_of_a_range_query() {
    insta::assert_snapshot!(draw(
        &[
            "up",
            "up[5m]",
            "sum(x @ end()) / sum(x)",
            "predict_linear(x[1h] @ 1700000000, 3600)",
            "avg_over_time((x @ start())[30m:1m])",
            "sort(x)",
            "http_requests_total{job=~\"a-rather-long-name-of-a-job|another-rather-long-name-of-a-job\", \
             code=\"500\"} / ignoring (a_long_label, another_long_label, yet_another_long_label) y",
        ],
        &over_an_hour(),
    ));
}

#[test]
fn names_are_dropped_at_the_end_if_so_wished() {
    let delayed = EngineOptions { delayed_name_removal: true, ..EngineOptions::default() };
    let options = QueryOptions::instant(START).with_engine(delayed);
    insta::assert_snapshot!(draw(&["-rate(x[5m])", "sum without () (x == bool 1)"], &options));
}

#[test]
fn plans_as_json() {
    let query = compile("sum by (job) (rate(x_total[5m])) > 1", &Features::ALL).expect("valid");
    let plan = plan(&query, &over_an_hour()).expect("a plan");
    insta::assert_snapshot!(format!("{:#}", plan.to_json()));
}

#[test]
fn depth_does_not_matter() {
    let text = format!("{}x{}", "-(".repeat(5000), ")".repeat(5000));
    let query = compile(&text, &Features::ALL).expect("valid");
    let plan = plan(&query, &over_an_hour()).expect("a plan");
    let text = plan.to_text();
    assert_eq!(text.lines().filter(|line| line.contains("negate")).count(), 5000);
    assert!(text.lines().all(|line| line.chars().count() <= 100));
}
