//! The queries: 15 classes, as dashboards and alerts ask them.

use crate::data::{START, Size};

/// A kind of query, with what a release must reach.
pub(crate) struct Class {
    pub(crate) name: &'static str,
    /// How many times faster than Prometheus and than VictoriaMetrics, with nothing decoded before.
    pub(crate) gate: (f64, f64),
}

/// The classes, in the order of the report.
pub(crate) const CLASSES: [Class; 15] = [
    Class { name: "select", gate: (5.0, 5.0) },
    Class { name: "rate", gate: (5.0, 5.0) },
    Class { name: "aggr_rate", gate: (12.0, 2.5) },
    Class { name: "long_window", gate: (30.0, 5.0) },
    Class { name: "quantile", gate: (40.0, 10.0) },
    Class { name: "subquery", gate: (10.0, 3.0) },
    Class { name: "binop", gate: (12.0, 5.0) },
    Class { name: "func", gate: (12.0, 5.0) },
    Class { name: "setop", gate: (8.0, 5.0) },
    Class { name: "filter", gate: (8.0, 5.0) },
    Class { name: "histogram", gate: (12.0, 2.5) },
    Class { name: "aggr", gate: (7.0, 5.0) },
    Class { name: "match", gate: (12.0, 2.5) },
    Class { name: "modifier", gate: (12.0, 2.5) },
    Class { name: "instant", gate: (6.0, 8.0) },
];

/// The same over all queries.
pub(crate) const GATE_OF_ALL: (f64, f64) = (10.0, 4.5);

/// How many times faster than Prometheus all queries must be once columns are decoded.
pub(crate) const GATE_HOT: f64 = 40.0;

/// When a query is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// Once, at the end.
    Instant,
    /// The last half hour, every 15 s.
    HalfHour,
    /// The last hour, every 15 s.
    Hour,
    /// The last four hours, every minute, or as much of them as there is.
    FourHours,
    /// All but the first ten minutes, every 15 s.
    Full,
}

const MINUTE: i64 = 60_000;

impl Span {
    /// Start and end in milliseconds since the epoch and step in milliseconds; at an instant all
    /// steps are one.
    pub(crate) fn times(self, size: Size) -> (i64, i64, i64) {
        let end = size.end();
        let first = START + 10 * MINUTE;
        let last = |minutes: i64| (end - minutes * MINUTE).max(first);
        match self {
            Span::Instant => (end, end, 0),
            Span::HalfHour => (last(30), end, 15_000),
            Span::Hour => (last(60), end, 15_000),
            Span::FourHours => (last(240), end, MINUTE),
            Span::Full => (first, end, 15_000),
        }
    }
}

/// A query of the list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query {
    pub(crate) class: &'static str,
    pub(crate) span: Span,
    pub(crate) text: &'static str,
}

const fn query(class: &'static str, span: Span, text: &'static str) -> Query {
    Query { class, span, text }
}

use Span::{FourHours, Full, HalfHour, Hour, Instant};

/// All of them.
#[rustfmt::skip]
pub(crate) const QUERIES: [Query; 71] = [
    query("select", HalfHour, r#"http_requests_total{job="api"}"#),
    query("select", FourHours, r#"memory_used_bytes{job="db"}"#),
    query("select", FourHours, "up"),
    query("select", Hour, r#"{instance="host-7:8080"}"#),
    query("rate", HalfHour, r#"rate(http_requests_total{job="api"}[5m])"#),
    query("rate", HalfHour, r#"rate(http_requests_total{job="api"}[1h])"#),
    query("rate", FourHours, "increase(http_request_duration_seconds_count[10m])"),
    query("rate", Hour, "irate(cpu_seconds_total[5m])"),
    query("aggr_rate", Full, "sum(rate(http_requests_total[5m]))"),
    query("aggr_rate", Hour, "sum(rate(http_requests_total[5m]))"),
    query("aggr_rate", Hour, "sum by (job) (rate(http_requests_total[5m]))"),
    query("aggr_rate", FourHours, "sum by (job, code) (rate(http_requests_total[5m]))"),
    query("aggr_rate", FourHours, "sum(increase(http_requests_total[1h]))"),
    query("aggr_rate", Hour, "avg without (instance) (rate(http_requests_total[5m]))"),
    query("aggr_rate", Hour, "max by (instance) (irate(http_requests_total[5m]))"),
    query("long_window", FourHours, "avg by (job) (avg_over_time(memory_used_bytes[1h]))"),
    query("long_window", FourHours, "max by (job) (max_over_time(memory_used_bytes[1h]))"),
    query("long_window", FourHours, "min by (job) (min_over_time(memory_used_bytes[1h]))"),
    query("long_window", FourHours, "sum by (job) (sum_over_time(memory_used_bytes[1h]))"),
    query("long_window", FourHours, "max by (job) (stddev_over_time(memory_used_bytes[1h]))"),
    query("long_window", FourHours, "max by (job) (deriv(memory_used_bytes[30m]))"),
    query("long_window", FourHours, "max by (job) (predict_linear(memory_used_bytes[1h], 3600))"),
    query("long_window", FourHours, "sum by (job) (changes(memory_used_bytes[1h]))"),
    query("long_window", FourHours, "sum(count_over_time(http_requests_total[1h]))"),
    query("quantile", FourHours, "max by (job) (quantile_over_time(0.9, memory_used_bytes[1h]))"),
    query("quantile", FourHours, r#"quantile_over_time(0.5, memory_used_bytes{job="db"}[30m])"#),
    query("quantile", Hour, "avg(quantile_over_time(0.99, load1[1h]))"),
    query("subquery", FourHours, "max_over_time(sum(rate(http_requests_total[5m]))[1h:1m])"),
    query("subquery", Hour, "avg_over_time(sum by (job) (rate(http_requests_total[5m]))[30m:1m])"),
    query("subquery", FourHours, "max(quantile_over_time(0.95, sum by (instance) (rate(cpu_seconds_total[5m]))[1h:5m]))"),
    query("subquery", Instant, r#"max by (path) (max_over_time(rate(http_requests_total{job="api"}[5m])[2h:1m]))"#),
    query("binop", HalfHour, "memory_used_bytes / memory_limit_bytes"),
    query("binop", FourHours, "count(memory_used_bytes / memory_limit_bytes)"),
    query("binop", FourHours, "sum by (job) (memory_used_bytes * 2)"),
    query("binop", FourHours, "max(memory_used_bytes - memory_used_bytes offset 5m)"),
    query("binop", Hour, "sum by (job) (rate(http_requests_total[5m]) * on (instance) group_left () up)"),
    query("binop", FourHours, r#"sum(rate(http_requests_total{code="500"}[5m])) / sum(rate(http_requests_total[5m]))"#),
    query("func", Hour, r#"sum by (host) (label_replace(rate(http_requests_total[5m]), "host", "$1", "instance", "([^:]+):.*"))"#),
    query("func", Hour, r#"count by (route) (label_join(http_requests_total, "route", " ", "method", "path"))"#),
    query("func", FourHours, "sum(ln(sqrt(abs(memory_used_bytes))))"),
    query("func", FourHours, "max by (job) (clamp_max(round(memory_used_bytes, 1000), 2e9))"),
    query("func", FourHours, "max(timestamp(memory_used_bytes))"),
    query("setop", FourHours, "count(memory_used_bytes and on (instance) (load1 > 3))"),
    query("setop", FourHours, "count(memory_used_bytes unless on (instance) (load1 > 3))"),
    query("setop", FourHours, "count(memory_used_bytes or memory_limit_bytes)"),
    query("setop", Hour, "count(http_requests_total unless on (instance) (goroutines > 250))"),
    query("filter", FourHours, "count(memory_used_bytes > 2e9)"),
    query("filter", FourHours, "sum by (job) (memory_used_bytes > bool 2e9)"),
    query("filter", Hour, "memory_used_bytes > 2.6e9"),
    query("filter", Hour, "count by (job) (rate(http_requests_total[5m]) > 5)"),
    query("histogram", FourHours, "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))"),
    query("histogram", Hour, "histogram_quantile(0.9, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))"),
    query("histogram", Hour, "histogram_quantile(0.5, rate(http_request_duration_seconds_bucket[5m]))"),
    query("histogram", FourHours, "sum(rate(http_request_duration_seconds_sum[5m])) / sum(rate(http_request_duration_seconds_count[5m]))"),
    query("aggr", Hour, "topk(5, rate(http_requests_total[5m]))"),
    query("aggr", Hour, "bottomk(3, memory_used_bytes)"),
    query("aggr", HalfHour, r#"count_values("load", round(load1))"#),
    query("aggr", Hour, "quantile by (job) (0.9, rate(http_requests_total[5m]))"),
    query("aggr", FourHours, "stddev by (job) (memory_used_bytes)"),
    query("aggr", FourHours, r#"count by (__name__) ({__name__!=""})"#),
    query("aggr", Hour, "sum by (instance, path) (http_requests_total)"),
    query("match", Hour, r#"sum(rate(http_requests_total{path=~"/(login|search)"}[5m]))"#),
    query("match", Hour, r#"sum(rate(http_requests_total{instance=~".*3.*",code!~"2.."}[5m]))"#),
    query("match", FourHours, r#"sum by (job) (rate({__name__=~"http_request.*_(count|total)"}[5m]))"#),
    query("modifier", Hour, "sum by (job) (rate(http_requests_total[5m] offset 1h))"),
    query("modifier", Hour, "sum(rate(http_requests_total[5m])) - sum(rate(http_requests_total[5m] @ end()))"),
    query("instant", Instant, "sum(rate(http_requests_total[5m]))"),
    query("instant", Instant, r#"count({__name__!=""})"#),
    query("instant", Instant, r#"http_requests_total"#),
    query("instant", Instant, "sum by (job) (increase(http_requests_total[90m]))"),
    query("instant", Instant, "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_query_has_a_class_and_each_class_a_query() {
        for query in QUERIES {
            assert!(CLASSES.iter().any(|class| class.name == query.class), "{query:?}");
        }
        for class in CLASSES {
            assert!(QUERIES.iter().any(|query| query.class == class.name), "{}", class.name);
        }
    }

    #[test]
    fn spans_lie_within_the_data() {
        for size in crate::data::SIZES {
            for query in QUERIES {
                let (start, end, step) = query.span.times(size);
                assert!(START < start && start <= end && end <= size.end() && step >= 0);
            }
        }
    }
}
