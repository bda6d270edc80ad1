//! `kind-contradiction` (L005).

use promql_syntax::{Function, Span};

use crate::check::declare_check;
use crate::finding::Report;
use crate::live::LiveContext;

declare_check! {
    /// Finds a function for counters over what all targets say is a gauge, and a function for gauges over what
    /// all say is a counter.
    ///
    /// ## Why it matters
    /// Each decrease of a gauge looks to `rate` like a counter that begins anew, so that the result is far too
    /// large. `delta` and `deriv` of a counter are negative whenever it does begin anew.
    ///
    /// ## Examples
    /// ```text server
    /// kind queue_length gauge
    /// kind requests counter
    /// kind temperature gauge
    /// kind temperature counter
    /// load 1m
    ///   queue_length{job="shop"} 1x10
    ///   requests{job="shop"} 0+1x10
    ///   temperature{job="shop"} 1x10
    /// ```
    /// ```promql bad
    /// rate(queue_length[5m]) > 10
    /// ^^^^ `queue_length` is a gauge, as all its targets say, and `rate` is not for these
    /// ```
    /// ```promql bad
    /// sum(increase(queue_length{job="shop"}[5m])) > 10
    ///     ^^^^^^^^ `queue_length` is a gauge, as all its targets say, and `increase` is not for these
    /// ```
    /// ```promql bad
    /// delta(requests[5m]) > 10
    /// ^^^^^ `requests` is a counter, as all its targets say, and `delta` is not for these
    /// ```
    /// ```promql good
    /// deriv(queue_length[5m]) > 10
    /// ```
    /// ```promql good
    /// rate(requests[5m]) > 10
    /// ```
    /// The targets don't agree:
    /// ```promql good
    /// rate(temperature[5m]) > 10 or delta(temperature[5m]) > 10
    /// ```
    "L005" "kind-contradiction" Warning, Observed, fix: Never, Live(look)
}

fn look(cx: &LiveContext<'_>, report: &mut Report<'_>) {
    for (id, function, arguments) in cx.expr.calls() {
        let (wrong, instead) = match function {
            Function::Rate | Function::Increase | Function::Irate => ("gauge", "`delta` or `deriv`"),
            Function::Resets => ("gauge", "`changes`"),
            Function::Delta | Function::Idelta => ("counter", "`increase`"),
            Function::Deriv => ("counter", "`rate`"),
            _ => continue,
        };
        let Some(name) = arguments.first().and_then(|argument| cx.expr.range_metric(*argument)) else {
            continue;
        };
        if cx.kind(name).as_deref() != Some(wrong) {
            continue;
        }
        let span = cx.expr.expr.span(id);
        let word = Span::new(span.start, span.start + function.name().len() as u32);
        report
            .at(
                cx.expr.place(word),
                format!("`{name}` is a {wrong}, as all its targets say, and `{}` is not for these", function.name()),
            )
            .help(format!("use {instead}"));
    }
}
