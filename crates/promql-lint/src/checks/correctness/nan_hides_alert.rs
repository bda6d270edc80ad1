//! `nan-hides-alert` (C023).

use promql_syntax::ast::{BinaryOp, NodeKind};

use super::nan_in_aggregation::can_be_idle;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::Operation;
use crate::finding::Report;
use crate::shape::beneath;

declare_check! {
    /// Finds an alert on a ratio that is too small, where the divisor is 0 when nothing happens.
    ///
    /// ## Why it matters
    /// 0 divided by 0 is NaN, which is below nothing: when all traffic stops, the alert that should tell of too few
    /// successes is silent. That is often wanted, with another alert for no traffic at all; so this check is off
    /// unless it is selected.
    ///
    /// ## Examples
    /// ```promql bad
    /// rate(successes_total[5m]) / rate(requests_total[5m]) < 0.9
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is NaN when nothing happens, which is below nothing
    /// ```
    /// ```promql bad
    /// 100 * sum(rate(successes_total[5m])) / sum(rate(requests_total[5m])) <= 95
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is NaN when nothing happens, which is below nothing
    /// ```
    /// ```promql bad
    /// (increase(done_total[1h]) / increase(started_total[1h])) < 0.5
    ///  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is NaN when nothing happens, which is below nothing
    /// ```
    /// Too many errors is nothing to fear when nothing happens:
    /// ```promql good
    /// rate(errors_total[5m]) / rate(requests_total[5m]) > 0.1
    /// ```
    /// ```promql good
    /// disk_free_bytes / disk_size_bytes < 0.1
    /// ```
    /// A rate by itself is a number, also when it is 0:
    /// ```promql good
    /// rate(successes_total[5m]) / 60 < 1
    /// ```
    "C023" "nan-hides-alert" Info off, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    if !cx.rule.is_alert() {
        return;
    }
    for (id, operation) in Operation::all(cx) {
        let is_below = matches!(operation.op, BinaryOp::Lt | BinaryOp::Le) && operation.is_filter();
        if !is_below || cx.number(operation.rhs).is_none() {
            continue;
        }
        let quotient = beneath(cx, operation.lhs);
        let NodeKind::Binary { op: BinaryOp::Div, rhs: divisor, .. } = cx.expr.kind(quotient) else { continue };
        if cx.flows().of(id).is_never() || !can_be_idle(cx, divisor) {
            continue;
        }
        report
            .at(cx.place_of(quotient), "this is NaN when nothing happens, which is below nothing")
            .also(cx.place_of(divisor), "0 when nothing happens")
            .help("add what should be when nothing happens: `… or sum(rate(x[5m])) == 0`");
    }
}
