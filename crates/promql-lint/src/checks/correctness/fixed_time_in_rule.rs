//! `fixed-time-in-rule` (C030).

use promql_syntax::ast::{At, NodeKind};

use crate::check::Severity;
use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds `@` with a fixed time in a rule. `@ start()` and `@ end()` are a remark: in a rule they are the time
    /// of the evaluation.
    ///
    /// ## Why it matters
    /// The selector always gives the same, until it is older than what the server keeps; then it gives nothing.
    ///
    /// ## Examples
    /// ```promql bad
    /// queue_length @ 1609746000 > 1
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^ a fixed time in a rule always gives the same
    /// ```
    /// ```promql bad
    /// rate(requests_total[5m] @ 1609746000) > 1
    ///      ^^^^^^^^^^^^^^ a fixed time in a rule always gives the same
    /// ```
    /// ```promql bad
    /// queue_length @ end() > 1
    /// ^^^^^^^^^^^^^^^^^^^^ info: in a rule this is the time of the evaluation anyway
    /// ```
    /// ```promql good
    /// queue_length > 1
    /// ```
    /// ```promql good
    /// queue_length offset 1w > 1
    /// ```
    /// ```promql good
    /// queue_length > 1609746000
    /// ```
    "C030" "fixed-time-in-rule" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, node) in cx.nodes() {
        let modifiers = match node.kind {
            NodeKind::VectorSelector(selector) => cx.expr.selector(selector).modifiers,
            NodeKind::Subquery(subquery) => cx.expr.subquery(subquery).modifiers,
            _ => continue,
        };
        match modifiers.at {
            Some(At::Timestamp(_)) => {
                report
                    .at(cx.place_of(id), "a fixed time in a rule always gives the same")
                    .help("look back by `offset`");
            }
            Some(At::Start | At::End) => {
                report
                    .at(cx.place_of(id), "in a rule this is the time of the evaluation anyway")
                    .severity(Severity::Info)
                    .help("leave it out");
            }
            None => {}
        }
    }
}
