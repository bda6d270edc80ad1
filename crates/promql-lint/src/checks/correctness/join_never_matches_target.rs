//! `join-never-matches-target` (C002).

use super::join_never_matches::report_all;
use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;
use crate::flow::Basis;

declare_check! {
    /// Finds an operation of two vectors whose elements can never match, because one side was aggregated without
    /// `job` or `instance`, which every scraped series on the other side has.
    ///
    /// ## Why it matters
    /// Elements match if all their labels are equal. A scraped series has `job` and `instance`, so it never equals
    /// an element that has lost them: the result is always empty, without any error. Metrics that are pushed or
    /// federated may lack these labels; name them in the configuration.
    ///
    /// ## Examples
    /// ```promql bad
    /// thanos_replication_factor > 1 and sum by (job) (rate(errors_total[5m])) > 1
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the two sides of `and` never match: `instance` has no value that both can have; this alert can never fire
    /// ```
    /// ```promql fixed
    /// thanos_replication_factor > 1 and on (job) sum by (job) (rate(errors_total[5m])) > 1
    /// ```
    /// ```promql bad
    /// backup_start_time > 0 and absent(backup_completion_time)
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the two sides of `and` never match: `instance` has no value that both can have; this alert can never fire
    /// ```
    /// ```promql fixed
    /// backup_start_time > 0 unless backup_completion_time
    /// ```
    /// ```promql bad
    /// rate(requests_total[5m]) / sum(rate(requests_total[5m])) > 0.5
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the two sides of `/` never match: `instance` has no value that both can have; this alert can never fire
    /// ```
    /// ```promql fixed
    /// rate(requests_total[5m]) / on () group_left () sum(rate(requests_total[5m])) > 0.5
    /// ```
    /// ```promql good
    /// thanos_replication_factor > 1 and on (job) sum by (job) (rate(errors_total[5m])) > 1
    /// ```
    /// ```promql good
    /// cluster:requests:rate5m > 1 and sum(rate(errors_total[5m])) > 1
    /// ```
    /// ```promql good
    /// requests{job="", instance=""} / sum(requests)
    /// ```
    "C002" "join-never-matches-target" Warning, Presumed, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    report_all(cx, report, |basis| basis.has(Basis::TARGET_LABELS));
}
