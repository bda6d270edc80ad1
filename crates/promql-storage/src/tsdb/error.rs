//! Why a data folder cannot be read.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use super::damage::Damage;

/// What is wrong with a data folder, with the file where it is wrong.
#[derive(Clone, Debug, thiserror::Error, Diagnostic)]
#[non_exhaustive]
pub enum TsdbError {
    /// The system does not let a file be read.
    #[error("cannot read `{}`: {reason}", path.display())]
    #[diagnostic(code("tsdb::unreadable"))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        reason: String,
        /// What kind of error that is.
        kind: io::ErrorKind,
    },
    /// A file does not hold what it should.
    #[error("`{}` is damaged at byte {offset}: {what}", path.display())]
    #[diagnostic(
        code("tsdb::damaged"),
        help("the other blocks can be read without it: name them one by one, or move it away")
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where, in bytes from its start.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// A file of a version that is not known here.
    #[error("`{}` has version {found} of its format; {known} can be read here", path.display())]
    #[diagnostic(code("tsdb::version"))]
    Version {
        /// The file.
        path: PathBuf,
        /// The version it says.
        found: u64,
        /// Those that are known.
        known: &'static str,
    },
    /// A block of Thanos that holds aggregates instead of samples.
    #[error("`{}` is downsampled to {} s", path.display(), resolution / 1000)]
    #[diagnostic(
        code("tsdb::downsampled"),
        help("it holds aggregates instead of samples: read the blocks with raw samples")
    )]
    Downsampled {
        /// The block.
        path: PathBuf,
        /// The milliseconds between two aggregates.
        resolution: i64,
    },
    /// A folder in which no data is.
    #[error("`{}` holds no data of a server", path.display())]
    #[diagnostic(
        code("tsdb::empty"),
        help(
            "a data folder holds blocks, which are folders with a `meta.json`, or a `wal`; a \
             block by itself can be named, too"
        )
    )]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

impl TsdbError {
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> TsdbError {
        TsdbError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
            kind: error.kind(),
        }
    }

    /// Damage of a file, of which a part was read that begins at `start`.
    pub(super) fn damaged(path: &Path, start: usize, damage: Damage) -> TsdbError {
        let Damage { what, at } = damage.behind(start);
        TsdbError::Damaged { path: path.to_owned(), offset: at as u64, what: what.into_owned() }
    }
}
