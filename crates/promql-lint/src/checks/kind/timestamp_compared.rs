//! `timestamp-compared` (K011).

use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds a metric that is a time by its name, and is compared with a number of seconds that is an age.
    ///
    /// ## Why it matters
    /// A timestamp is about 1.7 billion, so `> 86400` holds always, and `< 86400` never.
    ///
    /// ## Examples
    /// ```promql bad
    /// backup_last_success_timestamp_seconds > 86400
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `backup_last_success_timestamp_seconds` is a time by its name, and this number an age
    /// ```
    /// ```promql bad
    /// max by (job) (job_last_run_timestamp) < 3600
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `job_last_run_timestamp` is a time by its name, and this number an age
    /// ```
    /// ```promql bad
    /// process_start_time_seconds < 300
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `process_start_time_seconds` is a time by its name, and this number an age
    /// ```
    /// ```promql good
    /// time() - backup_last_success_timestamp_seconds > 86400
    /// ```
    /// Zero says that it never happened:
    /// ```promql good
    /// backup_last_success_timestamp_seconds == 0
    /// ```
    /// ```promql good
    /// backup_last_success_timestamp_seconds > 1.7e9
    /// ```
    "K011" "timestamp-compared" Warning, Heuristic, fix: Never, Expr(look)
}

/// In seconds, what is less is no time of this millennium: a day in 1973.
const OLD: f64 = 1e8;
const ENDINGS: &[&str] = &["_timestamp", "_timestamp_seconds", "_start_time_seconds", "_boot_time_seconds"];

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, node) in cx.nodes() {
        let NodeKind::Binary { op, lhs, rhs, .. } = node.kind else { continue };
        let is_order = matches!(op, BinaryOp::Gt | BinaryOp::Ge | BinaryOp::Lt | BinaryOp::Le);
        let Some(number) = cx.number(rhs).filter(|number| is_order && *number > 0.0 && *number < OLD) else {
            continue;
        };
        let Some(name) = metric(cx, lhs).filter(|name| ENDINGS.iter().any(|end| name.ends_with(end))) else {
            continue;
        };
        let _ = number;
        report
            .at(cx.place_of(id), format!("`{name}` is a time by its name, and this number an age"))
            .help(format!("compare `time() - {name}`"));
    }
}

/// The metric whose values a node has, if it is a selector or picks among its values.
fn metric<'a>(cx: &ExprContext<'a>, mut id: NodeId) -> Option<&'a str> {
    use promql_syntax::Aggregator::{Avg, Max, Min};
    loop {
        match cx.expr.kind(id) {
            NodeKind::Paren(inner) => id = inner,
            NodeKind::Aggregate { op: Max | Min | Avg, expr, .. } => id = expr,
            NodeKind::VectorSelector(selector) => return cx.metric_name(cx.expr.selector(selector)),
            _ => return None,
        }
    }
}
