//! `target-query` (D002).

use crate::check::declare_check;
use crate::context::TargetContext;
use crate::finding::Report;

declare_check! {
    /// Finds a query of a panel that can't be parsed, whatever the variables in it stand for.
    ///
    /// ## Why it matters
    /// The panel shows an error. Queries for other data sources than Prometheus are passed over, and so are those
    /// in which a variable may be a function or all of the query.
    ///
    /// ## Examples
    /// ```json bad
    /// {"panels": [{"title": "Requests", "targets": [
    ///   {"expr": "sum(rate(requests_total{job=\"$job\"}[$__rate_interval])"}]}]}
    ///                                                                     ^ this query can't be read: unclosed left parenthesis
    /// ```
    /// ```json bad
    /// {"panels": [{"title": "Up", "targets": [{"expr": "up{job=$job}"}, {"expr": "up by (job)"}]}]}
    ///                                                                                ^^ this query can't be read: unexpected <by>
    /// ```
    /// ```json bad
    /// {"panels": [{"title": "Requests", "targets": [
    ///   {"expr": "rate(requests_total)"}]}]}
    ///                  ^^^^^^^^^^^^^^ this query can't be read: expected type range vector in call to function "rate", got instant vector
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Requests", "targets": [
    ///   {"expr": "topk($k, sum by ($by) (rate(requests_total[$__rate_interval])))"}]}]}
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Logs", "datasource": {"type": "loki"}, "targets": [
    ///   {"expr": "{app=\"shop\"} |= \"error\""}]}]}
    /// ```
    /// A draft is not shown:
    /// ```json good
    /// {"panels": [{"title": "Requests", "targets": [
    ///   {"expr": "sum(rate(requests_total", "hide": true}]}]}
    /// ```
    "D002" "target-query" Error, Proven, fix: Never, Target(look)
}

fn look(cx: &TargetContext<'_>, report: &mut Report<'_>) {
    if let Some((message, span)) = &cx.target.error {
        report
            .at(cx.place(span.clone()), format!("this query can't be read: {message}"))
            .help("`promql parse` shows how an expression is read");
    }
}
