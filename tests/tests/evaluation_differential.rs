//! Random queries against a real Prometheus over the same data: success or failure, labels, values,
//! order and remarks. Runs when `prometheus` is in the folder that `PROMQL_REFERENCE_BIN` names.
//! `PROMQL_DIFFERENTIAL_QUERIES` says how many queries (500), `PROMQL_DIFFERENTIAL_SEED` which.
//!
//! Values are the same if they agree to 1e-9. Where they don't, or where one side has an element
//! that the other hasn't, the difference has to be explained, or the test fails:
//!
//! - *Rounding.* The query is evaluated again with its inexact parts changed by as little as two
//!   implementations may differ (see [`promql_tests::inexact`]). What such changes make of our
//!   own result is what the server may have: a remainder, a comparison or the last step of a sum
//!   that cancels can turn a last digit into anything.
//! - *Age.* The server is older than what this engine follows. Each such difference is a line in
//!   [`is_older`].

use std::collections::{BTreeMap, BTreeSet};

use promql_model::Labels;
use promql_storage::MemoryStorage;
use promql_syntax::functions::{AGGREGATORS, FUNCTIONS};
use promql_tests::answer::{Answer, Points, Times, ours};
use promql_tests::conformance::say;
use promql_tests::differential::remarks::{self, Context};
use promql_tests::generator::{Generator, Trial};
use promql_tests::inexact::Node;
use promql_tests::prometheus::Prometheus;
use promql_tests::random::Random;
use promql_tests::trial_data::{END, START, storage};

/// How often a query is evaluated with changes before a difference counts.
const CHANGED_QUERIES: usize = 24;

/// The smallest numbers have fewer digits.
fn close(a: f64, b: f64) -> bool {
    a == b
        || (a.is_nan() && b.is_nan())
        || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) + f64::MIN_POSITIVE
}

/// The series with the numbers in labels made by `count_values` rounded to nine digits, since the
/// last of them depend on the order of sums. Series that become the same are added.
fn with_rounded_labels(series: &BTreeMap<Labels, Points>) -> BTreeMap<Labels, Points> {
    let mut rounded: BTreeMap<Labels, BTreeMap<i64, f64>> = BTreeMap::new();
    for (labels, points) in series {
        let mut builder = labels.to_builder();
        if let Some(number) = labels.get("v").and_then(|text| text.parse::<f64>().ok()) {
            builder.set("v", format!("{number:.8e}"));
        }
        let known = rounded.entry(builder.build()).or_default();
        points.iter().for_each(|(time, value)| *known.entry(*time).or_insert(0.0) += value);
    }
    rounded.into_iter().map(|(labels, points)| (labels, points.into_iter().collect())).collect()
}

/// Every value of an answer by labels and time.
type Cells = BTreeMap<(Labels, i64), f64>;

fn cells(answer: &Answer) -> Cells {
    let series = with_rounded_labels(&answer.series).into_iter();
    let cells = series.flat_map(|(labels, points)| {
        points.into_iter().map(move |(time, value)| ((labels.clone(), time), value))
    });
    cells.collect()
}

/// Whether the answers are the same: kind, labels, times, values, and the order of sorted ones.
fn same(theirs: &Answer, ours: &Answer, query: &str) -> bool {
    let (a, b) = (cells(theirs), cells(ours));
    theirs.kind == ours.kind
        && a.len() == b.len()
        && a.iter().zip(&b).all(|(a, b)| a.0 == b.0 && close(*a.1, *b.1))
        && (theirs.kind == "matrix" || same_order(theirs, ours, query))
}

/// Whether the remarks are the same, but for what is known to have changed since 3.5.
fn same_remarks(context: &Context<'_>, theirs: &Answer, ours: &Answer) -> bool {
    let of = |answer: &Answer| answer.annotations.iter().cloned().collect();
    remarks::compare(context, &of(theirs), &of(ours)).is_ok()
}

/// Sorted by value, equal elements may be in any order; sorted by labels, those that lack one may
/// be anywhere.
fn same_order(theirs: &Answer, ours: &Answer, query: &str) -> bool {
    if query.starts_with("sort_by_label") {
        let is_complete =
            |labels: &Labels| ["i", "j"].iter().all(|name| labels.get(name).is_some());
        return theirs.order == ours.order || !ours.order.iter().all(is_complete);
    }
    let values = |answer: &Answer| -> Vec<f64> {
        answer.order.iter().map(|labels| answer.series[labels][0].1).collect()
    };
    let (a, b) = (values(theirs), values(ours));
    !query.starts_with("sort") || a.iter().zip(&b).all(|(a, b)| close(*a, *b))
}

/// Whether the server's result is within what small changes make of ours. `again` evaluates a query;
/// a change may make it fail where elements meet that didn't, or not fail.
fn is_rounding(
    node: &Node,
    theirs: &Answer,
    ours: &Answer,
    again: &dyn Fn(&str) -> Option<Answer>,
) -> bool {
    if !node.is_inexact() || theirs.kind != ours.kind || same(theirs, ours, &node.text(None)) {
        return false;
    }
    let theirs = cells(theirs);
    let mut versions = vec![cells(ours)];
    let mut random = Random::new(1);
    for _ in 0..CHANGED_QUERIES {
        versions.extend(again(&node.text(Some(&mut random))).map(|answer| cells(&answer)));
    }
    let keys = theirs.keys().chain(versions.iter().flat_map(Cells::keys));
    keys.into_iter().all(|key| {
        let values: Vec<Option<f64>> =
            versions.iter().map(|version| version.get(key).copied()).collect();
        is_within(theirs.get(key).copied(), &values)
    })
}

/// Whether a value, or that there is none, is what some version has, or between them. Changes are
/// few and in random directions, so what they span is taken twice.
fn is_within(value: Option<f64>, versions: &[Option<f64>]) -> bool {
    let alike = |version: &Option<f64>| match (value, version) {
        (Some(a), Some(b)) => close(a, *b),
        (None, None) => true,
        _ => false,
    };
    if versions.iter().any(alike) {
        return true;
    }
    let Some(value) = value else { return false };
    let finite = versions.iter().flatten().filter(|version| version.is_finite());
    let low = finite.clone().copied().fold(f64::INFINITY, f64::min);
    let high = finite.copied().fold(f64::NEG_INFINITY, f64::max);
    low - (high - low) <= value && value <= high + (high - low)
}

/// What 3.5 is known to do in another way.
fn is_older(query: &str, theirs: &Result<Answer, String>, ours: &Result<Answer, String>) -> bool {
    let merges = ["label_replace", "label_join", "-("];
    match (theirs, ours) {
        // A filter could hide that elements meet that must not.
        (Ok(_), Err(ours)) => ours.starts_with("multiple matches for labels"),
        // Series that become the same at different times were not joined.
        (Err(theirs), Ok(_)) => {
            let merged = theirs.contains("vector cannot contain metrics with the same labelset")
                && merges.iter().any(|name| query.contains(name));
            // A subquery that is pinned to a time was evaluated at all steps nonetheless inside of
            // functions that depend on the step, where elements may meet that don't at that time.
            let pinned = theirs.starts_with("found duplicate series for the match group")
                && query.contains("predict_linear(")
                && query.contains(" @ ");
            merged || pinned
        }
        _ => false,
    }
}

/// Whether both fail for the same reason. Of several failures in a query each reports the one that
/// it comes across first: a server goes through the query side by side and step by step.
fn fails_alike(theirs: &str, ours: &str) -> bool {
    let depends_on_data = |text: &str| {
        [
            "found duplicate series for the match group",
            "multiple matches for labels",
            "vector cannot contain metrics with the same labelset",
            "invalid smoothing factor",
        ]
        .iter()
        .any(|failure| text.starts_with(failure))
    };
    theirs == ours
        || (depends_on_data(theirs) && depends_on_data(ours))
        || (theirs.contains("parse error") && ours.contains("parse error"))
}

#[derive(Default)]
struct Counts {
    equal: usize,
    failed_alike: usize,
    rounding: usize,
    older: usize,
    different: Vec<String>,
}

impl Counts {
    fn compare(
        &mut self,
        trial: &Trial,
        times: Times,
        server: &Prometheus,
        storage: &MemoryStorage,
    ) {
        let Trial { query: node, counted } = trial;
        let query = node.text(None);
        let context = Context { query: &query, times };
        let (theirs, mine) = (server.query(&query, times), ours(&query, storage, times));
        let again = |query: &str| {
            let answer = ours(query, storage, times);
            assert!(!matches!(&answer, Err(e) if e.contains("parse error")), "{query}: {answer:?}");
            answer.ok()
        };
        let is_rounding_of = |node: Option<&Node>| {
            let Some(node) = node else { return false };
            let query = node.text(None);
            let answers = (server.query(&query, times), ours(&query, storage, times));
            let (Ok(theirs), Ok(mine)) = answers else { return false };
            is_rounding(node, &theirs, &mine, &again)
        };
        match (&theirs, &mine) {
            (Ok(a), Ok(b)) if same(a, b, &query) && same_remarks(&context, a, b) => self.equal += 1,
            (Err(a), Err(b)) if fails_alike(a, b) => self.failed_alike += 1,
            _ if is_older(&query, &theirs, &mine) => self.older += 1,
            (Ok(a), Ok(b)) if same_remarks(&context, a, b) && is_rounding(node, a, b, &again) => {
                self.rounding += 1;
            }
            (Ok(_), Ok(_)) if is_rounding_of(counted.as_ref()) => self.rounding += 1,
            _ => self
                .different
                .push(format!("{query}\n{times:?}\n{}", excerpt(&context, &theirs, &mine))),
        }
    }
}

/// The cells that differ.
fn excerpt(
    context: &Context<'_>,
    theirs: &Result<Answer, String>,
    ours: &Result<Answer, String>,
) -> String {
    let (Ok(a), Ok(b)) = (theirs, ours) else {
        return format!("theirs {theirs:?}\nours   {ours:?}\n");
    };
    let mut text = format!("theirs {}, ours {}\n", a.kind, b.kind);
    if !same_remarks(context, a, b) {
        text += &format!("theirs {:?}\nours   {:?}\n", a.annotations, b.annotations);
    }
    let (a, b) = (cells(a), cells(b));
    let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let differ = keys.into_iter().filter(|key| match (a.get(*key), b.get(*key)) {
        (Some(a), Some(b)) => !close(*a, *b),
        _ => true,
    });
    for key in differ.take(6) {
        text += &format!("  {} at {}: {:?}, {:?}\n", key.0, key.1, a.get(key), b.get(key));
    }
    text
}

/// What 3.5 does not know. Some of these are words of `@`, too.
const NEWER: [&str; 10] = [
    "end",
    "first_over_time",
    "histogram_quantiles",
    "max_of",
    "min_of",
    "range",
    "start",
    "start_timestamp",
    "step",
    "ts_of_first_over_time",
];

#[test]
fn random_queries_name_all_functions_and_aggregations() {
    let mut generator = Generator { random: Random::new(1), over_range: false };
    let mut words = BTreeSet::new();
    for at in 0..4000 {
        let text = generator.trial(at % 4).query.text(None);
        let parts = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.extend(parts.map(str::to_owned));
    }
    let names = FUNCTIONS.iter().map(|function| function.name);
    let names = names.chain(AGGREGATORS.iter().map(|aggregator| aggregator.name));
    let missing: Vec<&str> =
        names.filter(|name| !words.contains(*name) && !NEWER.contains(name)).collect();
    assert!(missing.is_empty(), "in no random query: {missing:?}");
}

#[test]
fn random_queries_have_the_same_results_as_on_a_server() {
    let features = ["promql-experimental-functions", "promql-duration-expr"];
    let Some(server) = Prometheus::start("differential", &features) else {
        say("no prometheus in PROMQL_REFERENCE_BIN, skipping random queries");
        return;
    };
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let storage = storage();
    server.write(&storage);
    let random = Random::new(number("PROMQL_DIFFERENTIAL_SEED", 42));
    let mut generator = Generator { random, over_range: false };
    let mut counts = Counts::default();
    for at in 0..number("PROMQL_DIFFERENTIAL_QUERIES", 500) {
        generator.over_range = at % 2 == 1;
        let trial = generator.trial(1 + (at / 2 % 4) as u32);
        // Also before the first sample and behind the last.
        let start = START - 300_000 + generator.random.below(4_200_000) as i64;
        let times = match generator.over_range {
            false => Times::Instant(start),
            true => {
                let step = generator.random.pick(&[15_000, 60_000, 7_000, 300_000]);
                Times::up_to(start, (start + 50 * step).min(END + 600_000), step)
            }
        };
        counts.compare(&trial, times, &server, &storage);
    }
    let Counts { equal, failed_alike, rounding, older, different } = counts;
    say(&format!(
        "random queries: {equal} equal, {failed_alike} failed alike, {rounding} that differ by \
         rounding, {older} where 3.5 is known to differ, {} different",
        different.len()
    ));
    if let Some(path) = std::env::var_os("PROMQL_DIFFERENTIAL_REPORT") {
        std::fs::write(path, different.join("\n")).expect("a report can be written");
    }
    different.iter().take(12).for_each(|text| say(&format!("{text:.1500}")));
    assert!(different.is_empty(), "see above");
}
