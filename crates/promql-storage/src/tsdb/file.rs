//! Files mapped into memory.

use std::fs::File;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::TsdbError;
use super::damage::Damage;

/// A file whose bytes lie in memory, as far as they are looked at.
#[derive(Debug)]
pub(super) struct MappedFile {
    path: PathBuf,
    map: Mmap,
}

impl MappedFile {
    pub(super) fn open(path: PathBuf) -> Result<MappedFile, TsdbError> {
        let map = File::open(&path).and_then(|file| {
            // SAFETY: the bytes must not change while they are mapped. The server writes a file of
            // a block once, under another name, and later only deletes it, which leaves what is
            // mapped as it is. Reading them into memory instead would take their whole size of
            // memory for a query that needs a small part, and tens of milliseconds for each block.
            #[allow(unsafe_code)]
            unsafe {
                Mmap::map(&file)
            }
        });
        match map {
            Ok(map) => Ok(MappedFile { path, map }),
            Err(error) => Err(TsdbError::unreadable(&path, &error)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Lets go of the memory that the file takes in this process, until it is looked at again. The
    /// system goes on keeping it as it sees fit, so that this costs some hundred microseconds for
    /// ten megabytes.
    pub(super) fn release(&self) {
        #[cfg(unix)]
        {
            // SAFETY: this would lose what was written to a private mapping, but nothing writes to
            // this one: what is looked at next is read from the file again.
            #[allow(unsafe_code)]
            let released = unsafe { self.map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
            // Without it the process is larger, and all is right.
            drop(released);
        }
    }

    /// What is wrong with a part of the file that begins at `start`.
    pub(super) fn damaged(&self, start: usize, damage: Damage) -> TsdbError {
        TsdbError::damaged(&self.path, start, damage)
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}
