//! Tokens of a text that may be half-written.
//!
//! The lexer of the language stops at the first thing that is wrong, because nothing behind it has a
//! meaning. A text that somebody is writing is wrong most of the time, so this one goes on: a string
//! that isn't closed is a token, and so is a character that nothing begins with. On a text without
//! errors both find the same tokens, which a test over the corpus holds them to.

use std::ops::Range;

/// What a token is, as far as its characters tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word,
    /// `$name`, which whoever calls replaces before the text is parsed.
    Variable,
    /// A number, or something that begins like one.
    Number,
    /// A duration such as `1h30m`.
    Duration,
    /// A string with both its quotes.
    String,
    /// A string to the end of the line or of the text.
    OpenString,
    /// `(`, `[` or `{`.
    Open(u8),
    /// `)`, `]` or `}`.
    Close(u8),
    /// `,`
    Comma,
    /// `:` in brackets.
    Colon,
    /// `@`
    At,
    /// `=`, `!=`, `=~` or `!~` in braces.
    Match,
    /// An operator made of punctuation.
    Operator,
    /// From `#` to the end of the line.
    Comment,
    /// A character that nothing begins with.
    Unknown,
}

/// A token with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

impl Token {
    /// Its characters.
    pub(crate) fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.span.clone()).unwrap_or_default()
    }
}

/// Operators, the longer ones before their beginnings.
const OPERATORS: [&str; 15] =
    ["==", "!=", "<=", ">=", "</", ">/", "=~", "!~", "+", "-", "*", "/", "%", "^", "<"];

const MATCH_OPERATORS: [&str; 4] = ["!=", "=~", "!~", "="];

/// Reads the tokens of a text, comments among them. Every character that isn't blank is in one.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(text.len() / 4 + 4);
    let mut in_braces = false;
    let mut in_brackets = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &text[at..];
        let (kind, length) = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'#' => (Kind::Comment, rest.find(['\n', '\r']).unwrap_or(rest.len())),
            b'"' | b'\'' | b'`' => string(rest, byte),
            b'(' | b'[' => {
                in_braces = false;
                in_brackets |= byte == b'[';
                (Kind::Open(byte), 1)
            }
            b'{' => {
                in_braces = true;
                (Kind::Open(byte), 1)
            }
            b')' | b']' | b'}' => {
                // A brace that was never closed ends here, too.
                in_braces = false;
                in_brackets &= byte != b']';
                (Kind::Close(byte), 1)
            }
            b',' => (Kind::Comma, 1),
            b':' if in_brackets => (Kind::Colon, 1),
            b'@' => (Kind::At, 1),
            b'$' => (Kind::Variable, 1 + word_length(&rest[1..], false)),
            b'0'..=b'9' => number(rest),
            b'.' if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => number(rest),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' if !in_braces || byte != b':' => {
                (Kind::Word, word_length(rest, !in_braces && !in_brackets))
            }
            _ if in_braces => match MATCH_OPERATORS.iter().find(|op| rest.starts_with(**op)) {
                Some(op) => (Kind::Match, op.len()),
                None => unknown(rest),
            },
            b'>' if !rest.starts_with(">=") && !rest.starts_with(">/") => (Kind::Operator, 1),
            _ => match OPERATORS.iter().find(|op| rest.starts_with(**op)) {
                Some(op) => (Kind::Operator, op.len()),
                None => unknown(rest),
            },
        };
        let length = length.max(1);
        out.push(Token { kind, span: at..at + length });
        at += length;
    }
    out
}

fn unknown(rest: &str) -> (Kind, usize) {
    (Kind::Unknown, rest.chars().next().map_or(1, char::len_utf8))
}

fn word_length(rest: &str, colons: bool) -> usize {
    let part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || colons && *b == b':';
    rest.bytes().position(|b| !part(&b)).unwrap_or(rest.len())
}

/// A string, to its closing quote or as far as it may go: a raw string to the end of the text, the
/// others to the end of the line.
fn string(rest: &str, quote: u8) -> (Kind, usize) {
    let mut bytes = rest.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            _ if byte == quote => return (Kind::String, at + 1),
            b'\\' if quote != b'`' => drop(bytes.next()),
            b'\n' if quote != b'`' => return (Kind::OpenString, at),
            _ => {}
        }
    }
    (Kind::OpenString, rest.len())
}

/// A number or a duration. What follows without a blank belongs to it, so that it is replaced as a
/// whole: `5mi` is one token on its way to being something else.
fn number(rest: &str) -> (Kind, usize) {
    let bytes = rest.as_bytes();
    let mut end = 0;
    while let Some(&byte) = bytes.get(end) {
        let sign_of_exponent = matches!(byte, b'+' | b'-')
            && end > 0
            && matches!(bytes[end - 1], b'e' | b'E')
            && bytes[..end - 1].iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'_'));
        let part = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
        if !part && !sign_of_exponent {
            break;
        }
        end += 1;
    }
    match promql_model::parse_duration(&rest[..end]) {
        Ok(_) if !rest[..end].bytes().all(|b| b == b'0') => (Kind::Duration, end),
        _ => (Kind::Number, end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let token = |t: &Token| format!("{:?} {}", t.kind, t.text(text));
        tokens(text).iter().map(token).collect::<Vec<_>>().join(" · ")
    }

    #[test]
    fn half_written_texts() {
        assert_eq!(shown("up{a!"), "Word up · Open(123) { · Word a · Unknown !");
        assert_eq!(
            shown("x{a=\"b) + c\nd"),
            "Word x · Open(123) { · Word a · Match = · OpenString \"b) + c · Word d"
        );
        assert_eq!(shown("x[5mi"), "Word x · Open(91) [ · Number 5mi");
        assert_eq!(
            shown("x[1h:$step"),
            "Word x · Open(91) [ · Duration 1h · Colon : · Variable $step"
        );
        assert_eq!(shown("§ 'ä"), "Unknown § · OpenString 'ä");
        assert_eq!(
            shown("x{a=\"b\" + (c == d"),
            "Word x · Open(123) { · Word a · Match = · String \"b\" · Unknown + · Open(40) ( · Word c · Operator == · Word d"
        );
    }
}
