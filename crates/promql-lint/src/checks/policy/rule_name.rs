//! `rule-name` (O007).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;
use crate::policy::policies;

declare_check! {
    /// Finds a rule whose name a policy doesn't allow.
    ///
    /// ## Why it matters
    /// Names are read by people and by programs.
    ///
    /// ## Examples
    /// ```toml config
    /// [[lint.policy]]
    /// check = "rule-name"
    /// kinds = ["alert"]
    /// regex = "([A-Z][a-z0-9]*)+"
    /// ```
    /// ```yaml bad
    /// - alert: shop_down
    ///          ^^^^^^^^^ `shop_down` is not called as it has to be
    ///   expr: up == 0
    /// ```
    /// ```yaml bad
    /// - alert: Shop down
    ///          ^^^^^^^^^ `Shop down` is not called as it has to be
    ///   expr: up == 0
    /// ```
    /// ```yaml bad
    /// - alert: "2Down"
    ///          ^^^^^^^ `2Down` is not called as it has to be
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// - alert: ShopDown
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// - alert: Down2
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// - record: shop_down
    ///   expr: min(up)
    /// ```
    "O007" "rule-name" Warning off, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for policy in policies(cx, &CHECK) {
        if !policy.allows(&cx.rule.name.value) {
            let message = format!("`{}` is not called as it has to be", cx.rule.name.value);
            policy.tell(report, cx.rule.name.span.clone(), message);
        }
    }
}
