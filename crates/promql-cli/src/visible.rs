//! Text from outside, made safe to show.
//!
//! Label values, help texts and error messages come from whoever writes metrics. On a terminal an
//! escape sequence among them could move the cursor, change the title or hide what follows, and
//! a character that changes the direction of writing could make one value look like another. So
//! whatever is shown to a person passes through here; formats for machines carry the bytes as they
//! are, by their own rules of escaping.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The longest text, in columns, that is shown of one value.
pub const LONGEST_VALUE: usize = 200;

/// The text with control characters, direction marks and invisible characters written as escapes:
/// `\n`, `\t`, `\x1b`, `\u{202e}`.
///
/// ```
/// assert_eq!(promql_cli::visible::escape("a\u{1b}[2Jb"), r"a\x1b[2Jb");
/// assert_eq!(promql_cli::visible::escape("grün"), "grün");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if !is_hidden(c) => out.push(c),
            c if (c as u32) < 0x80 => drop(write!(out, "\\x{:02x}", c as u32)),
            c => drop(write!(out, "\\u{{{:x}}}", c as u32)),
        }
    }
    Cow::Owned(out)
}

/// As [`escape`], but a text of several lines stays one: line feeds and tabs are kept.
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_hidden(c) && c != '\n' && c != '\t') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.split('\n')
            .map(|l| l.split('\t').map(escape).collect::<Vec<_>>().join("\t"))
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

/// The columns that a text without control characters takes on a terminal.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text, cut so that it takes at most `columns`; `…` stands for what was cut off.
///
/// ```
/// assert_eq!(promql_cli::visible::clip("kubernetes", 6), "kuber…");
/// assert_eq!(promql_cli::visible::clip("日本語", 4), "日…");
/// ```
pub fn clip(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let Some(room) = columns.checked_sub(1) else { return Cow::Borrowed("") };
    let mut used = 0;
    let mut out = String::new();
    for c in text.chars() {
        let columns = c.width().unwrap_or(0);
        if used + columns > room {
            break;
        }
        used += columns;
        out.push(c);
    }
    out.push('…');
    Cow::Owned(out)
}

/// [`escape`] and [`clip`] to [`LONGEST_VALUE`].
pub fn value(text: &str) -> String {
    clip(&escape(text), LONGEST_VALUE).into_owned()
}

/// Whether a character does something other than to appear where it stands.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_shown_and_does_nothing() {
        assert_eq!(escape("\u{1b}]0;owned\u{7}"), r"\x1b]0;owned\x07");
        assert_eq!(escape("abc\u{202e}cba"), r"abc\u{202e}cba");
        assert_eq!(escape("\u{9b}31m"), r"\u{9b}31m");
        assert_eq!(escape("two\nlines\tand\rmore"), r"two\nlines\tand\rmore");
        assert_eq!(escape_lines("two\nlines\u{1b}"), "two\nlines\\x1b");
    }

    #[test]
    fn long_text_is_cut_by_columns() {
        assert_eq!(value(&"x".repeat(1000)).chars().count(), LONGEST_VALUE);
        assert_eq!(width(&value(&"語".repeat(1000))), LONGEST_VALUE - 1);
        assert_eq!(clip("abc", 0), "");
        assert_eq!(clip("abc", 1), "…");
    }
}
