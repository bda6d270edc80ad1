//! A006

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds a `for` or a `keep_firing_for` of zero, which is the same as none.
    ///
    /// ## Why it matters
    /// Who reads it wonders whether a number was forgotten.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 0m
    ///        ^^ a `for` of zero is the same as none
    /// ```
    /// ```yaml fixed
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   keep_firing_for: 0s
    ///                    ^^ a `keep_firing_for` of zero is the same as none
    ///   labels:
    ///     severity: page
    /// ```
    /// ```yaml fixed
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     severity: page
    /// ```
    /// ```yaml bad
    /// - {alert: Down, expr: up == 0, for: 0}
    ///                                     ^ a `for` of zero is the same as none
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 1ms
    /// ```
    /// A recording rule with a `for` of zero is the matter of `field-not-allowed`:
    /// ```yaml good
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    ///   for: 0s
    /// ```
    "A006" "for-zero" Info, Proven, fix: Safe, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    if !cx.is_alert() {
        return;
    }
    let fields =
        [("for", cx.rule.for_duration), ("keep_firing_for", cx.rule.keep_firing_for)];
    for (key, duration) in fields {
        let Some(duration) = duration.filter(|duration| duration.value == 0) else { continue };
        report
            .at(duration.span(), format!("a `{key}` of zero is the same as none"))
            .help("remove the line, or say how long")
            .fix(Safety::Safe, format!("remove `{key}`"), cx.remove_entry(key, duration.span()));
    }
}
