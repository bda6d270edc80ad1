//! `ratio-threshold-out-of-range` (C021).

use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, consequence, rests_on};
use crate::finding::Report;
use crate::flow::{Basis, Range, part_of_whole};

declare_check! {
    /// Finds a part of a whole that is compared with a number that it can't reach: above 1, or above 100 for
    /// percents.
    ///
    /// ## Why it matters
    /// A share lies between 0 and 1. Whoever compares it with 25 forgot to multiply by 100, and the comparison
    /// never holds, or always.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum(rate(err[5m])) / clamp_min(sum(rate(err[5m])) + sum(rate(ok[5m])), 1) > 25
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a share of [0, 1] is compared with 25: that never holds; this alert can never fire
    /// ```
    /// ```promql bad
    /// sum by (job) (rate(r_total{code=~"5.."}[5m])) / sum by (job) (rate(r_total[5m])) > 5
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a share of [0, 1] is compared with 5: that never holds; this alert can never fire
    /// ```
    /// ```promql bad
    /// 100 * count(up == 0) / count(up) > 150
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a share of [0, 100] is compared with 150: that never holds; this alert can never fire
    /// ```
    /// ```promql good
    /// 100 * sum(rate(err[5m])) / (sum(rate(err[5m])) + sum(rate(ok[5m]))) > 25
    /// ```
    /// ```promql good
    /// sum(rate(err[5m])) / sum(rate(ok[5m])) > 25
    /// ```
    /// ```promql good
    /// avg(rate(r_total{code=~"5.."}[5m])) / avg(rate(r_total[5m])) > 2
    /// ```
    "C021" "ratio-threshold-out-of-range" Error, Proven, fix: Never, Expr(look)
}

/// How far a share can seem to be outside, as targets are scraped at different times.
const SLACK: f64 = 0.05;

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        if !operation.op.is_comparison() {
            continue;
        }
        let sides = [
            (operation.lhs, operation.rhs, operation.op),
            (operation.rhs, operation.lhs, mirrored(operation.op)),
        ];
        for (node, other, op) in sides {
            let (Some(threshold), Some(ratio)) = (cx.number(other), ratio(cx, node)) else { continue };
            let slack = SLACK * (ratio.hi - ratio.lo);
            let outside = match op {
                BinaryOp::Gt | BinaryOp::Ge => threshold > ratio.hi + slack,
                BinaryOp::Lt | BinaryOp::Le => threshold < ratio.lo - slack,
                BinaryOp::Eq => threshold > ratio.hi + slack || threshold < ratio.lo - slack,
                _ => false,
            };
            if !outside {
                continue;
            }
            let message = format!("a share of {ratio} is compared with {threshold}: that never holds");
            let finding = report.at(cx.place_of(id), message);
            finding.also(cx.place_of(node), "a part of a whole");
            if !operation.modifiers.return_bool {
                finding.consequence(consequence(cx));
            }
            let hint = if ratio.hi == 1.0 { threshold / 100.0 } else { threshold };
            finding.help(format!("compare with {hint}, or multiply the share by 100"));
            // What a counter function is applied to counts, and counts are not negative.
            rests_on(finding, ratio.basis.without(Basis::COUNTER_FUNCTIONS.or(Basis::SUFFIX_KINDS)));
        }
    }
}

fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Lt => BinaryOp::Gt,
        BinaryOp::Gt => BinaryOp::Lt,
        BinaryOp::Le => BinaryOp::Ge,
        BinaryOp::Ge => BinaryOp::Le,
        other => other,
    }
}

/// The range of a part of a whole, however it is scaled or taken from 1. Nothing for what is no part.
pub(crate) fn ratio(cx: &ExprContext<'_>, node: NodeId) -> Option<Range> {
    let node = cx.bare(node);
    let NodeKind::Binary { op, lhs, rhs, modifiers } = cx.expr.kind(node) else { return None };
    let number = |node| cx.number(node);
    match op {
        BinaryOp::Div if number(rhs).is_none() => {
            let default = promql_syntax::ast::BinaryModifiers::default();
            let modifiers = modifiers.map_or(&default, |id| cx.expr.binary_modifiers(id));
            let whole = part_of_whole(cx.expr, cx.flows(), lhs, rhs, modifiers)?;
            (!whole.is_exact).then(|| whole.range())
        }
        BinaryOp::Mul => {
            let (factor, other) = match (number(lhs), number(rhs)) {
                (Some(factor), None) => (factor, rhs),
                (None, Some(factor)) => (factor, lhs),
                _ => return None,
            };
            let of = ratio(cx, other)?;
            (factor > 0.0).then_some(Range { lo: of.lo * factor, hi: of.hi * factor, ..of })
        }
        BinaryOp::Sub => {
            let (whole, of) = (number(lhs)?, ratio(cx, rhs)?);
            Some(Range { lo: whole - of.hi, hi: whole - of.lo, ..of })
        }
        _ => None,
    }
}
