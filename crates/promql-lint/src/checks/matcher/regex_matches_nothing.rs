//! `regex-matches-nothing` (M004).

use promql_model::{MatchOp, regexes_are_disjoint};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::consequence;
use crate::finding::Report;

declare_check! {
    /// Finds a matcher with a regular expression that no series satisfies: `!~".*"`, `=~"a^"`.
    ///
    /// ## Why it matters
    /// The selector selects nothing, ever, whatever the database holds.
    ///
    /// ## Examples
    /// ```promql bad
    /// rate(notifications_total{integration!~".*"}[5m]) > 0
    ///                          ^^^^^^^^^^^^^^^^^ no value of `integration` satisfies this matcher; this alert can never fire
    /// ```
    /// ```promql bad
    /// up{job=~"$shop"}
    ///    ^^^^^^^^^^^^ no value of `job` satisfies this matcher; this part never gives a result
    /// ```
    /// ```promql bad
    /// up{job=~"shop^"}
    ///    ^^^^^^^^^^^^ no value of `job` satisfies this matcher; this part never gives a result
    /// ```
    /// ```promql good
    /// notifications_total{integration!~"x.*"}
    /// ```
    /// ```promql good
    /// notifications_total{integration!~".+"}
    /// ```
    /// ```promql good
    /// up{job=~"^shop$"}
    /// ```
    "M004" "regex-matches-nothing" Error, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for matcher in cx.matchers().filter(|matcher| matcher.op.is_regex()) {
        let source = cx.expr.text(matcher.value);
        let anchored = source.iter().any(|byte| b"^$\\".contains(byte));
        let never = match matcher.op {
            MatchOp::Matches if anchored => regexes_are_disjoint(source, b".*", 4096) == Some(true),
            op => cx.env().matching(op, source).is_some_and(|values| values.is_never()),
        };
        if !never {
            continue;
        }
        let label = cx.expr.text_lossy(matcher.name);
        report
            .at(cx.place(matcher.span), format!("no value of `{label}` satisfies this matcher"))
            .consequence(consequence(cx))
            .help("`!~\".+\"` selects series without the label; a regular expression is anchored already");
    }
}
