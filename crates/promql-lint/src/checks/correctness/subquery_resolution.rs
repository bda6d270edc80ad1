//! `subquery-resolution` (C038).

use promql_syntax::ast::{Duration, NodeKind};
use super::super::group::recorded_interval_too_long::needs_two;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds a subquery whose step is longer than its range, or that gives one point to a function that needs two.
    ///
    /// ## Why it matters
    /// A range begins behind its start, so `[1m:1m]` is one point: `rate` of it is nothing. With a step that is
    /// longer than the range there often is no point at all.
    ///
    /// ## Examples
    /// ```promql bad
    /// max_over_time(rate(requests_total[5m])[1m:5m]) > 3
    ///               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the step is longer than the range
    /// ```
    /// ```promql bad
    /// deriv(queue_length[1m:1m]) > 3
    ///       ^^^^^^^^^^^^^^^^^^^ `deriv` needs two points, and this is one; the result is always empty
    /// ```
    /// ```promql bad
    /// rate(requests_total[5m:5m]) > 3
    ///      ^^^^^^^^^^^^^^^^^^^^^ `rate` needs two points, and this is one; the result is always empty
    /// ```
    /// ```promql good
    /// max_over_time(rate(requests_total[5m])[1h:5m]) > 3
    /// ```
    /// ```promql good
    /// max_over_time(queue_length[5m:5m]) > 3
    /// ```
    /// The step is that of the server:
    /// ```promql good
    /// deriv(queue_length[1m:]) > 3
    /// ```
    "C038" "subquery-resolution" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (_, function, arguments) in cx.calls() {
        for argument in arguments {
            let id = cx.bare(*argument);
            let NodeKind::Subquery(subquery) = cx.expr.kind(id) else { continue };
            let subquery = cx.expr.subquery(subquery);
            let (Duration::Literal(range), Some(Duration::Literal(step))) = (subquery.range, subquery.step)
            else {
                continue;
            };
            if step > range {
                report
                    .at(cx.place_of(id), "the step is longer than the range")
                    .label("often there is no point in it")
                    .help("write the range in front of the colon and the step behind it");
            } else if needs_two(function) && range < step.saturating_mul(2) {
                report
                    .at(cx.place_of(id), format!("`{}` needs two points, and this is one", function.name()))
                    .consequence("the result is always empty")
                    .help("take a longer range or a shorter step");
            }
        }
    }
}
