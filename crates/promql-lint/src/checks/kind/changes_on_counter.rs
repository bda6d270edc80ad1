//! `changes-on-counter` (K014).

use promql_syntax::{Function, Span};
use super::delta_of_counter::is_counter;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds `changes` of a counter: of a metric whose name ends in `_total`, which is presumed to be one.
    ///
    /// ## Why it matters
    /// It counts the scrapes that saw another value, not what happened: ten events between two scrapes are one
    /// change.
    ///
    /// ## Examples
    /// ```promql bad
    /// changes(restarts_total[15m]) > 3
    /// ^^^^^^^ `changes` counts the scrapes that saw another value
    /// ```
    /// ```promql fixed
    /// increase(restarts_total[15m]) > 3
    /// ```
    /// ```promql bad
    /// sum by (pod) (changes(restarts_total[15m])) > 3
    ///               ^^^^^^^ `changes` counts the scrapes that saw another value
    /// ```
    /// ```promql fixed
    /// sum by (pod) (increase(restarts_total[15m])) > 3
    /// ```
    /// ```promql bad
    /// changes(errors_total{job="shop"}[1h])
    /// ^^^^^^^ `changes` counts the scrapes that saw another value
    /// ```
    /// ```promql fixed
    /// increase(errors_total{job="shop"}[1h])
    /// ```
    /// ```promql good
    /// increase(restarts_total[15m]) > 3
    /// ```
    /// ```promql good
    /// changes(process_start_time_seconds[15m]) > 2
    /// ```
    /// ```promql good
    /// changes(config_hash[1h]) > 0
    /// ```
    "K014" "changes-on-counter" Info, Presumed, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, arguments) in cx.calls() {
        let name = arguments.first().and_then(|argument| cx.range_metric(*argument));
        let Some(name) = name.filter(|name| function == Function::Changes && is_counter(name)) else { continue };
        let span = cx.expr.span(id);
        let word = Span::new(span.start, span.start + 7);
        report
            .at(cx.place(word), "`changes` counts the scrapes that saw another value")
            .label(format!("`{name}` is a counter by its name"))
            .help("use `increase`")
            .fix(Safety::Unsafe, "use `increase`", cx.edits(&[(word, "increase")]));
    }
}
