//! Alerts as lines with `-` for what was expected and `+` for what fired.

use std::collections::{BTreeMap, BTreeSet};

use promql_model::quote;
use promql_rules::unit_test::{AlertRow, AlertTexts};

use super::super::report::{FAILED, PASSED};
use super::super::table::{INDENT, Look, pair};
use crate::render::grid::{self, push_styled};
use crate::visible;

/// All labels and annotations of an alert that was expected, that fired, or both.
pub(super) fn diff(row: &AlertRow, look: &Look) -> String {
    let none = AlertTexts::default();
    let (expected, got) =
        (row.expected.as_ref().unwrap_or(&none), row.got.as_ref().unwrap_or(&none));
    let sign = match (&row.expected, &row.got) {
        (Some(_), Some(_)) => " ",
        (Some(_), None) => "-",
        _ => "+",
    };
    let mut out = String::new();
    line(&mut out, sign, "labels:", look);
    fields(&mut out, &expected.0, &got.0, look);
    if !expected.1.is_empty() || !got.1.is_empty() {
        line(&mut out, sign, "annotations:", look);
        fields(&mut out, &expected.1, &got.1, look);
    }
    out
}

fn line(out: &mut String, sign: &str, text: &str, look: &Look) {
    let style = match sign {
        "-" => PASSED,
        "+" => FAILED,
        _ => grid::DIM,
    };
    out.push_str(INDENT);
    push_styled(out, &format!("{sign} {text}"), style, look.color);
    out.push('\n');
}

/// Names with texts, by the names: those that differ below each other, with the difference marked.
fn fields(
    out: &mut String,
    expected: &BTreeMap<String, String>,
    got: &BTreeMap<String, String>,
    look: &Look,
) {
    let quoted = |text: &String| quote(text.as_bytes());
    let names: BTreeSet<&String> = expected.keys().chain(got.keys()).collect();
    for name in names {
        let shown = visible::escape(name);
        match (expected.get(name), got.get(name)) {
            (Some(a), Some(b)) if a != b => {
                let (minus, plus) = (format!("-   {shown}:"), format!("+   {shown}:"));
                out.push_str(&pair((&minus, &quoted(a)), (&plus, &quoted(b)), INDENT, look));
            }
            (a, b) => {
                let sign = match (a, b) {
                    (Some(_), Some(_)) => " ",
                    (Some(_), None) => "-",
                    _ => "+",
                };
                let text = visible::value(&a.or(b).map(quoted).unwrap_or_default());
                line(out, sign, &format!("  {shown}:  {text}"), look);
            }
        }
    }
}
