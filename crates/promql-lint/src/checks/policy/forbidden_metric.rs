//! `forbidden-metric` (O011).

use promql_syntax::Span;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};
use crate::policy::policies;

declare_check! {
    /// Finds a metric that a policy forbids.
    ///
    /// ## Why it matters
    /// A metric that will be gone soon shouldn't be used by a new rule.
    ///
    /// ## Examples
    /// ```toml config
    /// [[lint.policy]]
    /// check = "forbidden-metric"
    /// metrics = ["old_requests_total"]
    /// replacement = "requests_total"
    /// ```
    /// ```promql bad
    /// rate(old_requests_total[5m])
    ///      ^^^^^^^^^^^^^^^^^^ `old_requests_total` must not be used
    /// ```
    /// ```promql fixed
    /// rate(requests_total[5m])
    /// ```
    /// ```promql bad
    /// sum(rate(old_requests_total{job="shop"}[5m])) / sum(rate(requests_total[5m]))
    ///          ^^^^^^^^^^^^^^^^^^ `old_requests_total` must not be used
    /// ```
    /// ```promql fixed
    /// sum(rate(requests_total{job="shop"}[5m])) / sum(rate(requests_total[5m]))
    /// ```
    /// ```promql bad
    /// count({__name__="old_requests_total"})
    ///                  ^^^^^^^^^^^^^^^^^^ `old_requests_total` must not be used
    /// ```
    /// ```promql fixed
    /// count({__name__="requests_total"})
    /// ```
    /// ```promql good
    /// rate(requests_total[5m])
    /// ```
    /// ```promql good
    /// old_requests_total_seconds
    /// ```
    /// ```promql good
    /// up{metric="old_requests_total"}
    /// ```
    "O011" "forbidden-metric" Warning off, Proven, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for policy in policies(&cx.rule, &CHECK) {
        for (id, selector) in cx.selectors() {
            let Some(name) = cx.metric_name(selector) else { continue };
            let is_it = policy.metrics.as_ref().is_some_and(|all| all.iter().any(|p| p.matches(name)));
            if !is_it {
                continue;
            }
            let span = cx.expr.span(id);
            let at = cx.source(span).find(name).map_or(0, |at| at as u32);
            let word = Span::new(span.start + at, span.start + at + name.len() as u32);
            let finding = policy.tell(report, cx.place(word), format!("`{name}` must not be used"));
            if let Some(new) = &policy.replacement {
                let edits = cx.edits(&[(word, new)]);
                finding.help(format!("use `{new}`")).fix(Safety::Unsafe, format!("use `{new}`"), edits);
            }
        }
    }
}
