//! `range-beyond-retention` (L013).

use promql_model::FormatDuration;
use promql_syntax::ast::{At, Duration, Modifiers, NodeId, NodeKind};

use crate::check::declare_check;
use crate::finding::Report;
use crate::live::{LiveContext, shown};

declare_check! {
    /// Finds a part that reads samples which are older than the server keeps them: by its range, its `offset`
    /// or its `@`.
    ///
    /// ## Why it matters
    /// They are not there, so that the result is that of less time than it says, or nothing. What a server
    /// says of its retention counts, else `retention` under `[lint.live]`; what reads older samples from
    /// elsewhere is not told.
    ///
    /// ## Examples
    /// ```text server
    /// retention 15d
    /// load 1m
    ///   requests_total{job="shop"} 0+1x10
    /// ```
    /// ```promql bad
    /// increase(requests_total[30d]) > 10
    ///          ^^^^^^^^^^^^^^^^^^^ this reads samples that are 30d old, and the server keeps them for 15d
    /// ```
    /// ```promql bad
    /// sum(requests_total offset 3w) > 10
    ///     ^^^^^^^^^^^^^^^^^^^^^^^^ this reads samples that are 3w old, and the server keeps them for 15d
    /// ```
    /// ```promql bad
    /// max_over_time(rate(requests_total[5d] offset 1w)[1w:1h]) > 10
    ///               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this reads samples that are 19d old, and the server keeps them for 15d
    /// ```
    /// ```promql good
    /// increase(requests_total[2w]) > 10
    /// ```
    /// ```promql good
    /// sum(requests_total offset 1w) > 10
    /// ```
    /// That adds up to two weeks:
    /// ```promql good
    /// max_over_time(rate(requests_total[1d] offset 6d)[1w:1h]) > 10
    /// ```
    "L013" "range-beyond-retention" Warning, Observed, fix: Never, Live(look)
}

fn look(cx: &LiveContext<'_>, report: &mut Report<'_>) {
    let Some(retention) = cx.about.retention.filter(|retention| *retention < i64::MAX) else { return };
    let parents = cx.expr.parents();
    for selected in cx.selectors() {
        let Some((outermost, reach)) = reach(cx, &parents, selected.node) else { continue };
        if reach > retention {
            let message = format!(
                "this reads samples that are {} old, and the server keeps them for {}",
                FormatDuration(reach.saturating_mul(1_000_000)),
                shown(retention)
            );
            report.at(cx.expr.place_of(outermost), message);
        }
    }
}

/// How far back a selector reads, in milliseconds, and the outermost part that makes it so.
fn reach(
    cx: &LiveContext<'_>,
    parents: &[Option<NodeId>],
    selector: NodeId,
) -> Option<(NodeId, i64)> {
    let expr = cx.expr.expr;
    let mut outermost = selector;
    let mut reach: i64 = 0;
    let mut at = Some(selector);
    while let Some(node) = at {
        let (range, modifiers) = match expr.kind(node) {
            NodeKind::VectorSelector(id) => (0, expr.selector(id).modifiers),
            NodeKind::MatrixSelector { range: Duration::Literal(range), .. } => {
                (range, Modifiers::default())
            }
            NodeKind::Subquery(id) => match expr.subquery(id).range {
                Duration::Literal(range) => (range, expr.subquery(id).modifiers),
                Duration::Expr(_) => return None,
            },
            NodeKind::MatrixSelector { .. } => return None,
            _ => (0, Modifiers::default()),
        };
        if modifiers.offset_expr.is_some() {
            return None;
        }
        if range != 0 || modifiers != Modifiers::default() {
            outermost = node;
        }
        let offset = modifiers.offset / 1_000_000;
        reach = reach.saturating_add(range / 1_000_000).saturating_add(offset);
        // A fixed time makes what is around of no account.
        match modifiers.at {
            Some(At::Timestamp(time)) => {
                return Some((outermost, reach.saturating_add(cx.about.now?.saturating_sub(time))));
            }
            Some(At::Start | At::End) => return Some((outermost, reach)),
            None => {}
        }
        at = parents.get(node.index()).copied().flatten();
    }
    Some((outermost, reach))
}
