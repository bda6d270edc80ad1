//! Quoting of strings and characters in messages and printed queries, as Go's `%q` does it.
//!
//! What is printable stays: letters, marks, numbers, punctuation, symbols and the ASCII space. All
//! else is escaped, other spaces and unassigned code points among it.

use std::fmt::{self, Write};
use std::sync::OnceLock;

use regex_syntax::hir::{Class, Hir, HirKind};

/// Displays bytes in double quotes, escaped so that PromQL reads the same bytes back.
///
/// ```
/// use promql_model::quote::Quoted;
/// assert_eq!(Quoted(b"a\"\xff\n").to_string(), r#""a\"\xff\n""#);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for chunk in self.0.utf8_chunks() {
            write_escaped(f, chunk.valid(), '"')?;
            for byte in chunk.invalid() {
                write!(f, r"\x{byte:02x}")?;
            }
        }
        f.write_char('"')
    }
}

/// Displays a character in single quotes; `None`, for the end of input and for bytes that are no
/// character, as `'�'`.
///
/// ```
/// use promql_model::quote::QuotedChar;
/// assert_eq!(QuotedChar(Some('\'')).to_string(), r"'\''");
/// assert_eq!(QuotedChar(None).to_string(), "'�'");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct QuotedChar(pub Option<char>);

impl fmt::Display for QuotedChar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let character = self.0.unwrap_or(char::REPLACEMENT_CHARACTER);
        f.write_char('\'')?;
        write_escaped(f, character.encode_utf8(&mut [0; 4]), '\'')?;
        f.write_char('\'')
    }
}

/// The bytes in double quotes, escaped: [`Quoted`] as a string.
pub fn quote(bytes: &[u8]) -> String {
    Quoted(bytes).to_string()
}

/// Writes text without what stands around it; `delimiter` is escaped.
fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str, delimiter: char) -> fmt::Result {
    // Where the piece begins that needs no escape and isn't written yet.
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        if character != delimiter && character != '\\' && is_printable(character) {
            continue;
        }
        f.write_str(text.get(plain..at).unwrap_or_default())?;
        plain = at + character.len_utf8();
        write_escape(f, character)?;
    }
    f.write_str(text.get(plain..).unwrap_or_default())
}

fn write_escape(f: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '\x07' => f.write_str(r"\a"),
        '\x08' => f.write_str(r"\b"),
        '\x0c' => f.write_str(r"\f"),
        '\n' => f.write_str(r"\n"),
        '\r' => f.write_str(r"\r"),
        '\t' => f.write_str(r"\t"),
        '\x0b' => f.write_str(r"\v"),
        '\\' | '"' | '\'' => write!(f, "\\{character}"),
        '\0'..='\x7f' => write!(f, r"\x{:02x}", u32::from(character)),
        '\u{80}'..='\u{ffff}' => write!(f, r"\u{:04x}", u32::from(character)),
        _ => write!(f, r"\U{:08x}", u32::from(character)),
    }
}

/// Whether a character is shown as it is: a letter, mark, number, punctuation, symbol, or the space
/// of ASCII.
#[inline]
pub fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\u{a0}' => false,
        _ => is_graphic(character),
    }
}

/// Looks beyond ASCII, in the Unicode tables that the regular expressions have.
fn is_graphic(character: char) -> bool {
    static RANGES: OnceLock<Box<[(char, char)]>> = OnceLock::new();
    let ranges = RANGES.get_or_init(|| {
        match regex_syntax::parse(r"[\pL\pM\pN\pP\pS]").map(Hir::into_kind) {
            Ok(HirKind::Class(Class::Unicode(class))) => {
                class.iter().map(|range| (range.start(), range.end())).collect()
            }
            _ => Box::default(),
        }
    });
    let within = |ranges: &[(char, char)]| {
        let at = ranges.partition_point(|&(_, end)| end < character);
        ranges.get(at).is_some_and(|&(start, _)| start <= character)
    };
    within(ranges) || within(NEW_IN_UNICODE_17)
}

/// What Unicode 17.0 made printable, which Prometheus knows and `regex-syntax` doesn't yet.
#[rustfmt::skip]
const NEW_IN_UNICODE_17: &[(char, char)] = &[
    ('\u{88f}', '\u{88f}'), ('\u{c5c}', '\u{c5c}'), ('\u{cdc}', '\u{cdc}'),
    ('\u{1acf}', '\u{1add}'), ('\u{1ae0}', '\u{1aeb}'), ('\u{20c1}', '\u{20c1}'),
    ('\u{2b96}', '\u{2b96}'), ('\u{a7ce}', '\u{a7cf}'), ('\u{a7d2}', '\u{a7d2}'),
    ('\u{a7d4}', '\u{a7d4}'), ('\u{a7f1}', '\u{a7f1}'), ('\u{fbc3}', '\u{fbd2}'),
    ('\u{fd90}', '\u{fd91}'), ('\u{fdc8}', '\u{fdce}'), ('\u{10940}', '\u{10959}'),
    ('\u{10ec5}', '\u{10ec7}'), ('\u{10ed0}', '\u{10ed8}'), ('\u{10efa}', '\u{10efb}'),
    ('\u{11b60}', '\u{11b67}'), ('\u{11db0}', '\u{11ddb}'), ('\u{11de0}', '\u{11de9}'),
    ('\u{16ea0}', '\u{16eb8}'), ('\u{16ebb}', '\u{16ed3}'), ('\u{16ff2}', '\u{16ff6}'),
    ('\u{187f8}', '\u{187ff}'), ('\u{18d09}', '\u{18d1e}'), ('\u{18d80}', '\u{18df2}'),
    ('\u{1ccfa}', '\u{1ccfc}'), ('\u{1ceba}', '\u{1ced0}'), ('\u{1cee0}', '\u{1cef0}'),
    ('\u{1e6c0}', '\u{1e6de}'), ('\u{1e6e0}', '\u{1e6f5}'), ('\u{1e6fe}', '\u{1e6ff}'),
    ('\u{1f6d8}', '\u{1f6d8}'), ('\u{1f777}', '\u{1f77a}'), ('\u{1f8d0}', '\u{1f8d8}'),
    ('\u{1fa54}', '\u{1fa57}'), ('\u{1fa8a}', '\u{1fa8a}'), ('\u{1fa8e}', '\u{1fa8e}'),
    ('\u{1fac8}', '\u{1fac8}'), ('\u{1facd}', '\u{1facd}'), ('\u{1faea}', '\u{1faea}'),
    ('\u{1faef}', '\u{1faef}'), ('\u{1fbfa}', '\u{1fbfa}'), ('\u{2b73a}', '\u{2b73f}'),
    ('\u{2cea2}', '\u{2cead}'), ('\u{323b0}', '\u{33479}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_is_not_printable() {
        for (bytes, quoted) in [
            (&b"plain 'text'"[..], r#""plain 'text'""#),
            (b"\x07\x08\x0c\n\r\t\x0b\\\"", r#""\a\b\f\n\r\t\v\\\"""#),
            (b"\x00\x1b\x7f", r#""\x00\x1b\x7f""#),
            (b"a\xffb\xe2\x82", r#""a\xffb\xe2\x82""#),
            ("é 日本 😀 \u{fffd}".as_bytes(), "\"é 日本 😀 \u{fffd}\""),
            ("\u{80}\u{a0}\u{ad}\u{feff}\u{3000}\u{200b}\u{2028}".as_bytes(), {
                r#""\u0080\u00a0\u00ad\ufeff\u3000\u200b\u2028""#
            }),
            ("\u{e000}\u{378}\u{10ffff}".as_bytes(), r#""\ue000\u0378\U0010ffff""#),
            ("e\u{301}".as_bytes(), "\"e\u{301}\""),
            ("\u{88f}\u{10940}\u{1095a}".as_bytes(), "\"\u{88f}\u{10940}\\U0001095a\""),
        ] {
            assert_eq!(quote(bytes), quoted);
        }
    }

    #[test]
    fn quotes_characters() {
        for (character, quoted) in [
            ('a', "'a'"),
            ('"', "'\"'"),
            ('\'', r"'\''"),
            ('\\', r"'\\'"),
            ('\u{a0}', r"'\u00a0'"),
            ('\x0b', r"'\v'"),
            ('é', "'é'"),
        ] {
            assert_eq!(QuotedChar(Some(character)).to_string(), quoted);
        }
    }
}
