//! Records in the files of a log.
//!
//! A file is made of pages. A record is split where a page ends, each piece with a checksum, and may
//! be compressed as a whole.

use std::borrow::Cow;
use std::io::Read;

use crate::tsdb::bytes::{Bytes, verify};
use crate::tsdb::damage::Damage;

const PAGE: usize = 32 * 1024;
/// Kind, length and checksum in front of a piece.
const HEAD: usize = 7;
/// No record is larger than a file, which is 128 MiB by default; this is what a damaged one may
/// claim.
const LARGEST: u64 = 1 << 30;

/// How a record is compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Snappy,
    Zstd,
}

/// Goes through the records of a file.
pub(super) struct Records<'a> {
    file: &'a [u8],
    position: usize,
    /// The pieces of a record so far.
    record: Vec<u8>,
}

impl<'a> Records<'a> {
    pub(super) fn new(file: &'a [u8]) -> Self {
        Records { file, position: 0, record: Vec::new() }
    }

    /// How many bytes of the file were read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The next record, or nothing at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Cow<'_, [u8]>>, Damage> {
        self.record.clear();
        let mut inside = false;
        loop {
            let left = PAGE - self.position % PAGE;
            if left < HEAD {
                self.position += left;
            }
            let start = self.position;
            if start >= self.file.len() {
                return match inside {
                    true => Err(Damage::end(self.file.len())),
                    false => Ok(None),
                };
            }
            let mut bytes = Bytes::from(self.file, start);
            let head = bytes.u8()?;
            let kind = head & 0x07;
            if kind == 0 {
                // The rest of the page is empty.
                let page = (start / PAGE + 1) * PAGE;
                let rest = &self.file[start..page.min(self.file.len())];
                if let Some(at) = rest.iter().position(|byte| *byte != 0) {
                    return Err(Damage::new("the empty end of a page is not empty", start + at));
                }
                self.position = page;
                continue;
            }
            let length = usize::from(bytes.u16()?);
            let checksum = bytes.u32()?;
            if length + HEAD > PAGE - start % PAGE {
                return Err(Damage::new("a piece of a record reaches over the page", start));
            }
            let piece = bytes.take(length)?;
            verify(piece, checksum, start)?;
            match (kind, inside) {
                (1, false) | (2, false) | (3 | 4, true) => {}
                (1..=4, _) => {
                    return Err(Damage::new("a piece of a record is missing", start));
                }
                _ => {
                    let what = format!("there is no piece of a record of the kind {kind}");
                    return Err(Damage::new(what, start));
                }
            }
            self.position = bytes.position();
            inside = true;
            self.record.extend_from_slice(piece);
            if matches!(kind, 1 | 4) {
                let compression = match (head & 0x08 != 0, head & 0x10 != 0) {
                    (true, _) => Compression::Snappy,
                    (false, true) => Compression::Zstd,
                    (false, false) => Compression::None,
                };
                return decompress(&self.record, compression, start).map(Some);
            }
        }
    }
}

fn decompress(
    record: &[u8],
    compression: Compression,
    start: usize,
) -> Result<Cow<'_, [u8]>, Damage> {
    let damage =
        |error: String| Damage::new(format!("a record cannot be unpacked: {error}"), start);
    let too_large = || Damage::new("a record unpacks to more than 1 GiB", start);
    match compression {
        Compression::None => Ok(Cow::Borrowed(record)),
        Compression::Snappy => {
            let length = snap::raw::decompress_len(record).map_err(|e| damage(e.to_string()))?;
            if length as u64 > LARGEST {
                return Err(too_large());
            }
            let unpacked = snap::raw::Decoder::new().decompress_vec(record);
            unpacked.map(Cow::Owned).map_err(|error| damage(error.to_string()))
        }
        Compression::Zstd => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(record);
            let decoder = decoder.map_err(|error| damage(error.to_string()))?;
            let mut unpacked = Vec::new();
            let read = decoder.take(LARGEST + 1).read_to_end(&mut unpacked);
            read.map_err(|error| damage(error.to_string()))?;
            match unpacked.len() as u64 > LARGEST {
                true => Err(too_large()),
                false => Ok(Cow::Owned(unpacked)),
            }
        }
    }
}
