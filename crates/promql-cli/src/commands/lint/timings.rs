//! How long checks took.

use std::fmt::Write;
use std::time::Duration;

use promql_lint::Timings;
use serde::Serialize;

/// How long something took, in seconds.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    seconds: f64,
}

/// All of it.
#[derive(Serialize)]
struct Times {
    success: bool,
    /// From the begin of the run to its end, by the clock on the wall.
    seconds: f64,
    parts: Vec<Row>,
    checks: Vec<Row>,
}

/// The parts of a run in order, and the checks, those that took longest first.
fn times(timings: &Timings, whole: Duration, success: bool) -> Times {
    let row = |name, code, time: Duration| Row { name, code, seconds: time.as_secs_f64() };
    let parts = timings.parts().map(|(name, time)| row(name, None, time)).collect();
    let checks = timings.checks().map(|(check, time)| row(check.name, Some(check.code), time));
    let mut checks: Vec<Row> = checks.collect();
    checks.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    Times { success, seconds: whole.as_secs_f64(), parts, checks }
}

/// For people.
pub(super) fn text(timings: &Timings, whole: Duration) -> String {
    let times = times(timings, whole, true);
    let mut out = String::new();
    for row in times.parts.iter().chain(&times.checks) {
        let code = row.code.map(|code| format!(" ({code})")).unwrap_or_default();
        let _ = writeln!(out, "{:9.3} ms  {}{code}", row.seconds * 1e3, row.name);
    }
    let _ = writeln!(out, "{:9.3} ms  in all, on several threads at a time", times.seconds * 1e3);
    out
}

/// For programs, in one line.
pub(super) fn json(timings: &Timings, whole: Duration, success: bool) -> String {
    // Strings, numbers and lists can always be written.
    serde_json::to_string(&times(timings, whole, success)).unwrap_or_default() + "\n"
}
