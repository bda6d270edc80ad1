//! `alert-without-condition` (A001).

use promql_syntax::ast::{NodeId, NodeKind};

use crate::check::{Severity, declare_check};
use crate::context::ExprContext;
use crate::evidence::rests_on;
use crate::finding::Report;
use crate::flow::{Basis, Kind, Presence};

declare_check! {
    /// Finds an alert whose expression, or one side of an `or` in it, has no condition: no comparison that filters,
    /// no `and` or `unless`, no `absent`.
    ///
    /// ## Why it matters
    /// It fires for every series that exists, also for those with the value 0.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum by (pod) (endpoint_state{state="invalid"})
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this alert fires for whatever series there are, also at 0
    /// ```
    /// ```promql bad
    /// up == 0 or increase(restarts_total[5m])
    ///            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this alert fires for whatever series there are, also at 0
    /// ```
    /// ```promql bad
    /// sum(queue_length > bool 5)
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^ this alert fires for whatever series there are, also at 0
    /// ```
    /// ```promql good
    /// sum by (pod) (endpoint_state{state="invalid"}) > 0
    /// ```
    /// ```promql good
    /// up{job="a"} == 0 or absent(up{job="a"})
    /// ```
    /// ```promql good
    /// (up == 0) * on (instance) group_left (version) build_info
    /// ```
    "A001" "alert-without-condition" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    if !cx.rule.is_alert() || is_comparison_to_bool(cx) {
        return;
    }
    let root = cx.flows().root(cx.expr);
    if root.nonempty == Presence::Always {
        return;
    }
    let Some(arm) = root.arms.iter().find(|arm| !arm.is_conditional()) else { return };
    let place = blamed(cx);
    let finding = report.at(cx.place_of(place), "this alert fires for whatever series there are, also at 0");
    finding.help("compare with a value, such as `> 0`, if not the series itself is the problem");
    let is_state = matches!(arm.quantity.kind, Kind::Info | Kind::StateSet);
    let target = |label: &[u8]| matches!(label, b"job" | b"instance" | b"__name__");
    if is_state && cx.matchers().any(|matcher| !target(cx.expr.text(matcher.name))) {
        finding.severity(Severity::Info);
    }
    // Whether what was recorded has a condition is known from the rules that are looked at.
    rests_on(finding, arm.basis.without(Basis::TARGET_LABELS));
}

/// Whether the outermost operation gives 0 and 1: that is told of by itself.
fn is_comparison_to_bool(cx: &ExprContext<'_>) -> bool {
    match cx.expr.kind(cx.bare(cx.expr.root())) {
        NodeKind::Binary { modifiers: Some(id), .. } => cx.expr.binary_modifiers(id).return_bool,
        _ => false,
    }
}

/// The side of an `or` that has no condition, or the whole expression.
fn blamed(cx: &ExprContext<'_>) -> NodeId {
    let mut node = cx.bare(cx.expr.root());
    while let NodeKind::Binary { op: promql_syntax::ast::BinaryOp::Or, lhs, rhs, .. } =
        cx.expr.kind(node)
    {
        let bad = |side: NodeId| cx.flows().of(side).arms.iter().any(|arm| !arm.is_conditional());
        node = match (bad(lhs), bad(rhs)) {
            (true, false) => cx.bare(lhs),
            (false, true) => cx.bare(rhs),
            _ => return node,
        };
    }
    node
}
