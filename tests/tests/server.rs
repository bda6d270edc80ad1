//! The HTTP API, beside that of a real Prometheus with the same series: answers are compared byte
//! for byte.

use std::sync::Arc;
use std::time::Duration;

use promql_engine::EngineOptions;
use promql_server::{Api, Settings};
use promql_tests::api::Request::{self, Get, Post};
use promql_tests::api::{ask, serve};
use promql_tests::conformance::say;
use promql_tests::prometheus::Prometheus;
use promql_tests::trial_data::{self, END};

/// What both servers answer alike. The data are those of one hour from 1699999200 on.
const REQUESTS: &[Request] = &[
    Get("/api/v1/query?query=1&time=1795410570.5"),
    Get("/api/v1/query?query=vector(1)&time=1795410570.5"),
    Get("/api/v1/query?query=vector(1)[2s:1s]&time=1795410570.5"),
    Get("/api/v1/query_range?query=1e25&start=0.5&end=1&step=0.25"),
    Get("/api/v1/query?query=time()&time=1.0015"),
    Get("/api/v1/query?query=c_total&time=NaN"),
    Post("/api/v1/query?query=1&time=1", "query=2"),
    Get("/api/v1/query?query=\"x\"&time=1"),
    Get("/api/v1/query?query=\"<a%26b>é\"&time=1.25"),
    Get("/api/v1/query?query=1e25&time=1"),
    Get("/api/v1/query?query=vector(1e25)&time=1"),
    Get("/api/v1/query?query=vector(1e-7)&time=1"),
    Get("/api/v1/query?query=c_total{a=\"é😀\",}} &time=1"),
    Get("/api/v1/query?query="),
    Get("/api/v1/query"),
    Get("/api/v1/query?query=up{"),
    Get("/api/v1/query?query=1&time=x"),
    Get("/api/v1/query?query=1&time=2026-11-23T05:09:30"),
    Get("/api/v1/query?query=1&limit=-1"),
    Get("/api/v1/query?query=1&limit=x"),
    Get("/api/v1/query?query=1&timeout=x"),
    Get("/api/v1/query?query=1&lookback_delta=x"),
    Get("/api/v1/query?query=sort(c_total)&time=1700000000"),
    Get("/api/v1/query?query=c_total{i=\"0\",j=\"x\"}[1m]&time=1700000000"),
    Get("/api/v1/query?query=c_total{i=\"0\",j=\"x\"}&time=1700000600&lookback_delta=20"),
    Get("/api/v1/query?query=sort(c_total)&limit=1&time=1700000000"),
    Get("/api/v1/query?query=sort(c_total)&limit=99&time=1700000000"),
    Get("/api/v1/query?query=sum(rate(g[5m]))&time=1700000000"),
    Get("/api/v1/query?query=quantile(2,g)&time=1700000000"),
    Get(
        "/api/v1/query?query=vector(1) * on() group_left vector(2)&time=1700000000&lookback_delta=-1",
    ),
    Get("/api/v1/query?query=1&time=1&stats="),
    Get("/api/v1/query?query=label_replace(c_total,\"i\",\"x\",\"\",\"\")&time=1700000000"),
    Get("/api/v1/query_range?query=c_total&start=1700000000&end=1700000600&step=1m"),
    Get("/api/v1/query_range?query=wild&start=1700000000&end=1700000600&step=37.5"),
    Get(
        "/api/v1/query_range?query=sum by (i) (rate(c_total[5m]))&start=1700000000.123&end=1700000600&step=15",
    ),
    Get("/api/v1/query_range?query=1&start=0&end=11000.9&step=1"),
    Get("/api/v1/query_range?query=1&start=0&end=11001&step=1"),
    Get("/api/v1/query_range?query=c_total[1m]&start=0&end=1&step=1"),
    Get("/api/v1/query_range?query=1&start=2&end=1&step=1"),
    Get("/api/v1/query_range?query=1&start=2&end=3&step=0"),
    Get("/api/v1/query_range?query=1&start=2&end=3&step=1.5m"),
    Get("/api/v1/query_range?query=1&start=2&end=3"),
    Get("/api/v1/query_range?query=1&end=3&step=1"),
    Get("/api/v1/query_range?query=\"x\"&start=2&end=3&step=1"),
    Post("/api/v1/query_range", "query=c_total&start=1700000000&end=1700000600&step=60&limit=2"),
    Get("/api/v1/format_query?query=a{x=\"<&>\"}"),
    Get("/api/v1/format_query?query=sum(rate(c_total[5m]))by(i)>0"),
    Get("/api/v1/format_query?query=sum("),
    // Of selectors and joins later versions say more than 3.5.
    Get("/api/v1/parse_query?query=clamp(vector(-(1 + .5)), 0, Inf) > bool time()"),
    Get("/api/v1/parse_query?query=quantile without (a) (0.5, vector(1))"),
    Get("/api/v1/parse_query?query=sum("),
    Get("/api/v1/query_exemplars?query=c_total"),
    Get("/api/v1/query_exemplars?query=1"),
    Get("/api/v1/query_exemplars?query=1&start=2&end=1"),
    Get("/api/v1/labels?start=2&end=1"),
    Get("/api/v1/series"),
    Get("/api/v1/series?match[]={x=\"\"}"),
    Get("/api/v1/series?match[]=c_total{i=\"0\",j=\"x\"}"),
    Get("/api/v1/series?match[]=none"),
    Get("/api/v1/series?match[]=c_total{"),
    Get(
        "/api/v1/series?match[]=c_total{i=\"0\",j=\"x\"}&start=-292273086-05-16T16:47:06Z&end=292277025-08-18T07:12:54.999999999Z",
    ),
    Get("/api/v1/series?match[]=c_total{i=\"0\",j=\"x\"}&start=2&end=1"),
    Post("/api/v1/series", "match[]=served{instance=\"a\"}"),
    Get("/api/v1/labels"),
    Get("/api/v1/labels?match[]=c_total"),
    Get("/api/v1/labels?match[]=c_total&match[]=served"),
    Get("/api/v1/labels?limit=2"),
    Get("/api/v1/labels?match[]={x=\"\"}"),
    Get("/api/v1/label/i/values"),
    Get("/api/v1/label/i/values?match[]=big"),
    Get("/api/v1/label/i/values?limit=2"),
    Get("/api/v1/label/none/values"),
    Get("/api/v1/label/__name__/values"),
    Post("/api/v1/label/i/values", ""),
    Get("/api/v1/metadata"),
    Get("/api/v1/metadata?metric=none"),
    Get("/api/v1/metadata?limit=x"),
    Get("/api/v1/rules"),
    Get("/api/v1/rules?type=x"),
    Get("/api/v1/alerts"),
    Get("/api/v1/nothing"),
    Get("/nothing"),
    Get("/federate"),
    Get("/federate?match[]=x{"),
];

#[test]
fn answers_are_those_of_a_real_server() {
    let Some(theirs) = Prometheus::start("serve", &[]) else {
        return say("no prometheus in PROMQL_REFERENCE_BIN or the path: its API is not compared");
    };
    let storage = trial_data::storage();
    theirs.write(&storage);
    let timeout = Some(Duration::from_secs(60));
    let settings = Settings {
        now: Some(END),
        engine: EngineOptions { timeout, ..EngineOptions::default() },
        ..Settings::default()
    };
    let ours = serve(Api::new(Arc::new(storage), settings));
    let mut different = Vec::new();
    for request in REQUESTS {
        let (a, b) = (ask(theirs.port(), request), ask(ours, request));
        if a != b {
            different.push(format!("{request}\n theirs {a:.1200?}\n ours   {b:.1200?}\n"));
        }
    }
    say(&format!("{} of {} answers are equal", REQUESTS.len() - different.len(), REQUESTS.len()));
    assert!(different.is_empty(), "{}", different.join("\n"));
}
