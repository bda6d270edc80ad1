//! `increase-threshold-edge` (C028).

use promql_syntax::Function;
use promql_syntax::ast::BinaryOp;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::Operation;
use crate::finding::{Report, Safety};
use crate::shape::beneath;

declare_check! {
    /// Finds an increase compared with a small whole number at its edge: `>= 3`, or `> 2` for three and more.
    ///
    /// ## Why it matters
    /// `increase` extrapolates to the ends of its window: three events show as 2.9 or as 3.2, by when the scrapes
    /// were. So the alert for three events fires for two of them one day, and not for three on another. A number
    /// half way between two, such as `> 2.5`, is on the safe side of both.
    ///
    /// ## Examples
    /// ```promql bad
    /// increase(restarts_total[1h]) >= 3
    ///                                 ^ 3 events can show as less, and 2 as more
    /// ```
    /// ```promql fixed
    /// increase(restarts_total[1h]) > 2.5
    /// ```
    /// ```promql bad
    /// sum by (job) (increase(errors_total[10m])) > 2
    ///                                              ^ 3 events can show as less, and 2 as more
    /// ```
    /// ```promql fixed
    /// sum by (job) (increase(errors_total[10m])) > 2.5
    /// ```
    /// ```promql bad
    /// max(increase(failed_total{job="backup"}[1d])) >= 1
    ///                                                  ^ 1 events can show as less, and 0 as more
    /// ```
    /// ```promql fixed
    /// max(increase(failed_total{job="backup"}[1d])) > 0.5
    /// ```
    /// ```promql good
    /// increase(restarts_total[1h]) > 2.5
    /// ```
    /// One event is more than nothing, whatever it shows as:
    /// ```promql good
    /// increase(restarts_total[1h]) > 0
    /// ```
    /// Of so many, one more or less is no matter:
    /// ```promql good
    /// increase(requests_total[1h]) >= 1000
    /// ```
    "C028" "increase-threshold-edge" Info off, Presumed, fix: Unsafe, Expr(look)
}

/// From this number on an event more or less is no matter.
const MANY: f64 = 10.0;

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (_, operation) in Operation::all(cx) {
        let events = match (operation.op, cx.number(operation.rhs)) {
            (BinaryOp::Ge, Some(number)) => number,
            (BinaryOp::Gt, Some(number)) if number > 0.0 => number + 1.0,
            _ => continue,
        };
        if !(1.0..=MANY).contains(&events) || events.fract() != 0.0 {
            continue;
        }
        let mut node = beneath(cx, operation.lhs);
        while let Some(aggregation) = crate::shape::Aggregation::of(cx, node) {
            use promql_syntax::Aggregator::{Max, Min, Sum};
            if !matches!(aggregation.op, Sum | Max | Min) {
                break;
            }
            node = beneath(cx, aggregation.operand);
        }
        if cx.function(node) != Some(Function::Increase) {
            continue;
        }
        let between = events - 0.5;
        let finding = report.at(cx.place_of(operation.rhs), format!("{events} events can show as less, and {} as more", events - 1.0));
        finding.also(cx.place_of(node), "is extrapolated to the ends of the window");
        finding.help(format!("`> {between}` is half way"));
        let number = cx.expr.span(operation.rhs);
        let left = cx.expr.span(operation.lhs);
        let span = promql_syntax::Span::new(left.end, number.end);
        let is_plain = cx.source(span).trim_start().strip_prefix(operation.op.symbol())
            .is_some_and(|rest| rest.trim() == cx.source(number));
        let edits = cx.edits(&[(span, &format!(" > {between}"))]).filter(|_| is_plain);
        finding.fix(Safety::Unsafe, "compare half way", edits);
    }
}
