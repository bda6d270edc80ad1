//! The log of a server: all that it got since the last block.
//!
//! `wal` holds what came in order, `wbl` what came late. From time to time the server writes what
//! it still needs of old files into a checkpoint, which replaces them.

mod framing;
mod head;
mod record;

use std::path::{Path, PathBuf};

use super::TsdbError;
use super::folder::numbered_files;
use crate::MemoryStorage;
use framing::Records;
use head::Head;

/// How many digits the names of files have.
const DIGITS: usize = 8;

/// What the log of a server says.
pub(super) struct Replayed {
    /// The series.
    pub(super) head: MemoryStorage,
    /// What is odd.
    pub(super) warnings: Vec<LogWarning>,
}

/// Something odd about the log of a server.
#[derive(Clone, Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum LogWarning {
    /// A file is damaged: what stands behind that place is left out.
    #[error("the rest of the log is left out: {0}")]
    #[diagnostic(
        code("tsdb::log-damaged"),
        severity(Warning),
        help("a server that starts with this log repairs it by cutting it off there")
    )]
    Damaged(TsdbError),
    /// A file is missing between others.
    #[error("`{}` is missing, and the log behind it is left out", path.display())]
    #[diagnostic(code("tsdb::log-gap"), severity(Warning))]
    Gap {
        /// The file.
        path: PathBuf,
    },
    /// Some of what the log says is not known here.
    #[error("the log in `{}` has {count} {what}, which are left out", path.display())]
    #[diagnostic(code("tsdb::log-unknown"), severity(Warning))]
    LeftOut {
        /// The folder.
        path: PathBuf,
        /// How many.
        count: u64,
        /// What.
        what: &'static str,
    },
}

/// Reads the log in a data folder. Samples before `from`, in milliseconds since the epoch, are in
/// blocks already and are passed over, unless they came late.
///
/// The server may be writing all the while: what it has not finished is not read.
pub(super) fn replay(folder: &Path, from: i64) -> Result<Option<Replayed>, TsdbError> {
    let wal = folder.join("wal");
    if !wal.is_dir() {
        return Ok(None);
    }
    let mut head = Head::default();
    let mut warnings = Vec::new();
    let (checkpoint, replaced) = match checkpoint(&wal)? {
        Some((number, folder)) => (numbered_files(&folder, DIGITS)?, Some(number)),
        None => (Vec::new(), None),
    };
    let segments = numbered_files(&wal, DIGITS)?;
    let segments: Vec<(u64, PathBuf)> =
        segments.into_iter().filter(|(number, _)| Some(*number) > replaced).collect();
    let late = numbered_files(&folder.join("wbl"), DIGITS)?;
    // The log of what came late does not say which series its numbers stand for, so it comes last.
    for (files, from) in [(checkpoint, from), (segments, from), (late, i64::MIN)] {
        head.set_from(from);
        read_files(&files, &mut head, &mut warnings)?;
    }
    let (storage, left_out) = head.finish();
    warnings.extend(left_out.into_iter().map(|(what, count)| LogWarning::LeftOut {
        path: wal.clone(),
        count,
        what,
    }));
    Ok(Some(Replayed { head: storage, warnings }))
}

/// The newest checkpoint, with the number of the last file that it replaces.
fn checkpoint(wal: &Path) -> Result<Option<(u64, PathBuf)>, TsdbError> {
    let entries = std::fs::read_dir(wal).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| TsdbError::unreadable(wal, &error))?;
    let checkpoints = entries.into_iter().filter_map(|entry| {
        let name = entry.file_name();
        let number = name.to_str()?.strip_prefix("checkpoint.")?;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        Some((number.parse().ok().filter(|_| digits)?, entry.path()))
    });
    Ok(checkpoints.max())
}

/// Reads files of a log one after the other, up to the first that is damaged.
fn read_files(
    files: &[(u64, PathBuf)],
    head: &mut Head,
    warnings: &mut Vec<LogWarning>,
) -> Result<(), TsdbError> {
    let mut expected = files.first().map(|(number, _)| *number);
    for (at, (number, path)) in files.iter().enumerate() {
        if expected != Some(*number) {
            let missing = format!("{:0DIGITS$}", expected.unwrap_or_default());
            warnings.push(LogWarning::Gap { path: path.with_file_name(missing) });
            return Ok(());
        }
        expected = number.checked_add(1);
        let file = std::fs::read(path).map_err(|error| TsdbError::unreadable(path, &error))?;
        let is_last = at + 1 == files.len();
        if let Err(error) = read_file(path, &file, is_last, head) {
            warnings.push(LogWarning::Damaged(error));
            return Ok(());
        }
    }
    Ok(())
}

/// Reads a file of a log. What the server has begun to write and not finished, at the end of the
/// last one, is no damage.
fn read_file(path: &Path, file: &[u8], is_last: bool, head: &mut Head) -> Result<(), TsdbError> {
    let mut records = Records::new(file);
    loop {
        let record = match records.next() {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(()),
            Err(damage) => {
                return match is_last && damage.is_end() {
                    true => Ok(()),
                    false => Err(TsdbError::damaged(path, 0, damage)),
                };
            }
        };
        let read = record::read(&record, head);
        let end = records.position();
        read.map_err(|damage| {
            let what = format!("the record that ends here is wrong: {}", damage.what);
            TsdbError::damaged(path, end, super::damage::Damage::new(what, 0))
        })?;
    }
}
