//! Durations and numbers in words.

/// Units with their lengths in milliseconds.
const UNITS: [(i64, &str); 5] = [
    (86_400_000, "day"),
    (3_600_000, "hour"),
    (60_000, "minute"),
    (1000, "second"),
    (1, "millisecond"),
];

/// A duration in words.
///
/// ```
/// use promql_ide::duration_in_words;
/// assert_eq!(duration_in_words(5_400_000), "1 hour 30 minutes");
/// assert_eq!(duration_in_words(-86_400_000 * 7), "minus 7 days");
/// assert_eq!(duration_in_words(0), "0 seconds");
/// ```
pub fn duration_in_words(milliseconds: i64) -> String {
    if milliseconds == 0 {
        return "0 seconds".to_owned();
    }
    let mut rest = milliseconds.unsigned_abs();
    let mut words: Vec<String> = Vec::new();
    if milliseconds < 0 {
        words.push("minus".to_owned());
    }
    for (length, unit) in UNITS {
        let count = rest / length.unsigned_abs();
        rest %= length.unsigned_abs();
        if count > 0 {
            words.push(format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
        }
    }
    words.join(" ")
}

/// The duration that a token is, in milliseconds.
pub(crate) fn duration(text: &str) -> Option<i64> {
    promql_model::parse_duration(text).ok().map(|nanoseconds| nanoseconds / 1_000_000)
}
