//! `required-matcher` (O008).

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;
use crate::policy::policies;

declare_check! {
    /// Finds a selector of certain metrics without a matcher that a policy demands.
    ///
    /// ## Why it matters
    /// On a server with the series of all clusters, a rule without `cluster` mixes them up.
    ///
    /// ## Examples
    /// ```toml config
    /// [[lint.policy]]
    /// check = "required-matcher"
    /// metrics = ["kube_*"]
    /// labels = ["cluster"]
    /// ```
    /// ```promql bad
    /// kube_pod_info{namespace="shop"}
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `kube_pod_info` needs a matcher on `cluster`
    /// ```
    /// ```promql bad
    /// sum(kube_pod_info) / sum(kube_node_info{cluster="a"})
    ///     ^^^^^^^^^^^^^ `kube_pod_info` needs a matcher on `cluster`
    /// ```
    /// ```promql bad
    /// count({__name__="kube_pod_info"})
    ///       ^^^^^^^^^^^^^^^^^^^^^^^^^^ `kube_pod_info` needs a matcher on `cluster`
    /// ```
    /// ```promql good
    /// kube_pod_info{cluster="a"}
    /// ```
    /// ```promql good
    /// sum by (cluster) (up)
    /// ```
    /// ```promql good
    /// kube_pod_info{cluster=~".+", namespace="shop"}
    /// ```
    "O008" "required-matcher" Warning off, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for policy in policies(&cx.rule, &CHECK) {
        for (id, selector) in cx.selectors() {
            let Some(name) = cx.metric_name(selector) else { continue };
            let is_it = policy.metrics.as_ref().is_none_or(|all| all.iter().any(|p| p.matches(name)));
            let has = |label: &String| {
                let matchers = cx.expr.matchers(selector).iter();
                matchers.into_iter().any(|matcher| cx.expr.text(matcher.name) == label.as_bytes())
            };
            let missing = policy.names.iter().find(|label| !has(label));
            if let Some(label) = missing.filter(|_| is_it) {
                let message = format!("`{name}` needs a matcher on `{label}`");
                policy.tell(report, cx.place_of(id), message);
            }
        }
    }
}
