//! `delta-of-counter` (K003).

use promql_syntax::{Function, Span};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds `delta`, `idelta`, `deriv` and `predict_linear` of a counter: of a metric whose name ends in
    /// `_total` or `_bucket`, which is presumed to be one.
    ///
    /// ## Why it matters
    /// When the counter begins anew at a restart, the result is negative. `increase` and `rate` see that.
    ///
    /// ## Examples
    /// ```promql bad
    /// delta(errors_total[1d]) >= 1
    /// ^^^^^ `delta` of a counter is negative after a restart
    /// ```
    /// ```promql fixed
    /// increase(errors_total[1d]) >= 1
    /// ```
    /// ```promql bad
    /// deriv(requests_total{job="shop"}[5m]) > 10
    /// ^^^^^ `deriv` of a counter is negative after a restart
    /// ```
    /// ```promql fixed
    /// rate(requests_total{job="shop"}[5m]) > 10
    /// ```
    /// ```promql bad
    /// sum(idelta(latency_seconds_bucket[5m]))
    ///     ^^^^^^ `idelta` of a counter is negative after a restart
    /// ```
    /// ```promql fixed
    /// sum(increase(latency_seconds_bucket[5m]))
    /// ```
    /// ```promql good
    /// increase(errors_total[1d]) >= 1
    /// ```
    /// Gauges are called so too:
    /// ```promql good
    /// delta(pods_count[1h]) > 5
    /// ```
    /// ```promql good
    /// delta(queue_length[5m]) > 5
    /// ```
    "K003" "delta-of-counter" Warning, Presumed, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, arguments) in cx.calls() {
        let new = match function {
            Function::Delta | Function::Idelta => Some("increase"),
            Function::Deriv => Some("rate"),
            Function::PredictLinear | Function::DoubleExponentialSmoothing => None,
            _ => continue,
        };
        let Some(name) = arguments.first().and_then(|argument| cx.range_metric(*argument)) else { continue };
        if !is_counter(name) {
            continue;
        }
        let span = cx.expr.span(id);
        let word = Span::new(span.start, span.start + function.name().len() as u32);
        let message = format!("`{}` of a counter is negative after a restart", function.name());
        let finding = report.at(cx.place(word), message);
        finding.label(format!("`{name}` is a counter by its name"));
        match new {
            Some(new) => {
                let edits = cx.edits(&[(word, new)]);
                finding.help(format!("use `{new}`")).fix(Safety::Unsafe, format!("use `{new}`"), edits);
            }
            None => {
                finding.help("use it over a rate: `f(rate(x[5m])[1h:])`");
            }
        }
    }
}

/// Whether a metric is a counter by a name that hardly any gauge has.
pub(crate) fn is_counter(name: &str) -> bool {
    !name.contains(':') && (name.ends_with("_total") || name.ends_with("_bucket"))
}
