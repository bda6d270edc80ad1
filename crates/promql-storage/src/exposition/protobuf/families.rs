//! Families one after the other, each behind its length.

use prost::Message;

use super::ProtobufErrorKind;
use super::message::MetricFamily;

/// A family that says to be longer is damaged: no exporter has one.
const LONGEST: usize = 64 << 20;

/// A family begins with its name.
const NAME_TAG: u8 = 0x0a;

/// Whether bytes are an exposition in its protobuf form: lengths that lead from one family to the
/// next and end with the last byte, and a first family that is one. Text is none, however it begins.
pub fn is_protobuf(body: &[u8]) -> bool {
    let mut families = Families::new(body);
    let is_first = families.clone().next().is_some_and(|first| first.is_ok());
    is_first && {
        while let Some(frame) = families.frame() {
            if !frame.is_ok_and(|(_, family)| family.first() == Some(&NAME_TAG)) {
                return false;
            }
        }
        true
    }
}

/// The families of a body, each with the byte where it begins. Nothing comes after an error.
#[derive(Clone)]
pub(super) struct Families<'a> {
    body: &'a [u8],
    at: usize,
}

type Frame<T> = Option<Result<(usize, T), (usize, ProtobufErrorKind)>>;

impl<'a> Families<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Families { body, at: 0 }
    }

    /// The bytes of the next family.
    fn frame(&mut self) -> Frame<&'a [u8]> {
        let start = self.at;
        let mut rest = &self.body[start..];
        if rest.is_empty() {
            return None;
        }
        // Until the end is known to be fine, nothing follows.
        self.at = self.body.len();
        let length = prost::decode_length_delimiter(&mut rest).ok();
        let Some(length) = length.filter(|length| *length <= LONGEST) else {
            return Some(Err((start, ProtobufErrorKind::Length)));
        };
        if rest.len() < length {
            let missing = length - rest.len();
            return Some(Err((start, ProtobufErrorKind::Short { missing, length })));
        }
        self.at = self.body.len() - rest.len() + length;
        Some(Ok((start, &rest[..length])))
    }
}

impl Iterator for Families<'_> {
    type Item = Result<(usize, MetricFamily), (usize, ProtobufErrorKind)>;

    fn next(&mut self) -> Option<Self::Item> {
        let frame = match self.frame()? {
            Ok((start, bytes)) => match MetricFamily::decode(bytes) {
                Ok(family) => Ok((start, family)),
                Err(error) => Err((start, ProtobufErrorKind::Message(error.to_string()))),
            },
            Err(error) => Err(error),
        };
        Some(frame)
    }
}
