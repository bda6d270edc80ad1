//! Where numbers and durations end.
//!
//! Upstream scans a number by hand and, when that fails, goes on from where it failed to see
//! whether the text is a duration. Both outcomes and the text in the message depend on where
//! exactly the scan stopped, so the scan is the same here, step by step.

/// A number or a duration at the start of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scanned {
    /// A number that ends at this offset.
    Number(usize),
    /// A duration that ends at this offset.
    Duration(usize),
    /// Neither; the message shows the text up to this offset.
    Bad(usize),
}

/// Scans the number or the duration that starts at `start`, as in expressions.
pub(super) fn scan_number_or_duration(source: &[u8], start: usize) -> Scanned {
    // Nearly all numbers are a run of digits, and nearly all durations such a run and a unit.
    let digits = run(source, start, |b| b.is_ascii_digit());
    if digits > start && source[start] != b'0' {
        match source.get(digits) {
            None => return Scanned::Number(digits),
            Some(b'.' | b'_' | b'e' | b'E') => {}
            Some(b) if !is_word(*b) => return Scanned::Number(digits),
            Some(_) => return scan_duration(source, digits),
        }
    }
    match scan_number(source, start, false) {
        Ok(end) => Scanned::Number(end),
        Err(stopped) => scan_duration(source, stopped),
    }
}

/// Scans the number that starts at `start`, as in the values of a series: no hexadecimal digits,
/// and an `x` may follow.
pub(super) fn scan_series_number(source: &[u8], start: usize) -> Scanned {
    match scan_number(source, start, true) {
        Ok(end) => Scanned::Number(end),
        Err(stopped) => Scanned::Bad(stopped),
    }
}

/// The end of the number, or where the scan stopped.
fn scan_number(source: &[u8], start: usize, series: bool) -> Result<usize, usize> {
    let at = |i: usize| source.get(i).copied();
    let mut pos = start;
    let mut hexadecimal = false;
    if !series && at(pos) == Some(b'0') {
        pos += 1;
        if matches!(at(pos), Some(b'x' | b'X')) {
            hexadecimal = true;
            pos += 1;
            if at(pos) == Some(b'_') {
                pos += 1;
            }
        }
    }
    let is_digit = |b: u8| if hexadecimal { b.is_ascii_hexdigit() } else { b.is_ascii_digit() };
    // This dot does not count as one that was seen.
    if at(pos) == Some(b'.') {
        pos += 1;
    }
    if at(pos).is_some_and(is_digit) {
        pos += 1;
    }
    let mut seen_dot = false;
    let mut seen_exponent = false;
    while let Some(byte) = at(pos) {
        match byte {
            b'.' => {
                pos += 1;
                if seen_dot {
                    return Err(pos);
                }
                seen_dot = true;
                if matches!(at(pos), Some(b'_' | b'.')) {
                    return Err(pos + 1);
                }
                if hexadecimal {
                    return Err(pos);
                }
            }
            b'e' | b'E' => {
                pos += 1;
                if seen_exponent {
                    return Err(pos);
                }
                seen_exponent = true;
                if matches!(at(pos), Some(b'+' | b'-')) {
                    pos += 1;
                }
                match at(pos) {
                    Some(b'.' | b'_' | b'e' | b'E') => return Err(pos + 1),
                    None => return Err(pos),
                    Some(_) => {}
                }
            }
            b'_' => {
                pos += 1;
                match at(pos) {
                    Some(b'.' | b'_' | b'e' | b'E') => return Err(pos + 1),
                    None => return Err(pos),
                    Some(_) => {}
                }
            }
            byte if is_digit(byte) => pos = run(source, pos, is_digit),
            _ => break,
        }
    }
    if pos == start {
        return Err(pos);
    }
    match at(pos) {
        Some(b'x') if series => Ok(pos),
        Some(byte) if is_word(byte) => Err(pos),
        _ => Ok(pos),
    }
}

/// The duration whose first digits end at `pos`.
fn scan_duration(source: &[u8], mut pos: usize) -> Scanned {
    let at = |i: usize| source.get(i).copied();
    if !matches!(at(pos), Some(b's' | b'm' | b'h' | b'd' | b'w' | b'y')) {
        return Scanned::Bad(pos);
    }
    pos += 1;
    if at(pos) == Some(b's') {
        pos += 1;
    }
    while at(pos).is_some_and(|b| b.is_ascii_digit()) {
        pos = run(source, pos, |b| b.is_ascii_digit());
        // Years can only come first.
        if !matches!(at(pos), Some(b's' | b'm' | b'h' | b'd' | b'w')) {
            return Scanned::Bad(pos);
        }
        pos += 1;
        if at(pos) == Some(b's') {
            pos += 1;
        }
    }
    match at(pos) {
        Some(byte) if is_word(byte) => Scanned::Bad(pos + 1),
        _ => Scanned::Duration(pos),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn run(source: &[u8], start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let length = source[start..].iter().position(|&b| !belongs(b));
    length.map_or(source.len(), |n| start + n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> String {
        match scan_number_or_duration(text.as_bytes(), 0) {
            Scanned::Number(end) => format!("number {}", &text[..end]),
            Scanned::Duration(end) => format!("duration {}", &text[..end]),
            Scanned::Bad(end) => format!("bad {}", &text[..end]),
        }
    }

    #[test]
    fn numbers() {
        for text in [
            "1",
            ".3",
            "5.",
            "1e3",
            "1.e2",
            "1e+3",
            "0x1F",
            "0X_1f",
            "00_1_23_4.56_7_8",
            "1e1_0",
            "0755",
            "08",
            "0x1be",
            "0xabcde",
            "0x1e0",
            "0",
            "0x",
        ] {
            assert_eq!(scan(text), format!("number {text}"));
        }
        assert_eq!(scan("0x1e + 1"), "number 0x1e");
        assert_eq!(scan("0x1e+1"), "number 0x1e+1");
    }

    #[test]
    fn durations() {
        for text in ["5m", "1h30m", "5ms", "1y2w", "0x5m", "1e3m", "1.5h", "1_000s", "5hs", "0s"] {
            assert_eq!(scan(text), format!("duration {text}"));
        }
    }

    #[test]
    fn neither() {
        for (text, shown) in [
            ("1..2", "1.."),
            ("1__0", "1__"),
            ("1_", "1_"),
            ("1e", "1e"),
            ("1ee2", "1ee"),
            ("1a", "1"),
            ("5M", "5"),
            ("5mm", "5mm"),
            ("5m1", "5m1"),
            ("1y1y", "1y1"),
            ("0x1.5", "0x1."),
            ("0b1", "0"),
            ("0x1e", "0x1e"),
            ("0xee", "0xee"),
        ] {
            assert_eq!(scan(text), format!("bad {shown}"));
        }
    }
}
