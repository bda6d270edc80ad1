//! `comparison-always-true` (C010).

use promql_syntax::Span;
use promql_syntax::ast::NodeKind;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, rests_on};
use crate::finding::{Report, Safety};
use crate::flow::{Arm, Basis, Range, Verdict, comparison};

declare_check! {
    /// Finds a comparison with a number that every value satisfies, so that it filters nothing.
    ///
    /// ## Why it matters
    /// Whoever wrote it expected it to leave something out: a count of nothing is nothing, so `> 0` behind a count
    /// changes nothing.
    ///
    /// ## Examples
    /// ```promql bad
    /// count by (cluster) (readiness < 1) > 0
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this comparison by `>` always holds: it filters nothing
    /// ```
    /// ```promql fixed
    /// count by (cluster) (readiness < 1)
    /// ```
    /// ```promql bad
    /// count_over_time(up[5m]) >= 1
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this comparison by `>=` always holds: it filters nothing
    /// ```
    /// ```promql fixed
    /// count_over_time(up[5m])
    /// ```
    /// ```promql bad
    /// changes(process_start_time_seconds[5m]) >= 0
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this comparison by `>=` always holds: it filters nothing
    /// ```
    /// ```promql fixed
    /// changes(process_start_time_seconds[5m])
    /// ```
    /// ```promql good
    /// count by (cluster) (readiness < 1) > 2
    /// ```
    /// ```promql good
    /// (count(up) or vector(0)) > 0
    /// ```
    /// ```promql good
    /// abs(temperature) >= 0
    /// ```
    "C010" "comparison-always-true" Warning, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let number = cx.number(operation.rhs).filter(|number| !number.is_nan());
        let Some(number) = number.filter(|_| operation.is_filter()) else { continue };
        let (flow, _) = operation.flows();
        let Some(op) = comparison(operation.op) else { continue };
        let number = Range::point(number);
        let holds = |arm: &Arm| {
            !arm.samples.has_histograms() && arm.value.compare(op, &number) == Verdict::Always
        };
        let is_vector = flow.value_type == promql_syntax::ValueType::InstantVector;
        if !is_vector || flow.is_never() || !flow.arms.iter().all(holds) {
            continue;
        }
        let basis = flow.arms.iter().fold(Basis::NONE, |basis, arm| basis.or(arm.value.basis));
        if basis.has(Basis::SUFFIX_KINDS) {
            // A name alone says too little: `x_info == 1` does no harm.
            continue;
        }
        let symbol = operation.op.symbol();
        let finding = report
            .at(cx.place_of(id), format!("this comparison by `{symbol}` always holds: it filters nothing"));
        if let Some(range) = super::comparison_always_false::range(cx, operation.lhs) {
            finding.also(cx.place_of(operation.lhs), format!("the value is {range}"));
        }
        let (lhs, all) = (cx.expr.span(operation.lhs), cx.expr.span(id));
        let is_plain = operation.modifiers.group.is_none()
            && !matches!(cx.expr.kind(operation.lhs), NodeKind::Binary { .. });
        if basis.is_empty() && is_plain {
            let edits = cx.edits(&[(Span::new(lhs.end, all.end), "")]);
            finding.fix(Safety::Safe, "leave the comparison out", edits);
        }
        rests_on(finding, basis);
    }
}
