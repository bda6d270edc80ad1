//! Characters and escape sequences: what stands for one character inside and outside of classes.

use super::error::{Problem, RegexErrorKind as Kind};

/// A place in a pattern.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    /// Whether it is known that no `:]` lies ahead, so that it isn't looked for again and again.
    pub(super) no_posix_end: bool,
}

impl<'a> Cursor<'a> {
    /// The start of a pattern.
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, no_posix_end: false }
    }

    /// The byte `ahead` places on.
    #[inline]
    pub(super) fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// What lies ahead.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// A problem with the text from `start` to here.
    pub(super) fn problem(&self, kind: Kind, start: usize) -> Problem {
        Problem { kind, start, end: self.at }
    }

    /// A problem with the text from `start` to the end of the pattern.
    pub(super) fn problem_to_end(&self, kind: Kind, start: usize) -> Problem {
        Problem { kind, start, end: self.text.len() }
    }

    /// Takes a character; `None` at the end.
    #[inline]
    pub(super) fn next_char(&mut self) -> Result<Option<char>, Problem> {
        match self.peek(0) {
            None => Ok(None),
            Some(byte) if byte < 0x80 => {
                self.at += 1;
                Ok(Some(char::from(byte)))
            }
            Some(_) => match decode(self.rest()) {
                Some(character) => {
                    self.at += character.len_utf8();
                    Ok(Some(character))
                }
                None => Err(self.problem_to_end(Kind::InvalidUtf8, self.at)),
            },
        }
    }

    /// Takes an escape sequence that stands for one character; the cursor is at the backslash.
    /// The answer is a number because `\x{d800}` is one of RE2's characters and none of Rust's.
    pub(super) fn escape(&mut self) -> Result<u32, Problem> {
        let start = self.at;
        self.at += 1;
        let Some(character) = self.next_char()? else {
            return Err(self.problem(Kind::TrailingBackslash, self.at));
        };
        let simple = match character {
            '0' => return Ok(self.octal(0)),
            '1'..='7' if matches!(self.peek(0), Some(b'0'..=b'7')) => {
                return Ok(self.octal(u32::from(character) - u32::from('0')));
            }
            'x' => self.hexadecimal()?,
            'a' => Some(0x07),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'v' => Some(0x0b),
            // An underscore needs no escape, but may have one.
            _ if character.is_ascii() && !character.is_ascii_alphanumeric() => {
                Some(u32::from(character))
            }
            _ => None,
        };
        simple.ok_or_else(|| self.problem(Kind::InvalidEscape, start))
    }

    /// Takes up to two more octal digits.
    fn octal(&mut self, first: u32) -> u32 {
        let mut value = first;
        for _ in 0..2 {
            let Some(digit @ b'0'..=b'7') = self.peek(0) else { break };
            value = value * 8 + u32::from(digit - b'0');
            self.at += 1;
        }
        value
    }

    /// Takes what follows `\x`: two digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Result<Option<u32>, Problem> {
        let Some(first) = self.next_char()? else { return Ok(None) };
        if first != '{' {
            let second = self.next_char()?;
            let digits = first.to_digit(16).zip(second.and_then(|c| c.to_digit(16)));
            return Ok(digits.map(|(high, low)| high * 16 + low));
        }
        let mut value = None;
        loop {
            let Some(character) = self.next_char()? else { return Ok(None) };
            if character == '}' {
                return Ok(value);
            }
            let Some(digit) = character.to_digit(16) else { return Ok(None) };
            let longer = value.unwrap_or(0) * 16 + digit;
            if longer > u32::from(char::MAX) {
                return Ok(None);
            }
            value = Some(longer);
        }
    }
}

/// The first character, unless its bytes are not UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Option<char> {
    let length = match bytes.first()? {
        0x00..0x80 => 1,
        0xc2..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf5 => 4,
        _ => return None,
    };
    std::str::from_utf8(bytes.get(..length)?).ok()?.chars().next()
}
