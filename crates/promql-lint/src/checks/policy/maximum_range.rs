//! `maximum-range` (O010).

use promql_model::FormatDuration;
use promql_syntax::ast::{Duration, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;
use crate::policy::policies;

declare_check! {
    /// Finds a range, or an offset, that is longer than a policy allows.
    ///
    /// ## Why it matters
    /// What is older than the server keeps is not there; what is long is expensive.
    ///
    /// ## Examples
    /// ```toml config
    /// [[lint.policy]]
    /// check = "maximum-range"
    /// max = "1d"
    /// ```
    /// ```promql bad
    /// rate(requests_total[2d])
    ///      ^^^^^^^^^^^^^^^^^^ 2d is more than 1d
    /// ```
    /// ```promql bad
    /// max_over_time(sum(queue_length)[1w:1h])
    ///               ^^^^^^^^^^^^^^^^^^^^^^^^ 1w is more than 1d
    /// ```
    /// ```promql bad
    /// queue_length offset 25h
    /// ^^^^^^^^^^^^^^^^^^^^^^^ 1d1h is more than 1d
    /// ```
    /// ```promql good
    /// rate(requests_total[1d])
    /// ```
    /// ```promql good
    /// max_over_time(sum(queue_length)[12h:1h])
    /// ```
    /// ```promql good
    /// queue_length offset 1h
    /// ```
    "O010" "maximum-range" Warning off, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for policy in policies(&cx.rule, &CHECK) {
        let Some(max) = policy.max else { continue };
        for (id, node) in cx.nodes() {
            let range = match node.kind {
                NodeKind::MatrixSelector { range: Duration::Literal(range), .. } => range,
                NodeKind::VectorSelector(selector) => cx.expr.selector(selector).modifiers.offset,
                NodeKind::Subquery(subquery) => match cx.expr.subquery(subquery).range {
                    Duration::Literal(range) => range,
                    Duration::Expr(_) => continue,
                },
                _ => continue,
            };
            if range > max {
                let message = format!("{} is more than {}", FormatDuration(range), FormatDuration(max));
                policy.tell(report, cx.place_of(id), message);
            }
        }
    }
}
