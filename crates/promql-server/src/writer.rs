//! Writing JSON as the API does.
//!
//! Answers can be large, so numbers go straight into the text, and the times of samples, which are
//! the same for all series of a range query, are formatted once.

use std::fmt::Write;

/// A JSON string. Characters that HTML gives a meaning are escaped as upstream escapes them, which
/// makes no difference to a reader of JSON.
pub fn string(out: &mut String, text: &str) {
    escaped(out, text, |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'));
}

/// A JSON string with nothing escaped that needn't be, as upstream writes labels.
fn label_string(out: &mut String, text: &str) {
    escaped(out, text, |_| false);
}

#[inline]
fn escaped(out: &mut String, text: &str, is_odd: impl Fn(char) -> bool) {
    out.push('"');
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
    // Nearly all are, and to find that out takes less than looking at each character.
    if text.bytes().all(|byte| is_plain(byte) && !is_odd(char::from(byte))) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let escape = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\0'..='\u{1f}' => "",
            c if is_odd(c) => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        match escape {
            "" => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            escape => out.push_str(escape),
        }
        plain = at + c.len_utf8();
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

/// Names with values as an object.
pub(crate) fn label_pairs<N: AsRef<str>, V: AsRef<str>>(
    out: &mut String,
    pairs: impl IntoIterator<Item = (N, V)>,
) {
    out.push('{');
    for (at, (name, value)) in pairs.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        label_string(out, name.as_ref());
        out.push(':');
        label_string(out, value.as_ref());
    }
    out.push('}');
}

/// A list of whatever `write` writes.
pub(crate) fn list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push('[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

/// A time in seconds, with exactly three decimals if it is no whole second.
pub(crate) fn seconds(out: &mut String, milliseconds: i64) {
    let (whole, rest) = (milliseconds / 1000, (milliseconds % 1000).unsigned_abs());
    let sign = if milliseconds < 0 && whole == 0 { "-" } else { "" };
    let _ = match rest {
        0 => write!(out, "{whole}"),
        _ => write!(out, "{sign}{whole}.{rest:03}"),
    };
}

/// A time in seconds in the shortest form.
pub(crate) fn short_seconds(out: &mut String, milliseconds: i64) {
    let start = out.len();
    seconds(out, milliseconds);
    if milliseconds % 1000 != 0 {
        let kept = out[start..].trim_end_matches('0').len();
        out.truncate(start + kept);
    }
}

/// Times that are written again and again, in ascending order, as points begin: `[1780012800,`.
#[derive(Default)]
pub(crate) struct Times {
    /// Each with the end of its text.
    known: Vec<(i64, usize)>,
    /// All texts, one after the other.
    texts: String,
    /// The next one that is expected.
    next: usize,
    /// A text that is not kept.
    other: String,
}

impl Times {
    /// Begins with the first time again.
    pub(crate) fn rewind(&mut self) {
        self.next = 0;
    }

    /// How a point of a time begins.
    #[inline]
    pub(crate) fn point(&mut self, time: i64) -> &str {
        if let Some((known, end)) = self.known.get(self.next)
            && *known == time
        {
            let start = self.next.checked_sub(1).map_or(0, |before| self.known[before].1);
            self.next += 1;
            return &self.texts[start..*end];
        }
        self.search(time)
    }

    fn search(&mut self, time: i64) -> &str {
        while self.known.get(self.next).is_some_and(|(known, _)| *known < time) {
            self.next += 1;
        }
        match self.known.get(self.next) {
            Some((known, _)) if *known == time => self.point(time),
            Some(_) => {
                self.other.clear();
                write_point(&mut self.other, time);
                &self.other
            }
            None => {
                let start = self.texts.len();
                write_point(&mut self.texts, time);
                self.known.push((time, self.texts.len()));
                self.next = self.known.len();
                &self.texts[start..]
            }
        }
    }
}

fn write_point(out: &mut String, time: i64) {
    out.push('[');
    seconds(out, time);
    out.push(',');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn times() {
        let cases = [
            (1_795_410_570_000, "1795410570", "1795410570"),
            (1_795_410_570_500, "1795410570.500", "1795410570.5"),
            (750, "0.750", "0.75"),
            (-750, "-0.750", "-0.75"),
            (-1_001, "-1.001", "-1.001"),
            (0, "0", "0"),
            (-10_000, "-10", "-10"),
        ];
        for (time, long, short) in cases {
            assert_eq!(text(|out| seconds(out, time)), long);
            assert_eq!(text(|out| short_seconds(out, time)), short);
        }
    }

    #[test]
    fn times_again_and_others() {
        let mut times = Times::default();
        let mut out = String::new();
        for series in [[0, 15_000, 30_500], [15_000, 20_000, 30_500], [7, 30_500, 45_000]] {
            times.rewind();
            series.iter().for_each(|time| out.push_str(times.point(*time)));
        }
        assert_eq!(out, "[0,[15,[30.500,[15,[20,[30.500,[0.007,[30.500,[45,");
    }

    #[test]
    fn strings() {
        assert_eq!(text(|out| string(out, "")), "\"\"");
        assert_eq!(
            text(|out| string(out, "a<é>\"\\\n\u{1}\u{2028}😀")),
            "\"a\\u003cé\\u003e\\\"\\\\\\n\\u0001\\u2028😀\""
        );
    }
}
