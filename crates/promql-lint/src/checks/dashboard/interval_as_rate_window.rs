//! `interval-as-rate-window` (D004).

use promql_syntax::Function;

use crate::check::declare_check;
use crate::context::TargetContext;
use crate::finding::{Edit, Report, Safety};

declare_check! {
    /// Finds `rate` and the like over `[$__interval]`.
    ///
    /// ## Why it matters
    /// `$__interval` is the step of the graph. Zoomed in, it is shorter than two scrapes, and the panel is empty;
    /// unless the query or the panel has a shortest step, "Min step" or "Min interval", which is then meant for this.
    ///
    /// ## Examples
    /// ```json bad
    /// {"panels": [{"title": "Requests", "targets": [{"expr": "rate(requests_total[$__interval])"}]}]}
    ///                                                                             ^^^^^^^^^^^ `rate` over the step of the graph is empty when it is short
    /// ```
    /// ```json fixed
    /// {"panels": [{"title": "Requests", "targets": [{"expr": "rate(requests_total[$__rate_interval])"}]}]}
    /// ```
    /// ```json bad
    /// {"panels": [{"title": "Requests", "targets": [
    ///   {"expr": "sum by (job) (increase(requests_total{job=~\"$job\"}[${__interval}]))"}]}]}
    ///                                                                  ^^^^^^^^^^^^^ `increase` over the step of the graph is empty when it is short
    /// ```
    /// ```json fixed
    /// {"panels": [{"title": "Requests", "targets": [
    ///   {"expr": "sum by (job) (increase(requests_total{job=~\"$job\"}[$__rate_interval]))"}]}]}
    /// ```
    /// ```json bad
    /// {"panels": [{"title": "Requests", "targets": [{"expr": "sum(irate(requests_total[$__interval]))"}]}]}
    ///                                                                                  ^^^^^^^^^^^ `irate` over the step of the graph is empty when it is short
    /// ```
    /// ```json fixed
    /// {"panels": [{"title": "Requests", "targets": [{"expr": "sum(irate(requests_total[$__rate_interval]))"}]}]}
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Requests", "targets": [{"expr": "rate(requests_total[$__rate_interval])"}]}]}
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Requests / $__interval", "targets": [
    ///   {"expr": "sum(increase(requests_total[$__interval:] offset -$__interval))"}]}]}
    /// ```
    /// Each point counts what happened in its step, and that is two minutes at least:
    /// ```json good
    /// {"panels": [{"title": "Requests", "targets": [
    ///   {"expr": "increase(requests_total[$__interval:] offset -$__interval)", "interval": "2m"}]}]}
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Queue", "targets": [{"expr": "max_over_time(queue_length[$__interval])"}]}]}
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Requests", "targets": [{"expr": "increase(requests_total[$__range])"}]}]}
    /// ```
    "D004" "interval-as-rate-window" Warning, Proven, fix: Unsafe, Target(look)
}

fn look(cx: &TargetContext<'_>, report: &mut Report<'_>) {
    // A panel that is about what happens in a step says so.
    let is_meant = cx.target.panel.contains("$__interval") || cx.target.has_shortest_step;
    let Some(expr) = cx.expr.filter(|_| !is_meant) else { return };
    for (_, function, arguments) in expr.calls() {
        use Function::{Delta, Increase, Irate, Rate};
        if !matches!(function, Rate | Irate | Increase | Delta) {
            continue;
        }
        let Some(argument) = arguments.first().map(|argument| expr.bare(*argument)) else { continue };
        let span = expr.expr.span(argument).range();
        let is_it = |variable: &&promql_rules::format::DashboardVariable| {
            let before = cx.target.expr.value[..variable.place.start].trim_end();
            variable.name == "__interval" && before.ends_with('[') && span.start <= variable.place.start && variable.place.end <= span.end
        };
        for variable in cx.target.uses.iter().filter(|variable| is_it(variable)) {
            let place = cx.place(variable.place.clone());
            let edit = Edit { span: place.clone(), text: "$__rate_interval".to_owned() };
            report
                .at(place, format!("`{}` over the step of the graph is empty when it is short", function.name()))
                .help("write `$__rate_interval`")
                .fix(Safety::Unsafe, "write `$__rate_interval`", Some(vec![edit]));
        }
    }
}
