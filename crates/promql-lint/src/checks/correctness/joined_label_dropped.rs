//! `joined-label-dropped` (C007).

use promql_syntax::Function;
use promql_syntax::ast::{GroupSide, NodeId, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::Operation;
use crate::finding::Report;
use crate::flow::Kind;
use crate::shape::{Aggregation, word};

declare_check! {
    /// Finds a label that `group_left` or `group_right` brings in and the aggregation around it removes at once.
    ///
    /// ## Why it matters
    /// The join is for nothing: it only makes the query fail if one side has two elements for one, and lose what
    /// has no partner. Most often the label was to be in `by`.
    ///
    /// A join whose other side has a condition filters, so it is not told; neither is one with several labels of
    /// which one is kept.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum by (job) (requests * on (pod) group_left (node) max by (pod, node) (placement)) > 10
    ///                                               ^^^^ `node` is copied for nothing: the aggregation removes it
    /// ```
    /// ```promql bad
    /// max(used * on (pod) group_left (node, zone) placement) > 10
    ///                                 ^^^^^^^^^^ `node`, `zone` is copied for nothing: the aggregation removes it
    /// ```
    /// ```promql bad
    /// sum without (zone) (used * on (pod) group_left (zone) placement) > 10
    ///                                                 ^^^^ `zone` is copied for nothing: the aggregation removes it
    /// ```
    /// ```promql good
    /// sum by (job, node) (requests * on (pod) group_left (node) max by (pod, node) (placement)) > 10
    /// ```
    /// It keeps the pods of which the other side says that they run:
    /// ```promql good
    /// sum by (job) (requests * on (pod) group_left (node) (placement == 1)) > 10
    /// ```
    /// It is read in between:
    /// ```promql good
    /// sum by (host) (label_replace(used * on (pod) group_left (node) placement, "host", "$1", "node", "(.*)")) > 10
    /// ```
    "C007" "joined-label-dropped" Info, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, aggregation) in Aggregation::all(cx) {
        if !aggregation.is_summary() {
            continue;
        }
        let Some((join, operation)) = joined(cx, aggregation.operand) else { continue };
        let labels = cx.expr.labels(operation.modifiers.include);
        let names: Vec<_> = labels.iter().map(|label| cx.expr.text_lossy(label.name)).collect();
        let (left, right) = operation.flows();
        let one = match operation.modifiers.group {
            Some(GroupSide::Left) => right,
            _ => left,
        };
        // What is 1 for some states only filters, even if that can't be seen.
        let filters = one.arms.iter().any(|arm| {
            arm.is_conditional() || matches!(arm.quantity.kind, Kind::StateSet | Kind::Info)
        });
        let is_kept = names.iter().any(|name| aggregation.keeps(cx, name));
        if names.is_empty() || is_kept || filters || cx.flows().of(join).is_never() {
            continue;
        }
        let place = labels.first().zip(labels.last()).map(|(first, last)| {
            promql_syntax::Span::new(first.span.start, last.span.end)
        });
        let Some(place) = place else { continue };
        let message = format!("`{}` is copied for nothing: the aggregation removes it", names.join("`, `"));
        let finding = report.at(cx.place(place), message);
        finding.also(cx.place(word(cx, id)), "removed here");
        finding.help("keep the label in the aggregation, or leave the join out");
    }
}

/// The operation with copied labels beneath parentheses and functions of each element.
fn joined<'a>(cx: &'a ExprContext<'a>, id: NodeId) -> Option<(NodeId, Operation<'a>)> {
    let mut at = cx.bare(id);
    while let NodeKind::Call { function, args } = cx.expr.kind(at) {
        use Function::{Abs, Ceil, ClampMax, ClampMin, Floor, Round};
        let is_of_value = matches!(function.function, Abs | Ceil | Floor | Round | ClampMin | ClampMax);
        at = cx.bare(*cx.expr.arguments(args).first().filter(|_| is_of_value)?);
    }
    let found = Operation::all(cx).find(|(id, _)| *id == at)?;
    (!found.1.modifiers.include.is_empty()).then_some(found)
}
