//! `regex-duplicate-alternative` (M007).

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds an alternative of a regular expression that is there twice, or that another one matches too.
    ///
    /// ## Why it matters
    /// Often one of them should have been something else.
    ///
    /// ## Examples
    /// ```promql bad
    /// up{job=~"shop|cart|shop"}
    ///                    ^^^^ the alternative `shop` is there twice
    /// ```
    /// ```promql fixed
    /// up{job=~"shop|cart"}
    /// ```
    /// ```promql bad
    /// up{job=~"shop|shop.*"}
    ///          ^^^^ the alternative `shop` is matched by `shop.*` too
    /// ```
    /// ```promql fixed
    /// up{job=~"shop.*"}
    /// ```
    /// ```promql bad
    /// up{job!~"a.+|b|b|ab"}
    ///                ^ the alternative `b` is there twice
    /// ```
    /// ```promql fixed
    /// up{job!~"a.+|b|ab"}
    /// ```
    /// ```promql good
    /// up{job=~"shop|shop2"}
    /// ```
    /// ```promql good
    /// up{job=~"shop.+|shop"}
    /// ```
    /// ```promql good
    /// up{job=~"(a|b)|c"}
    /// ```
    "M007" "regex-duplicate-alternative" Warning, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for matcher in cx.matchers().filter(|matcher| matcher.op.is_regex()) {
        let Some(pattern) = cx.pattern(matcher).filter(|pattern| pattern.contains('|')) else {
            continue;
        };
        let Some(tree) = cx.rule.set.tree(pattern) else { continue };
        let Some((at, other)) = tree.superfluous_alternative(pattern) else { continue };
        // With the bar on one of its sides.
        let range = if at.start > 0 { at.start - 1..at.end } else { at.start..at.end + 1 };
        let mut new = pattern.to_owned();
        new.replace_range(range, "");
        let alternative = &pattern[at.clone()];
        let message = match &pattern[other.clone()] == alternative {
            true => format!("the alternative `{alternative}` is there twice"),
            false => format!(
                "the alternative `{alternative}` is matched by `{}` too",
                &pattern[other.clone()]
            ),
        };
        let place = cx.in_string(matcher.value_span, at).unwrap_or(matcher.value_span);
        report
            .at(cx.place(place), message)
            .help("leave it out, unless something else was meant")
            .fix(Safety::Safe, "leave it out", cx.replace_string(matcher.value_span, &new));
    }
}
