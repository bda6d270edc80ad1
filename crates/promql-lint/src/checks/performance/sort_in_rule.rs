//! `sort-in-rule` (P008).

use promql_syntax::{Function, Span};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds `sort`, `sort_desc` and the like in a rule, where they do nothing.
    ///
    /// ## Why it matters
    /// The result of a rule is a set of series or alerts, which has no order.
    ///
    /// ## Examples
    /// ```promql bad
    /// sort_desc(sum by (job) (up)) < 3
    /// ^^^^^^^^^ the result of a rule has no order
    /// ```
    /// ```promql fixed
    /// (sum by (job) (up)) < 3
    /// ```
    /// ```promql bad
    /// sort(queue_length > 10)
    /// ^^^^ the result of a rule has no order
    /// ```
    /// ```promql fixed
    /// (queue_length > 10)
    /// ```
    /// ```promql bad
    /// sort_by_label(up == 0, "job")
    /// ^^^^^^^^^^^^^ the result of a rule has no order
    /// ```
    /// ```promql fixed
    /// (up == 0)
    /// ```
    /// ```promql good
    /// topk(3, sum by (job) (up))
    /// ```
    /// ```promql good
    /// sum by (sort) (up)
    /// ```
    /// ```promql good
    /// queue_length > 10
    /// ```
    "P008" "sort-in-rule" Info, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, arguments) in cx.calls() {
        use Function::{Sort, SortByLabel, SortByLabelDesc, SortDesc};
        if !matches!(function, Sort | SortDesc | SortByLabel | SortByLabelDesc) {
            continue;
        }
        let Some(argument) = arguments.first() else { continue };
        let (span, inner) = (cx.expr.span(id), cx.expr.span(*argument));
        let word = Span::new(span.start, span.start + function.name().len() as u32);
        let edits = match arguments.len() {
            1 => cx.edits(&[(word, "")]),
            _ => cx.edits(&[(word, ""), (Span::new(inner.end, span.end - 1), "")]),
        };
        report
            .at(cx.place(word), "the result of a rule has no order")
            .help("leave it out")
            .fix(Safety::Safe, "leave it out", edits);
    }
}
