//! `alert-always-fires` (A002).

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::rests_on;
use crate::finding::Report;
use crate::flow::Presence;

declare_check! {
    /// Finds an alert whose expression always has a result.
    ///
    /// ## Why it matters
    /// It fires all the time, so it says nothing. A watchdog is meant to, and is known by its name: `Watchdog`,
    /// `DeadMansSwitch`, `Heartbeat`, `AlwaysFiring`.
    ///
    /// ## Examples
    /// ```promql bad
    /// up == 0 or vector(1)
    /// ^^^^^^^^^^^^^^^^^^^^ this expression always has a result; this alert fires all the time
    /// ```
    /// ```promql bad
    /// vector(time()) >= 0
    /// ^^^^^^^^^^^^^^^^^^^ this expression always has a result; this alert fires all the time
    /// ```
    /// ```promql bad
    /// hour() >= 0
    /// ^^^^^^^^^^^ this expression always has a result; this alert fires all the time
    /// ```
    /// ```promql good
    /// (sum(up) or vector(0)) < 1
    /// ```
    /// ```promql good
    /// hour() >= 8 and hour() < 17
    /// ```
    /// ```yaml good
    /// - alert: Watchdog
    ///   expr: vector(1)
    /// ```
    "A002" "alert-always-fires" Warning, Proven, fix: Never, Expr(look)
}

/// Parts of names of alerts that are meant to fire always, in small letters without separators.
const WATCHDOGS: &[&str] = &["watchdog", "deadmanswitch", "deadmansswitch", "deadmanssnitch", "deadmansnitch", "heartbeat", "alwaysfir"];

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    let root = cx.flows().root(cx.expr);
    if !cx.rule.is_alert() || root.nonempty != Presence::Always {
        return;
    }
    let name = cx.rule.rule.name.value.to_lowercase().replace(['_', '-', ' '], "");
    if WATCHDOGS.iter().any(|watchdog| name.contains(watchdog)) {
        return;
    }
    let finding = report.at(cx.place_of(cx.expr.root()), "this expression always has a result");
    finding.consequence("this alert fires all the time");
    finding.help("call it a watchdog if that is meant, or compare with a value");
    rests_on(finding, root.basis);
}
