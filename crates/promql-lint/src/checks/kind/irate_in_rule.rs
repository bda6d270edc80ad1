//! `irate-in-rule` (K009).

use promql_syntax::{Function, Span};

use crate::check::Severity;
use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds `irate` in a rule. In a recording rule it is a remark only.
    ///
    /// ## Why it matters
    /// `irate` sees the last two samples, whatever the range is. A single dip between two evaluations resets the
    /// `for` of an alert, and what happens between the evaluations is never seen.
    ///
    /// ## Examples
    /// ```promql bad
    /// irate(interface_discards_total[5m]) > 0
    /// ^^^^^ `irate` sees the last two samples only
    /// ```
    /// ```promql fixed
    /// rate(interface_discards_total[5m]) > 0
    /// ```
    /// ```promql bad
    /// sum by (job) (irate(requests_total[1m])) > 100
    ///               ^^^^^ `irate` sees the last two samples only
    /// ```
    /// ```promql fixed
    /// sum by (job) (rate(requests_total[1m])) > 100
    /// ```
    /// ```promql bad record
    /// sum by (job) (irate(requests_total[1m]))
    ///               ^^^^^ info: `irate` sees the last two samples only
    /// ```
    /// ```promql fixed
    /// sum by (job) (rate(requests_total[1m]))
    /// ```
    /// ```promql good
    /// rate(interface_discards_total[5m]) > 0
    /// ```
    /// ```promql good record
    /// sum by (job) (rate(requests_total[1m]))
    /// ```
    /// ```promql good
    /// irate > 5
    /// ```
    "K009" "irate-in-rule" Warning, Proven, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, _) in cx.calls() {
        if function != Function::Irate {
            continue;
        }
        let span = cx.expr.span(id);
        let word = Span::new(span.start, span.start + 5);
        let finding = report.at(cx.place(word), "`irate` sees the last two samples only");
        finding
            .help("use `rate`")
            .fix(Safety::Unsafe, "use `rate`", cx.edits(&[(word, "rate")]));
        if !cx.rule.is_alert() {
            finding.severity(Severity::Info);
        }
    }
}
