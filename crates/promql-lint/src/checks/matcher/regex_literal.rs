//! M001

use promql_model::MatchOp;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds a regular expression that matches one text only.
    ///
    /// ## Why it matters
    /// Who reads `=~` looks for a pattern. An index is also asked by `=` faster than by a pattern, on
    /// systems that don't see through this.
    ///
    /// ## Examples
    /// ```promql bad
    /// up{job=~"shop"}
    ///    ^^^^^^^^^^^ the regular expression matches one text only
    /// ```
    /// ```promql fixed
    /// up{job="shop"}
    /// ```
    /// ```promql bad
    /// up{job!~"shop", env=~"prod"} == 0
    ///    ^^^^^^^^^^^ the regular expression matches one text only
    ///                 ^^^^^^^^^^^ the regular expression matches one text only
    /// ```
    /// ```promql fixed
    /// up{job!="shop", env="prod"} == 0
    /// ```
    /// An empty pattern matches series without the label:
    /// ```promql bad
    /// up{job!~""}
    ///    ^^^^^^^ the regular expression matches one text only
    /// ```
    /// ```promql fixed
    /// up{job!=""}
    /// ```
    /// ```promql good
    /// up{job="shop"}
    /// ```
    /// ```promql good
    /// up{job=~"shop|cart"}
    /// ```
    /// A flag makes a pattern of a text:
    /// ```promql good
    /// up{job=~"(?i)shop"}
    /// ```
    "M001" "regex-literal" Warning, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for matcher in cx.matchers().filter(|matcher| matcher.op.is_regex()) {
        let pattern = cx.expr.text(matcher.value);
        let is_plain = |byte: &u8| !br"\.+*?()[]{}^$|".contains(byte);
        if !pattern.iter().all(is_plain) {
            continue;
        }
        let (old, new) = match matcher.op {
            MatchOp::Matches => ("=~", "="),
            _ => ("!~", "!="),
        };
        let fix = cx.edits(&[(cx.operator_span(matcher), new)]);
        report
            .at(cx.place(matcher.span), "the regular expression matches one text only")
            .label(format!("`{old}` compares with a pattern"))
            .help(format!("write `{new}`"))
            .fix(Safety::Safe, format!("write `{new}`"), fix);
    }
}
