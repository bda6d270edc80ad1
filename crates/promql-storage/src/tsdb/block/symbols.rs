//! The texts of an index, each stored once: names and values of labels.

use crate::tsdb::bytes::{Bytes, verify};
use crate::tsdb::damage::Damage;

/// Where each text lies. A text is named by its number.
#[derive(Debug)]
pub(super) struct Symbols {
    /// In bytes from the start of the file.
    offsets: Vec<u32>,
    /// What the offsets count from.
    start: usize,
}

impl Symbols {
    /// Reads the section at an offset of the index.
    pub(super) fn read(index: &[u8], offset: usize) -> Result<Symbols, Damage> {
        let section = section(index, offset)?;
        let start = offset + 4;
        let mut bytes = Bytes::new(section);
        let read = |bytes: &mut Bytes<'_>| {
            let count = bytes.u32()? as usize;
            // Each text takes a byte at least.
            let mut offsets = Vec::with_capacity(count.min(section.len()));
            for _ in 0..count {
                let offset = u32::try_from(bytes.position());
                offsets.push(offset.map_err(|_| Damage::end(bytes.position()))?);
                let length = bytes.length()?;
                bytes.take(length)?;
            }
            Ok(offsets)
        };
        let offsets = read(&mut bytes).map_err(|damage: Damage| damage.behind(start))?;
        Ok(Symbols { offsets, start })
    }

    /// The text with a number; `at` is where the number stands.
    pub(super) fn get<'a>(
        &self,
        index: &'a [u8],
        number: u64,
        at: usize,
    ) -> Result<&'a str, Damage> {
        let offset = usize::try_from(number).ok().and_then(|number| self.offsets.get(number));
        let offset = offset.ok_or_else(|| Damage::new(format!("there is no text {number}"), at))?;
        Bytes::from(index, self.start + *offset as usize).text()
    }
}

/// The content of a section of an index that has its length in front and its checksum behind.
pub(super) fn section(index: &[u8], offset: usize) -> Result<&[u8], Damage> {
    let mut bytes = Bytes::from(index, offset);
    if bytes.position() != offset {
        return Err(Damage::new("a section lies behind the end of the file", index.len()));
    }
    let length = bytes.u32()? as usize;
    let content = bytes.take(length)?;
    verify(content, bytes.u32()?, offset + 4)?;
    Ok(content)
}
