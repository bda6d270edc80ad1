//! `rate-of-gauge` (K002).

use promql_syntax::Function;

use crate::check::{Evidence, declare_check};
use crate::context::ExprContext;
use crate::finding::{Report, Safety};
use crate::flow::{Basis, Kind};
use crate::shape::{has_matcher, metric, selector, word};

declare_check! {
    /// Finds `rate`, `irate`, `increase` and `resets` of a metric that is known to be no counter, or of the
    /// quantiles of a summary.
    ///
    /// ## Why it matters
    /// Each time a gauge falls, these functions take it for a restart and add all of the new value: the result
    /// has nothing to do with what happens. `deriv` and `delta` are made for gauges.
    ///
    /// What a metric is can't be told by a missing `_total`, as many exporters name counters without it. So this
    /// needs `[lint.metrics]`.
    ///
    /// ## Examples
    /// ```toml config
    /// [lint.metrics]
    /// free_bytes = "gauge"
    /// queue_length_total = "gauge"
    /// page_faults = "counter"
    /// ```
    /// ```promql bad
    /// rate(free_bytes{job="node"}[5m]) < 0
    /// ^^^^ `rate` takes each fall for a restart, but `free_bytes` is no counter
    /// ```
    /// ```promql fixed
    /// deriv(free_bytes{job="node"}[5m]) < 0
    /// ```
    /// ```promql bad
    /// sum(increase(queue_length_total[1h])) > 100
    ///     ^^^^^^^^ `increase` takes each fall for a restart, but `queue_length_total` is no counter
    /// ```
    /// ```promql fixed
    /// sum(delta(queue_length_total[1h])) > 100
    /// ```
    /// ```promql bad
    /// rate(latency_seconds{quantile="0.9"}[5m]) > 1
    /// ^^^^ `rate` takes each fall for a restart, but `latency_seconds` is no counter
    /// ```
    /// ```promql good
    /// deriv(free_bytes{job="node"}[5m]) < 0
    /// ```
    /// It is called like a gauge, but declared to be a counter:
    /// ```promql good
    /// rate(page_faults[5m]) > 100
    /// ```
    /// Nothing is known of it:
    /// ```promql good
    /// rate(context_switches[5m]) > 100
    /// ```
    /// The sum and the count of a summary are counters:
    /// ```promql good
    /// rate(latency_seconds_sum[5m]) / rate(latency_seconds_count[5m]) > 1
    /// ```
    "K002" "rate-of-gauge" Warning, Observed, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, arguments) in cx.calls() {
        use Function::{Increase, Irate, Rate, Resets};
        if !matches!(function, Rate | Irate | Increase | Resets) {
            continue;
        }
        let Some(argument) = arguments.first() else { continue };
        let Some(name) = metric(cx, *argument) else { continue };
        let known = cx.env().metric(name).and_then(|metric| metric.quantity);
        let of_summary = || {
            let has_quantile = selector(cx, *argument).is_some_and(|s| has_matcher(cx, s, "quantile"));
            has_quantile && !name.ends_with("_bucket") && cx.env().presumes(Basis::SUFFIX_KINDS)
        };
        let (kind, evidence) = match known.map(|quantity| quantity.kind) {
            Some(kind @ (Kind::Gauge | Kind::Info | Kind::StateSet | Kind::Timestamp)) => {
                (kind, Evidence::Observed)
            }
            None if of_summary() => (Kind::SummaryQuantile, Evidence::Presumed),
            _ => continue,
        };
        let word = word(cx, id);
        let message = format!("`{}` takes each fall for a restart, but `{name}` is no counter", function.name());
        let new = match function {
            _ if kind != Kind::Gauge => None,
            Rate => Some("deriv"),
            Increase => Some("delta"),
            _ => None,
        };
        let finding = report.at(cx.place(word), message);
        finding.evidence(evidence);
        finding.also(cx.place_of(*argument), format!("a {}", kind.name()));
        match new {
            Some(new) => {
                let edits = cx.edits(&[(word, new)]);
                finding.help(format!("use `{new}`")).fix(Safety::Unsafe, format!("use `{new}`"), edits);
            }
            None if kind == Kind::SummaryQuantile => {
                finding.help("compare the quantile itself; only `_sum` and `_count` have a rate");
            }
            None => {
                finding.help("`changes` says how often the value changed");
            }
        }
    }
}
