//! Durations in brackets and behind `offset`, and times behind `@`.

use super::{Item, ItemKind, Offer};
use crate::walk::Span;
use crate::words::{duration, duration_in_words};

/// Units of durations, from the longest to the shortest: a duration names them in this order.
const UNITS: [(&str, &str); 7] = [
    ("y", "years"),
    ("w", "weeks"),
    ("d", "days"),
    ("h", "hours"),
    ("m", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
];

/// Ranges that people use, the most usual first.
const RANGES: [&str; 8] = ["5m", "1m", "15m", "30m", "1h", "6h", "1d", "7d"];
/// Steps.
const STEPS: [&str; 6] = ["1m", "30s", "15s", "5m", "10s", "1h"];
/// Offsets.
const OFFSETS: [&str; 6] = ["1h", "1d", "1w", "5m", "6h", "30m"];

/// A duration, or the units that may follow a number.
pub(super) fn durations(offer: &mut Offer<'_>, span: Span) {
    let pattern = std::mem::take(&mut offer.pattern);
    if pattern.starts_with(|c: char| c.is_ascii_digit()) {
        units(offer, &pattern);
        return;
    }
    offer.pattern = pattern;
    // Behind a complete duration only what closes it, and arithmetic, may come.
    let complete = offer.cursor.previous().is_some_and(|at| {
        let text = offer.cursor.text_of(at);
        text.ends_with(|c: char| c.is_ascii_alphanumeric()) && text != "offset"
            || text == "]"
            || text == ")"
    });
    if complete && span != Span::Offset {
        return;
    }
    let usual = match span {
        Span::Range => &RANGES[..],
        Span::Step => &STEPS,
        Span::Offset => &OFFSETS,
    };
    let closing = closing(offer, span);
    for (at, text) in usual.iter().enumerate() {
        let words = duration(text).map(duration_in_words).unwrap_or_default();
        let item = Item::new(ItemKind::Duration, *text);
        let item = item.inserting(format!("{text}{closing}")).about(words);
        offer.add(u8::try_from(at).unwrap_or(u8::MAX), item);
    }
    for (word, about) in [
        ("step()", "the step of the query"),
        ("range()", "the range of the query"),
        ("min_of(", "the shorter of two durations"),
        ("max_of(", "the longer of two durations"),
    ] {
        offer.add(100, Item::new(ItemKind::Keyword, word).about(about));
    }
}

/// A bracket that is missing behind a duration.
fn closing(offer: &Offer<'_>, span: Span) -> &'static str {
    let closes = offer.cursor.is_followed_by("]") || offer.cursor.is_followed_by(":");
    if span == Span::Offset || closes { "" } else { "]" }
}

/// The units that are left behind what is written, which ends in a number or in a number with the
/// beginning of a unit.
fn units(offer: &mut Offer<'_>, written: &str) {
    let digits = written.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let begun = &written[digits.len()..];
    // What is a unit already may still become another one, but needs no help with that.
    if !digits.ends_with(|c: char| c.is_ascii_digit())
        || duration(written).is_some() && begun != "m"
    {
        return;
    }
    let number = digits.trim_end_matches(|c: char| c.is_ascii_digit());
    let used = UNITS.iter().rposition(|(unit, _)| {
        number.strip_suffix(unit).is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_digit()))
    });
    let left = match used {
        _ if number.is_empty() => &UNITS[..],
        Some(at) => &UNITS[at + 1..],
        None => return,
    };
    offer.pattern = String::new();
    for (at, (unit, about)) in left.iter().enumerate() {
        if !unit.starts_with(begun) {
            continue;
        }
        let text = format!("{digits}{unit}");
        if text == written {
            continue;
        }
        let item = Item::new(ItemKind::Duration, text).about(*about);
        offer.add(u8::try_from(at).unwrap_or(u8::MAX), item);
    }
}

/// What may stand behind `@`.
pub(super) fn times(offer: &mut Offer<'_>) {
    if offer.pattern.starts_with(|c: char| c.is_ascii_digit()) {
        return;
    }
    for (word, about) in [
        ("end()", "the end of the query's range"),
        ("start()", "the beginning of the query's range"),
    ] {
        offer.add(0, Item::new(ItemKind::Time, word).about(about));
    }
}
