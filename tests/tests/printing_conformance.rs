//! Printing against upstream's own test data: the canonical form, the pretty form, selectors, the
//! tree of `parse_query`, and how upstream formats the rules and dashboards that people use.

use promql_syntax::{DEFAULT_WIDTH, Expr, Features, FormatOptions};
use promql_tests::conformance::{Tally, bytes, files, read_json};
use serde_json::Value;

/// Runs a suite over the cases of the files with this ending. A check gives nothing for a case
/// that is not part of the suite.
fn run(
    suite: &str,
    (folder, ending, key): (&str, &str, &str),
    check: impl Fn(&Value) -> Option<Result<(), String>>,
) {
    let Some(files) = files(folder, ending) else { return };
    let mut tally = Tally::default();
    for path in files {
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let cases = read_json(&path)[key].take();
        for (at, case) in cases.as_array().into_iter().flatten().enumerate() {
            if let Some(outcome) = check(case) {
                let numbered = format!("{file}-{at}");
                tally.check(case["id"].as_str().unwrap_or(&numbered), outcome);
            }
        }
    }
    tally.finish(suite);
}

fn expect(given: &str, expected: &str) -> Result<(), String> {
    match given == expected {
        true => Ok(()),
        false => Err(format!("expected:\n{expected}\ngiven:\n{given}")),
    }
}

/// Reads and checks an expression.
fn parse(source: &[u8]) -> Result<Expr, String> {
    let expr = promql_syntax::parse(source, &Features::ALL).map_err(|e| e.to_string())?;
    promql_syntax::check(&expr).map_err(|e| e.to_string())?;
    Ok(expr)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn canonical_form() {
    run("canonical form", ("parser", "/printer.json", "cases"), |case| {
        let expr = parse(&bytes(case, "input"));
        Some(expr.and_then(|expr| expect(&expr.to_string(), text(&case["expected"]))))
    });
}

#[test]
fn canonical_form_of_what_parses() {
    run("canonical form of what parses", ("parser", "/parse.json", "cases"), |case| {
        let expected = case["printed"].as_str()?;
        let expr = parse(&bytes(case, "input"));
        Some(expr.and_then(|expr| expect(&expr.to_string(), expected)))
    });
}

#[test]
fn tree_of_parse_query() {
    run("tree of parse_query", ("parser", "/parse.json", "cases"), |case| {
        let expected = case["ast"].is_object().then(|| without_exact_bytes(&case["ast"]))?;
        let check = || {
            let expr = parse(&bytes(case, "input"))?;
            let json = |text: String| -> Result<Value, String> {
                serde_json::from_str(&text).map_err(|error| format!("{error} in {text}"))
            };
            let given = json(expr.to_json(true))?;
            expect(&given.to_string(), &expected.to_string())?;
            let plain = json(expr.to_json(false))?;
            expect(&plain.to_string(), &without_positions(&given).to_string())
        };
        Some(check())
    });
}

#[test]
fn pretty_form() {
    run("pretty form", ("parser", "/prettier.json", "cases"), |case| {
        let width = case["max_line_width"].as_u64().map_or(DEFAULT_WIDTH, |width| width as usize);
        let expr = parse(&bytes(case, "input"));
        Some(expr.and_then(|expr| expect(&expr.pretty(width), text(&case["expected"]))))
    });
}

#[test]
fn selectors() {
    run("selectors", ("parser", "/selector_printer.json", "cases"), |case| {
        let selector = &case["selector"];
        let matchers = selector["matchers"].as_array().into_iter().flatten().map(|matcher| {
            let (name, op) = (&matcher["name"], text(&matcher["type"]));
            // The escapes of JSON strings are ones that the language knows too.
            format!("{name}{op}{}", matcher["value"])
        });
        let matchers: Vec<String> = matchers.collect();
        let source = format!("{}{{{}}}", text(&selector["name"]), matchers.join(","));
        let expr = promql_syntax::parse_metric_selector(&source).map_err(|e| e.to_string());
        Some(expr.and_then(|expr| expect(&expr.to_string(), text(&case["expected"]))))
    });
}

#[test]
fn expressions_in_use() {
    run("expressions in use", ("realworld/exprs", ".json", "exprs"), |case| {
        let source = case["expanded"].as_str().or(case["expr"].as_str())?;
        let outcome = match parse(source.as_bytes()) {
            Ok(expr) => check_expression(source, &expr, case),
            // Some need a newer parser than the one that gave the verdict, none an older one.
            Err(error) => case["parses"].as_bool()?.then_some(Err(error))?,
        };
        Some(outcome.map_err(|error| format!("{source}\n{error}")))
    });
}

/// Compares with upstream's pretty form where there is one, and formats everything that parses.
fn check_expression(source: &str, expr: &Expr, case: &Value) -> Result<(), String> {
    let format = |source: &str| {
        promql_syntax::format(source, &FormatOptions::default()).map_err(|e| e.to_string())
    };
    let formatted = format(source)?;
    if let Some(expected) = case["pretty"].as_str() {
        expect(&expr.pretty(DEFAULT_WIDTH), expected)?;
        if expr.comments().is_empty() {
            expect(&formatted, expected)?;
        }
    }
    let again = parse(formatted.as_bytes())?;
    expect(&again.to_string(), &expr.to_string())?;
    let comments = |expr: &Expr| expr.comments().len();
    expect(&comments(&again).to_string(), &comments(expr).to_string())?;
    expect(&format(&formatted)?, &formatted)
}

/// The tree without the fields that give, in base64, a text that is not UTF-8.
fn without_exact_bytes(tree: &Value) -> Value {
    without(tree, &|key| key.ends_with("_b64"))
}

/// The tree without the fields that are only there with positions.
fn without_positions(tree: &Value) -> Value {
    without(tree, &|key| matches!(key, "pos" | "duration" | "bypassEmptyMatcherCheck"))
}

fn without(tree: &Value, dropped: &dyn Fn(&str) -> bool) -> Value {
    match tree {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(key, _)| !dropped(key))
                .map(|(key, value)| (key.clone(), without(value, dropped)))
                .collect(),
        ),
        Value::Array(values) => values.iter().map(|value| without(value, dropped)).collect(),
        other => other.clone(),
    }
}
