//! `alert-noise` (L010).

use super::alert_flapping;
use crate::check::{Severity, declare_check};
use crate::finding::Report;
use crate::live::{LiveContext, shown};

declare_check! {
    /// Tries an alert on the last day, and tells if it would have fired more than once a day, or for more
    /// than half of the time.
    ///
    /// ## Why it matters
    /// People stop reading alerts that come too often, and an alert that always fires says nothing. The
    /// expression is evaluated at the interval of the group, and its results go through `for` and
    /// `keep_firing_for` as they do in a server. `back-test` under `[lint.live]` is how much of the past is
    /// looked at; above `noise` firings a day it is told, above `noise-limit` it is a warning. Watchdogs,
    /// by their names, are meant to fire. An alert that goes on and off all the time is told by
    /// `alert-flapping` alone, if that looks.
    ///
    /// ## Examples
    /// ```text server
    /// load 1m
    ///   queue_length{job="shop"} 0x700 9x10 0x700 9x10 0x20
    ///   noisy{job="shop"} 9x10 0x10 9x10 0x10 9x10 0x10 9x10 0x10 9x10 0x10 9x10 0x10 9x10 0x10 9x10 0x10 9x10 0x10 9x10 0x10 9x10 0x10 9x10 0x10
    ///   ratio{job="shop"} 0x300 9x1140
    /// ```
    /// ```yaml bad
    /// - alert: LongQueue
    ///          ^^^^^^^^^ this would have fired 2 times in the last 1d, for 1 label set and 2 % of the time
    ///   expr: queue_length > 5
    /// ```
    /// ```yaml bad
    /// - alert: Noisy
    ///          ^^^^^ warning: this would have fired 12 times in the last 1d, for 1 label set and 5 % of the time
    ///   expr: noisy > 5
    ///   for: 5m
    /// ```
    /// ```yaml bad
    /// - alert: Ratio
    ///          ^^^^^ this would have fired once in the last 1d, for 1 label set and 79 % of the time
    ///   expr: ratio > 5
    /// ```
    /// ```yaml good
    /// - alert: LongQueue
    ///   expr: queue_length > 5
    ///   for: 15m
    /// ```
    /// ```yaml good
    /// - alert: LongQueue
    ///   expr: max_over_time(queue_length[1h]) > 10
    /// ```
    /// It is meant to fire:
    /// ```yaml good
    /// - alert: Watchdog
    ///   expr: vector(1)
    /// ```
    "L010" "alert-noise" Info, Observed, fix: Never, Live(look)
}

/// Names of alerts that are meant to fire.
pub(crate) const WATCHDOGS: &[&str] = &["watchdog", "deadman", "dead-man", "deadmans", "heartbeat", "alwaysfiring"];

/// From which share of the time on an alert says nothing.
const MOST_OF_THE_TIME: f64 = 0.5;

fn look(cx: &LiveContext<'_>, report: &mut Report<'_>) {
    let name = cx.expr.rule.rule.name.value.to_ascii_lowercase();
    if WATCHDOGS.iter().any(|word| name.contains(word)) {
        return;
    }
    let Some(test) = cx.back_test() else { return };
    let told = test.told(test.holding());
    // That an alert goes on and off is told by another check, and is why it is noisy.
    if cx.looks(&alert_flapping::CHECK) && alert_flapping::flaps(test, &told) {
        return;
    }
    let a_day = told.firings as f64 / test.days();
    if told.firings == 0 || a_day <= cx.options.noise && told.share <= MOST_OF_THE_TIME {
        return;
    }
    let times = if told.firings == 1 { "once".to_owned() } else { format!("{} times", told.firings) };
    let sets = if told.label_sets == 1 { "" } else { "s" };
    let message = format!(
        "this would have fired {times} in the last {}, for {} label set{sets} and {:.0} % of the time",
        shown(cx.options.back_test),
        told.label_sets,
        told.share * 100.0
    );
    let severity = match a_day > cx.options.noise_limit {
        true => Severity::Warning,
        false => Severity::Info,
    };
    report
        .at(cx.expr.rule.rule.name.span.clone(), message)
        .severity(severity)
        .help("is each of these worth somebody's attention? A longer `for`, or another threshold, tells less");
}
