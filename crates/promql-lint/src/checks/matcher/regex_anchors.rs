//! `regex-anchors` (M002).

use promql_syntax::Span;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};
use crate::pattern::redundant_anchors;

declare_check! {
    /// Finds `^` at the front and `$` at the end of a regular expression. It always has to match the whole
    /// value, so they say nothing.
    ///
    /// ## Why it matters
    /// Who writes them expects the pattern to be looked for anywhere in the value, and will be surprised by the
    /// next one. In `^4..|5..` they even suggest that the second alternative may match anywhere.
    ///
    /// ## Examples
    /// ```promql bad
    /// http_requests_total{code=~"^5.."}
    ///                            ^ a regular expression always has to match the whole value
    /// ```
    /// ```promql fixed
    /// http_requests_total{code=~"5.."}
    /// ```
    /// ```promql bad
    /// http_requests_total{code=~"^(4|5)..$"}
    ///                            ^ a regular expression always has to match the whole value
    /// ```
    /// ```promql fixed
    /// http_requests_total{code=~"(4|5).."}
    /// ```
    /// ```promql bad
    /// http_requests_total{code=~"^4..|5..$", path!~"^/static/.*"}
    ///                            ^ a regular expression always has to match the whole value
    ///                                               ^ a regular expression always has to match the whole value
    /// ```
    /// ```promql fixed
    /// http_requests_total{code=~"4..|5..", path!~"/static/.*"}
    /// ```
    /// ```promql good
    /// http_requests_total{code=~"5.."}
    /// ```
    /// ```promql good
    /// http_requests_total{price=~"1\\$"}
    /// ```
    /// Behind something that may be empty they have a meaning:
    /// ```promql good
    /// http_requests_total{code=~"a*^5.."}
    /// ```
    "M002" "regex-anchors" Warning, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for matcher in cx.matchers().filter(|matcher| matcher.op.is_regex()) {
        let Some(pattern) = cx.pattern(matcher) else { continue };
        if !pattern.contains(['^', '$']) || pattern.contains("(?") {
            continue;
        }
        let Some(tree) = cx.rule.set.tree(pattern) else { continue };
        let anchors = redundant_anchors(&tree.ast);
        let Some(first) = anchors.first() else { continue };
        let mut new = pattern.to_owned();
        anchors.iter().rev().for_each(|at| new.replace_range(at.clone(), ""));
        let place = match cx.in_string(matcher.value_span, first.clone()) {
            Some(place) => place,
            None => Span::new(matcher.value_span.start, matcher.value_span.end),
        };
        report
            .at(cx.place(place), "a regular expression always has to match the whole value")
            .label("says nothing here")
            .help(format!("write {}", cx.quoted(matcher.value_span, &new)))
            .fix(Safety::Safe, "leave out the anchors", cx.replace_string(matcher.value_span, &new));
    }
}
