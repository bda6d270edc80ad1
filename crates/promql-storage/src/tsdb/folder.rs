//! Finding what there is in a data folder.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::block::{Block, Meta};
use super::{TsdbError, TsdbWarning};

/// The letters of a ULID: digits and capitals that are not mistaken for others.
const ULID_LETTERS: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The blocks of a folder, by time, and what was left out.
pub(super) fn blocks(folder: &Path) -> Result<(Vec<Block>, Vec<TsdbWarning>), TsdbError> {
    let mut found: Vec<(PathBuf, Meta)> = Vec::new();
    let mut skipped = Vec::new();
    let folders = match folder.join("meta.json").is_file() {
        true => vec![folder.to_owned()],
        false => block_folders(folder)?,
    };
    for folder in folders {
        match read_meta(&folder) {
            Ok(meta) => found.push((folder, meta)),
            // The server deleted it while we looked.
            Err(TsdbError::Unreadable { kind: io::ErrorKind::NotFound, .. })
                if !folder.exists() => {}
            Err(error) => skipped.push(TsdbWarning::SkippedBlock { folder, error }),
        }
    }
    // A block that another one was made of is still there only because the server had no time yet
    // to delete it.
    let replaced: HashSet<String> = found
        .iter()
        .flat_map(|(_, meta)| meta.parents().filter(|parent| *parent != meta.ulid))
        .map(str::to_owned)
        .collect();
    found.retain(|(_, meta)| !replaced.contains(&meta.ulid));
    found.sort_by(|(_, a), (_, b)| (a.range().start, &a.ulid).cmp(&(b.range().start, &b.ulid)));
    let blocks = found.into_iter().map(|(folder, meta)| Block::new(folder, meta)).collect();
    Ok((blocks, skipped))
}

fn read_meta(folder: &Path) -> Result<Meta, TsdbError> {
    let meta = Meta::read(folder)?;
    match meta.resolution() {
        0 => Ok(meta),
        resolution => Err(TsdbError::Downsampled { path: folder.to_owned(), resolution }),
    }
}

/// The folders in a folder whose names are those of blocks and that describe themselves.
fn block_folders(folder: &Path) -> Result<Vec<PathBuf>, TsdbError> {
    let mut folders = Vec::new();
    for entry in entries(folder)? {
        let name = entry.file_name();
        if is_ulid(name.as_encoded_bytes()) && entry.path().join("meta.json").is_file() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

fn is_ulid(name: &[u8]) -> bool {
    name.len() == 26
        && name.iter().all(|letter| ULID_LETTERS.contains(&letter.to_ascii_uppercase()))
        && name[0] <= b'7'
}

fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, TsdbError> {
    fs::read_dir(folder)
        .and_then(Iterator::collect)
        .map_err(|error| TsdbError::unreadable(folder, &error))
}

/// The files or folders whose name is a number of so many digits or more, by number. A folder that
/// does not exist has none.
pub(super) fn numbered_files(
    folder: &Path,
    digits: usize,
) -> Result<Vec<(u64, PathBuf)>, TsdbError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in entries(folder)? {
        let name = entry.file_name();
        let number = name
            .to_str()
            .filter(|name| name.len() >= digits && name.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some(number) = number.and_then(|name| name.parse().ok()) {
            files.push((number, entry.path()));
        }
    }
    files.sort_unstable();
    Ok(files)
}
