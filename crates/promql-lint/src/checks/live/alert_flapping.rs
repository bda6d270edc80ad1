//! `alert-flapping` (L011).

use promql_rules::evaluate::Holding;

use super::alert_noise::WATCHDOGS;
use crate::check::declare_check;
use crate::finding::Report;
use crate::live::{BackTest, LiveContext, Told, shown};

declare_check! {
    /// Tries an alert on the last day, and tells if it would have gone on and off all the time: at least three
    /// times, and half of the times for less than two evaluations, or more than six times a day for one label
    /// set. Says which `for` or `keep_firing_for` would have halved that.
    ///
    /// ## Why it matters
    /// Whoever is called finds that it is over. `back-test` under `[lint.live]` is how much of the past is
    /// looked at.
    ///
    /// ## Examples
    /// ```text server
    /// load 1m
    ///   spikes{job="shop"} 0x300 9 0x300 9 0x300 9 0x300 9 0x200
    ///   waves{job="shop"} 9x10 0x5 9x10 0x5 9x10 0x5 9x10 0x5 9x10 0x5 9x10 0x5 9x10 0x5 9x10 0x1300
    ///   steady{job="shop"} 0x700 9x500 0x240
    /// ```
    /// ```yaml bad
    /// - alert: Spikes
    ///          ^^^^^^ this would have fired 4 times in the last 1d, half of them for no more than 1m
    ///   expr: spikes > 5
    /// ```
    /// ```yaml bad
    /// - alert: Waves
    ///          ^^^^^ this would have fired 8 times in the last 1d, half of them for no more than 10m
    ///   expr: waves > 5
    ///   for: 1m
    /// ```
    /// ```yaml bad
    /// - alert: Waves
    ///          ^^^^^ this would have fired 8 times in the last 1d, half of them for no more than 12m
    ///   expr: waves > 5
    ///   keep_firing_for: 1m
    /// ```
    /// ```yaml good
    /// - alert: Spikes
    ///   expr: spikes > 5
    ///   for: 2m
    /// ```
    /// ```yaml good
    /// - alert: Waves
    ///   expr: waves > 5
    ///   keep_firing_for: 10m
    /// ```
    /// ```yaml good
    /// - alert: Steady
    ///   expr: steady > 5
    /// ```
    "L011" "alert-flapping" Warning, Observed, fix: Never, Live(look)
}

/// Fewer firings are no pattern.
const FEW: usize = 3;

/// From how many changes a day on of one label set it flaps.
const CHANGES_A_DAY: f64 = 6.0;

/// Waiting times that are tried, in minutes.
const MINUTES: [i64; 9] = [1, 2, 3, 5, 10, 15, 30, 60, 120];

fn look(cx: &LiveContext<'_>, report: &mut Report<'_>) {
    let name = cx.expr.rule.rule.name.value.to_ascii_lowercase();
    if WATCHDOGS.iter().any(|word| name.contains(word)) {
        return;
    }
    let Some(test) = cx.back_test() else { return };
    let told = test.told(test.holding());
    if !flaps(test, &told) {
        return;
    }
    let message = format!(
        "this would have fired {} times in the last {}, half of them for no more than {}",
        told.firings,
        shown(cx.options.back_test),
        shown(told.median())
    );
    let help = match better(test, told.firings) {
        ways if ways.is_empty() => "let it go off at another value than it goes on".to_owned(),
        ways => ways.join(", or "),
    };
    report.at(cx.expr.rule.rule.name.span.clone(), message).help(help);
}

/// Whether an alert goes on and off all the time.
pub(crate) fn flaps(test: &BackTest, told: &Told) -> bool {
    let is_short = told.median() < 2 * test.interval();
    let changes = 2.0 * told.most as f64 / test.days();
    told.firings >= FEW && (is_short || changes > CHANGES_A_DAY)
}

/// What would have halved the firings.
fn better(test: &BackTest, firings: usize) -> Vec<String> {
    let now = test.holding();
    let first = |change: &dyn Fn(i64) -> Option<Holding>, key: &str| {
        let tried = MINUTES.iter().filter_map(|minutes| Some((minutes, change(minutes * 60_000)?)));
        tried.into_iter().find_map(|(minutes, holding)| {
            let left = test.told(holding).firings;
            let shown = shown(minutes * 60_000);
            (2 * left <= firings).then(|| format!("with `{key}: {shown}` it would have been {left}"))
        })
    };
    let longer = |wait: i64| (wait > now.before).then_some(Holding { before: wait, ..now });
    let kept = |wait: i64| (wait > now.after).then_some(Holding { after: wait, ..now });
    first(&longer, "for").into_iter().chain(first(&kept, "keep_firing_for")).collect()
}
