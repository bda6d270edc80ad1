//! `integer-bucket-label` (V003).

use promql_model::{MatchOp, Regex};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds `le="1"` and `quantile="1"`: a whole number, which Prometheus 3 stores as `1.0`.
    ///
    /// ## Why it matters
    /// Since version 3 the bounds of classic histograms and the quantiles of summaries are written as floats
    /// when they are scraped, so `le="1"` selects nothing any more. It is presumed that the series are scraped
    /// by such a server.
    ///
    /// ## Examples
    /// ```promql bad
    /// http_request_duration_seconds_bucket{le="1"}
    ///                                      ^^^^^^ Prometheus 3 stores whole numbers with `.0` in this label
    /// ```
    /// ```promql fixed
    /// http_request_duration_seconds_bucket{le=~"1(\\.0)?"}
    /// ```
    /// ```promql bad
    /// sum(rate(http_request_duration_seconds_bucket{le=~"1|5"}[5m]))
    ///                                               ^^^^^^^^^ Prometheus 3 stores whole numbers with `.0` in this label
    /// ```
    /// ```promql fixed
    /// sum(rate(http_request_duration_seconds_bucket{le=~"1(\\.0)?|5(\\.0)?"}[5m]))
    /// ```
    /// ```promql bad
    /// rpc_latency{quantile="1"} > 3
    ///             ^^^^^^^^^^^^ Prometheus 3 stores whole numbers with `.0` in this label
    /// ```
    /// ```promql fixed
    /// rpc_latency{quantile=~"1(\\.0)?"} > 3
    /// ```
    /// ```promql good
    /// http_request_duration_seconds_bucket{le="0.5"}
    /// ```
    /// ```promql good
    /// http_request_duration_seconds_bucket{le=~"1(\\.0)?"}
    /// ```
    /// ```promql good
    /// http_request_duration_seconds_bucket{le="+Inf", size="1"}
    /// ```
    "V003" "integer-bucket-label" Warning, Presumed, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for matcher in cx.matchers() {
        if !matches!(cx.expr.text(matcher.name), b"le" | b"quantile") {
            continue;
        }
        let Some(value) = cx.pattern(matcher) else { continue };
        let is_whole = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (is_found, new) = match matcher.op {
            MatchOp::Equal | MatchOp::NotEqual => (is_whole(value), format!("{value}(\\.0)?")),
            MatchOp::Matches | MatchOp::NotMatches => {
                let regex = Regex::new(value.as_bytes()).ok();
                let texts = regex.as_ref().and_then(|regex| regex.texts()).unwrap_or_default();
                // A list that has both forms is made for both.
                let is_alone = |text: &str| {
                    is_whole(text) && !texts.iter().any(|other| **other == format!("{text}.0"))
                };
                let parts = value.split('|').map(|part| match is_whole(part) {
                    true => format!("{part}(\\.0)?"),
                    false => part.to_owned(),
                });
                let is_found = texts.iter().any(|text| is_alone(text));
                (is_found, parts.collect::<Vec<_>>().join("|"))
            }
        };
        if !is_found {
            continue;
        }
        let symbol = if matcher.op.is_negative() { "!~" } else { "=~" };
        let literal = cx.quoted(matcher.value_span, &new);
        let span = promql_syntax::Span::new(cx.operator_span(matcher).start, matcher.value_span.end);
        let text = format!("{symbol}{literal}");
        report
            .at(cx.place(matcher.span), "Prometheus 3 stores whole numbers with `.0` in this label")
            .help(format!("`{text}` matches both forms"))
            .fix(Safety::Unsafe, "match both forms", cx.edits(&[(span, &text)]));
    }
}
