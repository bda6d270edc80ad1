//! Depth and size: nothing here may recurse, and everything takes linear time.
//!
//! The tests run in threads with small stacks, so that recursion would end them.

use std::thread;
use std::time::{Duration, Instant};

use promql_syntax::{Features, FormatOptions};

/// Prints an expression in all ways on a small stack.
fn check(name: &str, source: String) {
    let started = Instant::now();
    let run = move || {
        let expr = match promql_syntax::parse(&source, &Features::ALL) {
            Ok(expr) => expr,
            Err(errors) => panic!("{errors}"),
        };
        let canonical = expr.to_string();
        let again = promql_syntax::parse(&canonical, &Features::ALL);
        assert!(again.is_ok_and(|again| again.to_string() == canonical));
        assert!(expr.pretty(100).len() >= canonical.len());
        assert!(expr.to_json(true).len() > canonical.len());
        assert!(!expr.to_tree_text().is_empty());
        if let Ok(query) = promql_syntax::check(&expr) {
            assert!(!query.to_typed_text().is_empty());
            let commented = format!("# above\n{source} # behind");
            let formatted = promql_syntax::format(&commented, &FormatOptions::default());
            let formatted = formatted.unwrap_or_else(|errors| panic!("{errors}"));
            assert!(formatted.starts_with("# above\n") && formatted.ends_with(" # behind"));
        }
    };
    let thread = thread::Builder::new().stack_size(1 << 20).spawn(run);
    thread.expect("a thread").join().unwrap_or_else(|_| panic!("{name}"));
    assert!(started.elapsed() < Duration::from_secs(60), "{name}: {:?}", started.elapsed());
}

#[test]
fn parentheses() {
    check("parentheses", format!("{}x{}", "(".repeat(10_000), ")".repeat(10_000)));
}

#[test]
fn signs() {
    check("signs", format!("{}x", "-".repeat(10_000)));
}

#[test]
fn chains_of_operators() {
    check("chain to the left", vec!["x"; 10_000].join(" + "));
    check("chain to the right", vec!["x"; 10_000].join(" ^ "));
    check("chain with modifiers", vec!["x"; 10_000].join(" * on (a) group_left (b) "));
}

#[test]
fn calls() {
    check("calls", format!("{}x{}", "abs(".repeat(5_000), ")".repeat(5_000)));
    check("aggregations", format!("{}x{}", "sum by (a) (".repeat(5_000), ")".repeat(5_000)));
    let many = vec!["\"label\""; 50_000].join(",");
    check("many arguments", format!("sort_by_label(x, {many})"));
}

#[test]
fn subqueries() {
    check("brackets", format!("x{}", "[5m:1m]".repeat(1_000)));
    let nested = format!("{}x{}", "max_over_time(".repeat(1_000), "[5m:])".repeat(1_000));
    check("nested subqueries", nested);
}

#[test]
fn durations() {
    check("sum of durations", format!("x[{}]", vec!["1m"; 10_000].join(" + ")));
    check("signed duration", format!("x[{}step() + 1h]", "-".repeat(10_000)));
}

#[test]
fn matchers() {
    let matchers: Vec<String> = (0..20_000).map(|i| format!("l{i}=\"v\"")).collect();
    check("many matchers", format!("x{{{}}}", matchers.join(",")));
}

#[test]
fn comments() {
    let behind_each =
        "x[".to_owned() + &"(".repeat(10_000) + "5m # c\n" + &") # c\n".repeat(10_000);
    check("comments behind parentheses", behind_each + "]");
    check("comments in a chain", vec!["x"; 10_000].join(" # c\n+ "));
    let matchers: Vec<String> = (0..10_000).map(|i| format!("l{i}=\"v\" # c\n")).collect();
    check("comments in braces", format!("x{{{}}}", matchers.join(",\n# d\n")));
}
