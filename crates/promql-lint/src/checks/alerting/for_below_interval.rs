//! `for-below-interval` (A007).

use promql_model::FormatDuration;

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;

declare_check! {
    /// Finds a `for` that is shorter than the interval at which the group is evaluated.
    ///
    /// ## Why it matters
    /// An alert is looked at once in an interval, so it fires at the second evaluation, later than is written.
    /// A `keep_firing_for` below the interval has no effect.
    ///
    /// ## Examples
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   interval: 5m
    ///   rules:
    ///   - alert: Down
    ///     expr: up == 0
    ///     for: 2m
    ///          ^^ `for` is shorter than the interval of the group: it fires at the second evaluation
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   interval: 1m
    ///   rules:
    ///   - alert: Down
    ///     expr: up == 0
    ///     keep_firing_for: 30s
    ///                      ^^^ `keep_firing_for` is shorter than the interval of the group: it has no effect
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: shop
    ///   interval: 1h
    ///   rules:
    ///   - {alert: Down, expr: up == 0, for: 59m}
    ///                                       ^^^ `for` is shorter than the interval of the group: it fires at the second evaluation
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: shop
    ///   interval: 1m
    ///   rules:
    ///   - alert: Down
    ///     expr: up == 0
    ///     for: 2m
    /// ```
    /// Nothing is known of the interval:
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 10s
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: shop
    ///   interval: 1m
    ///   rules:
    ///   - alert: Down
    ///     expr: up == 0
    ///     for: 1m
    /// ```
    "A007" "for-below-interval" Info, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    let Some(interval) = cx.interval().filter(|_| cx.is_alert()) else { return };
    let every = FormatDuration(interval);
    let fields = [
        ("for", cx.rule.for_duration, "it fires at the second evaluation"),
        ("keep_firing_for", cx.rule.keep_firing_for, "it has no effect"),
    ];
    for (key, duration, effect) in fields {
        let is_short = |value: i64| value > 0 && value < interval;
        let Some(duration) = duration.filter(|duration| is_short(duration.value)) else { continue };
        report
            .at(duration.span(), format!("`{key}` is shorter than the interval of the group: {effect}"))
            .help(format!("the group is evaluated every {every}; write a multiple of that"));
    }
}
