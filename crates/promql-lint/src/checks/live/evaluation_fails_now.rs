//! `evaluation-fails-now` (L007).

use promql_syntax::{Span, ValueType};

use super::feature_disabled::disabled;
use crate::check::{Severity, declare_check};
use crate::finding::Report;
use crate::live::{LiveContext, Question, Refusal, Reply};

declare_check! {
    /// Lets the server evaluate the expression, and says why that fails, and what the server remarks.
    ///
    /// ## Why it matters
    /// A rule whose evaluation fails does nothing, and only the server's log tells. Remarks of the server,
    /// which nobody sees in rules, are told as warnings and infos. The number of elements is asked for, not
    /// the elements.
    ///
    /// ## Examples
    /// ```text server
    /// load 1m
    ///   requests_total{job="shop", path="/"} 0+1x10
    ///   requests_total{job="shop", path="/buy"} 0+1x10
    ///   limits{job="shop", kind="soft"} 1x10
    ///   limits{job="shop", kind="hard"} 1x10
    ///   latency_bucket{job="shop", le="1"} 0+1x10
    /// ```
    /// ```promql bad
    /// requests_total / on (job) limits > 1
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the server can't evaluate this: found duplicate series for the match group {job="shop"} on the right hand-side of the operation: [{__name__="limits", job="shop", kind="hard"}, {__name__="limits", job="shop", kind="soft"}];many-to-many matching not allowed: matching labels must be unique on one side; evaluation of this rule fails
    /// ```
    /// ```promql bad
    /// label_replace(requests_total, "path", "x", "", "") > 0
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the server can't evaluate this: vector cannot contain metrics with the same labelset; evaluation of this rule fails
    /// ```
    /// ```promql bad
    /// rate(limits[5m]) > 0
    ///      ^^^^^^^^^^ info: the server remarks: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "limits"
    /// ```
    /// ```promql good
    /// requests_total / on (job) group_left () max by (job) (limits) > 1
    /// ```
    /// ```promql good
    /// 1
    /// ```
    /// Nothing is found, which is no failure:
    /// ```promql good
    /// requests_total / on (job) limit > 1
    /// ```
    "L007" "evaluation-fails-now" Error, Observed, fix: Never, Live(look)
}

fn look(cx: &LiveContext<'_>, report: &mut Report<'_>) {
    // The server would say the same about these.
    if !disabled(cx).is_empty() {
        return;
    }
    let front = match cx.expr.query.value_type() {
        ValueType::Scalar => "vector(\n",
        _ => "count(\n",
    };
    let text = &cx.expr.text.value;
    let asked = cx.ask(Question::Elements { expr: format!("{front}{text}\n)") });
    let place = |span: Option<(u32, u32)>| {
        let front = front.len() as u32;
        let end = text.len() as u32;
        let inner = span.map(|(from, to)| (from.saturating_sub(front), to.saturating_sub(front)));
        let inner = inner.filter(|(from, to)| from <= to && *to <= end && from < &end);
        // A server says where a part begins; the largest part that begins there and ends in time is meant.
        let part = |(from, to): (u32, u32)| {
            let nodes = cx.expr.nodes().map(|(_, node)| node.span);
            let within = nodes.filter(|span| span.start == from && span.end <= to.max(from + 1));
            within.max_by_key(|span| span.end).unwrap_or(Span::new(from, to))
        };
        match inner.map(part) {
            Some(span) => cx.expr.place(span),
            None => cx.expr.place_of(cx.expr.expr.root()),
        }
    };
    match asked {
        Some(Err(Refusal::Expression { message, span })) => {
            report
                .at(place(span), format!("the server can't evaluate this: {message}"))
                .consequence("evaluation of this rule fails");
        }
        Some(Ok(reply)) => {
            let Reply::Elements { remarks, .. } = &*reply else { return };
            for remark in remarks {
                let severity = if remark.is_warning { Severity::Warning } else { Severity::Info };
                report
                    .at(place(remark.span), format!("the server remarks: {}", remark.message))
                    .severity(severity);
            }
        }
        _ => {}
    }
}
