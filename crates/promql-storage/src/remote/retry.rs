//! When to ask again, and after how long.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

/// The first pause before a repetition; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The pauses between repetitions.
pub(super) struct Pauses(Duration);

impl Pauses {
    pub(super) fn new() -> Pauses {
        Pauses(FIRST_PAUSE)
    }

    /// The next one: up to a quarter shorter or longer than its turn, so that clients that were
    /// turned away together don't come back together.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = pause.saturating_mul(2);
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
        pause.mul_f64(0.75 + f64::from(nanos % 1000) / 2000.0)
    }
}

/// What a `Retry-After` asks for: seconds, or a date (RFC 9110, section 10.2.3).
pub(super) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(header).ok()?;
    let seconds = u64::try_from(date.as_second()).ok()?;
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(Duration::from_secs(seconds).saturating_sub(now))
}

/// Whether an answer is about a state that passes. A Prometheus that gave up a query for its
/// length says so in JSON, and would do so again.
pub(super) fn is_passing(status: u16, body: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Envelope<'a> {
        error_type: Option<&'a str>,
    }
    match status {
        429 | 502 | 504 => true,
        503 => !serde_json::from_slice::<Envelope<'_>>(body)
            .is_ok_and(|envelope| envelope.error_type == Some("timeout")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let now = UNIX_EPOCH + Duration::from_secs(1_445_412_400);
        let table = [
            ("30", Some(30)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(80)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
        ];
        for (header, expected) in table {
            assert_eq!(retry_after(header, now), expected.map(Duration::from_secs), "{header}");
        }
    }

    #[test]
    fn pauses_grow() {
        let mut pauses = Pauses::new();
        for expected in [250, 500, 1000] {
            let pause = pauses.next().as_millis();
            assert!(pause >= expected * 3 / 4 && pause <= expected * 5 / 4, "{pause}");
        }
    }

    #[test]
    fn what_passes() {
        let table = [
            (429, "{\"status\":\"error\"}", true),
            (503, "Service Unavailable", true),
            (503, "{\"status\":\"error\",\"errorType\":\"unavailable\"}", true),
            (503, "{\"status\":\"error\",\"errorType\":\"timeout\"}", false),
            (500, "", false),
            (200, "", false),
        ];
        for (status, body, expected) in table {
            assert_eq!(is_passing(status, body.as_bytes()), expected, "{status} {body}");
        }
    }
}
