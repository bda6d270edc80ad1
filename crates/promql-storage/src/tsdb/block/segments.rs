//! The files with the chunks of a block.

use std::path::Path;

use promql_engine::SampleBuffer;

use super::index::ChunkEntry;
use crate::tsdb::TsdbError;
use crate::tsdb::bytes::{Bytes, verify};
use crate::tsdb::chunk::{self, Encoding, Tail};
use crate::tsdb::damage::Damage;
use crate::tsdb::file::MappedFile;
use crate::tsdb::folder::numbered_files;

const MAGIC: u32 = 0x85bd_40dd;
const VERSION: u8 = 1;

/// The files of chunks, in the order of their names.
#[derive(Debug)]
pub(super) struct Segments {
    files: Vec<MappedFile>,
}

impl Segments {
    pub(super) fn open(folder: &Path) -> Result<Segments, TsdbError> {
        let files = numbered_files(&folder.join("chunks"), 6)?;
        let files: Vec<MappedFile> =
            files.into_iter().map(|(_, path)| MappedFile::open(path)).collect::<Result<_, _>>()?;
        for file in &files {
            let mut bytes = Bytes::new(file);
            let (magic, version) = (bytes.u32(), bytes.u8());
            match (magic, version) {
                (Ok(MAGIC), Ok(VERSION)) => {}
                (Ok(MAGIC), Ok(version)) => {
                    let (path, found) = (file.path().to_owned(), u64::from(version));
                    return Err(TsdbError::Version { path, found, known: "version 1" });
                }
                _ => return Err(file.damaged(0, Damage::new("this is no file of chunks", 0))),
            }
        }
        Ok(Segments { files })
    }

    /// Lets go of the memory that the files take; see [`MappedFile::release`].
    pub(super) fn release(&self) {
        self.files.iter().for_each(MappedFile::release);
    }

    /// Decodes a chunk and adds its samples to those that are in the buffer. `index` is the file
    /// that names the chunk. Gives how many bytes the chunk has.
    pub(super) fn decode(
        &self,
        chunk: ChunkEntry,
        index: &Path,
        buffer: &mut SampleBuffer,
    ) -> Result<usize, TsdbError> {
        let (segment, offset) = ((chunk.reference >> 32) as usize, chunk.reference as u32 as usize);
        let Some(file) = self.files.get(segment) else {
            let what = format!("a series has a chunk in file {segment}, which does not exist");
            return Err(TsdbError::damaged(index, 0, Damage::new(what, 0)));
        };
        decode(file, offset, buffer).map_err(|damage| file.damaged(0, damage))
    }
}

fn decode(file: &[u8], offset: usize, buffer: &mut SampleBuffer) -> Result<usize, Damage> {
    let mut bytes = Bytes::from(file, offset);
    let length = bytes.length()?;
    let start = bytes.position();
    let content = bytes.take(length.saturating_add(1))?;
    verify(content, bytes.u32()?, start)?;
    let Some(encoding) = content.first() else { return Err(Damage::end(start)) };
    let encoding = Encoding::of(*encoding).ok_or_else(|| {
        Damage::new(format!("a chunk has the unknown encoding {encoding}"), start)
    })?;
    let data = Tail::new(&file[start + 1..], length);
    chunk::decode(encoding, data, buffer).map_err(|damage| damage.behind(start + 1))?;
    Ok(length)
}
