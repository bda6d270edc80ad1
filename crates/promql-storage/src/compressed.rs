//! Compressed files: gzip and zstd, told by their first bytes and not by their names.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

/// What a file may become. More is no fixture, but a trap or a mistake.
const MOST: u64 = 8 << 30;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Endings of the names of compressed files, in front of which the kind of file stands.
const ENDINGS: [&str; 3] = [".gz", ".zst", ".zstd"];

/// A name without the ending that says that the file is compressed.
pub(crate) fn without_ending(name: &str) -> &str {
    let stripped = ENDINGS.iter().find_map(|ending| {
        let at = name.len().checked_sub(ending.len())?;
        let same = name.get(at..)?.eq_ignore_ascii_case(ending);
        same.then(|| &name[..at])
    });
    stripped.unwrap_or(name)
}

/// The bytes themselves, or what they are when they are decompressed. What was compressed in
/// several parts, one behind the other, is one text.
///
/// # Errors
/// They are damaged, or become larger than anything that is read here.
pub(crate) fn plain(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    if bytes.starts_with(GZIP) {
        add(&mut plain, MultiGzDecoder::new(&*bytes), "gzip", MOST)?;
    } else if bytes.starts_with(ZSTD) {
        let mut rest = &*bytes;
        while !rest.is_empty() {
            match StreamingDecoder::new(&mut rest) {
                Ok(decoder) => add(&mut plain, decoder, "zstd", MOST)?,
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => rest = rest.get(length as usize..).unwrap_or_default(),
                Err(error) => return Err(damage("zstd", &error.to_string())),
            }
        }
    } else {
        return Ok(bytes);
    }
    Ok(plain)
}

fn add(plain: &mut Vec<u8>, reader: impl Read, form: &str, most: u64) -> io::Result<()> {
    let left = most.saturating_sub(plain.len() as u64);
    let read = reader.take(left + 1).read_to_end(plain);
    let read = read.map_err(|error| damage(form, &error.to_string()))?;
    if read as u64 > left {
        let text = format!("decompressed it has more than {} GiB", most >> 30);
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(())
}

fn damage(form: &str, reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("its {form} data is damaged ({reason})"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("to memory");
        encoder.finish().expect("to memory")
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn what_is_compressed_is_decompressed() {
        assert_eq!(plain(b"up 1\n".to_vec()).expect("plain"), b"up 1\n");
        // A frame to skip, of three bytes.
        let skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec();
        let frames = [zstd(b"up 1\n"), skipped, zstd(b"down 0\n")].concat();
        assert_eq!(plain(frames).expect("zstd"), b"up 1\ndown 0\n");
        let members = [gzip(b"up 1\n"), gzip(b"down 0\n")].concat();
        assert_eq!(plain(members).expect("gzip"), b"up 1\ndown 0\n");
    }

    #[test]
    fn what_is_cut_short_is_damaged() {
        for whole in [gzip(b"up 1\n"), zstd(&b"up 1\n".repeat(100))] {
            let error = plain(whole[..whole.len() - 3].to_vec()).expect_err("cut short");
            assert!(error.to_string().contains("is damaged"), "{error}");
        }
    }

    #[test]
    fn what_becomes_too_large_is_refused() {
        let mut plain = vec![0; 600];
        let error = add(&mut plain, io::repeat(0), "gzip", 1000).expect_err("too large");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn names() {
        for (name, without) in
            [("a.prom.gz", "a.prom"), ("a.om.ZST", "a.om"), ("a.gz.om", "a.gz.om"), ("é", "é")]
        {
            assert_eq!(without_ending(name), without);
        }
    }
}
