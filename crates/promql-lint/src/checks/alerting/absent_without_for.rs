//! `absent-without-for` (A008).

use promql_syntax::Function;
use promql_syntax::ast::{Duration, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds an alert on `absent` or `absent_over_time` without a `for` that outlasts two evaluations.
    ///
    /// ## Why it matters
    /// After a restart of the server, and whenever a scrape is late, nothing is there for a moment, and the
    /// alert fires.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Gone
    ///   expr: absent(up{job="shop"})
    ///         ^^^^^^ this fires whenever a series is missing for a moment, as after a restart
    /// ```
    /// ```yaml bad
    /// - alert: Gone
    ///   expr: absent(up{job="shop"}) == 1
    ///         ^^^^^^ this fires whenever a series is missing for a moment, as after a restart
    ///   for: 0s
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   interval: 1m
    ///   rules:
    ///   - alert: Gone
    ///     expr: absent_over_time(up{job="shop"}[5m])
    ///           ^^^^^^^^^^^^^^^^ this fires whenever a series is missing for a moment, as after a restart
    ///     for: 1m
    /// ```
    /// ```yaml good
    /// - alert: Gone
    ///   expr: absent(up{job="shop"})
    ///   for: 5m
    /// ```
    /// A long window outlasts a restart:
    /// ```yaml good
    /// - alert: Gone
    ///   expr: absent_over_time(up{job="shop"}[15m])
    /// ```
    /// What makes the alert is something else:
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0 unless on() absent(maintenance)
    /// ```
    "A008" "absent-without-for" Warning, Proven, fix: Never, Expr(look)
}

/// A window that outlasts a restart: 10 minutes, in nanoseconds.
const LONG: i64 = 600_000_000_000;

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    if !cx.rule.is_alert() {
        return;
    }
    let mut top = cx.bare(cx.expr.root());
    // A comparison with a number changes nothing about that.
    while let NodeKind::Binary { op, lhs, rhs, .. } = cx.expr.kind(top)
        && op.is_comparison()
        && cx.number(rhs).is_some()
    {
        top = cx.bare(lhs);
    }
    let NodeKind::Call { function, args } = cx.expr.kind(top) else { return };
    match function.function {
        Function::Absent => {}
        Function::AbsentOverTime => {
            let Some(window) = cx.expr.arguments(args).first() else { return };
            match cx.expr.kind(cx.bare(*window)) {
                NodeKind::MatrixSelector { range: Duration::Literal(range), .. } if range < LONG => {}
                _ => return,
            }
        }
        _ => return,
    }
    let duration = cx.rule.rule.for_duration.map_or(0, |duration| duration.value);
    let twice = cx.rule.interval().map_or(1, |interval| interval.saturating_mul(2));
    if duration < twice {
        let span = cx.expr.span(top);
        let word = promql_syntax::Span::new(span.start, span.start + function.name.len() as u32);
        report
            .at(cx.place(word), "this fires whenever a series is missing for a moment, as after a restart")
            .help("add a `for` of a few evaluations, such as `for: 5m`");
    }
}
