//! `long-range` (P003).

use promql_model::FormatDuration;
use promql_syntax::ast::{Duration, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds a range of a day or more in a rule that is evaluated a thousand times in it.
    ///
    /// ## Why it matters
    /// All samples of the range are read at each evaluation. To record a rate over a shorter window first, and to
    /// take the mean of that, reads a fraction.
    ///
    /// ## Examples
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   interval: 30s
    ///   rules:
    ///   - record: job:requests:increase30d
    ///     expr: sum by (job) (increase(requests_total[30d]))
    ///                                  ^^^^^^^^^^^^^^^^^^^ 30d are read at each evaluation
    /// ```
    /// ```yaml bad
    /// - alert: Rare
    ///   expr: increase(backups_total[1d]) < 1
    ///                  ^^^^^^^^^^^^^^^^^ 1d are read at each evaluation
    /// ```
    /// ```yaml bad
    /// - record: job:load:max1w
    ///   expr: max by (job) (max_over_time(node_load1[1w]))
    ///                                     ^^^^^^^^^^^^^^ 1w are read at each evaluation
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: shop
    ///   interval: 1h
    ///   rules:
    ///   - record: job:requests:increase30d
    ///     expr: sum by (job) (increase(requests_total[30d]))
    /// ```
    /// ```yaml good
    /// - alert: Rare
    ///   expr: increase(backups_total[12h]) < 1
    /// ```
    /// What is recorded already is thinned out by a step:
    /// ```yaml good
    /// - record: job:requests:increase30d
    ///   expr: sum_over_time(job:requests:increase1h[30d:1h])
    /// ```
    "P003" "long-range" Info, Proven, fix: Never, Expr(look)
}

/// A day and a minute, in nanoseconds.
const DAY: i64 = 86_400_000_000_000;
const MINUTE: i64 = 60_000_000_000;
/// So many evaluations within a range are many.
const MANY: i64 = 1000;

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    let interval = cx.rule.interval().unwrap_or(MINUTE);
    for (id, node) in cx.nodes() {
        let NodeKind::MatrixSelector { range: Duration::Literal(range), .. } = node.kind else {
            continue;
        };
        if range < DAY || interval >= range / MANY {
            continue;
        }
        report
            .at(
                cx.place_of(id),
                format!("{} are read at each evaluation", FormatDuration(range)),
            )
            .help("record a shorter window first, or evaluate the group less often");
    }
}
