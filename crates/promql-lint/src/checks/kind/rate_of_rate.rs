//! `rate-of-rate` (K006).

use promql_syntax::ast::{NodeId, NodeKind};
use promql_syntax::{Function, Span};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds `rate`, `irate` and `increase` of what is a rate already.
    ///
    /// ## Why it matters
    /// A rate goes up and down, and each step down is taken for a restart. For the mean of a rate there is
    /// `avg_over_time`, for its slope `deriv`.
    ///
    /// ## Examples
    /// ```promql bad
    /// rate(job:http_requests:rate5m[5m])
    /// ^^^^ `rate` of a rate takes each decrease for a restart
    /// ```
    /// ```promql bad
    /// rate(sum(rate(requests_total[5m]))[1h:1m])
    /// ^^^^ `rate` of a rate takes each decrease for a restart
    /// ```
    /// ```promql bad
    /// increase(rate(requests_total[1m])[1h:])
    /// ^^^^^^^^ `increase` of a rate takes each decrease for a restart
    /// ```
    /// ```promql good
    /// avg_over_time(job:http_requests:rate5m[5m])
    /// ```
    /// ```promql good
    /// deriv(rate(requests_total[5m])[1h:])
    /// ```
    /// ```promql good
    /// rate(exchange_rate_updates_total[5m])
    /// ```
    "K006" "rate-of-rate" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, arguments) in cx.calls() {
        if !is_rate(function) {
            continue;
        }
        let Some(argument) = arguments.first().map(|argument| cx.bare(*argument)) else { continue };
        let is_found = match cx.expr.kind(argument) {
            NodeKind::Subquery(subquery) => gives_rate(cx, cx.expr.subquery(subquery).expr),
            _ => cx.range_metric(argument).is_some_and(is_recorded_rate),
        };
        if is_found {
            let span = cx.expr.span(id);
            let word = Span::new(span.start, span.start + function.name().len() as u32);
            report
                .at(cx.place(word), format!("`{}` of a rate takes each decrease for a restart", function.name()))
                .also(cx.place_of(argument), "a rate already")
                .help("use `avg_over_time` for its mean, `deriv` for its slope");
        }
    }
}

fn is_rate(function: Function) -> bool {
    matches!(function, Function::Rate | Function::Irate | Function::Increase)
}

/// Whether a node is a rate, or an aggregation of one.
fn gives_rate(cx: &ExprContext<'_>, mut id: NodeId) -> bool {
    loop {
        id = cx.bare(id);
        match cx.expr.kind(id) {
            NodeKind::Call { function, .. } => return is_rate(function.function),
            NodeKind::Aggregate { expr, .. } => id = expr,
            _ => return false,
        }
    }
}

/// Whether a recorded name tells that it is a rate: `…:rate5m`, `…:increase1h`.
fn is_recorded_rate(name: &str) -> bool {
    let Some((_, operations)) = name.rsplit_once(':') else { return false };
    let front = ["rate", "irate", "increase"].iter().find_map(|word| operations.strip_prefix(word));
    front.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) || rest.is_empty())
}
