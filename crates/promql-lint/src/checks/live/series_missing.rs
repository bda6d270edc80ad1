//! `series-missing` (L001).

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;
use crate::live::{Blame, LiveContext, Selected, Standing};

declare_check! {
    /// Finds a selector for which the server has no series, and had none in the last days. Says which part of
    /// it no series fits.
    ///
    /// ## Why it matters
    /// An alert over nothing never fires, and a mistake in a name looks just like good health. What the rules
    /// record themselves isn't looked for, and neither is what an expression provides for: the operands of
    /// `or`, the right side of `unless`, what `absent` looks at. `external-metrics` under `[lint.live]` are on
    /// another server; `window` is how far back is looked, a week by default.
    ///
    /// ## Examples
    /// ```text server
    /// load 1m
    ///   requests_total{job="shop", code="200"} 0+1x10
    ///   requests_total{job="desk", code="500"} 0+1x10
    /// ```
    /// ```promql bad
    /// rate(request_total[5m]) > 10
    ///      ^^^^^^^^^^^^^ the server had no series of `request_total` in the last 1w
    /// ```
    /// ```promql bad
    /// rate(requests_total{job="shop", code="404"}[5m]) > 10
    ///                                 ^^^^^^^^^^ no series of `requests_total` fitted `code="404"` in the last 1w
    /// ```
    /// ```promql bad
    /// sum(rate(requests_total{job="shop", code="500"}[5m])) > 0
    ///          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no series fitted all of these matchers in the last 1w
    /// ```
    /// ```promql good
    /// rate(requests_total{code=~"5..|4.."}[5m]) > 10
    /// ```
    /// These say what happens if there is nothing:
    /// ```promql good
    /// absent(request_total) or count(shops) or vector(0) unless closed
    /// ```
    /// A rule records this:
    /// ```yaml good
    /// - record: job:requests:rate5m
    ///   expr: sum by (job) (rate(requests_total[5m]))
    /// - alert: Busy
    ///   expr: job:requests:rate5m{job="desk"} > 10
    /// ```
    "L001" "series-missing" Warning, Observed, fix: Never, Live(look)
}

fn look(cx: &LiveContext<'_>, report: &mut Report<'_>) {
    for selected in expected(cx) {
        if cx.standing(selected) != Some(Standing::Missing) {
            continue;
        }
        let days = crate::live::shown(cx.options.window);
        let expr: &ExprContext<'_> = cx.expr;
        let place = expr.place_of(selected.node);
        let (place, message) = match cx.blame(selected) {
            None | Some(Blame::Label(_)) => continue,
            Some(Blame::Metric) => {
                let name = selected.name.unwrap_or_default();
                (place, format!("the server had no series of `{name}` in the last {days}"))
            }
            Some(Blame::Matcher(matcher)) => {
                let name = selected.name.unwrap_or("any metric");
                let written = expr.source(matcher.span);
                let message =
                    format!("no series of `{name}` fitted `{written}` in the last {days}");
                (expr.place(matcher.span), message)
            }
            Some(Blame::Together) => {
                (place, format!("no series fitted all of these matchers in the last {days}"))
            }
        };
        report.at(place, message).help(
            "is it spelt as the exporter has it? If it is on another server, name it under \
             `external-metrics`; if it comes and goes, say by `or` or `absent` what its absence means",
        );
    }
}

/// The selectors for which there should be series, each text once.
pub(crate) fn expected<'a>(cx: &LiveContext<'a>) -> impl Iterator<Item = &'a Selected<'a>> {
    let all = cx.selectors();
    let is_first = |at: usize| !all[..at].iter().any(|before| before.text == all[at].text);
    let wanted = all.iter().enumerate().filter(move |(at, selected)| {
        selected.is_expected && selected.is_scraped && is_first(*at)
    });
    wanted.map(|(_, selected)| selected)
}
