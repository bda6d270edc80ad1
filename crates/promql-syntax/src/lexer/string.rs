//! String literals: where they end, and the bytes they stand for.

use crate::error::ErrorKind;

/// The end of the string whose opening quote is at `start`. Its escapes and its encoding are checked.
pub(super) fn scan_string(source: &[u8], start: usize) -> Result<usize, ErrorKind> {
    let quote = source[start];
    let mut pos = start + 1;
    loop {
        match source.get(pos) {
            None if quote == b'`' => return Err(ErrorKind::UnterminatedRawString),
            None => return Err(ErrorKind::UnterminatedString),
            Some(&byte) if byte == quote => return Ok(pos + 1),
            Some(b'\\') if quote != b'`' => pos = scan_escape(source, pos, quote)?.1,
            Some(b'\n') if quote != b'`' => return Err(ErrorKind::UnterminatedString),
            Some(0x80..) => match decode_char(&source[pos..]) {
                // Upstream's decoder answers U+FFFD for bytes that are not UTF-8 and does not tell
                // that from the character itself.
                None | Some(char::REPLACEMENT_CHARACTER) => return Err(ErrorKind::InvalidUtf8),
                Some(c) => pos += c.len_utf8(),
            },
            Some(_) => pos += 1,
        }
    }
}

/// What an escape stands for.
enum Escaped {
    Byte(u8),
    Char(char),
}

/// The escape whose backslash is at `start`, and the offset behind it.
fn scan_escape(source: &[u8], start: usize, quote: u8) -> Result<(Escaped, usize), ErrorKind> {
    let pos = start + 1;
    let Some(&letter) = source.get(pos) else { return Err(ErrorKind::EscapeNotTerminated) };
    let (digits, base, max): (usize, u32, u32) = match letter {
        b'a' => return Ok((Escaped::Byte(0x07), pos + 1)),
        b'b' => return Ok((Escaped::Byte(0x08), pos + 1)),
        b'f' => return Ok((Escaped::Byte(0x0c), pos + 1)),
        b'n' => return Ok((Escaped::Byte(b'\n'), pos + 1)),
        b'r' => return Ok((Escaped::Byte(b'\r'), pos + 1)),
        b't' => return Ok((Escaped::Byte(b'\t'), pos + 1)),
        b'v' => return Ok((Escaped::Byte(0x0b), pos + 1)),
        b'\\' => return Ok((Escaped::Byte(b'\\'), pos + 1)),
        _ if letter == quote => return Ok((Escaped::Byte(quote), pos + 1)),
        b'0'..=b'7' => (3, 8, 255),
        b'x' => (2, 16, 255),
        b'u' => (4, 16, char::MAX as u32),
        b'U' => (8, 16, char::MAX as u32),
        _ => {
            let c = decode_char(&source[pos..]).unwrap_or(char::REPLACEMENT_CHARACTER);
            return Err(ErrorKind::UnknownEscape(c));
        }
    };
    let first = if base == 8 { pos } else { pos + 1 };
    let mut value = 0u32;
    for place in first..first + digits {
        let Some(&byte) = source.get(place) else { return Err(ErrorKind::EscapeNotTerminated) };
        let Some(digit) = (byte as char).to_digit(base) else {
            let c = decode_char(&source[place..]).unwrap_or(char::REPLACEMENT_CHARACTER);
            return Err(ErrorKind::IllegalEscapeCharacter(c));
        };
        value = value * base + digit;
    }
    let end = first + digits;
    if value > max {
        return Err(ErrorKind::EscapeOutOfRange);
    }
    match letter {
        b'u' | b'U' => match char::from_u32(value) {
            Some(c) => Ok((Escaped::Char(c), end)),
            None => Err(ErrorKind::EscapeOutOfRange),
        },
        _ => Ok((Escaped::Byte(value as u8), end)),
    }
}

/// Whether the bytes between the quotes of a valid literal are the string itself.
pub(crate) fn is_plain(literal: &[u8]) -> bool {
    literal[0] == b'`' || memchr::memchr(b'\\', literal).is_none()
}

/// Appends the bytes that a valid literal, with its quotes, stands for.
pub(crate) fn decode_string(literal: &[u8], out: &mut Vec<u8>) {
    let quote = literal[0];
    let inner_end = literal.len() - 1;
    let mut pos = 1;
    while pos < inner_end {
        if literal[pos] == b'\\' && quote != b'`' {
            let Ok((escaped, end)) = scan_escape(literal, pos, quote) else { return };
            match escaped {
                Escaped::Byte(byte) => out.push(byte),
                Escaped::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            pos = end;
        } else {
            out.push(literal[pos]);
            pos += 1;
        }
    }
}

/// The first character of a text, if the bytes are UTF-8.
pub(super) fn decode_char(bytes: &[u8]) -> Option<char> {
    let length = match bytes.first()? {
        0x00..=0x7f => return Some(bytes[0] as char),
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    std::str::from_utf8(bytes.get(..length)?).ok()?.chars().next()
}
