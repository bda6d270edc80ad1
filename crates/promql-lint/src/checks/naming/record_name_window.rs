//! `record-name-window` (N003).

use promql_model::{FormatDuration, parse_duration};
use promql_rules::rule_file::RuleKind;
use promql_syntax::ast::{Duration, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds a recorded metric whose name tells another window, or another operation, than its expression has.
    ///
    /// ## Why it matters
    /// Who reads `job:errors:rate5m` takes it for a rate over five minutes.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - record: job:errors:rate5m
    ///           ^^^^^^^^^^^^^^^^^ the name tells a window of 5m, the expression has 1m
    ///   expr: sum by (job) (rate(errors_total[1m]))
    /// ```
    /// ```yaml bad
    /// - record: job:errors:increase1h
    ///           ^^^^^^^^^^^^^^^^^^^^^ the name tells `increase`, the expression has `rate`
    ///   expr: sum by (job) (rate(errors_total[1h]))
    /// ```
    /// ```yaml bad
    /// - record: job:queue_length:max_over_time1d
    ///           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the name tells a window of 1d, the expression has 1h
    ///   expr: max_over_time(queue_length[1h])
    /// ```
    /// ```yaml good
    /// - record: job:errors:rate1h
    ///   expr: sum by (job) (rate(errors_total[60m]))
    /// ```
    /// ```yaml good
    /// - record: job:errors:ratio_rate5m
    ///   expr: sum by (job) (rate(errors_total[5m])) / sum by (job) (rate(requests_total[5m]))
    /// ```
    /// The window is that of the metric that it reads:
    /// ```yaml good
    /// - record: job:errors:rate5m
    ///   expr: sum by (job) (instance:errors:rate5m)
    /// ```
    "N003" "record-name-window" Warning, Proven, fix: Never, Expr(look)
}

/// Functions with a window that names tell, longer names first.
const FUNCTIONS: &[&str] = &[
    "max_over_time",
    "min_over_time",
    "avg_over_time",
    "sum_over_time",
    "increase",
    "irate",
    "delta",
    "rate",
];

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    let rule = cx.rule.rule;
    if rule.kind != RuleKind::Recording {
        return;
    }
    let Some((_, operations)) = rule.name.value.rsplit_once(':') else { return };
    let told = |function: &&&str| {
        let (_, rest) = operations.rsplit_once(**function)?;
        let end = rest.find('_').unwrap_or(rest.len());
        parse_duration(&rest[..end]).ok().filter(|window| *window > 0)
    };
    let Some((function, window)) = FUNCTIONS.iter().find_map(|f| Some((f, told(&f)?))) else {
        return;
    };
    let mut windows = Vec::new();
    for (id, name, arguments) in cx.calls() {
        let range = |argument: &promql_syntax::ast::NodeId| match cx.expr.kind(cx.bare(*argument)) {
            NodeKind::MatrixSelector { range: Duration::Literal(range), .. } => Some(range),
            NodeKind::Subquery(subquery) => match cx.expr.subquery(subquery).range {
                Duration::Literal(range) => Some(range),
                Duration::Expr(_) => None,
            },
            _ => None,
        };
        windows.extend(arguments.iter().filter_map(range).map(|range| (id, name, range)));
    }
    let Some((id, other, range)) = windows.first().copied() else { return };
    let has_window = windows.iter().any(|(_, _, range)| *range == window);
    let has_function = windows.iter().any(|(_, other, _)| other.name() == *function)
        // A rate is what a mean of rates, or a slope, is too.
        || *function == "rate" && other.name() != "increase";
    let message = match (has_function, has_window) {
        (_, false) => format!(
            "the name tells a window of {}, the expression has {}",
            FormatDuration(window),
            FormatDuration(range)
        ),
        (false, true) => format!("the name tells `{function}`, the expression has `{}`", other.name()),
        (true, true) => return,
    };
    report
        .at(rule.name.span.clone(), message)
        .also(cx.place_of(id), "here")
        .help("change one of them; who reads the metric goes by its name");
}
