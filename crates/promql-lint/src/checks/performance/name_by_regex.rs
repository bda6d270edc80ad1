//! `name-by-regex` (P002).

use promql_model::{MatchOp, Regex};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds a selector whose metrics are given by a regular expression, other than a list of at most ten.
    ///
    /// ## Why it matters
    /// All names that there are have to be compared, and next month's metric is selected too.
    ///
    /// ## Examples
    /// ```promql bad
    /// count({__name__=~"http_.*", job="shop"})
    ///        ^^^^^^^^^^^^^^^^^^^ the names of all metrics are compared with this pattern
    /// ```
    /// ```promql bad
    /// {__name__!~"go_.*", job="shop", team="core"}
    ///  ^^^^^^^^^^^^^^^^^ the names of all metrics are compared with this pattern
    /// ```
    /// ```promql bad
    /// sum({__name__=~"a|b|c|d|e|f|g|h|i|j|k", job="shop"})
    ///      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the names of all metrics are compared with this pattern
    /// ```
    /// ```promql good
    /// sum({__name__=~"requests_total|errors_total"})
    /// ```
    /// ```promql good
    /// sum({__name__="requests_total"})
    /// ```
    /// ```promql good
    /// sum(requests_total{path=~"/api/.*"})
    /// ```
    "P002" "name-by-regex" Info, Proven, fix: Never, Expr(look)
}

/// So many names are a list.
const FEW: usize = 10;

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (_, selector) in cx.selectors() {
        for matcher in cx.expr.matchers(selector) {
            if !matcher.op.is_regex() || cx.expr.text(matcher.name) != b"__name__" {
                continue;
            }
            let names = Regex::new(cx.expr.text(matcher.value)).ok();
            let count = names.as_ref().and_then(|names| names.texts()).map(<[_]>::len);
            if matcher.op == MatchOp::Matches && count.is_some_and(|count| count <= FEW) {
                continue;
            }
            report
                .at(cx.place(matcher.span), "the names of all metrics are compared with this pattern")
                .help("name the metrics, or record what is wanted under one name");
        }
    }
}
