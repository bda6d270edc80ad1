//! `matchers-contradict` (M010).

use promql_model::Matcher;
use promql_syntax::ast::LabelMatcher;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds matchers of one label that no value satisfies.
    ///
    /// ## Why it matters
    /// The selector selects nothing, ever.
    ///
    /// ## Examples
    /// ```promql bad
    /// up{job="shop", job="cart"}
    ///                ^^^^^^^^^^ no value of `job` satisfies these matchers; the selector selects nothing
    /// ```
    /// ```promql bad
    /// up{job="shop", job!="shop"}
    ///                ^^^^^^^^^^^ no value of `job` satisfies these matchers; the selector selects nothing
    /// ```
    /// ```promql bad
    /// up{job=~"shop|cart", env="prod", job!~"shop|c.*"}
    ///                                  ^^^^^^^^^^^^^^^ no value of `job` satisfies these matchers; the selector selects nothing
    /// ```
    /// ```promql good
    /// up{job=~"shop.*", job!="shop-test"}
    /// ```
    /// ```promql good
    /// up{job="shop", job=~"s.*"}
    /// ```
    /// ```promql good
    /// up{job=~"shop.*", job=~".*cart"}
    /// ```
    "M010" "matchers-contradict" Error, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (_, selector) in cx.selectors() {
        let matchers = cx.expr.matchers(selector);
        for (at, matcher) in matchers.iter().enumerate() {
            let name = cx.expr.text(matcher.name);
            let same = |other: &&LabelMatcher| cx.expr.text(other.name) == name;
            // Told at the last one of a label.
            if matchers[at + 1..].iter().any(|other| same(&other)) {
                continue;
            }
            let all: Vec<&LabelMatcher> = matchers[..=at].iter().filter(same).collect();
            if all.len() < 2 {
                continue;
            }
            let Some(compiled) = compiled(cx, &all) else { continue };
            let Some(other) = contradiction(&compiled, matcher, &all) else { continue };
            let label = cx.expr.text_lossy(matcher.name);
            report
                .at(cx.place(matcher.span), format!("no value of `{label}` satisfies these matchers"))
                .also(cx.place(other.span), "the other one")
                .consequence("the selector selects nothing")
                .help("one label can't have two values; `=~\"a|b\"` selects either");
        }
    }
}

fn compiled(cx: &ExprContext<'_>, all: &[&LabelMatcher]) -> Option<Vec<Matcher>> {
    let compile = |matcher: &&LabelMatcher| {
        Matcher::new("", matcher.op, cx.expr.text(matcher.value)).ok()
    };
    all.iter().map(compile).collect()
}

/// Another matcher that takes no value with the others, if the values of one of them can be listed.
fn contradiction<'m>(
    compiled: &[Matcher],
    last: &LabelMatcher,
    all: &[&'m LabelMatcher],
) -> Option<&'m LabelMatcher> {
    let (at, values) = compiled.iter().enumerate().find_map(|(at, matcher)| Some((at, values(matcher)?)))?;
    let is_possible = |value: &String| compiled.iter().all(|matcher| matcher.matches(value));
    if values.iter().any(is_possible) {
        return None;
    }
    let listed = all[at];
    if listed.span != last.span {
        return Some(listed);
    }
    let refuses = |matcher: &Matcher| !values.iter().any(|value| matcher.matches(value));
    let refusing = compiled.iter().position(refuses).filter(|other| *other != at);
    all.get(refusing.unwrap_or_default()).copied()
}

/// The values that a matcher takes, if they are few.
pub(super) fn values(matcher: &Matcher) -> Option<Vec<String>> {
    use promql_model::MatchOp::{Equal, Matches};
    match matcher.op() {
        Equal => Some(vec![std::str::from_utf8(matcher.value()).ok()?.to_owned()]),
        Matches => Some(matcher.regex()?.texts()?.iter().map(|text| text.to_string()).collect()),
        _ => None,
    }
}
