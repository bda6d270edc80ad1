//! `matcher-redundant` (M011).

use promql_model::{MatchOp, Matcher};
use promql_syntax::ast::LabelMatcher;

use super::matchers_contradict::values;
use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds a matcher that refuses nothing which another matcher of the label takes.
    ///
    /// ## Why it matters
    /// It looks like a condition, and is none: perhaps another value, or another label, was meant.
    ///
    /// ## Examples
    /// ```promql bad
    /// up{job="shop", job!="cart"}
    ///                ^^^^^^^^^^^ what `job="shop"` takes passes this matcher anyway
    /// ```
    /// ```promql fixed
    /// up{job="shop"}
    /// ```
    /// ```promql bad
    /// up{job="shop", job!=""}
    ///                ^^^^^^^ what `job="shop"` takes passes this matcher anyway
    /// ```
    /// ```promql fixed
    /// up{job="shop"}
    /// ```
    /// ```promql bad
    /// up{env!="", env=~"prod|test", job="shop"}
    ///    ^^^^^^^ what `env=~"prod|test"` takes passes this matcher anyway
    /// ```
    /// ```promql fixed
    /// up{env=~"prod|test", job="shop"}
    /// ```
    /// ```promql bad
    /// up{job=~"shop-.+", job!=""}
    ///                    ^^^^^^^ what `job=~"shop-.+"` takes passes this matcher anyway
    /// ```
    /// ```promql fixed
    /// up{job=~"shop-.+"}
    /// ```
    /// ```promql good
    /// up{job=~"shop.*", job!="shop-test"}
    /// ```
    /// ```promql good
    /// up{job=~"shop|cart", job!="cart"}
    /// ```
    /// Labels that are not there pass, and so do empty ones:
    /// ```promql good
    /// up{job=~"shop|", job!=""}
    /// ```
    "M011" "matcher-redundant" Info, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, selector) in cx.selectors() {
        let matchers = cx.expr.matchers(selector);
        for (at, matcher) in matchers.iter().enumerate() {
            let others = matchers.iter().enumerate();
            let others = others.filter(|(other, _)| *other != at).map(|(other, m)| (other < at, m));
            let Some(other) = implied(cx, matcher, others) else { continue };
            let strict = cx.source(other.span);
            report
                .at(cx.place(matcher.span), format!("what `{strict}` takes passes this matcher anyway"))
                .also(cx.place(other.span), "the stricter one")
                .help("remove it, or say what it was meant to keep out")
                .fix(Safety::Safe, "remove the matcher", cx.without_matcher(id, at));
            // What is said about the others stands on this one.
            break;
        }
    }
}

/// Another matcher of the label whose values all pass. Of two that are equal the later one is redundant.
fn implied<'m>(
    cx: &ExprContext<'_>,
    matcher: &LabelMatcher,
    others: impl Iterator<Item = (bool, &'m LabelMatcher)>,
) -> Option<&'m LabelMatcher> {
    let name = cx.expr.text(matcher.name);
    let compile = |matcher: &LabelMatcher| {
        Matcher::new("", matcher.op, cx.expr.text(matcher.value)).ok()
    };
    // What takes every value is the matter of another check.
    if name == b"__name__" || matches!(cx.expr.text(matcher.value), b".*" | b"(.*)") {
        return None;
    }
    let mut own = None;
    let is_strict = |(is_before, other): &(bool, &LabelMatcher)| {
        if cx.expr.text(other.name) != name || other.op.is_negative() {
            return false;
        }
        if own.is_none() {
            own = compile(matcher);
        }
        let (Some(own), Some(other_compiled)) = (&own, compile(other)) else { return false };
        let is_same = other.op == matcher.op && cx.expr.text(other.value) == cx.expr.text(matcher.value);
        if is_same {
            return *is_before;
        }
        match values(&other_compiled) {
            Some(values) => {
                // Two lists with the same values stand for each other.
                let of_own = values.iter().all(|value| own.matches(value));
                let is_equal = self::values(own).is_some_and(|own| own.len() == values.len());
                of_own && (*is_before || !is_equal)
            }
            None => {
                let asks_presence = own.op() == MatchOp::NotEqual && own.value().is_empty();
                asks_presence && !other_compiled.matches_empty()
            }
        }
    };
    let mut others = others;
    let mut is_strict = is_strict;
    others.find(|other| is_strict(other)).map(|(_, other)| other)
}
