//! `unstable-label-set` (A012).

use promql_syntax::Aggregator;
use promql_syntax::ast::{MatchingKeyword, NodeId, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds an alert whose labels are those of `topk`, `bottomk`, `limitk` or `limit_ratio`.
    ///
    /// ## Why it matters
    /// Each evaluation may choose other series. That ends one alert and begins another, which is pending again:
    /// with a `for`, it may never fire.
    ///
    /// ## Examples
    /// ```promql bad
    /// topk(10, queue_length > 0)
    /// ^^^^ `topk` may choose other series at each evaluation
    /// ```
    /// ```promql bad
    /// bottomk(3, node_filesystem_avail_bytes) < 1e9
    /// ^^^^^^^ `bottomk` may choose other series at each evaluation
    /// ```
    /// ```promql bad
    /// limitk(2, up == 0) and on (job) up
    /// ^^^^^^ `limitk` may choose other series at each evaluation
    /// ```
    /// ```promql good
    /// count(topk(10, queue_length) > 5) > 3
    /// ```
    /// ```promql good
    /// queue_length > 0
    /// ```
    /// One of several equal ones, matched by the labels that it is the one of:
    /// ```promql good
    /// up == 0 and on (instance) topk by (instance) (1, node_info)
    /// ```
    "A012" "unstable-label-set" Warning, Proven, fix: Never, Expr(look)
}

fn is_unstable(op: Aggregator) -> bool {
    use Aggregator::{Bottomk, LimitRatio, Limitk, Topk};
    matches!(op, Topk | Bottomk | Limitk | LimitRatio)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    if !cx.rule.is_alert() {
        return;
    }
    let mut parents = None;
    for (id, node) in cx.nodes() {
        let NodeKind::Aggregate { op, .. } = node.kind else { continue };
        if !is_unstable(op) {
            continue;
        }
        let parents = parents.get_or_insert_with(|| cx.parents());
        if !decides(cx, id, parents) {
            continue;
        }
        let word = promql_syntax::Span::new(node.span.start, node.span.start + op.name().len() as u32);
        report
            .at(cx.place(word), format!("`{}` may choose other series at each evaluation", op.name()))
            .label("decides which labels the alert has")
            .help("compare with a threshold, or aggregate to labels that stay");
    }
}

/// Whether which series there are at a node decides which labels the result has.
fn decides(cx: &ExprContext<'_>, id: NodeId, parents: &[Option<NodeId>]) -> bool {
    let is_one_of_group = match cx.expr.kind(id) {
        NodeKind::Aggregate { param: Some(param), grouping, without, .. } => {
            !without && !grouping.is_empty() && cx.number(param) == Some(1.0)
        }
        _ => false,
    };
    let mut at = id;
    while let Some(parent) = parents.get(at.index()).copied().flatten() {
        match cx.expr.kind(parent) {
            NodeKind::Aggregate { op, .. } if !is_unstable(op) => return false,
            NodeKind::Call { function, .. } => {
                use promql_syntax::Function::{Absent, AbsentOverTime, Scalar};
                if matches!(function.function, Absent | AbsentOverTime | Scalar) {
                    return false;
                }
            }
            NodeKind::Binary { modifiers: Some(modifiers), .. }
                if is_one_of_group
                    && cx.expr.binary_modifiers(modifiers).matching == Some(MatchingKeyword::On) =>
            {
                return false;
            }
            _ => {}
        }
        at = parent;
    }
    true
}
