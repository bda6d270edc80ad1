//! Printing and formatting: text in, text out.

mod canonical;
mod comments;
mod depth;
mod generator;
mod pretty;
mod properties;
mod trees;

use promql_syntax::{Expr, Features, FormatOptions};
use serde_json::Value;

/// Reads an expression that is well-typed.
fn parse(source: &str) -> Expr {
    let expr = promql_syntax::parse(source, &Features::ALL);
    let expr = expr.unwrap_or_else(|errors| panic!("{source}\n{errors}"));
    if let Err(errors) = promql_syntax::check(&expr) {
        panic!("{source}\n{errors}");
    }
    expr
}

/// Formats an expression.
fn format(source: &str, width: usize) -> String {
    let options = FormatOptions { width, ..FormatOptions::default() };
    promql_syntax::format(source, &options).unwrap_or_else(|errors| panic!("{source}\n{errors}"))
}

/// The tree of an expression without spans. Matchers are sorted, as all printed forms sort them.
fn tree(source: &str) -> Value {
    let json = parse(source).to_json(false);
    let mut tree = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error} in {json}"));
    sort_matchers(&mut tree);
    tree
}

fn sort_matchers(tree: &mut Value) {
    match tree {
        Value::Object(fields) => {
            if let Some(Value::Array(matchers)) = fields.get_mut("matchers") {
                matchers.sort_by_key(Value::to_string);
            }
            fields.values_mut().for_each(sort_matchers);
        }
        Value::Array(values) => values.iter_mut().for_each(sort_matchers),
        _ => {}
    }
}
