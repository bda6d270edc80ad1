//! `selector-without-name` (P001).

use promql_model::MatchOp;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds a selector that names no metric, and has no `=` but on `job`.
    ///
    /// ## Why it matters
    /// It reads all metrics of a target, of which there may be thousands, at every evaluation.
    ///
    /// ## Examples
    /// ```promql bad
    /// count({job="shop"}) > 1000
    ///       ^^^^^^^^^^^^ this selector reads all metrics that there are of its targets
    /// ```
    /// ```promql bad
    /// sum(rate({team=~"shop|cart"}[5m]))
    ///          ^^^^^^^^^^^^^^^^^^^ this selector reads all metrics that there are of its targets
    /// ```
    /// ```promql bad
    /// count by (job) ({job!=""})
    ///                 ^^^^^^^^^ this selector reads all metrics that there are of its targets
    /// ```
    /// ```promql good
    /// {__name__="up", job="shop"} == 0
    /// ```
    /// ```promql good
    /// count({team="shop"})
    /// ```
    /// A pattern of names is the matter of `name-by-regex`:
    /// ```promql good
    /// count({__name__=~"shop_.*", job="shop"})
    /// ```
    "P001" "selector-without-name" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, selector) in cx.selectors() {
        if selector.name.is_some() {
            continue;
        }
        let narrows = |matcher: &promql_syntax::ast::LabelMatcher| {
            let name = cx.expr.text(matcher.name);
            let is_equal = matcher.op == MatchOp::Equal && !cx.expr.text(matcher.value).is_empty();
            name == b"__name__" || is_equal && name != b"job"
        };
        // The second argument of `info` selects labels, not series.
        let is_info = cx.calls().any(|(_, function, arguments)| {
            function == promql_syntax::Function::Info && arguments.get(1) == Some(&id)
        });
        if !is_info && !cx.expr.matchers(selector).iter().any(narrows) {
            report
                .at(cx.place_of(id), "this selector reads all metrics that there are of its targets")
                .label("no name")
                .help("name the metric: `metric{…}`");
        }
    }
}
