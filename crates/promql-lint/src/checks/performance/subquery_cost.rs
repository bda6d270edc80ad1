//! `subquery-cost` (P004).

use promql_syntax::ast::{Duration, NodeKind};

use crate::check::Severity;
use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds a subquery that evaluates its expression a thousand times or more, or one within another.
    ///
    /// ## Why it matters
    /// Each evaluation of the rule evaluates the expression that often. From ten thousand on it is a warning.
    ///
    /// ## Examples
    /// ```promql bad
    /// max_over_time(rate(requests_total[1m])[7d:10s]) > 5
    ///               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning: this is evaluated 60480 times for each evaluation of the rule
    /// ```
    /// ```promql bad
    /// max_over_time(rate(requests_total[5m])[1d:1m]) > 5
    ///               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is evaluated 1440 times for each evaluation of the rule
    /// ```
    /// ```promql bad
    /// max_over_time(avg_over_time(rate(requests_total[5m])[1h:5m])[1d:1h]) > 5
    ///                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a subquery within another: evaluated 288 times for each evaluation of the rule
    /// ```
    /// ```promql good
    /// max_over_time(rate(requests_total[5m])[1h:1m]) > 5
    /// ```
    /// ```promql good
    /// max_over_time(job:requests:rate5m[7d]) > 5
    /// ```
    /// The step is the interval of the server, which is not known:
    /// ```promql good
    /// max_over_time(rate(requests_total[5m])[1d:]) > 5
    /// ```
    "P004" "subquery-cost" Info, Proven, fix: Never, Expr(look)
}

const MANY: i64 = 1000;
const VERY_MANY: i64 = 10_000;

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    let steps = |kind: NodeKind| {
        let NodeKind::Subquery(id) = kind else { return None };
        let subquery = cx.expr.subquery(id);
        match (subquery.range, subquery.step) {
            (Duration::Literal(range), Some(Duration::Literal(step))) if step > 0 => {
                Some(range / step)
            }
            _ => Some(1),
        }
    };
    if !cx.nodes().any(|(_, node)| matches!(node.kind, NodeKind::Subquery(_))) {
        return;
    }
    let parents = cx.parents();
    for (id, node) in cx.nodes() {
        let Some(own) = steps(node.kind) else { continue };
        let mut count = own;
        let mut depth = 1;
        let mut at = id;
        while let Some(parent) = parents.get(at.index()).copied().flatten() {
            if let Some(more) = steps(cx.expr.kind(parent)) {
                count = count.saturating_mul(more);
                depth += 1;
            }
            at = parent;
        }
        if count < MANY && depth == 1 {
            continue;
        }
        let message = match depth {
            1 => format!("this is evaluated {count} times for each evaluation of the rule"),
            _ => format!("a subquery within another: evaluated {count} times for each evaluation of the rule"),
        };
        let finding = report.at(cx.place_of(id), message);
        finding.help("record the expression, and select a range of that; or take a longer step");
        if count >= VERY_MANY {
            finding.severity(Severity::Warning);
        }
    }
}
