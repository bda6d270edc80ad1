//! The golden queries: how they are read, what they are evaluated to, that this does not depend on
//! how they are written, and that a real Prometheus agrees.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use promql_model::Labels;
use promql_model::number::Decimal;
use promql_storage::MemoryStorage;
use promql_syntax::functions::{AGGREGATORS, FUNCTIONS};
use promql_syntax::{Features, FormatOptions};
use promql_tests::answer::{Answer, Times, ours};
use promql_tests::conformance::say;
use promql_tests::golden::{Golden, Topic, fixture, topics};
use promql_tests::prometheus::Prometheus;

/// How a query is read and what comes of it.
fn shown(golden: &Golden, storage: &MemoryStorage) -> String {
    let Golden { question, query, times, .. } = golden;
    let mut text = String::new();
    question.lines().for_each(|line| push(&mut text, format_args!("# {line}")));
    push(&mut text, format_args!("{query}\n"));
    let expr = match promql_syntax::parse(query, &Features::ALL) {
        Ok(expr) => expr,
        Err(errors) => panic!("{query}: {errors}"),
    };
    push(&mut text, format_args!("canonical:\n  {expr}"));
    let typed = promql_syntax::check(&expr).unwrap_or_else(|errors| panic!("{query}: {errors}"));
    push(&mut text, format_args!("typed:\n{}", indented(&typed.to_typed_text())));
    let plan = promql_engine::plan(&typed, &times.options());
    let plan = plan.unwrap_or_else(|error| panic!("{query}: {error}"));
    push(&mut text, format_args!("plan:\n{}", indented(&plan.to_text())));
    match ours(query, storage, *times) {
        Ok(answer) => show_answer(&mut text, &answer, *times),
        Err(message) => push(&mut text, format_args!("error:\n{}", indented(&message))),
    }
    text
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{line}");
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

fn show_answer(text: &mut String, answer: &Answer, times: Times) {
    let when = match times {
        Times::Instant(at) => format!("at {}s", Decimal(at as f64 / 1000.0)),
        Times::Range { start, end, step } => {
            let [start, end, step] = [start, end, step].map(|t| Decimal(t as f64 / 1000.0));
            format!("from {start}s to {end}s every {step}s")
        }
    };
    push(text, format_args!("{} {when}:", answer.kind));
    if answer.kind == "string" {
        push(text, format_args!("  {:?}", answer.text));
    } else if answer.series.is_empty() {
        push(text, format_args!("  (nothing)"));
    }
    for labels in &answer.order {
        let points = answer.series[labels].iter();
        let values: Vec<String> = match times {
            Times::Instant(at) => points
                .map(|(time, value)| match *time == at {
                    true => number(*value),
                    false => format!("{}@{}", number(*value), Decimal(*time as f64 / 1000.0)),
                })
                .collect(),
            Times::Range { start, end, step } => (start..=end)
                .step_by(step as usize)
                .map(|at| {
                    let point = points.clone().find(|(time, _)| *time == at);
                    point.map_or_else(|| "_".to_owned(), |(_, value)| number(*value))
                })
                .collect(),
        };
        push(text, format_args!("  {} {}", series_name(labels), values.join(" ")));
    }
    answer.annotations.iter().for_each(|annotation| push(text, format_args!("{annotation}")));
}

/// A value with twelve digits: those behind depend on the order of sums and on the mathematical
/// library.
fn number(value: f64) -> String {
    let rounded = format!("{value:.11e}").parse().unwrap_or(value);
    Decimal(rounded).to_string()
}

/// A label set as people write it.
fn series_name(labels: &Labels) -> String {
    let pairs = labels.iter().filter(|(name, _)| *name != "__name__");
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{}{{{}}}", labels.metric_name().unwrap_or_default(), pairs.join(", "))
}

#[test]
fn golden_queries() {
    let mut queries = 0;
    for Topic { name, data, queries: of_topic } in topics() {
        let storage = fixture(&data);
        queries += of_topic.len();
        let all: Vec<String> = of_topic.iter().map(|golden| shown(golden, &storage)).collect();
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(name, all.join("\n"));
        });
    }
    say(&format!("golden queries: {queries}"));
}

#[test]
fn golden_queries_name_all_functions_and_aggregations() {
    let topics = topics();
    let queries = topics.iter().flat_map(|topic| &topic.queries);
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = queries.flat_map(|golden| golden.query.split(move |c| !is_of_name(c)));
    let words: BTreeSet<&str> = words.collect();
    let names = FUNCTIONS.iter().map(|function| function.name);
    let names = names.chain(AGGREGATORS.iter().map(|aggregator| aggregator.name));
    let missing: Vec<&str> = names.filter(|name| !words.contains(name)).collect();
    assert!(missing.is_empty(), "in no golden query: {missing:?}");
}

/// However a query is written, it is the same query and has the same answer.
#[test]
fn golden_queries_can_be_printed_and_formatted() {
    for Topic { name, data, queries } in topics() {
        let storage = fixture(&data);
        for Golden { query, times, .. } in queries {
            let parse = |text: &str| {
                promql_syntax::parse(text, &Features::ALL)
                    .unwrap_or_else(|errors| panic!("{name}: {text}: {errors}"))
            };
            let canonical = parse(&query).to_string();
            assert_eq!(parse(&canonical).to_string(), canonical, "{name}: printed again");
            let format = |text: &str| {
                promql_syntax::format(text, &FormatOptions::default())
                    .unwrap_or_else(|errors| panic!("{name}: {text}: {errors}"))
            };
            let formatted = format(&query);
            assert_eq!(format(&formatted), formatted, "{name}: formatted again");
            // Remarks point to other places, so they are not compared here.
            let answer = |text: &str| {
                let answer = ours(text, &storage, times);
                let remarks = |answer: Answer| Answer { annotations: Vec::new(), ..answer };
                format!("{:?}", answer.map(remarks))
            };
            let expected = answer(&query);
            assert_eq!(answer(&canonical), expected, "{name}: {canonical}");
            assert_eq!(answer(&formatted), expected, "{name}: {formatted}");
        }
    }
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// What a server's message and ours have in common, whatever the version.
fn essence(message: &str) -> &str {
    let message = message.trim_start_matches("invalid parameter \"query\": ");
    message.split(" hand-side of the operation").next().unwrap_or(message)
}

/// The order of a result is only certain after these, at one time.
fn is_ordered(golden: &Golden) -> bool {
    let ordering = ["sort", "topk", "bottomk"];
    matches!(golden.times, Times::Instant(_))
        && ordering.iter().any(|name| golden.query.starts_with(name))
}

#[test]
fn prometheus_agrees_with_the_golden_answers() {
    let features = ["promql-experimental-functions", "promql-duration-expr"];
    let (mut equal, mut newer, mut different) = (0, 0, Vec::new());
    let topics = topics();
    let fixtures: BTreeSet<&str> = topics.iter().map(|topic| &*topic.data).collect();
    for data in fixtures {
        let Some(server) = Prometheus::start(&format!("golden-{data}"), &features) else {
            say("no prometheus in PROMQL_REFERENCE_BIN, skipping the comparison of golden queries");
            return;
        };
        let storage = fixture(data);
        server.write(&storage);
        for topic in topics.iter().filter(|topic| topic.data == data) {
            for golden in &topic.queries {
                let theirs = server.query(&golden.query, golden.times);
                let ours = ours(&golden.query, &storage, golden.times);
                let is_equal = match (&theirs, &ours) {
                    (Ok(theirs), Ok(ours)) => {
                        theirs.is_like(ours, close)
                            && theirs.annotations == ours.annotations
                            && (theirs.order == ours.order || !is_ordered(golden))
                    }
                    (Err(theirs), Err(ours)) => essence(theirs) == essence(ours),
                    _ => false,
                };
                match (is_equal, &golden.newer) {
                    (true, None) => equal += 1,
                    (false, Some(_)) => newer += 1,
                    (true, Some(reason)) => different.push(format!(
                        "{}: {}\nnothing is newer here: {reason}",
                        topic.name, golden.query
                    )),
                    (false, None) => different.push(format!(
                        "{}: {}\n{:?}\ntheirs {theirs:?}\nours   {ours:?}",
                        topic.name, golden.query, golden.times
                    )),
                }
            }
        }
    }
    say(&format!(
        "golden queries: {equal} as in Prometheus, {newer} that are newer, {} different",
        different.len()
    ));
    assert!(different.is_empty(), "\n{}", different.join("\n\n"));
}
