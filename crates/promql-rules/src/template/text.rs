//! Functions of texts: hosts, escapes, capitals.

use std::fmt::Write;

use promql_model::quote::is_printable;

/// A host without its port.
pub(super) fn strip_port(text: &str) -> &str {
    split_host_port(text).map_or(text, |(host, _)| host)
}

/// A host name without its domain. An address of the Internet protocol stays.
pub(super) fn strip_domain(text: &str) -> String {
    let (host, port) = split_host_port(text).unwrap_or((text, ""));
    if host.parse::<std::net::IpAddr>().is_ok() {
        return text.to_owned();
    }
    let host = host.split('.').next().unwrap_or_default();
    match port {
        "" => host.to_owned(),
        _ if host.contains([':', '%']) => format!("[{host}]:{port}"),
        _ => format!("{host}:{port}"),
    }
}

/// Host and port by the rules of Go's `net.SplitHostPort`.
fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let colon = text.rfind(':')?;
    let (host, behind) = match text.strip_prefix('[') {
        Some(inner) => {
            let close = inner.find(']')? + 1;
            if close + 1 != colon {
                return None;
            }
            (&text[1..close], &text[close + 1..])
        }
        None => (&text[..colon], text),
    };
    let is_bracketed = text.starts_with('[');
    if !is_bracketed && host.contains(':') {
        return None;
    }
    let brackets = if is_bracketed { &text[1..] } else { text };
    if brackets.contains('[') || behind.contains(']') {
        return None;
    }
    Some((host, &text[colon + 1..]))
}

/// Escapes what has a meaning in the query of an address.
pub(super) fn query_escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            b' ' => escaped.push('+'),
            _ => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

/// Escapes what has a meaning in HTML, as the function `html` does.
pub(super) fn html_escape(text: &str) -> String {
    escape(text, false)
}

/// Escapes what has a meaning in HTML, as pages do with all they print.
pub(super) fn html_escape_in_page(text: &str) -> String {
    escape(text, true)
}

fn escape(text: &str, in_page: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => escaped.push('\u{fffd}'),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '+' if in_page => escaped.push_str("&#43;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Escapes what has a meaning in a string of JavaScript.
pub(super) fn js_escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str(r"\\"),
            '\'' => escaped.push_str(r"\'"),
            '"' => escaped.push_str("\\\""),
            '<' | '>' | '&' | '=' => {
                let _ = write!(escaped, "\\u{:04X}", u32::from(c));
            }
            _ if c < ' ' || !c.is_ascii() && !is_printable(c) => {
                let _ = write!(escaped, "\\u{:04X}", u32::from(c));
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

/// In capitals, each character by itself.
pub(super) fn to_upper(text: &str) -> String {
    text.chars().map(|c| one(c, c.to_uppercase())).collect()
}

/// In small letters, each character by itself.
pub(super) fn to_lower(text: &str) -> String {
    text.chars().map(|c| one(c, c.to_lowercase())).collect()
}

/// What a character is mapped to, if that is one; else the character.
fn one(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(mapped), None) => mapped,
        // The dotted capital I, whose small letter is written with a combining dot.
        (Some('i'), Some('\u{307}')) => 'i',
        _ => c,
    }
}

/// With a capital at the beginning of each word. What is a word is a matter of Unicode's rules for
/// boundaries: `o'neil`, `a.b` and `a_b` are one, `a-b` is two.
pub(super) fn title(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut titled = String::with_capacity(text.len());
    // Whether the word has its capital.
    let mut done = false;
    for (at, &c) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| characters.get(before)).copied();
        let behind = characters.get(at + 1).copied();
        if !is_inside_word(before, c, behind) {
            done = false;
        }
        let is_cased = c.is_lowercase() || c.is_uppercase();
        if is_cased && !done {
            let mut upper = c.to_uppercase();
            titled.extend(upper.next());
            titled.extend(upper.flat_map(char::to_lowercase));
            done = true;
        } else {
            titled.push(c);
        }
    }
    titled
}

/// Whether a character belongs to a word, between those next to it.
fn is_inside_word(before: Option<char>, c: char, behind: Option<char>) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let is_digit = |c: Option<char>| c.is_some_and(char::is_numeric);
    let is_mark = |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{ad}');
    match c {
        '_' | '\u{203f}' | '\u{2040}' => true,
        _ if c.is_alphanumeric() || is_mark(c) => true,
        '\'' | '.' | '\u{2018}' | '\u{2019}' | '\u{2024}' => {
            is_letter(before) && is_letter(behind) || is_digit(before) && is_digit(behind)
        }
        ':' | '\u{b7}' | '\u{387}' | '\u{2027}' => is_letter(before) && is_letter(behind),
        ',' | ';' => is_digit(before) && is_digit(behind),
        _ => false,
    }
}
