//! Streamed answers: frames with chunks.
//!
//! A frame is the length of its message, the checksum (CRC-32C) of it, and the message. A series
//! with many chunks is in several frames, one behind the other. Where the body ends between two
//! frames the answer is whole: there is no other mark of its end.

use std::collections::BTreeMap;

use promql_engine::{SampleBuffer, Samples, SelectedSeries, StorageError};
use promql_model::{Labels, LabelsBuilder};
use prost::Message;
use prost::bytes::{Buf, Bytes};

use super::message::{Chunk, ChunkedReadResponse};
use super::{Naming, labels};
use crate::columns::{forget_hints, goes_on, sort};
use crate::tsdb::chunk::{Encoding, decode};
use crate::tsdb::damage::Damage;

/// A frame that says to be longer is damaged: servers cut theirs at a megabyte, and clients upstream
/// take 50.
const LONGEST: usize = 64 << 20;

/// Series with their chunks, which are unpacked when they are read.
#[derive(Debug)]
pub(super) struct Chunks {
    labels: Vec<Labels>,
    chunks: Vec<Vec<Packed>>,
}

#[derive(Debug)]
struct Packed {
    start: i64,
    encoding: Encoding,
    data: Bytes,
}

impl Chunks {
    /// Reads all frames of an answer. The reason of a failure is a sentence about the answer.
    pub(super) fn read(body: Vec<u8>, naming: &Naming<'_>) -> Result<Chunks, String> {
        let mut body = Bytes::from(body);
        let length = body.len();
        let mut builder = LabelsBuilder::default();
        let mut series: BTreeMap<Labels, Vec<Packed>> = BTreeMap::new();
        while body.has_remaining() {
            let at = length - body.remaining();
            let frame = frame(&mut body).map_err(|what| format!("{what} (frame at byte {at})"))?;
            for one in frame.chunked_series {
                let Some(labels) = labels(&one.labels, naming, &mut builder)? else { continue };
                let chunks = series.entry(labels).or_default();
                for chunk in one.chunks {
                    chunks.push(packed(chunk)?);
                }
            }
        }
        let (labels, chunks) = series.into_iter().unzip();
        Ok(Chunks { labels, chunks })
    }
}

fn frame(body: &mut Bytes) -> Result<ChunkedReadResponse, String> {
    let length = prost::decode_length_delimiter(&mut *body).ok();
    let Some(length) = length.filter(|length| *length <= LONGEST) else {
        return Err("a frame has no length that there can be".to_owned());
    };
    if body.remaining() < 4 + length {
        return Err(format!(
            "it breaks off: {} bytes of a frame are missing",
            4 + length - body.remaining()
        ));
    }
    let expected = body.get_u32();
    let message = body.split_to(length);
    let found = crc32c::crc32c(&message);
    if found != expected {
        return Err(format!("the checksum of a frame is {found:08x}, not {expected:08x}"));
    }
    ChunkedReadResponse::decode(message)
        .map_err(|error| format!("a frame holds no chunks: {error}"))
}

fn packed(chunk: Chunk) -> Result<Packed, String> {
    let encoding = u8::try_from(chunk.r#type).ok().and_then(Encoding::of);
    let Some(encoding) = encoding else {
        return Err(format!("a chunk has the encoding {}, which is not known", chunk.r#type));
    };
    Ok(Packed { start: chunk.min_time_ms, encoding, data: chunk.data })
}

impl SelectedSeries for Chunks {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read<'b>(
        &'b self,
        index: usize,
        buffer: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError> {
        let Some(chunks) = self.chunks.get(index) else {
            return Err(StorageError::new(format!("there is no selected series {index}")));
        };
        buffer.clear();
        let mut in_order = true;
        for chunk in chunks {
            let (floats, histograms) = (buffer.timestamps.len(), buffer.histograms.len());
            decode(chunk.encoding, (&*chunk.data).into(), buffer).map_err(|damage| {
                let Damage { what, at } = damage;
                StorageError::new(format!(
                    "a chunk of {} from {} ms on is damaged: {what}, at byte {at}",
                    self.labels[index], chunk.start
                ))
            })?;
            if histograms == 0 {
                // What the first one says is about a chunk that is not there.
                forget_hints(&mut buffer.histograms, 1);
            }
            in_order &= goes_on(buffer, floats, histograms);
        }
        // What comes from the head and from blocks may overlap.
        if !in_order {
            forget_hints(&mut buffer.histograms, usize::MAX);
            sort(buffer);
        }
        Ok(buffer.samples())
    }
}
