//! Everything that holds series: test fixtures, exposition text, and servers, behind one way to
//! name them.
//!
//! A [`Source`] is what a user writes, an address or the name of a file. Opened, it is either a
//! [`Storage`](promql_engine::Storage), over which the engine evaluates queries here, or a
//! [`RemoteServer`](remote::RemoteServer), which evaluates them itself.
//!
//! ```
//! use promql_engine::{LabelQuery, TimeRange};
//! use promql_storage::{OpenOptions, OpenSource, Source};
//!
//! let file = std::env::temp_dir().join("promql-storage-example.prom");
//! std::fs::write(&file, "up{job=\"api\"} 1\nup{job=\"web\"} 0\n")?;
//!
//! let source = Source::parse(&file.display().to_string())?;
//! let OpenSource::Local(local) = source.open(&OpenOptions::default())? else {
//!     panic!("a file is no server");
//! };
//! let everything = LabelQuery { selectors: &[], range: TimeRange::ALL };
//! assert_eq!(local.storage.label_values("job", &everything)?, ["api", "web"]);
//! # std::fs::remove_file(&file)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariant: no evaluation of expressions. What is wrong with a file is told by where it is
//! wrong; what is wrong with a server, without its secrets.

mod amount;
mod columns;
mod compressed;
mod diagnostics;
pub mod exposition;
mod fetched;
pub mod fixture;
mod inverted;
mod memory;
mod recording;
pub mod remote;
mod scrape;
mod source;
mod trouble;
pub mod tsdb;
mod union;

pub use amount::Amount;
pub use diagnostics::{Problem, Problems};
pub use memory::{Columns, MemoryBuilder, MemoryStorage};
pub use promql_syntax::Excerpt;
pub use recording::RecordingStorage;
pub use scrape::{ScrapeOptions, Scraper};
pub use source::{
    FileKind, LabelledSource, LocalSource, OpenOptions, OpenSource, Source, SourceError,
    SourceWarning,
};
pub use trouble::{Trouble, report, utf8};
pub use union::{UnionOptions, UnionPart, UnionStorage};
