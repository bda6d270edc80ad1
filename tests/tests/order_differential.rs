//! The order of the elements of instant vectors, compared with a real Prometheus. Where it depends on
//! chance there, as that of groups in a hash map does, there is nothing to compare.

use promql_tests::answer::{Times, ours};
use promql_tests::conformance::say;
use promql_tests::prometheus::Prometheus;
use promql_tests::trial_data::{START, storage};

const QUERIES: [&str; 47] = [
    "g",
    "{__name__=~\"g|steady|one\"}",
    "-g",
    "g + 1",
    "1 - g",
    "g > 0",
    "abs(g)",
    "rate(c_total[5m])",
    "max_over_time(g[10m:1m])",
    "timestamp(g)",
    "label_replace(g, \"k\", \"$1\", \"j\", \"(.)\")",
    "label_join(g, \"k\", \"-\", \"j\", \"i\")",
    "sum by (i) (g)",
    "sum by (j) (g)",
    "sum without (i) (g)",
    "avg by (j, i) (g)",
    "count by (j) (g) + 1",
    "min by (i) (g) > -100",
    "quantile by (j) (0.5, g)",
    "stddev by (j) (steady)",
    "group by (k) ({__name__=~\"g|steady|one\"})",
    "sum by (__name__) ({__name__=~\"g|steady|one\"})",
    "sum(g)",
    "g + on (i, j) steady",
    "g / g",
    "g > on (i, j) steady",
    "g == bool on (i, j) steady",
    "g * on (i) group_left (k) one",
    "one * on (i) group_right () g",
    "one + on (i) group_right (k) steady",
    "g and on (i) one",
    "g unless on (i) one",
    "one or g",
    "g or one",
    "sum by (j) (g) or sum by (i) (g)",
    "(g > 0) or (steady < 5)",
    "topk(3, g)",
    "bottomk(2, g)",
    "topk by (j) (1, g)",
    "topk(2, sum by (i) (g))",
    "sort(g)",
    "sort_desc(g)",
    "limitk(2, g)",
    "limitk(5, wild)",
    "limitk by (j) (3, steady)",
    "limit_ratio(0.6, g)",
    "g @ end()",
];

#[test]
fn elements_come_in_the_order_of_a_server() {
    let features = ["promql-experimental-functions"];
    let Some(server) = Prometheus::start("order", &features) else {
        say("no prometheus in PROMQL_REFERENCE_BIN, skipping the comparison of orders");
        return;
    };
    let storage = storage();
    server.write(&storage);
    let mut different = Vec::new();
    let mut compared = 0;
    for query in QUERIES {
        for minute in [20, 35, 50] {
            let times = Times::Instant(START + minute * 60_000);
            // Asked twice, chance shows; what it decides about is left out.
            let answers = [(); 4].map(|()| server.query(query, times));
            let [Ok(theirs), others @ ..] = answers else { panic!("{query}: {answers:?}") };
            let same = |other: &Result<_, _>| {
                other
                    .as_ref()
                    .is_ok_and(|other: &promql_tests::answer::Answer| other.order == theirs.order)
            };
            if !others.iter().all(same) {
                say(&format!("{query} has any order"));
                continue;
            }
            let ours = ours(query, &storage, times).unwrap_or_else(|e| panic!("{query}: {e}"));
            compared += 1;
            if theirs.order != ours.order {
                different.push(format!(
                    "{query} at {minute}m\ntheirs {:?}\nours   {:?}",
                    theirs.order, ours.order
                ));
            }
        }
    }
    say(&format!("orders: {compared} compared, {} different", different.len()));
    assert!(different.is_empty(), "{}", different.join("\n"));
}
