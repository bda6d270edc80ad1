//! Upstream's cases for the lexer and the parser: what is accepted, the first message and its
//! place, and all messages.

use promql_syntax::{Error, Features, compile, lexer, parse};
use promql_tests::conformance::{Tally, bytes, files, read_json};
use serde_json::Value;

fn each_case(file: &str, mut visit: impl FnMut(&Value)) -> bool {
    let Some(files) = files("parser", file) else { return false };
    for path in files {
        for case in read_json(&path)["cases"].as_array().expect("cases") {
            visit(case);
        }
    }
    true
}

fn id(case: &Value) -> &str {
    case["id"].as_str().expect("id")
}

fn same(
    what: &str,
    got: impl PartialEq + std::fmt::Debug,
    want: impl std::fmt::Debug,
) -> Result<(), String> {
    let (got, want) = (format!("{got:?}"), format!("{want:?}"));
    if got == want { Ok(()) } else { Err(format!("{what}: got {got}, want {want}")) }
}

fn errors(case: &Value) -> Vec<(String, u64, u64)> {
    let of = |error: &Value| {
        let message = error["message"].as_str().expect("message").to_owned();
        (message, error["start"].as_u64().expect("start"), error["end"].as_u64().expect("end"))
    };
    case["errors"].as_array().expect("errors").iter().map(of).collect()
}

fn shown(error: &Error) -> (String, u64, u64) {
    (error.kind.to_string(), error.span.start.into(), error.span.end.into())
}

#[test]
fn acceptance_first_error_and_all_errors() {
    let mut acceptance = Tally::default();
    let mut first = Tally::default();
    let mut all = Tally::default();
    let found = each_case("parse.json", |case| {
        let input = bytes(case, "input");
        let result = compile(&input, &Features::ALL);
        let ok = case["ok"].as_bool().expect("ok");
        acceptance.check(id(case), same("accepted", result.is_ok(), ok));
        let (Err(got), false) = (result, ok) else { return };
        let want = errors(case);
        first.check(id(case), {
            let text = case["errors"][0]["text"].as_str().expect("text");
            same("first", shown(got.first()), &want[0]).and(same("text", got.to_string(), text))
        });
        let upstream = got.upstream();
        all.check(
            id(case),
            match case["error_count"].as_u64() {
                None => same("all", upstream.iter().map(shown).collect::<Vec<_>>(), &want),
                Some(count) => {
                    let front: Vec<_> = upstream.iter().take(want.len()).map(shown).collect();
                    let back = &upstream[upstream.len().saturating_sub(3)..];
                    let back: Vec<_> = back.iter().map(shown).collect();
                    let last = serde_json::json!({ "errors": case["last_errors"] });
                    same("count", upstream.len() as u64, count)
                        .and(same("front", front, &want))
                        .and(same("back", back, errors(&last)))
                }
            },
        );
    });
    if found {
        acceptance.finish("parse acceptance");
        first.finish("parse first error");
        all.finish("parse all errors");
    }
}

#[test]
fn tokens() {
    let mut tally = Tally::default();
    let found = each_case("lex.json", |case| {
        let input = bytes(case, "input");
        let got = match case["series_desc"].as_bool() {
            Some(true) => lexer::tokenize_series(&input),
            _ => lexer::tokenize(&input),
        };
        if case["ok"] == false {
            tally.check(id(case), same("rejected", got.error.is_some(), true));
            return;
        }
        let mut shown: Vec<(String, u64, String)> = got
            .tokens
            .iter()
            .map(|token| (token.kind.upstream_name(), token.span))
            .chain(got.comments.iter().map(|&span| ("COMMENT", span)))
            .map(|(name, span)| {
                let text = String::from_utf8_lossy(&input[span.range()]).into_owned();
                (name.to_owned(), span.start.into(), text)
            })
            .collect();
        shown.sort_by_key(|&(_, at, _)| at);
        let want: Vec<(String, u64, String)> = case["tokens"]
            .as_array()
            .expect("tokens")
            .iter()
            .map(|token| {
                let text = |field: &str| token[field].as_str().expect("text").to_owned();
                (text("type"), token["pos"].as_u64().expect("pos"), text("val"))
            })
            .collect();
        tally.check(
            id(case),
            same("tokens", shown, want).and(match got.error {
                None => Ok(()),
                Some(error) => Err(format!("rejected: {}", error.kind)),
            }),
        );
    });
    if found {
        tally.finish("lex");
    }
}

#[test]
fn real_expressions_are_accepted_or_rejected_as_upstream_does() {
    let Some(files) = files("realworld/exprs", ".json") else { return };
    let mut tally = Tally::default();
    for path in files {
        for case in read_json(&path)["exprs"].as_array().expect("exprs") {
            let text = case["expanded"].as_str().or(case["expr"].as_str()).unwrap_or_default();
            let want = case["parses"].as_bool().expect("parses");
            let got = compile(text, &Features::ALL);
            let name = case["name"].as_str().unwrap_or_default();
            tally.check(
                name,
                match (got, want) {
                    (Ok(_), true) | (Err(_), false) => Ok(()),
                    (Ok(_), false) => Err(format!("accepted {text}")),
                    (Err(errors), true) => Err(format!("rejected {text}: {errors}")),
                },
            );
        }
    }
    tally.finish("real expressions");
}

/// The matchers of each selector of an expression, the implied one for its name last.
fn selectors(text: &str) -> Vec<Vec<String>> {
    let query = compile(text, &Features::ALL).expect("a valid expression");
    let expr = query.expr();
    let shown = |id| {
        let matcher = |(name, op, value): (&[u8], promql_model::MatchOp, &[u8])| {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            format!("{}{}{:?}", text(name), op.symbol(), text(value))
        };
        query.matchers(id).map(matcher).collect()
    };
    expr.nodes()
        .iter()
        .filter_map(|node| match node.kind {
            promql_syntax::ast::NodeKind::VectorSelector(id) => Some(shown(id)),
            _ => None,
        })
        .collect()
}

#[test]
fn selectors_of_an_expression() {
    let mut tally = Tally::default();
    let found = each_case("extract_selectors.json", |case| {
        let got = selectors(case["input"].as_str().expect("input"));
        let want = case["selectors"].as_array().expect("selectors").iter();
        let want: Vec<_> =
            want.flat_map(|selector| selectors(selector.as_str().expect("text"))).collect();
        tally.check(id(case), same("selectors", got, want));
    });
    if found {
        tally.finish("selectors of an expression");
    }
}

#[test]
fn deep_and_long_inputs() {
    let n = 10_000;
    for text in [
        format!("{}1{}", "(".repeat(n), ")".repeat(n)),
        format!("{}x", "-".repeat(n)),
        format!("x{}", " + x".repeat(n)),
        format!("x{}", " ^ x".repeat(n)),
        format!("x{}", "[1m:]".repeat(1000)),
        "(".repeat(1 << 20),
        "[".repeat(1 << 20),
        "x offset (".repeat(100_000),
        format!("{{{}", "a=\"b\",".repeat(100_000)),
        format!("x @ {}", "-".repeat(1 << 20)),
        "sum by (a) (".repeat(50_000),
        format!("x{}", "}".repeat(1 << 20)),
    ] {
        let parsed = parse(&text, &Features::ALL);
        let _ = parsed.as_ref().map(promql_syntax::check);
    }
}
