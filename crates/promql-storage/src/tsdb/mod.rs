//! The data folder of a Prometheus server, read where it lies.
//!
//! A server keeps what it scraped in *blocks*, folders that hold some hours or weeks and never
//! change, and the last hours in a log from which it rebuilds its memory when it starts, the *head*.
//! [`TsdbStorage`] puts them together. The files are mapped into memory, nothing is written, and no
//! lock is taken, so a folder can be read while its server writes to it.
//!
//! All formats are those that Prometheus 3.14 reads and writes; what each file holds is said in the
//! module that reads it. Checksums are verified wherever something is read, and damage is told with
//! the file and the byte.

mod block;
mod bytes;
pub(crate) mod chunk;
pub(crate) mod damage;
mod delete;
mod error;
mod file;
mod folder;
mod hot;
mod joined;
mod run;
pub(crate) mod schema;
mod selection;
mod storage;
mod wal;

use std::path::PathBuf;

pub use error::TsdbError;
pub use storage::TsdbStorage;
pub use wal::LogWarning;

/// Something odd about a data folder that can be read all the same.
#[derive(Clone, Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum TsdbWarning {
    /// A block is left out because it does not say what it is.
    #[error("the block `{}` is left out: {error}", folder.display())]
    #[diagnostic(code("tsdb::skipped"), severity(Warning))]
    SkippedBlock {
        /// Where it is.
        folder: PathBuf,
        /// What is wrong with it.
        error: TsdbError,
    },
    /// The log is not as it should be.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Log(#[from] LogWarning),
}
