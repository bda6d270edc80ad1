//! `nonempty-regex` (M013).

use promql_model::MatchOp;
use promql_syntax::Span;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds `=~".+"` and `!~".+"`, which are `!=""` and `=""`.
    ///
    /// ## Why it matters
    /// The shorter form says what is meant: the label is there, or it isn't.
    ///
    /// ## Examples
    /// ```promql bad
    /// up{job=~".+"}
    ///    ^^^^^^^^^ this is `!=""`
    /// ```
    /// ```promql fixed
    /// up{job!=""}
    /// ```
    /// ```promql bad
    /// up{job!~".+", env="prod"}
    ///    ^^^^^^^^^ this is `=""`
    /// ```
    /// ```promql fixed
    /// up{job="", env="prod"}
    /// ```
    /// ```promql bad
    /// sum by (job) (up{job=~'.+'})
    ///                  ^^^^^^^^^ this is `!=""`
    /// ```
    /// ```promql fixed
    /// sum by (job) (up{job!=""})
    /// ```
    /// ```promql good
    /// up{job!=""}
    /// ```
    /// ```promql good
    /// up{job=~"shop.+"}
    /// ```
    /// ```promql good
    /// {__name__=~".+"}
    /// ```
    "M013" "nonempty-regex" Info, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (_, selector) in cx.selectors() {
        for matcher in cx.expr.matchers(selector) {
            let new = match matcher.op {
                MatchOp::Matches => "!=\"\"",
                MatchOp::NotMatches => "=\"\"",
                _ => continue,
            };
            let is_name = cx.expr.text(matcher.name) == b"__name__";
            if is_name || cx.expr.text(matcher.value) != b".+" {
                continue;
            }
            let span = Span::new(cx.operator_span(matcher).start, matcher.value_span.end);
            report
                .at(cx.place(matcher.span), format!("this is `{new}`"))
                .help(format!("write `{new}`"))
                .fix(Safety::Safe, format!("write `{new}`"), cx.edits(&[(span, new)]));
        }
    }
}
