//! Rules that go on being evaluated while a server runs.

use std::sync::Arc;
use std::time::Duration;

use promql_engine::Cancellation;
use promql_rules::evaluate::RuleManager;
use promql_server::Rules;

use crate::time::Clock;

/// What rules wrote longer ago is forgotten, in milliseconds.
const KEPT: i64 = 6 * 3_600_000;

/// Evaluates rules whenever they are due, until the switch is thrown.
pub(super) fn keep_evaluating(
    mut manager: RuleManager,
    rules: Arc<Rules>,
    cancellation: Cancellation,
) -> std::io::Result<()> {
    let run = move || {
        while !cancellation.is_cancelled() {
            let now = Clock::system().now;
            if manager.catch_up(now) {
                manager.forget_before(now - KEPT.max(manager.settling_time()));
                rules.tell(&manager, now);
            }
            let due = manager.next().unwrap_or(i64::MAX).saturating_sub(Clock::system().now);
            // Short enough to see the switch.
            std::thread::sleep(Duration::from_millis(due.clamp(1, 200).unsigned_abs()));
        }
    };
    std::thread::Builder::new().name("rules".to_owned()).spawn(run).map(drop)
}
