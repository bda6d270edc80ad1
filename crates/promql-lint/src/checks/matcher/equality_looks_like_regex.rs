//! `equality-looks-like-regex` (M009).

use promql_model::MatchOp;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds `=` or `!=` with a value that is a regular expression by its looks.
    ///
    /// ## Why it matters
    /// `=` compares texts, so `code="5.."` selects nothing.
    ///
    /// ## Examples
    /// ```promql bad
    /// http_requests_total{code="5.."}
    ///                     ^^^^^^^^^^ this value looks like a regular expression
    /// ```
    /// ```promql fixed
    /// http_requests_total{code=~"5.."}
    /// ```
    /// ```promql bad
    /// http_requests_total{job="shop|cart"}
    ///                     ^^^^^^^^^^^^^^^ this value looks like a regular expression
    /// ```
    /// ```promql fixed
    /// http_requests_total{job=~"shop|cart"}
    /// ```
    /// ```promql bad
    /// http_requests_total{path!="/static/.*"}
    ///                     ^^^^^^^^^^^^^^^^^^ this value looks like a regular expression
    /// ```
    /// ```promql fixed
    /// http_requests_total{path!~"/static/.*"}
    /// ```
    /// ```promql good
    /// http_requests_total{code=~"5.."}
    /// ```
    /// Exporters have such values:
    /// ```promql good
    /// haproxy_responses_total{code="5xx"}
    /// ```
    /// ```promql good
    /// http_requests_total{path="/v1.0/users", mode="a | b"}
    /// ```
    "M009" "equality-looks-like-regex" Warning, Heuristic, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for matcher in cx.matchers() {
        let new = match matcher.op {
            MatchOp::Equal => "=~",
            MatchOp::NotEqual => "!~",
            MatchOp::Matches | MatchOp::NotMatches => continue,
        };
        if matcher.is_name {
            continue;
        }
        let value = cx.expr.text_lossy(matcher.value);
        if !looks_like_regex(&value) {
            continue;
        }
        let fix = cx.edits(&[(cx.operator_span(matcher), new)]);
        report
            .at(cx.place(matcher.span), "this value looks like a regular expression")
            .label(format!("`{}` compares it as a text", matcher.op.symbol()))
            .help(format!("write `{new}` to match a pattern"))
            .fix(Safety::Unsafe, format!("write `{new}`"), fix);
    }
}

/// Whether a value has what regular expressions have, and texts hardly.
fn looks_like_regex(value: &str) -> bool {
    let bytes = value.as_bytes();
    let is_word = |at: Option<&u8>| at.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let dots_behind_digit = bytes.len() == 3 && bytes[0].is_ascii_digit() && &bytes[1..] == b"..";
    let bars = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'|');
    let mut bars = bars.peekable();
    let joins_words = bars.peek().is_some()
        && bars.all(|(at, _)| at > 0 && is_word(bytes.get(at - 1)) && is_word(bytes.get(at + 1)));
    let is_anchored = value.starts_with('^') && value.ends_with('$');
    let parts = [".*", ".+", "[0-9]", "[a-z]", "\\d", "\\w", "\\."];
    dots_behind_digit
        || joins_words
        || is_anchored
        || parts.iter().any(|part| value.contains(part))
}
