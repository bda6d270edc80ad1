//! The values of a series description.
//!
//! Their notation is decided byte by byte: `x` between two numbers is a token, blanks are tokens,
//! and words inside the bucket lists of a histogram are collected across tokens. A scan with a
//! cursor says that more plainly than rules would.

use logos::Logos;

use super::{Lexer, Mode, Next, TokenKind, span};
use crate::error::{Error, ErrorKind};

/// The words of a histogram that stand in front of a colon.
const KEYS: [(&str, TokenKind); 11] = [
    ("sum", TokenKind::SumKey),
    ("count", TokenKind::CountKey),
    ("schema", TokenKind::SchemaKey),
    ("offset", TokenKind::OffsetKey),
    ("n_offset", TokenKind::NegativeOffsetKey),
    ("buckets", TokenKind::BucketsKey),
    ("n_buckets", TokenKind::NegativeBucketsKey),
    ("z_bucket", TokenKind::ZeroBucketKey),
    ("z_bucket_w", TokenKind::ZeroBucketWidthKey),
    ("custom_values", TokenKind::CustomValuesKey),
    ("counter_reset_hint", TokenKind::CounterResetHintKey),
];

/// The other words of a histogram.
const WORDS: [(&str, TokenKind); 6] = [
    ("unknown", TokenKind::UnknownHint),
    ("reset", TokenKind::ResetHint),
    ("not_reset", TokenKind::NotResetHint),
    ("gauge", TokenKind::GaugeHint),
    ("inf", TokenKind::Number),
    ("nan", TokenKind::Number),
];

impl<'s> Lexer<'s> {
    /// The values of a series, from `at` to the end of the text.
    pub(super) fn values(&mut self, mut at: usize) -> Next<'s> {
        while let Some(&byte) = self.source.get(at) {
            let start = at;
            at = match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.space(start, start),
                b'+' => self.one(TokenKind::Add, start, start),
                b'-' => self.one(TokenKind::Sub, start, start),
                b'x' => self.one(TokenKind::Times, start, start),
                b'_' => self.one(TokenKind::Blank, start, start),
                b'{' if self.source.get(start + 1) == Some(&b'{') => {
                    self.push(TokenKind::OpenHistogram, start, start + 2);
                    self.histogram(start + 2)?
                }
                b'.' if self.source.get(start + 1).is_some_and(u8::is_ascii_digit) => {
                    self.number(start)?
                }
                b'0'..=b'9' => self.number(start)?,
                b'a'..=b'z' | b'A'..=b'Z' => {
                    let mut word = TokenKind::lexer(&self.source[start..]);
                    let kind = match word.next() {
                        Some(Ok(TokenKind::Fill | TokenKind::FillLeft | TokenKind::FillRight)) => {
                            TokenKind::Identifier
                        }
                        Some(Ok(kind)) => kind,
                        _ => TokenKind::Identifier,
                    };
                    let end = start + word.span().end;
                    self.push(kind, start, end);
                    end
                }
                _ => {
                    let kind = ErrorKind::UnexpectedInSeries(self.char_at(start));
                    return Err(self.error(kind, start));
                }
            };
        }
        Ok(Mode::End)
    }

    /// The inside of `{{ }}`. Gives the offset behind it.
    fn histogram(&mut self, mut at: usize) -> Result<usize, Error> {
        loop {
            let start = at;
            at = match self.source.get(at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.space(start, start),
                Some(b':') => self.one(TokenKind::Colon, start, start),
                Some(b'-') => self.one(TokenKind::Sub, start, start),
                Some(b'0'..=b'9') => self.number(start)?,
                Some(b'[') => {
                    self.push(TokenKind::LeftBracket, start, start + 1);
                    self.buckets(start + 1)?
                }
                Some(b'}') if self.source.get(start + 1) == Some(&b'}') => {
                    self.push(TokenKind::CloseHistogram, start, start + 2);
                    return Ok(start + 2);
                }
                Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => self.histogram_word(start)?,
                _ => {
                    let kind = ErrorKind::UnexpectedInHistogram(self.char_at(start));
                    return Err(self.error(kind, start));
                }
            };
        }
    }

    fn histogram_word(&mut self, start: usize) -> Result<usize, Error> {
        let is_word = |b: &u8| b.is_ascii_alphabetic() || *b == b'_';
        let length = self.source[start..].iter().position(|b| !is_word(b));
        let end = length.map_or(self.source.len(), |n| start + n);
        let word = &self.source[start..end];
        let find = |table: &[(&str, TokenKind)]| {
            let found = table.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
            found.map(|&(_, kind)| kind)
        };
        if let Some(kind) = find(&KEYS) {
            if self.source.get(end) != Some(&b':') {
                return Err(self.error(ErrorKind::MissingHistogramColon, start));
            }
            self.push(kind, start, end);
            // The colon may only follow a key, so it is read with it.
            return Ok(self.one(TokenKind::Colon, end, end));
        }
        match find(&WORDS) {
            Some(kind) => {
                self.push(kind, start, end);
                Ok(end)
            }
            None => Err(self.error(ErrorKind::BadHistogramWord(word.into()), start)),
        }
    }

    /// The inside of `[ ]` in a histogram. Letters that don't spell a number are no token of their
    /// own: they become the front of the next one, as in upstream's lexer.
    fn buckets(&mut self, mut at: usize) -> Result<usize, Error> {
        let mut pending = at;
        loop {
            let Some(&byte) = self.source.get(at) else {
                return Err(self.error(ErrorKind::UnexpectedInBuckets('\u{fffd}'), pending));
            };
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => at = self.space(pending, at),
                b'0'..=b'9' => at = self.bucket_number(pending, at)?,
                b'-' => {
                    at = self.one(TokenKind::Sub, pending, at);
                    at = self.bucket_number(at, at)?;
                }
                b']' => return Ok(self.one(TokenKind::RightBracket, pending, at)),
                b'a'..=b'z' | b'A'..=b'Z' => {
                    at += 1;
                    let word = &self.source[pending..at];
                    if !word.eq_ignore_ascii_case(b"inf") && !word.eq_ignore_ascii_case(b"nan") {
                        continue;
                    }
                    self.push(TokenKind::Number, pending, at);
                }
                _ => {
                    let kind = ErrorKind::UnexpectedInBuckets(self.char_at(at));
                    return Err(self.error(kind, pending));
                }
            }
            pending = at;
        }
    }

    fn bucket_number(&mut self, pending: usize, at: usize) -> Result<usize, Error> {
        match super::number::scan_series_number(self.source, at) {
            super::Scanned::Number(end) => {
                self.out
                    .tokens
                    .push(super::Token { kind: TokenKind::Number, span: span(pending, end) });
                Ok(end)
            }
            super::Scanned::Duration(end) | super::Scanned::Bad(end) => {
                let text = self.source[pending..end].into();
                Err(self.error(ErrorKind::BadSeriesNumber(text), pending))
            }
        }
    }

    /// One byte that is a token; `pending` is where its text begins.
    fn one(&mut self, kind: TokenKind, pending: usize, at: usize) -> usize {
        self.push(kind, pending, at + 1);
        at + 1
    }

    /// A run of blanks is one token.
    fn space(&mut self, pending: usize, at: usize) -> usize {
        let rest = &self.source[at..];
        let length = rest.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
        let end = length.map_or(self.source.len(), |n| at + n);
        self.push(TokenKind::Space, pending, end);
        end
    }
}
