//! `record-name-shape` (N001).

use promql_rules::rule_file::RuleKind;

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;

declare_check! {
    /// Finds a recorded metric without a colon in its name.
    ///
    /// ## Why it matters
    /// Recorded names are `level:metric:operations` by convention. The colon tells who reads `job:errors:rate5m`
    /// that a rule makes it, and no exporter has it.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - record: errors
    ///           ^^^^^^ `errors` looks like a metric of an exporter
    ///   expr: sum(errors_total)
    /// ```
    /// ```yaml bad
    /// - record: shop_errors_rate5m
    ///           ^^^^^^^^^^^^^^^^^^ `shop_errors_rate5m` looks like a metric of an exporter
    ///   expr: sum(rate(errors_total[5m]))
    /// ```
    /// ```yaml bad
    /// - {record: up_min, expr: min(up)}
    ///            ^^^^^^ `up_min` looks like a metric of an exporter
    /// ```
    /// ```yaml good
    /// - record: job:errors:rate5m
    ///   expr: sum by (job) (rate(errors_total[5m]))
    /// ```
    /// ```yaml good
    /// - record: errors:sum
    ///   expr: sum(errors_total)
    /// ```
    /// ```yaml good
    /// - alert: errors
    ///   expr: sum(errors_total) > 1
    /// ```
    "N001" "record-name-shape" Info, Heuristic, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    let name = &cx.rule.name;
    if cx.rule.kind == RuleKind::Recording && !name.is_empty() && !name.value.contains(':') {
        report
            .at(name.span.clone(), format!("`{}` looks like a metric of an exporter", name.value))
            .help("call it `level:metric:operations`, such as `job:errors:rate5m`");
    }
}
