//! The checks over a single expression, which is no rule of a file.
//!
//! Checks look at rules, so the expression is put into one. What is found in the rest of it, such as its
//! name, is nobody's, and places are told as those of the expression.

use std::ops::Range;

use promql_lint::{Edit, Input, Settings, lint};
use promql_repl::{Fix, Reason};

use super::report;
use crate::console::Console;

/// The rule around the expression; each of its lines is behind [`INDENT`].
const FRONT: &str =
    "groups:\n- name: session\n  rules:\n  - record: job:session:value\n    expr: |2\n";
const INDENT: &str = "      ";

/// What is found in an expression, drawn, and the expressions that are proposed in its place.
pub(in crate::commands) fn look(expression: &str, console: &Console) -> Reason {
    let lines: Vec<String> = expression.lines().map(|line| format!("{INDENT}{line}\n")).collect();
    let outcome =
        lint(vec![Input::new("session", FRONT.to_owned() + &lines.concat())], &Settings::default());
    let mut reason = Reason::default();
    for file in &outcome.files {
        for finding in &file.findings {
            let places = finding.labels.iter().map(|label| inside(&file.text, &label.span));
            let Some(places) = places.collect::<Option<Vec<_>>>() else { continue };
            let mut finding = finding.clone();
            finding.labels.iter_mut().zip(places).for_each(|(label, place)| label.span = place);
            reason.text.push_str(&report::of_expression(&finding, expression, console));
            let Some(fix) = finding.fix else { continue };
            let after = edited(&file.text, fix.edits);
            let Some(after) = after.strip_prefix(FRONT) else { continue };
            let lines: Vec<&str> =
                after.lines().map(|line| line.strip_prefix(INDENT).unwrap_or(line)).collect();
            let expression = lines.join("\n");
            reason
                .fixes
                .push(Fix { title: format!("{} ({})", fix.title, fix.safety.name()), expression });
        }
    }
    if reason.text.is_empty() {
        reason.text = "nothing is wrong with it that can be seen without its data\n".to_owned();
    }
    reason
}

/// A place of the file as one of the expression; nothing if it isn't in it.
fn inside(text: &str, span: &Range<usize>) -> Option<Range<usize>> {
    let offset = |at: usize| {
        let lines = text.get(FRONT.len()..at)?.matches('\n').count() + 1;
        (at - FRONT.len()).checked_sub(lines * INDENT.len())
    };
    Some(offset(span.start)?..offset(span.end)?)
}

/// A text after edits that don't overlap.
fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    let mut out = text.to_owned();
    for edit in edits {
        if out.get(edit.span.clone()).is_some() {
            out.replace_range(edit.span, &edit.text);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(expression: &str) -> String {
        let console = Console {
            is_terminal: false,
            stderr_is_terminal: false,
            color: false,
            stderr_color: false,
            unicode: true,
        };
        let reason = look(expression, &console);
        let fixes = reason.fixes.iter().map(|fix| format!("{}:\n{}\n", fix.title, fix.expression));
        reason.text + &fixes.collect::<String>()
    }

    #[test]
    fn places_are_those_of_the_expression() {
        insta::assert_snapshot!(shown("sum by (job) (\n  up{job=~\"api\"} # all\n)"));
        insta::assert_snapshot!(shown("sum(up)"), @"nothing is wrong with it that can be seen without its data");
    }
}
