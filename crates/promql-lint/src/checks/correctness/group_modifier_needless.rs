//! `group-modifier-needless` (C019).

use promql_syntax::Span;
use promql_syntax::ast::GroupSide;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, rests_on};
use crate::finding::{Report, Safety};
use crate::flow::{Basis, Flow, is_unique, takes_part};
use crate::shape::group_keyword;

declare_check! {
    /// Finds `group_left` and `group_right` where each side has one element for each of the other.
    ///
    /// ## Why it matters
    /// Without the keyword the evaluation fails when that ever stops being so, and says why; with it, the result
    /// silently has several elements.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum by (job) (errors) / on (job) group_left sum by (job) (requests) > 0.1
    ///                                  ^^^^^^^^^^ each side has one element for each of the other
    /// ```
    /// ```promql fixed
    /// sum by (job) (errors) / on (job) sum by (job) (requests) > 0.1
    /// ```
    /// ```promql bad
    /// max by (job, zone) (used) / on (job, zone) group_right () max by (zone, job) (limit) > 0.9
    ///                                            ^^^^^^^^^^^ each side has one element for each of the other
    /// ```
    /// ```promql fixed
    /// max by (job, zone) (used) / on (job, zone) max by (zone, job) (limit) > 0.9
    /// ```
    /// ```promql bad
    /// sum(errors) / on () group_left sum(requests) > 0.1
    ///                     ^^^^^^^^^^ each side has one element for each of the other
    /// ```
    /// ```promql fixed
    /// sum(errors) / on () sum(requests) > 0.1
    /// ```
    /// ```promql good
    /// sum by (job, pod) (errors) / on (job) group_left sum by (job) (requests) > 0.1
    /// ```
    /// A label is copied:
    /// ```promql good
    /// sum by (job) (used) * on (job) group_left (owner) max by (job, owner) (ownership{owner="shop"}) > 10
    /// ```
    /// There can be several pods, and there can be labels beside:
    /// ```promql good
    /// used / on (pod) group_left sum by (pod) (limit) > 0.9
    /// ```
    "C019" "group-modifier-needless" Info, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let (left, right) = operation.flows();
        let many = match operation.modifiers.group {
            Some(GroupSide::Left) => left,
            Some(GroupSide::Right) => right,
            None => continue,
        };
        let modifiers = &operation.modifiers;
        let is_one_to_one =
            || is_unique(cx.expr, modifiers, left) && is_unique(cx.expr, modifiers, right);
        let has_fill = modifiers.fill_left.is_some() || modifiers.fill_right.is_some();
        if !modifiers.include.is_empty() || has_fill || cx.flows().of(id).is_never() || !is_one_to_one() {
            continue;
        }
        // Labels beside those that match would be lost without the keyword.
        let loses = |label: &str| !takes_part(cx.expr, modifiers, label);
        if !has_only(many, loses) {
            continue;
        }
        let Some(keyword) = group_keyword(cx, &operation) else { continue };
        let end = cx.expr.span(operation.rhs).start;
        let behind = cx.source(Span::new(keyword.end, end));
        // The empty parentheses behind it go too.
        let parentheses = behind.find(')').filter(|_| behind.trim_start().starts_with('('));
        let length = parentheses.map_or(0, |at| at + 1);
        // And the blanks in front, so that what is behind stays on its line.
        let front = cx.source(Span::new(cx.expr.span(operation.lhs).end, keyword.start));
        let blanks = front.len() - front.trim_end().len();
        let span = Span::new(keyword.start - blanks as u32, keyword.end + length as u32);
        let finding = report.at(cx.place(keyword), "each side has one element for each of the other");
        let basis = left.arms.iter().chain(&right.arms).fold(Basis::NONE, |basis, arm| basis.or(arm.basis));
        if basis.is_empty() {
            finding.fix(Safety::Safe, "leave it out", cx.edits(&[(span, "")]));
        }
        rests_on(finding, basis);
    }
}

/// Whether no element of a side can have a label of some kind.
fn has_only(side: &Flow, is_other: impl Fn(&str) -> bool) -> bool {
    side.arms.iter().all(|arm| {
        let mut others = arm.labels.iter().filter(|label| &*label.name != "__name__" && is_other(&label.name));
        !arm.labels.is_open() && others.all(|label| label.values.is_absent())
    })
}
