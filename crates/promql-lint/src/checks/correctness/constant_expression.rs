//! `constant-expression` (C012).

use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};
use promql_syntax::{Span, ValueType};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, lacks};
use crate::finding::{Report, Safety};
use crate::shape::is_constant;

declare_check! {
    /// Finds operations that always do the same: a comparison of two numbers, `and` or `unless` between parts
    /// that read nothing, and arithmetic that changes no value, such as `* 1` and `+ 0`.
    ///
    /// ## Why it matters
    /// Something else was meant: a factor was to be filled in, or a metric is missing. Whoever reads the rule at
    /// night looks for the reason that isn't there. Products that document a unit, such as `24 * 60 * 60`, are
    /// fine; so is `0 * x`, which makes zeros with the labels of `x`.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum(queue_length) * 1 > 100
    /// ^^^^^^^^^^^^^^^^^^^^^ `* 1` changes no value
    /// ```
    /// ```promql fixed
    /// sum(queue_length) > 100
    /// ```
    /// ```promql bad
    /// errors_ratio + 0 > 0.1
    /// ^^^^^^^^^^^^^^^^ `+ 0` changes no value
    /// ```
    /// ```promql bad
    /// up * (1 == bool 2) > 0
    ///       ^^^^^^^^^^^ nothing in this `==` ever changes
    /// ```
    /// ```promql bad
    /// up == 0 and on () (vector(1) and vector(2))
    ///                    ^^^^^^^^^^^^^^^^^^^^^^^ nothing in this `and` ever changes
    /// ```
    /// ```promql good
    /// time() - last_success_timestamp_seconds > 24 * 60 * 60
    /// ```
    /// The zeros of those that don't fail:
    /// ```promql good
    /// sum by (job) (errors) or 0 * count by (job) (up) > 0
    /// ```
    /// Whether it is the weekend is not constant:
    /// ```promql good
    /// queue_length * (day_of_week() > bool 4) > 1
    /// ```
    "C012" "constant-expression" Warning, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let (lhs, rhs) = (operation.lhs, operation.rhs);
        let op = operation.op.symbol();
        let reads_nothing = || is_constant(cx, lhs) && is_constant(cx, rhs);
        if operation.op.is_set() || operation.op.is_comparison() {
            let both_scalars = operation.flows().0.value_type == ValueType::Scalar
                && operation.flows().1.value_type == ValueType::Scalar;
            // Comparisons of vectors and `or` are looked at by what their values can be.
            let is_mine = match operation.op {
                BinaryOp::Or => false,
                BinaryOp::And | BinaryOp::Unless => true,
                _ => operation.modifiers.return_bool && both_scalars,
            };
            if is_mine && reads_nothing() {
                report
                    .at(cx.place_of(id), format!("nothing in this `{op}` ever changes"))
                    .help("write the result, or the metric that is missing");
            }
            continue;
        }
        let Some((kept, dropped)) = without_effect(cx, &operation) else { continue };
        if reads_nothing() {
            continue;
        }
        let kept_span = cx.expr.span(kept);
        let all = cx.expr.span(id);
        let finding = report.at(cx.place_of(id), format!("`{op} {dropped}` changes no value"));
        finding.help("leave it out, or write what was meant");
        // Histograms don't survive `+ 0` and `^ 1`; and arithmetic takes the name of a metric away.
        let is_scaling = matches!(operation.op, BinaryOp::Mul | BinaryOp::Div);
        let has_no_name = lacks(cx.flows().of(kept), "__name__").is_some_and(|basis| basis.is_empty());
        if is_scaling && has_no_name {
            let front = Span::new(all.start, kept_span.start);
            let back = Span::new(kept_span.end, all.end);
            let parts: Vec<(Span, &str)> =
                [front, back].into_iter().filter(|s| s.start < s.end).map(|s| (s, "")).collect();
            finding.fix(Safety::Safe, "leave it out", cx.edits(&parts));
        }
    }
}

/// The operand whose values stay what they are, and the number that does nothing.
fn without_effect(cx: &ExprContext<'_>, operation: &Operation<'_>) -> Option<(NodeId, f64)> {
    let neutral = match operation.op {
        BinaryOp::Add | BinaryOp::Sub => 0.0,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Pow => 1.0,
        _ => return None,
    };
    let commutes = matches!(operation.op, BinaryOp::Add | BinaryOp::Mul);
    let is_neutral = |node: NodeId| {
        // What is computed documents itself, and a variable of a dashboard is no number.
        let is_number = matches!(cx.expr.kind(cx.bare(node)), NodeKind::Number { .. });
        is_number && cx.number(node) == Some(neutral)
    };
    if is_neutral(operation.rhs) {
        return Some((operation.lhs, neutral));
    }
    (commutes && is_neutral(operation.lhs)).then_some((operation.rhs, neutral))
}
