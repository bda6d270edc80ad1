//! `absent-labels-lost` (A010).

use promql_model::MatchOp;
use promql_syntax::Function;
use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds `absent` of something else than a plain selector, whose result has no labels.
    ///
    /// ## Why it matters
    /// `absent(up{job="shop"})` has the label `job="shop"`, which templates and routes can use.
    /// `absent(up{job="shop"} == 1)` has none.
    ///
    /// ## Examples
    /// ```promql bad
    /// absent(up{job="shop"} == 1)
    ///        ^^^^^^^^^^^^^^^^^^^ `absent` of this has no labels
    /// ```
    /// ```promql bad
    /// absent(sum(up{job="shop"}))
    ///        ^^^^^^^^^^^^^^^^^^^ `absent` of this has no labels
    /// ```
    /// ```promql bad
    /// up{job="shop"} == 0 or absent(rate(requests_total{job="shop"}[5m]))
    ///                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `absent` of this has no labels
    /// ```
    /// ```promql good
    /// absent(up{job="shop"})
    /// ```
    /// There is nothing to lose:
    /// ```promql good
    /// absent(sum(up))
    /// ```
    /// Its labels are not looked at:
    /// ```promql good
    /// backup_age_seconds > 1e5 and on() absent(maintenance{job="shop"} == 1)
    /// ```
    "A010" "absent-labels-lost" Info, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    let absent = |(_, function, _): &(NodeId, Function, &[NodeId])| *function == Function::Absent;
    if !cx.rule.is_alert() || !cx.calls().any(|call| absent(&call)) {
        return;
    }
    let parents = cx.parents();
    for (id, _, arguments) in cx.calls().filter(absent) {
        let Some(argument) = arguments.first().map(|argument| cx.bare(*argument)) else { continue };
        if matches!(cx.expr.kind(argument), NodeKind::VectorSelector(_)) || !reaches_top(cx, id, &parents) {
            continue;
        }
        // Children precede their parents, and are one range.
        let span = cx.expr.span(argument);
        let is_within = |inner: promql_syntax::Span| span.start <= inner.start && inner.end <= span.end;
        let selectors = cx.selectors().filter(|(id, _)| is_within(cx.expr.span(*id)));
        let mut matchers = selectors.flat_map(|(_, selector)| cx.expr.matchers(selector));
        let sets_label = matchers.find(|matcher| {
            matcher.op == MatchOp::Equal && cx.expr.text(matcher.name) != b"__name__"
        });
        let Some(matcher) = sets_label else { continue };
        let label = cx.expr.text_lossy(matcher.name);
        report
            .at(cx.place(span), "`absent` of this has no labels")
            .also(cx.place(matcher.span), format!("`{label}` is lost"))
            .help("only `absent` of a plain selector has the labels of its `=` matchers");
    }
}

/// Whether the labels of a node are those of the result.
fn reaches_top(cx: &ExprContext<'_>, id: NodeId, parents: &[Option<NodeId>]) -> bool {
    let mut at = id;
    while let Some(parent) = parents.get(at.index()).copied().flatten() {
        let is_kept = match cx.expr.kind(parent) {
            NodeKind::Paren(_) | NodeKind::Unary { .. } => true,
            NodeKind::Binary { op: BinaryOp::Or, .. } => true,
            NodeKind::Binary { op: BinaryOp::And | BinaryOp::Unless, lhs, .. } => lhs == at,
            NodeKind::Binary { lhs, rhs, .. } => {
                let other = if lhs == at { rhs } else { lhs };
                cx.number(other).is_some()
            }
            _ => false,
        };
        if !is_kept {
            return false;
        }
        at = parent;
    }
    true
}
