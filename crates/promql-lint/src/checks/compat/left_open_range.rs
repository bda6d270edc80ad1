//! `left-open-range` (V004).

use promql_syntax::Function;
use promql_syntax::ast::{Duration, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;
use crate::shape::{asked, duration, is_of_change, selector, word};

declare_check! {
    /// Finds a window as long as the time between two samples, for functions that are content with one: since
    /// version 3.0 it holds one sample, before it could hold two. A subquery as long as its step likewise.
    ///
    /// ## Why it matters
    /// A window leaves out its first moment since then. What counted to 2 before counts to 1 now, so a threshold
    /// in such an alert has another meaning after the upgrade; and one late scrape leaves the window empty.
    ///
    /// The interval has to be configured. Windows of `rate` and the like, which need two samples, are the matter of
    /// another check.
    ///
    /// ## Examples
    /// ```toml config
    /// [lint]
    /// scrape-interval = "1m"
    /// ```
    /// ```promql bad
    /// count_over_time(up{job="shop"}[1m]) < 2
    ///                 ^^^^^^^^^^^^^^^^^^ a window of 1m holds one sample since Prometheus 3.0
    /// ```
    /// ```promql bad
    /// avg_over_time(queue_length[60s]) > 10
    ///               ^^^^^^^^^^^^^^^^^ a window of 1m holds one sample since Prometheus 3.0
    /// ```
    /// ```promql bad
    /// max_over_time(sum(queue_length)[5m:5m]) > 10
    ///               ^^^^^^^^^^^^^^^^^^^^^^^^ a window of 5m holds one point since Prometheus 3.0
    /// ```
    /// ```promql good
    /// count_over_time(up{job="shop"}[2m]) < 2
    /// ```
    /// The last sample is one in any case:
    /// ```promql good
    /// last_over_time(queue_length[1m]) > 10
    /// ```
    /// ```promql good
    /// max_over_time(sum(queue_length)[30m:5m]) > 10
    /// ```
    "V004" "left-open-range" Info, Observed, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    let known = cx.settings().known();
    if !known.is_at_least((3, 0)) {
        return;
    }
    for (id, function, arguments) in cx.calls() {
        use Function::{
            AbsentOverTime, Changes, LastOverTime, PredictLinear, PresentOverTime, Resets,
        };
        let is_of_one = matches!(function, LastOverTime | PresentOverTime | AbsentOverTime);
        let is_other = is_of_change(function) || matches!(function, Changes | PredictLinear | Resets);
        if is_of_one || is_other {
            continue;
        }
        for argument in arguments.iter().map(|argument| cx.bare(*argument)) {
            let (range, what) = match cx.expr.kind(argument) {
                NodeKind::MatrixSelector { range: Duration::Literal(range), .. } => {
                    let Some(selected) = selector(cx, argument) else { continue };
                    let is_recorded = cx.metric_name(selected).is_some_and(|name| name.contains(':'));
                    let interval = known.scrape_interval(asked(cx, selected, "job"));
                    if is_recorded || selected.modifiers.anchored || interval != Some(range) {
                        continue;
                    }
                    (range, "one sample")
                }
                NodeKind::Subquery(subquery) => {
                    let subquery = cx.expr.subquery(subquery);
                    let (Duration::Literal(range), Some(Duration::Literal(step))) = (subquery.range, subquery.step)
                    else {
                        continue;
                    };
                    if range != step {
                        continue;
                    }
                    (range, "one point")
                }
                _ => continue,
            };
            let message = format!("a window of {} holds {what} since Prometheus 3.0", duration(range));
            let finding = report.at(cx.place_of(argument), message);
            finding.label("its first moment is left out");
            finding.also(cx.place(word(cx, id)), "had two of them before");
            finding.help(format!("make it {} at least", duration(range.saturating_mul(2))));
        }
    }
}
